"""SignalCore: every strategy's answer for every minute, and their blend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import MarketBlock, Session, Universe
from ordinis.domain.signal import SignalBlock
from ordinis.engines.signalcore.bars import BarCounter
from ordinis.engines.signalcore.blend import Blend, best_of
from ordinis.engines.signalcore.guarded import Fault, GuardedSeat
from ordinis.engines.signalcore.seat import Answer, Seat
from ordinis.engines.signalcore.settings import SignalSettings
from ordinis.engines.signalcore.strategy import Strategy


class SignalCore:
    """Holds the strategies and what they carry from block to block.

    Row r of what `advance` returns depends on bars up to row r and on earlier blocks only, and has the
    same bits however a session is cut into blocks.
    """

    def __init__(
        self,
        universe: Universe,
        strategies: Sequence[Strategy],
        settings: SignalSettings,
        guarded: Collection[str] = (),
    ) -> None:
        """`guarded` names the user's own: what such a one does wrong switches it off instead of ending the run."""
        self.strategies = tuple(strategy.name for strategy in strategies)
        _check_names(self.strategies, settings)
        self._counter = BarCounter(len(universe))
        seats = [Seat(strategy, len(universe), settings) for strategy in strategies]
        self._seats = [GuardedSeat(seat) if seat.name in guarded else seat for seat in seats]
        self._weights = [settings.weights.get(name, 1.0) for name in self.strategies]

    def advance(self, block: MarketBlock) -> SignalBlock:
        """The blend over a block: call once for each, in order. Errors: StrategyError."""
        bars = self._counter.read(block)
        answers = [seat.ask(bars) for seat in self._seats]
        return self._signals(answers, best_of(answers, self._weights))

    def close_session(self) -> None:
        """The session's scores join the history. Harmless when there is nothing to join."""
        for seat in self._seats:
            seat.close_session()

    @property
    def switched_off(self) -> list[int]:
        """The strategies that are, by their index."""
        return [index for index, seat in enumerate(self._seats) if isinstance(seat, GuardedSeat) and seat.off]

    def take_faults(self) -> list[Fault]:
        """What has been switched off since the last call, and why."""
        return [fault for seat in self._seats if isinstance(seat, GuardedSeat) for fault in seat.take_faults()]

    def warm_up(self, blocks: Iterable[MarketBlock]) -> None:
        """Live through earlier sessions, each closed at its end, the last one too."""
        session: Session | None = None
        for block in blocks:
            if session is not None and block.session != session:
                self.close_session()
            session = block.session
            self.advance(block)
        self.close_session()

    def _signals(self, answers: list[Answer], blend: Blend) -> SignalBlock:
        exits = np.stack([answer.exit for answer in answers])
        same = all(answer.cover is answer.exit for answer in answers)
        covers = exits if same else np.stack([answer.cover for answer in answers])
        leaves = exits if same else exits | covers
        return SignalBlock(
            strategies=self.strategies,
            strategy=blend.strategy,
            direction=blend.direction,
            score=blend.score,
            confidence=blend.confidence,
            p_win=np.full(blend.score.shape, np.nan),  # No outcomes are collected yet, so no evidence.
            stop_distance=blend.stop_distance,
            exits=exits,
            covers=covers,
            ready=np.logical_or.reduce([answer.ready for answer in answers]),
            has_entry=np.logical_or.reduce(blend.direction, axis=1),
            has_exit=np.logical_or.reduce(leaves, axis=(0, 2)),
        )


def _check_names(names: tuple[str, ...], settings: SignalSettings) -> None:
    if not names:
        raise ConfigError("strategies.enabled names no strategy; name one, or 'idle' for one that asks for nothing")
    if len(set(names)) != len(names):
        raise ConfigError(f"strategies.enabled names a strategy twice: {', '.join(names)}")
    for name in settings.weights:
        if name not in names:
            raise ConfigError(f"signals.weights names {name}, which is not enabled; enabled are {', '.join(names)}")
