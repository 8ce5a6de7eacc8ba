"""Momentum: a trend that gains speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.channels import MACD
from ordinis.engines.signalcore.indicators import ATR, CRUMB
from ordinis.engines.signalcore.parameters import check_at_least, check_bars, check_order, check_positive
from ordinis.engines.signalcore.strategy import StrategyColumns, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class MacdParameters:
    """Periods are in a symbol's own minute bars. Errors: ConfigError."""

    fast_bars: int = 60  # Appel's 12, 26 and 9, five times: on minutes the originals cross every few of them.
    slow_bars: int = 130  # As above: two hours.
    signal_bars: int = 45  # As above.
    atr_bars: int = 60  # An hour, so that one wild minute does not move the stop.
    band_atr: float = 0.2  # The histogram must be this clear of zero, or every touch is an entry.
    stop_atr: float = 10.0  # As of ema_trend: what chance covers in some hours.

    def __post_init__(self) -> None:
        name = MacdMomentum.name
        check_bars(name, fast_bars=self.fast_bars, slow_bars=self.slow_bars, signal_bars=self.signal_bars)
        check_bars(name, atr_bars=self.atr_bars)
        check_order(name, fast_bars=self.fast_bars, slow_bars=self.slow_bars)
        check_at_least(name, 0.0, band_atr=self.band_atr)
        check_positive(name, stop_atr=self.stop_atr)


class MacdMomentum:
    """Entry while MACD is above zero and above its signal by the band; exit once it is below its signal."""

    name = "macd"

    def __init__(self, parameters: MacdParameters) -> None:
        self.parameters = parameters
        self._lines = MACD(parameters.fast_bars, parameters.slow_bars, parameters.signal_bars)
        self._range = ATR(parameters.atr_bars)
        self._warm_up_bars = max(self._lines.warm_up_bars, self._range.warm_up_bars)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        lines, atr = self._lines.advance(bars.close, bars), self._range.advance(bars)
        asks = (lines.macd > 0.0) & (lines.histogram > self.parameters.band_atr * atr) & (atr > 0.0)
        ready = bars.warm(self._warm_up_bars)
        return StrategyColumns(
            direction=entries(asks & ready),
            exit=lines.histogram < bars.close * -CRUMB,
            score=lines.histogram / atr,
            stop_distance=np.where(atr > 0.0, self.parameters.stop_atr * atr / bars.close, np.nan),
            ready=ready,
        )
