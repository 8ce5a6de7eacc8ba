"""The last so many bars of every symbol: their maximum, their minimum, their mean and spread.

Windows are put together from halves (2, 4, 8 ... bars), so a window of n costs log2(n) steps, nothing is
carried that could gather rounding errors, and a cell has the same bits however a session is cut.
A window that holds a NaN is NaN: before a symbol has had enough bars there is no figure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.signalcore.bars import OwnBars


class Tail:
    """Carries each symbol's newest values from block to block, so that a window can reach back."""

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._values: FloatArray | None = None

    def join(self, values: FloatArray, bars: OwnBars) -> FloatArray:
        """The carried values above the block's: `[bars + rows x symbols]`, NaN where there was no bar yet."""
        if self._values is None:
            self._values = np.full((self._bars, bars.symbols), np.nan)
        joined = np.concatenate([self._values, values])
        if bars.full:
            self._values = joined[bars.rows :].copy()
        else:  # Columns of unequal length: each ends where its own bars end.
            self._values = np.take_along_axis(joined, bars.count + np.arange(self._bars)[:, None], axis=0)
        return joined


class Moments(NamedTuple):
    """Of each window: its mean and the sum of squared distances from it, `[rows x symbols]` each."""

    mean: FloatArray
    squares: FloatArray


class Window:
    """The last `period` values of one series. It is asked one question, always the same."""

    def __init__(self, period: int) -> None:
        if period < 1:
            raise ValueError(f"a period is at least 1 bar, was {period}")
        self.period = period
        self._tail = Tail(period - 1)

    def highest(self, values: FloatArray, bars: OwnBars) -> FloatArray:
        """The largest value of each window, `[rows x symbols]`."""
        return _folded(self._tail.join(values, bars), self.period, _larger)

    def lowest(self, values: FloatArray, bars: OwnBars) -> FloatArray:
        """The smallest value of each window, `[rows x symbols]`."""
        return _folded(self._tail.join(values, bars), self.period, _smaller)

    def moments(self, values: FloatArray, bars: OwnBars) -> Moments:
        """Mean and squared distances. Source of the pooling: Chan, Golub and LeVeque, 1979."""
        joined = self._tail.join(values, bars)
        mean, squares = _folded(np.stack([joined, joined - joined]), self.period, _pooled)
        return Moments(mean, squares)


class Earlier:
    """Each symbol's value so many of its own bars ago."""

    def __init__(self, bars: int) -> None:
        if bars < 1:
            raise ValueError(f"an earlier bar is at least 1 bar ago, was {bars}")
        self._tail = Tail(bars)

    def advance(self, values: FloatArray, bars: OwnBars) -> FloatArray:
        """Values `[rows x symbols]`; NaN where there was no such bar."""
        return self._tail.join(values, bars)[: bars.rows]


Merge = Callable[[FloatArray, FloatArray, int, int], FloatArray]


def _folded(level: FloatArray, period: int, merge: Merge) -> FloatArray:
    """Merge each run of `period` rows, `[... x rows x symbols]`, in a tree that is the same for every run.

    `merge` is given two neighbouring runs and how many values each holds.
    """
    rows = level.shape[-2] - period + 1
    result: FloatArray | None = None  # Row r covers the `covered` values from r on, a level's row `span` of them.
    covered, span = 0, 1
    while True:
        if period & span:
            result = level if result is None else merge(*_neighbours(result, level, covered), covered, span)
            covered += span
        if covered == period:
            assert result is not None
            return result[..., :rows, :]
        level = merge(*_neighbours(level, level, span), span, span)
        span *= 2


def _neighbours(first: FloatArray, second: FloatArray, apart: int) -> tuple[FloatArray, FloatArray]:
    """Rows of the one beside the rows of the other that begin so many later."""
    rows = min(first.shape[-2], second.shape[-2] - apart)
    return first[..., :rows, :], second[..., apart : apart + rows, :]


def _larger(one: FloatArray, other: FloatArray, count: int, more: int) -> FloatArray:
    larger: FloatArray = np.maximum(one, other)
    return larger


def _smaller(one: FloatArray, other: FloatArray, count: int, more: int) -> FloatArray:
    smaller: FloatArray = np.minimum(one, other)
    return smaller


def _pooled(one: FloatArray, other: FloatArray, count: int, more: int) -> FloatArray:
    """[mean, squares] of two samples together: values that are all equal leave exactly nothing."""
    distance = other[0] - one[0]
    pooled = one + other
    pooled[1] += distance * distance * (count * more / (count + more))
    np.add(one[0], distance * (more / (count + more)), out=pooled[0])
    return pooled
