"""Exits on the last closed daily bar: the strategies a second time, in daily bars.

A symbol with too little daily history falls back to its owner's vote in the session's last minute; either
way the order goes out at the next open.
"""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import BoolArray, DailyBlock, FloatArray, MarketBlock, Session, Universe
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

    def add(self, block: MarketBlock) -> None:
        """Take a block's minutes in."""
        seen = block.present.any(axis=0)
        columns = np.arange(seen.size)
        first = block.present.argmax(axis=0)
        last = block.rows - 1 - block.present[::-1].argmax(axis=0)
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
    """Gathers a session's bar and asks the strategies about it at the close."""

    def __init__(self, universe: Universe, core: SignalCore) -> None:
        self._universe = universe
        self._core = core
        self._bar = DayBar(len(universe))

    def warm_up(self, daily: DailyBlock) -> None:
        """Daily bars before the first session, oldest first."""
        for row, day in enumerate(daily.dates):
            session = Session(date=day, open_ns=0, close_ns=0)
            self._core.advance(DayBar.of(daily, row).block(self._universe, session))

    def advance(self, block: MarketBlock) -> None:
        """Add a block's minutes to its session's bar."""
        self._bar.add(block)

    def close_session(self, minutes: Minutes) -> BoolArray:
        """[strategies x symbols]: who wants to leave at the next open."""
        daily = self._core.advance(self._bar.block(self._universe, minutes.block.session))
        self._bar = DayBar(len(self._universe))
        votes: BoolArray = np.where(daily.ready[0], daily.exits[:, 0], minutes.signals.exits[:, -1])
        return votes

    def take_notes(self) -> tuple[str, ...]:
        """Strategies that were switched off on daily bars since the last call, and why."""
        return tuple(f"on daily bars: {fault.text}" for fault in self._core.take_faults())
