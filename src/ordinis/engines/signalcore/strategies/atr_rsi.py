"""Mean reversion: buy what has fallen too fast, sell what has risen too fast, stop at some true ranges.

The rules and figures are those of the live trader v0.53, which had RSI(14) below 30 and above 70 and a
stop at twice ATR(14), all on plain means of minute bars. Two things are not repeated: its confidence
was 1 - RSI / 30, so that a minimum of 0.70 meant RSI at most 9; and its exits had to pass the same
minimum, so that they waited for RSI 91. Here the distance is a score that is ranked, and an exit is an exit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import ATR, RSI, Smoothing
from ordinis.engines.signalcore.parameters import check_bars, check_choice, check_positive
from ordinis.engines.signalcore.strategy import StrategyColumns, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class AtrRsiParameters:
    """Periods are in a symbol's own minute bars. Errors: ConfigError."""

    rsi_bars: int = 14  # v0.53's, and Wilder's own choice.
    atr_bars: int = 14  # v0.53's: the stop looks back as far as the signal.
    oversold: float = 30.0  # v0.53's entry level.
    overbought: float = 70.0  # v0.53's exit level.
    stop_atr: float = 2.0  # v0.53's stop distance in true ranges.
    smoothing: Smoothing = "mean"  # v0.53 averaged plainly; "wilder" is smoother and signals less often.

    def __post_init__(self) -> None:
        check_bars(AtrRsi.name, rsi_bars=self.rsi_bars, atr_bars=self.atr_bars)
        check_positive(AtrRsi.name, stop_atr=self.stop_atr)
        check_choice(AtrRsi.name, ("mean", "wilder"), smoothing=self.smoothing)
        if not 0.0 < self.oversold < self.overbought < 100.0:
            raise ConfigError(
                f"strategies.{AtrRsi.name}: 0 < oversold < overbought < 100 must hold, "
                f"was oversold {self.oversold} and overbought {self.overbought}"
            )


class AtrRsi:
    """Entry while RSI stands below oversold, exit while it stands above overbought."""

    name = "atr_rsi"

    def __init__(self, parameters: AtrRsiParameters) -> None:
        self.parameters = parameters
        self._strength = RSI(parameters.rsi_bars, smoothing=parameters.smoothing)
        self._range = ATR(parameters.atr_bars, smoothing=parameters.smoothing)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        wanted = self.parameters
        rsi = self._strength.advance(bars.close, bars)
        atr = self._range.advance(bars)
        return StrategyColumns(
            direction=entries((rsi < wanted.oversold) & (atr > 0.0)),
            exit=rsi > wanted.overbought,
            score=1.0 - rsi / wanted.oversold,
            stop_distance=np.where(atr > 0.0, wanted.stop_atr * atr / bars.close, np.nan),
            ready=bars.warm(max(self._strength.warm_up_bars, self._range.warm_up_bars)),
        )
