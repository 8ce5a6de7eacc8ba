"""What a block of minutes says before our own book is looked at: signals, prices, volatility, the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

import numpy as np

from ordinis.domain.market import DailyBlock, FloatArray, IntArray, MarketBlock, Session, Universe
from ordinis.domain.signal import SignalBlock
from ordinis.engines.estimates import PriceTape, Volatility
from ordinis.engines.portfolio.optimal import Beliefs
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.screen import Screened, screen
from ordinis.engines.signalcore.core import SignalCore

_WHOLE_MAX = 256  # Symbols up to which the covariance of all of them is kept for the session.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minutes:
    """A block's minutes, ready to be decided row by row."""

    block: MarketBlock
    signals: SignalBlock
    marks: FloatArray  # [rows x symbols] USD: the last price known; 0 before the first, where nothing is held.
    screened: Screened
    has_exit: list[bool]  # [rows]
    volatility: FloatArray  # [symbols], annual; NaN while unknown.
    correlation: float | None  # Of the universe, on average; None while unknown.
    notes: dict[int, list[str]]  # By row: strategies that were switched off, and why.
    switched_off: list[int]  # All that are, by the block's end.
    beliefs: Beliefs  # Covariance and mean returns of any columns, as of the session's open.

    def by_merit(self, row: int, columns: IntArray) -> list[int]:
        """These columns, the most confident first, then the highest score, then the universe's order."""
        plain: list[int] = columns.tolist()
        if len(plain) < 2:
            return plain
        confidence = self.signals.confidence[row, columns].tolist()
        score = self.signals.score[row, columns].tolist()
        ranked = sorted(
            (0.0 if isnan(sure) else -sure, -high, column)
            for sure, high, column in zip(confidence, score, plain, strict=True)
        )
        return [column for _, _, column in ranked]


class Outlook:
    """Carries what indicators and estimates need from block to block."""

    def __init__(
        self, universe: Universe, core: SignalCore, volatility: Volatility, *, unknown_correlation: float = 1.0
    ) -> None:
        self.strategies = core.strategies
        self._core = core
        self._tape = PriceTape(universe)
        self._volatility = volatility
        self._columns = np.arange(len(universe))
        self._correlation: float | None = None
        self._unknown_correlation = unknown_correlation
        self._covariance: FloatArray | None = None  # Of the whole universe; made when it is first asked for.
        self._beliefs = Beliefs(self._covariance_of, volatility.mean_returns)

    def advance(self, block: MarketBlock, min_confidence: float, limits: Limits) -> Minutes:
        """Look at a block: once for each, in order. Row r of every array rests on rows up to r."""
        notes = self._faults({}, warming_up=True)
        signals = self._core.advance(block)
        self._faults(notes, warming_up=False)
        tape = self._tape.advance(block)
        self._volatility.advance(block)
        return Minutes(
            block=block,
            signals=signals,
            marks=np.nan_to_num(tape.last_price),
            screened=screen(
                block,
                signals,
                price_age_minutes=tape.age_minutes,
                feed_age_minutes=tape.feed_age_minutes,
                min_confidence=min_confidence,
                limits=limits,
            ),
            has_exit=signals.has_exit.tolist(),
            volatility=self._volatility.annual,
            correlation=self._correlation,
            notes=notes,
            switched_off=self._core.switched_off,
            beliefs=self._beliefs,
        )

    def _faults(self, notes: dict[int, list[str]], *, warming_up: bool) -> dict[int, list[str]]:
        """What went wrong while nobody listened is said in the first minute that is decided."""
        for fault in self._core.take_faults():
            notes.setdefault(0 if warming_up else fault.row, []).append(fault.text)
        return notes

    def close_session(self) -> None:
        """The session's scores and closes join the history."""
        self._core.close_session()
        self._volatility.close_session()
        self._measure_correlation()

    def warm_up(self, blocks: Iterable[MarketBlock], daily: DailyBlock) -> None:
        """Live through earlier sessions without deciding anything."""
        self._volatility.warm_up_daily(daily)
        session: Session | None = None
        for block in blocks:
            if session is not None and block.session != session:
                self.close_session()
            session = block.session
            self._core.advance(block)
            self._tape.advance(block)
            self._volatility.advance(block)
        if session is not None:
            self.close_session()
        self._measure_correlation()

    def _covariance_of(self, columns: IntArray) -> FloatArray:
        if len(self._columns) > _WHOLE_MAX:
            return self._volatility.covariance(columns, unknown_correlation=self._unknown_correlation)
        if self._covariance is None:
            self._covariance = self._volatility.covariance(self._columns, unknown_correlation=self._unknown_correlation)
        return self._covariance[columns[:, None], columns]

    def _measure_correlation(self) -> None:
        self._covariance = None
        measured = self._volatility.average_correlation(self._columns)
        self._correlation = None if np.isnan(measured) else measured
