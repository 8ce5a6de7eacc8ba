"""Indicators that draw lines around or through the price: Bollinger, Donchian, MACD, VWAP."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ordinis.domain.market import FloatArray, Session
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import EMA
from ordinis.engines.signalcore.windows import Window


class Bands(NamedTuple):
    """Bollinger's bands in USD, `[rows x symbols]` each."""

    lower: FloatArray
    middle: FloatArray
    upper: FloatArray
    deviation: FloatArray  # One standard deviation.


class Bollinger:
    """The plain mean and so many standard deviations around it. Source: Bollinger on Bollinger Bands, 2001.

    The deviation is that of the population, as in the source and in TA-Lib.
    """

    def __init__(self, period: int, width: float = 2.0) -> None:
        self._window = Window(period)
        self._width = width
        self.warm_up_bars = period

    def advance(self, close: FloatArray, bars: OwnBars) -> Bands:
        mean, squares = self._window.moments(close, bars)
        deviation = np.sqrt(squares / self._window.period)
        return Bands(mean - self._width * deviation, mean, mean + self._width * deviation, deviation)


class Channel(NamedTuple):
    """Donchian's channel in USD, `[rows x symbols]` each."""

    lower: FloatArray
    upper: FloatArray


class Donchian:
    """The lowest low and the highest high of the last bars, this one included.

    A breakout is a price beyond the channel of the bar before: see `Earlier`. Source: Donchian, Commodities, 1960.
    """

    def __init__(self, period: int) -> None:
        self._lows = Window(period)
        self._highs = Window(period)
        self.warm_up_bars = period

    def advance(self, bars: OwnBars) -> Channel:
        return Channel(self._lows.lowest(bars.low, bars), self._highs.highest(bars.high, bars))


class MacdLines(NamedTuple):
    """In USD, `[rows x symbols]` each."""

    macd: FloatArray
    signal: FloatArray
    histogram: FloatArray


class MACD:
    """The distance of two exponential means, and its own exponential mean. Source: Appel, 1979.

    The fast mean is seeded so that it begins with the slow one, as in TA-Lib.
    """

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self._fast = EMA(fast, skip=slow - fast)
        self._slow = EMA(slow)
        self._signal = EMA(signal, skip=slow - 1)
        self.warm_up_bars = self._signal.warm_up_bars

    def advance(self, close: FloatArray, bars: OwnBars) -> MacdLines:
        macd = self._fast.advance(close, bars)
        macd -= self._slow.advance(close, bars)
        signal = self._signal.advance(macd, bars)
        return MacdLines(macd, signal, macd - signal)


class VWAP:
    """The session's volume-weighted mean of typical prices, in USD; NaN until shares have traded."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._sums: tuple[FloatArray, FloatArray] | None = None
        self.warm_up_bars = 1

    def advance(self, bars: OwnBars) -> FloatArray:
        """VWAP `[rows x symbols]`; needs high, low, close and volume."""
        if self._sums is None or bars.block.session != self._session:
            self._session = bars.block.session
            self._sums = (np.zeros(bars.symbols), np.zeros(bars.symbols))
        typical = (bars.high + bars.low + bars.close) / 3.0
        paid = _running(typical * bars.volume, self._sums[0])
        shares = _running(bars.volume, self._sums[1])
        self._sums = (bars.last(paid, self._sums[0]), bars.last(shares, self._sums[1]))
        return np.where(shares > 0.0, paid / np.where(shares > 0.0, shares, 1.0), np.nan)


def _running(values: FloatArray, before: FloatArray) -> FloatArray:
    """Sums from the top, on from what was carried: one row after the other, so a split changes no bit."""
    sums = values.copy()
    sums[0] += before
    np.add.accumulate(sums, axis=0, out=sums)
    return sums
