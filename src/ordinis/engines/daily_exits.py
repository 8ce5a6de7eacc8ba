"""Exits on the last closed daily bar: the strategies a second time, in daily bars.

A symbol with too little daily history for its owner falls back to that strategy's vote on the session's newest
minute; either way the order goes out at the next open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ordinis.domain.market import BoolArray, DailyBlock, FloatArray, IntArray, MarketBlock, Session, Universe
from ordinis.engines.continuous import ContinuousPrices
from ordinis.engines.outlook import Minutes
from ordinis.engines.signalcore.core import SignalCore


class DayBar:
    """The bar of one session while it grows, a column a symbol; NaN before a symbol's first minute."""

    def __init__(self, symbols: int) -> None:
        self.open: FloatArray = np.full(symbols, np.nan)
        self.high: FloatArray = np.full(symbols, np.nan)
        self.low: FloatArray = np.full(symbols, np.nan)
        self.close: FloatArray = np.full(symbols, np.nan)
        self.volume: FloatArray = np.zeros(symbols)

    @classmethod
    def of(cls, daily: DailyBlock, row: int) -> DayBar:
        bar = cls(len(daily.universe))
        bar.open, bar.high, bar.low = daily.open[row], daily.high[row], daily.low[row]
        bar.close, bar.volume = daily.close[row], daily.volume[row]
        return bar

    def add(self, block: MarketBlock, seen: BoolArray, last: IntArray) -> None:
        """Take a block's minutes in; `seen` and `last` are its `newest`."""
        columns = np.arange(seen.size)
        first = block.present.argmax(axis=0)
        self.open = np.where(np.isnan(self.open), block.open[first, columns], self.open)
        self.close = np.where(seen, block.close[last, columns], self.close)
        self.high = np.fmax(self.high, np.fmax.reduce(block.high, axis=0))
        self.low = np.fmin(self.low, np.fmin.reduce(block.low, axis=0))
        self.volume = self.volume + block.volume.sum(axis=0)

    def block(self, universe: Universe, session: Session) -> MarketBlock:
        """The bar as a block of one row."""
        return MarketBlock(
            universe=universe,
            session=session,
            closed_at_ns=np.array([session.close_ns]),
            open=self.open[None, :],
            high=self.high[None, :],
            low=self.low[None, :],
            close=self.close[None, :],
            volume=self.volume[None, :],
            present=~np.isnan(self.close)[None, :],
        )


class DailyExits:
    """Gathers a session's bar and asks each strategy about it at the close."""

    def __init__(self, universe: Universe, cores: Sequence[SignalCore], always: Collection[int] = ()) -> None:
        """`cores` hold one strategy each, in the order of the minutes' strategies: each is ready in its own time.

        `always` names those, by their index, that leave on daily bars in every tier.
        """
        self.always: BoolArray = np.zeros((len(cores), 1), np.bool_)
        self.always[list(always)] = True
        self._universe = universe
        self._cores = cores
        self._bar = DayBar(len(universe))
        self._continuous = ContinuousPrices(len(universe))
        self._votes = self._covers = self._no_votes()
        self._switched_off: list[int] = []

    def warm_up(self, daily: DailyBlock) -> None:
        """Daily bars before the first session, oldest first."""
        for row, day in enumerate(daily.dates):
            bar = DayBar.of(daily, row).block(self._universe, Session(date=day, open_ns=0, close_ns=0))
            for core in self._cores:
                core.advance(bar)

    def advance(self, minutes: Minutes) -> None:
        """Add a block's minutes to its session's bar, and keep the newest votes on minutes."""
        seen, last = newest(minutes.block.present)
        self._bar.add(minutes.block, seen, last)
        self._votes = _newest_of(minutes.signals.exits, seen, last, self._votes)
        same = minutes.signals.covers is minutes.signals.exits
        self._covers = self._votes if same else _newest_of(minutes.signals.covers, seen, last, self._covers)
        self._switched_off = minutes.switched_off

    def close_session(self, session: Session, short: BoolArray | None = None) -> BoolArray:
        """[strategies x symbols]: who wants to leave at the next open. `short` [symbols]: what is held is."""
        bar = self._continuous.of(self._bar.block(self._universe, session))
        daily = [core.advance(bar) for core in self._cores]
        ready = np.stack([one.ready[0] for one in daily])
        votes: BoolArray = np.where(ready, np.stack([one.exits[0, 0] for one in daily]), self._votes)
        if short is not None and short.any():
            covers = np.where(ready, np.stack([one.covers[0, 0] for one in daily]), self._covers)
            votes = np.where(short, covers, votes)
        votes[self._switched_off] = True  # Whoever is off has nobody left to watch over its positions.
        self._bar = DayBar(len(self._universe))
        self._votes = self._covers = self._no_votes()
        return votes

    def split(self, column: int, ratio: float) -> None:
        """New shares for an old one, between two sessions."""
        self._continuous.split(column, ratio)

    def take_notes(self) -> tuple[str, ...]:
        """Strategies that were switched off on daily bars since the last call, and why."""
        return tuple(f"on daily bars: {fault.text}" for core in self._cores for fault in core.take_faults())

    def _no_votes(self) -> BoolArray:
        return np.zeros((len(self._cores), len(self._universe)), np.bool_)


def _newest_of(votes: BoolArray, seen: BoolArray, last: IntArray, before: BoolArray) -> BoolArray:
    """Each symbol's vote at its newest bar; the vote before where it has none."""
    return np.where(seen, votes[:, last, np.arange(last.size)], before)


def newest(present: BoolArray) -> tuple[BoolArray, IntArray]:
    """Which symbols have a bar in these rows, and the row of the newest, 0 where there is none."""
    seen = np.asarray(present.any(axis=0))
    behind: IntArray = present[::-1].argmax(axis=0)
    return seen, np.where(seen, present.shape[0] - 1 - behind, 0)
