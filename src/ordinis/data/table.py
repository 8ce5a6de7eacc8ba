"""Bars as they come out of files: a row a bar, in any order, before the gate has looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import Array, BoolArray, FloatArray, IntArray

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BarTable:
    """Rows of bars. All arrays are `[rows]`; what a file leaves empty is NaN.

    Minutes: `start_ns` is the bar's start, UTC nanoseconds. Daily bars: midnight UTC of the session's
    New York date. `row` counts a file's rows from 1, without the heading.
    """

    daily: bool
    files: tuple[str, ...]
    symbols: tuple[str, ...]
    file: NDArray[np.int32]  # An index into `files`.
    row: IntArray
    symbol: NDArray[np.int32]  # An index into `symbols`.
    start_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    adjusted_close: FloatArray  # NaN where the file gives none.

    @property
    def rows(self) -> int:
        return int(self.start_ns.shape[0])

    def order(self) -> IntArray:
        """The rows by symbol, then time; of equal ones the first in the file first."""
        return np.lexsort((self.start_ns, self.symbol)).astype(np.int64)

    def take(self, rows: Array) -> BarTable:
        """Those rows only, by mask or by index."""
        return BarTable(
            daily=self.daily,
            files=self.files,
            symbols=self.symbols,
            **{name: getattr(self, name)[rows] for name in _ARRAYS},
        )


_ARRAYS = ("file", "row", "symbol", "start_ns", *PRICES, "volume", "adjusted_close")


def concatenate(tables: Sequence[BarTable]) -> BarTable:
    """All rows of tables of one kind, over the union of their symbols, which comes out sorted."""
    symbols = tuple(sorted({symbol for table in tables for symbol in table.symbols}))
    column = {symbol: i for i, symbol in enumerate(symbols)}
    files = tuple(name for table in tables for name in table.files)
    arrays = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _ARRAYS}
    codes = [np.array([column[symbol] for symbol in table.symbols], dtype=np.int32) for table in tables]
    arrays["symbol"] = np.concatenate([code[table.symbol] for code, table in zip(codes, tables, strict=True)])
    before = np.cumsum([0] + [len(table.files) for table in tables[:-1]], dtype=np.int32)
    arrays["file"] = np.concatenate([table.file + at for table, at in zip(tables, before, strict=True)])
    return BarTable(daily=tables[0].daily, files=files, symbols=symbols, **arrays)


def session_dates(table: BarTable) -> BoolArray:
    """`[rows]` datetime64[D]: the New York date of each row.

    Five hours back from UTC is the New York date from 00:00 to 23:59 in winter and from 01:00 to 00:59
    in summer: exact for all hours in which shares trade.
    """
    shift = np.timedelta64(0 if table.daily else 5, "h")
    days: BoolArray = (table.start_ns.view("datetime64[ns]") - shift).astype("datetime64[D]")
    return days
