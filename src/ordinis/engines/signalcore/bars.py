"""Bar time: a block with every symbol's own bars moved up, so that an indicator never meets a gap.

A symbol that lacks a minute has simply not lived through it: its fourteen bars are its own fourteen
bars, whatever happened elsewhere. Strategies compute on `OwnBars`; `to_minutes` puts their answers
back on the minutes the bars came from.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import BoolArray, FloatArray, IntArray, MarketBlock


class OwnBars:
    """A block in bar time: `[rows x symbols]`, row r of a column is that symbol's r-th bar of the block.

    `count` is the bars each symbol has in this block, `[symbols]`; `seen` those it had before. Cells
    below a column's count hold NaN: what is computed from them is thrown away. `rows` is at least 1.
    """

    def __init__(self, block: MarketBlock, seen: IntArray) -> None:
        self.block = block
        self.seen = seen
        self.full = bool(block.present.all())  # No gap anywhere: bar time is block time.
        self._packed = not self.full and block.rows > 1
        self.count: IntArray = block.present.sum(axis=0, dtype=np.int64)
        self.rows = max(int(self.count.max(initial=0)), 1) if self._packed else block.rows
        self.seen_min = int(seen.min(initial=np.iinfo(np.int64).max))

    @property
    def symbols(self) -> int:
        return int(self.seen.shape[0])

    @cached_property
    def open(self) -> FloatArray:
        return self.from_minutes(self.block.open)

    @cached_property
    def high(self) -> FloatArray:
        return self.from_minutes(self.block.high)

    @cached_property
    def low(self) -> FloatArray:
        return self.from_minutes(self.block.low)

    @cached_property
    def close(self) -> FloatArray:
        return self.from_minutes(self.block.close)

    @cached_property
    def volume(self) -> FloatArray:
        return self.from_minutes(self.block.volume)

    @cached_property
    def number(self) -> IntArray:
        """Which of its symbol's bars each cell is, counted over all blocks from 1."""
        return self.seen + np.arange(1, self.rows + 1)[:, None]

    def warm(self, bars: int) -> BoolArray:
        """True where a symbol has had that many bars, this one included."""
        if self.seen_min >= bars - 1:
            return np.ones((self.rows, self.symbols), dtype=np.bool_)
        return self.number >= bars

    def last(self, values: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
        """Each symbol's newest value, `[symbols]`; `before` where it had no bar in this block."""
        if self.full:
            newest: NDArray[Any] = values[-1].copy()  # A copy, so that the state does not keep the block alive.
            return newest
        newest = values[0]
        if self.rows > 1:
            newest = np.take_along_axis(values, np.maximum(self.count - 1, 0)[None, :], axis=0)[0]
        kept: NDArray[Any] = np.where(self.count > 0, newest, before)
        return kept

    def shifted(self, values: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
        """Each symbol's value one bar earlier, `[rows x symbols]`; `before` above the first row."""
        earlier = np.empty_like(values)
        earlier[0] = before
        earlier[1:] = values[:-1]
        return earlier

    def to_minutes(self, values: NDArray[Any], missing: object) -> NDArray[Any]:
        """The values on their minutes, `[block rows x symbols]`; `missing` where there was no bar."""
        if self.full:
            return values
        minutes = np.full(self.block.present.shape, missing, dtype=values.dtype)
        if not self._packed:
            np.copyto(minutes, values, where=self.block.present)
            return minutes
        packed, loose = self._places
        minutes.ravel()[loose] = values.ravel()[packed]
        return minutes

    def from_minutes(self, field: NDArray[Any]) -> NDArray[Any]:
        """Figures of the block's minutes in bar time: those of minutes without a bar are left out."""
        if not self._packed:
            return field
        empty = np.nan if field.dtype.kind == "f" else 0
        own = np.full((self.rows, self.symbols), empty, dtype=field.dtype)
        packed, loose = self._places
        own.ravel()[packed] = field.ravel()[loose]
        return own

    @cached_property
    def _places(self) -> tuple[IntArray, IntArray]:
        """Where each bar sits: its flat index in bar time and in the block."""
        column, row = np.nonzero(self.block.present.T)
        first = np.cumsum(self.count) - self.count
        own_row = np.arange(column.shape[0]) - first[column]
        return own_row * self.symbols + column, row * self.symbols + column


class BarCounter:
    """Carries how many bars each symbol has had from block to block."""

    def __init__(self, symbols: int) -> None:
        self._seen: IntArray = np.zeros(symbols, dtype=np.int64)

    def read(self, block: MarketBlock) -> OwnBars:
        bars = OwnBars(block, self._seen)
        self._seen = self._seen + bars.count
        return bars


def blank_before(values: FloatArray, bars: OwnBars, first: int) -> FloatArray:
    """NaN, in place, above each symbol's bar number `first`: there is no figure yet."""
    if bars.seen_min < first - 1:
        values[bars.number < first] = np.nan
    return values
