"""Wilder's directional movement: how much of a symbol's movement is trend, and which way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import Wilder


class Directional(NamedTuple):
    """All from 0 to 100, `[rows x symbols]` each."""

    adx: FloatArray  # How strong the trend is, whichever way it goes.
    plus: FloatArray  # +DI: the part of movement that was upward.
    minus: FloatArray  # -DI: the part that was downward.


class ADX:
    """Average directional index. Source: Wilder, New Concepts in Technical Trading Systems, 1978.

    Movement and range are summed from the second bar on and their first figure comes with bar
    `period` + 1, one bar after their seed, as in TA-Lib. Without any movement all three are 0.
    """

    def __init__(self, period: int) -> None:
        if period < 2:
            raise ValueError(f"a period of directional movement is at least 2 bars, was {period}")
        self._up, self._down, self._range = (Wilder(period, skip=1, seed_bars=period - 1) for _ in range(3))
        self._index = Wilder(period, skip=period)
        self.warm_up_bars = self._index.warm_up_bars  # Of ADX; +DI and -DI come with bar period + 1.
        self._before: tuple[FloatArray, ...] | None = None  # High, low and close of the last bar.

    def advance(self, bars: OwnBars) -> Directional:
        """Needs high, low and close."""
        if self._before is None:
            nothing = np.full(bars.symbols, np.nan)
            self._before = (nothing, nothing, nothing)
        series = (bars.high, bars.low, bars.close)
        high, low, close = (bars.shifted(one, before) for one, before in zip(series, self._before, strict=True))
        self._before = tuple(bars.last(one, before) for one, before in zip(series, self._before, strict=True))
        rise, fall = bars.high - high, low - bars.low
        up = self._up.advance(np.where((rise > fall) & (rise > 0.0), rise, 0.0), bars)
        down = self._down.advance(np.where((fall > rise) & (fall > 0.0), fall, 0.0), bars)
        span = self._range.advance(np.maximum(bars.high, close) - np.minimum(bars.low, close), bars)
        plus, minus = _share(up, span), _share(down, span)
        adx = self._index.advance(_share(np.abs(plus - minus), plus + minus), bars)
        return Directional(adx, plus, minus)


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """In percent; nothing of nothing is 0. NaN stays NaN."""
    return 100.0 * part / np.where(whole == 0.0, 1.0, whole)
