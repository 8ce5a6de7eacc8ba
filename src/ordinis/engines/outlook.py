"""What a block of minutes says before our own book is looked at: signals, prices, volatility, the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

import numpy as np

from ordinis.domain.market import DailyBlock, FloatArray, IntArray, MarketBlock, Session, Universe
from ordinis.domain.signal import SignalBlock
from ordinis.engines.comovement import MARKET, Comovement, measure
from ordinis.engines.continuous import ContinuousPrices
from ordinis.engines.estimates import PriceTape, Volatility
from ordinis.engines.liquidity import RecentVolume
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
    volume: FloatArray  # [rows x symbols]: shares a minute of the whole market, lately.
    moves: Comovement  # As of the last close.
    volatility: FloatArray  # [symbols], annual; NaN while unknown.
    correlation: float | None  # Of the universe, on average; None while unknown.
    notes: dict[int, list[str]]  # By row: strategies that were switched off, and why; a feed that is silent.
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
        self,
        universe: Universe,
        core: SignalCore,
        volatility: Volatility,
        *,
        volume_minutes: int = 30,
        feed_share: float = 1.0,
        spread_bps: float = 0.0,
        cluster_correlation_min: float = 0.7,
        unknown_correlation: float = 1.0,
        benchmark: str = MARKET,
    ) -> None:
        self.strategies = core.strategies
        self._core = core
        self._continuous = ContinuousPrices(len(universe))
        self._tape = PriceTape(universe)
        self._volatility = volatility
        self._columns = np.arange(len(universe))
        self._correlation: float | None = None
        self._unknown_correlation = unknown_correlation
        self._covariance: FloatArray | None = None  # Of the whole universe; made when it is first asked for.
        self._drawn: FloatArray | None = None  # Correlations, likewise.
        self._beliefs = Beliefs(self._covariance_of, self._correlation_of, volatility.mean_returns)
        self._volume = RecentVolume(len(universe), minutes=volume_minutes, feed_share=feed_share)
        self._spread_bps = np.full(len(universe), spread_bps)
        self._cluster_correlation_min = cluster_correlation_min
        self._market_column = universe.column.get(benchmark)
        self._session: Session | None = None
        self._reference_usd = self._tape.last_price  # The last session's last prices.
        self._measure()

    def advance(self, block: MarketBlock, min_confidence: float, limits: Limits) -> Minutes:
        """Look at a block: once for each, in order. Row r of every array rests on rows up to r."""
        notes = self._faults({}, warming_up=True)
        continuous = self._continuous.of(block)
        signals = self._core.advance(continuous)
        self._faults(notes, warming_up=False)
        self._enter(block)
        tape = self._tape.advance(block)
        _alarm(notes, tape.feed_age_minutes, limits.feed_age_minutes_max)
        self._volatility.advance(continuous)
        return Minutes(
            block=block,
            signals=signals,
            marks=np.nan_to_num(tape.last_price),
            screened=screen(
                block,
                signals,
                price_age_minutes=tape.age_minutes,
                feed_age_minutes=tape.feed_age_minutes,
                last_price_usd=tape.last_price,
                reference_usd=self._reference_usd,
                spread_bps=self._spread_bps,
                min_confidence=min_confidence,
                limits=limits,
            ),
            has_exit=signals.has_exit.tolist(),
            volume=self._volume.advance(block),
            moves=self.moves,
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

    def split(self, column: int, ratio: float) -> None:
        """New shares for an old one, between two sessions: what was before is in other terms from now on."""
        self._continuous.split(column, ratio)
        self._tape.split(column, ratio)
        self._volume.split(column, ratio)

    def close_session(self) -> None:
        """The session's scores and closes join the history."""
        self._remember()
        self._measure()

    def warm_up(self, blocks: Iterable[MarketBlock], daily: DailyBlock) -> None:
        """Live through earlier sessions without deciding anything."""
        self._volatility.warm_up_daily(daily)
        session: Session | None = None
        for block in blocks:
            if session is not None and block.session != session:
                self._remember()
            session = block.session
            self._core.advance(block)
            self._enter(block)
            self._tape.advance(block)
            self._volume.advance(block)
            self._volatility.advance(block)
        self._remember()
        self._measure()  # Once: nobody asks in between.

    def _remember(self) -> None:
        self._core.close_session()
        self._volatility.close_session()

    def _covariance_of(self, columns: IntArray) -> FloatArray:
        if len(self._columns) > _WHOLE_MAX:
            return self._volatility.covariance(columns, unknown_correlation=self._unknown_correlation)
        if self._covariance is None:
            self._covariance = self._volatility.covariance(self._columns, unknown_correlation=self._unknown_correlation)
        return self._covariance[columns[:, None], columns]

    def _correlation_of(self, columns: IntArray) -> FloatArray:
        if len(self._columns) > _WHOLE_MAX:
            return self._less_chance(columns)
        if self._drawn is None:
            self._drawn = self._less_chance(self._columns)
        return self._drawn[columns[:, None], columns]

    def _less_chance(self, columns: IntArray) -> FloatArray:
        """Correlations drawn to the mean of all as clusters see them; a pair that nobody knows is taken as set."""
        drawn = self.moves.shrinkage.draw(self._volatility.correlation(columns))
        np.copyto(drawn, self._unknown_correlation, where=np.isnan(drawn))
        np.fill_diagonal(drawn, 1.0)
        return drawn

    def _enter(self, block: MarketBlock) -> None:
        """A session's reference is the last price before it; a symbol that had none takes its first open."""
        if block.session != self._session:
            self._session = block.session
            self._reference_usd = self._tape.last_price.copy()
        missing = np.isnan(self._reference_usd) & block.present.any(axis=0)
        if missing.any():
            first = block.present.argmax(axis=0)
            np.copyto(self._reference_usd, block.open[first, self._columns], where=missing)

    def _measure(self) -> None:
        self._covariance = self._drawn = None
        self.moves = measure(
            self._volatility.returns,
            self._market_column,
            common_min=self._volatility.returns_min,
            cluster_correlation_min=self._cluster_correlation_min,
        )
        measured = self.moves.average_correlation
        self._correlation = None if isnan(measured) else measured


def _alarm(notes: dict[int, list[str]], feed_age_minutes: IntArray, most: int) -> None:
    """Once, in the minute in which a silent feed begins to stop entries."""
    begins = feed_age_minutes == most + 1
    for row in np.flatnonzero(begins).tolist() if begins.any() else ():
        text = f"no symbol has had a bar for {most + 1} minutes: entries are stopped until one has"
        notes.setdefault(row, []).append(text)
