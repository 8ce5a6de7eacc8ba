"""What the market said: a universe of symbols, sessions, and minutes of all symbols at once.

Arrays are `[rows x symbols]`: a row a minute, a column a symbol in the universe's order. A backtest
holds a whole session in one block, a live feed one minute; the code that reads them cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Array = NDArray[Any]

MINUTE_NS = 60 * 10**9


@dataclass(frozen=True, slots=True)
class Universe:
    """The symbols of one run, each in a column of its own. The order never changes during a run."""

    symbols: tuple[str, ...]
    column: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError(f"a universe names each symbol once, was {self.symbols}")
        object.__setattr__(self, "column", {symbol: i for i, symbol in enumerate(self.symbols)})

    def __len__(self) -> int:
        return len(self.symbols)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One regular session of the exchange. `date` is the New York date; times are UTC nanoseconds."""

    date: date
    open_ns: int
    close_ns: int

    @property
    def minutes(self) -> int:
        """Minutes from open to close: 390, or 210 on a half-day."""
        return (self.close_ns - self.open_ns) // MINUTE_NS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarketBlock:
    """Consecutive minutes of one session, all symbols. Never written to after it is made.

    `closed_at_ns` is `[rows]`, the end of each minute. The other arrays are `[rows x symbols]`,
    C-contiguous: prices in USD a share are NaN and volume (shares) is 0 where `present` is False.
    """

    universe: Universe
    session: Session
    closed_at_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    present: BoolArray

    @property
    def rows(self) -> int:
        return int(self.closed_at_ns.shape[0])

    def at(self, row: int) -> MarketSlice:
        return MarketSlice(self, row)

    def row_block(self, row: int) -> MarketBlock:
        """The same minute as a block of its own: what a live feed would have given."""
        rows = slice(row, row + 1)
        return self._cut(rows)

    def head(self, rows: int) -> MarketBlock:
        """The first minutes only."""
        return self._cut(slice(0, rows))

    def _cut(self, rows: slice) -> MarketBlock:
        return MarketBlock(
            universe=self.universe,
            session=self.session,
            closed_at_ns=self.closed_at_ns[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            volume=self.volume[rows],
            present=self.present[rows],
        )


class MarketSlice:
    """One minute of all symbols: a row of a block. The event that every decision answers."""

    __slots__ = ("at_ns", "block", "row")

    def __init__(self, block: MarketBlock, row: int) -> None:
        self.block = block
        self.row = row
        self.at_ns: int = block.closed_at_ns.item(row)  # The minute's end: bars are known from here on.

    @property
    def universe(self) -> Universe:
        return self.block.universe

    @property
    def session(self) -> Session:
        return self.block.session

    @property
    def open(self) -> FloatArray:
        row: FloatArray = self.block.open[self.row]
        return row

    @property
    def high(self) -> FloatArray:
        row: FloatArray = self.block.high[self.row]
        return row

    @property
    def low(self) -> FloatArray:
        row: FloatArray = self.block.low[self.row]
        return row

    @property
    def close(self) -> FloatArray:
        row: FloatArray = self.block.close[self.row]
        return row

    @property
    def volume(self) -> FloatArray:
        row: FloatArray = self.block.volume[self.row]
        return row

    @property
    def present(self) -> BoolArray:
        row: BoolArray = self.block.present[self.row]
        return row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyBlock:
    """Daily bars of all symbols, oldest first, `[sessions x symbols]`; NaN and 0 where there is none."""

    universe: Universe
    dates: tuple[date, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def before(self, day: date) -> DailyBlock:
        """The sessions that had closed before that day."""
        return self._cut(slice(0, sum(one < day for one in self.dates)))

    def last(self, sessions: int) -> DailyBlock:
        """The newest sessions, as many as there are."""
        return self._cut(slice(max(0, len(self.dates) - sessions), None))

    def _cut(self, rows: slice) -> DailyBlock:
        return DailyBlock(
            universe=self.universe,
            dates=self.dates[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            volume=self.volume[rows],
        )
