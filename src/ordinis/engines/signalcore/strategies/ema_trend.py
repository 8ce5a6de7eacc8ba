"""Trend: a fast exponential mean clear of a slow one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.directional import ADX
from ordinis.engines.signalcore.indicators import ATR, CRUMB, EMA
from ordinis.engines.signalcore.parameters import check_at_least, check_bars, check_order, check_positive
from ordinis.engines.signalcore.strategy import StrategyColumns, both_ways, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class EmaTrendParameters:
    """Periods are in a symbol's own minute bars. Errors: ConfigError."""

    fast_bars: int = 60  # An hour: shorter means cross so often that costs eat the trend.
    slow_bars: int = 240  # Four times the fast one, the usual distance: most of a session.
    atr_bars: int = 60  # As long as the fast mean, so that one wild minute does not move the stop.
    band_atr: float = 0.5  # The means must be this clear of each other, or every touch is an entry.
    stop_atr: float = 10.0  # What chance covers in four hours: sqrt(240) moves, a bar's range being 1.6 of them.
    adx_min: float = 0.0  # Entries only where ADX says that there is a trend; 25 is usual. 0 asks for none: see docs.
    shorts: bool = False  # Sell short while the fast mean is below the slow one by the band.
    adx_bars: int = 60  # As long as the fast mean: the trend is asked for over the hour that found it.

    def __post_init__(self) -> None:
        check_bars(EmaTrend.name, fast_bars=self.fast_bars, slow_bars=self.slow_bars, atr_bars=self.atr_bars)
        check_bars(EmaTrend.name, least=2, adx_bars=self.adx_bars)
        check_order(EmaTrend.name, fast_bars=self.fast_bars, slow_bars=self.slow_bars)
        check_at_least(EmaTrend.name, 0.0, band_atr=self.band_atr)
        check_positive(EmaTrend.name, stop_atr=self.stop_atr)
        if not 0.0 <= self.adx_min < 100.0:
            raise ConfigError(f"strategies.{EmaTrend.name}.adx_min must be in [0, 100), was {self.adx_min!r}")


class EmaTrend:
    """Entry while the fast mean is above the slow one by the band; exit once it is below. Shorts are its mirror."""

    name = "ema_trend"

    def __init__(self, parameters: EmaTrendParameters) -> None:
        self.parameters = parameters
        self._fast = EMA(parameters.fast_bars)
        self._slow = EMA(parameters.slow_bars)
        self._range = ATR(parameters.atr_bars)
        self._trend = ADX(parameters.adx_bars) if parameters.adx_min > 0.0 else None
        parts = (self._slow, self._range, self._trend)
        self._warm_up_bars = max(part.warm_up_bars for part in parts if part is not None)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        distance = self._fast.advance(bars.close, bars)
        distance -= self._slow.advance(bars.close, bars)
        atr = self._range.advance(bars)
        band, shorts = self.parameters.band_atr * atr, self.parameters.shorts
        may = atr > 0.0
        if self._trend is not None:
            may &= self._trend.advance(bars).adx >= self.parameters.adx_min
        asks = (distance > band) & may
        return StrategyColumns(
            direction=both_ways(asks, (distance < -band) & may) if shorts else entries(asks),
            exit=distance < bars.close * -CRUMB,
            cover=distance > bars.close * CRUMB if shorts else None,
            score=np.abs(distance) / atr if shorts else distance / atr,
            stop_distance=np.where(atr > 0.0, self.parameters.stop_atr * atr / bars.close, np.nan),
            ready=bars.warm(self._warm_up_bars),
        )
