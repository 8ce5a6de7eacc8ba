"""Indicators in bar time: one class each, fed block by block, `[rows x symbols]` in and out.

Each carries its own state, so a session gives the same bits as one block or as 390. The value at a
bar includes that bar; it is NaN before `warm_up_bars` of a symbol's own bars. `skip` leaves a
symbol's first bars out, where the series fed in has no value yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Literal, Protocol

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.signalcore.bars import OwnBars, blank_before

Smoothing = Literal["wilder", "mean"]

CRUMB = 1e-10  # Of the price: what rounding leaves in an average of prices is less, any real movement is more.


class Average(Protocol):
    """What SMA, EMA and Wilder's average have in common."""

    warm_up_bars: int

    def advance(self, values: FloatArray, bars: OwnBars) -> FloatArray: ...


class SMA:
    """The plain mean of the last `period` values, as a running sum: add what comes, take what leaves."""

    def __init__(self, period: int, *, skip: int = 0) -> None:
        self.period = _checked(period)
        self.warm_up_bars = skip + period
        self._skip = skip
        self._window: FloatArray | None = None  # [period x symbols], a ring: bar number modulo period.
        self._sum: FloatArray = np.zeros(0)

    def advance(self, values: FloatArray, bars: OwnBars) -> FloatArray:
        """Values `[rows x symbols]` in the same unit as what is fed in."""
        if self._window is None:
            self._window = np.zeros((self.period, bars.symbols))
            self._sum = np.zeros(bars.symbols)
        if bars.seen_min < self._skip:
            values = np.where(bars.number <= self._skip, 0.0, values)
        sums = values - _exchange(self._window, values, bars)
        sums[0] += self._sum
        np.add.accumulate(sums, axis=0, out=sums)
        self._sum = bars.last(sums, self._sum)
        sums /= self.period
        return blank_before(sums, bars, self.warm_up_bars)


class _Recursive:
    """y <- y (1 - weight) + x weight, seeded with the plain mean of the first `period` values.

    `seed_bars` seeds with fewer of them, each still worth 1 / period.
    """

    def __init__(self, period: int, weight: float, skip: int, *, seed_bars: int | None = None) -> None:
        self.period = _checked(period)
        self.warm_up_bars = skip + period
        self._weight = weight
        self._skip = skip
        self._seeded = skip + (period if seed_bars is None else seed_bars)
        self._value: FloatArray | None = None

    def advance(self, values: FloatArray, bars: OwnBars) -> FloatArray:
        """Values `[rows x symbols]` in the same unit as what is fed in."""
        previous = np.zeros(bars.symbols) if self._value is None else self._value
        if bars.seen_min >= self.warm_up_bars:
            out = values * self._weight
            decays: Iterable[FloatArray] = repeat(np.full(bars.symbols, 1.0 - self._weight))
        else:
            out, decays = self._warming(values, bars)
        self._value = bars.last(_recur(out, decays, previous), previous)
        return blank_before(out, bars, self.warm_up_bars)

    def _warming(self, values: FloatArray, bars: OwnBars) -> tuple[FloatArray, FloatArray]:
        """The same recurrence with weights a cell: while warming up it sums x / period."""
        seeding = bars.number <= self._seeded
        out = values * np.where(seeding, 1.0 / self.period, self._weight)
        out[bars.number <= self._skip] = 0.0
        return out, np.where(seeding, 1.0, 1.0 - self._weight)


class EMA(_Recursive):
    """The exponential mean with weight 2 / (period + 1)."""

    def __init__(self, period: int, *, skip: int = 0) -> None:
        super().__init__(period, 2.0 / (period + 1), skip)


class Wilder(_Recursive):
    """Wilder's mean with weight 1 / period. Source: Wilder, New Concepts in Technical Trading Systems, 1978."""

    def __init__(self, period: int, *, skip: int = 0, seed_bars: int | None = None) -> None:
        super().__init__(period, 1.0 / _checked(period), skip, seed_bars=seed_bars)


class EWMA(_Recursive):
    """The exponential mean that keeps `decay` of itself a bar, seeded with the first `period` values."""

    def __init__(self, period: int, decay: float, *, skip: int = 0) -> None:
        super().__init__(period, 1.0 - decay, skip)


class RSI:
    """Relative strength index, 0 to 100. Source: Wilder, 1978; `mean` averages plainly, as Cutler's does.

    50 where neither gains nor losses are left in the averages: a price that stands still is not oversold.
    """

    def __init__(self, period: int, *, smoothing: Smoothing = "wilder") -> None:
        self._gain = average(period, smoothing, skip=1)
        self._loss = average(period, smoothing, skip=1)
        self.warm_up_bars = self._gain.warm_up_bars
        self._close: FloatArray | None = None

    def advance(self, close: FloatArray, bars: OwnBars) -> FloatArray:
        """RSI `[rows x symbols]` of closes in USD."""
        before = np.full(bars.symbols, np.nan) if self._close is None else self._close
        change = close - bars.shifted(close, before)
        self._close = bars.last(close, before)
        gain = self._gain.advance(np.maximum(change, 0.0), bars)
        loss = self._loss.advance(np.maximum(-change, 0.0), bars)
        return _relative_strength(np.maximum(gain, 0.0), np.maximum(loss, 0.0), close)


class ATR:
    """Average true range in USD. Source: Wilder, 1978. The first true range is the second bar's."""

    def __init__(self, period: int, *, smoothing: Smoothing = "wilder") -> None:
        self._range = average(period, smoothing, skip=1)
        self.warm_up_bars = self._range.warm_up_bars
        self._close: FloatArray | None = None

    def advance(self, bars: OwnBars) -> FloatArray:
        """ATR `[rows x symbols]`; needs high, low and close."""
        before = np.full(bars.symbols, np.nan) if self._close is None else self._close
        previous = bars.shifted(bars.close, before)
        self._close = bars.last(bars.close, before)
        true_range = np.maximum(bars.high, previous) - np.minimum(bars.low, previous)
        return self._range.advance(true_range, bars)


def average(period: int, smoothing: Smoothing, *, skip: int = 0) -> Average:
    """Wilder's mean or the plain one."""
    return Wilder(period, skip=skip) if smoothing == "wilder" else SMA(period, skip=skip)


def _recur(out: FloatArray, decays: Iterable[FloatArray], previous: FloatArray) -> FloatArray:
    """out[r] += out[r - 1] * decay[r], in place: one row after the other, so a split changes no bit."""
    kept = np.empty_like(previous)
    for row, decay in zip(out, decays, strict=False):
        np.multiply(previous, decay, kept)
        np.add(row, kept, row)
        previous = row
    return out


def _relative_strength(gain: FloatArray, loss: FloatArray, close: FloatArray) -> FloatArray:
    total = gain + loss
    still = total <= close * CRUMB  # A running sum keeps crumbs of what has left: they are no movement.
    gain *= 100.0
    gain /= np.where(still, 1.0, total)
    gain[still] = 50.0
    return gain


def _exchange(window: FloatArray, values: FloatArray, bars: OwnBars) -> FloatArray:
    """Store the newest values in the ring; return what each pushes out, `[rows x symbols]`."""
    period, rows = window.shape[0], bars.rows
    reach = min(rows, period)
    steps = np.arange(reach)[:, None]
    slots = (bars.seen + steps) % period
    leaving = np.empty_like(values)
    leaving[:reach] = np.take_along_axis(window, slots, axis=0)
    leaving[reach:] = values[: rows - reach]
    if bars.full:
        newest = (bars.seen + (rows - reach) + steps) % period
        np.put_along_axis(window, newest, values[rows - reach :], axis=0)
    else:
        _store_newest(window, values, bars, steps)
    return leaving


def _store_newest(window: FloatArray, values: FloatArray, bars: OwnBars, steps: FloatArray) -> None:
    """Columns of unequal length: each stores its own last bars and leaves its other slots alone."""
    period = window.shape[0]
    row = np.maximum(bars.count - period, 0) + steps
    slots = (bars.seen + row) % period
    newest = np.take_along_axis(values, np.minimum(row, bars.rows - 1), axis=0)
    kept = np.take_along_axis(window, slots, axis=0)
    np.put_along_axis(window, slots, np.where(row < bars.count, newest, kept), axis=0)


def _checked(period: int) -> int:
    if period < 1:
        raise ValueError(f"a period is at least 1 bar, was {period}")
    return period
