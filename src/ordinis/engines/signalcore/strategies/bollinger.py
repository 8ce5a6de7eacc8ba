"""Mean reversion: buy what stands far below its own mean, sell it when it is back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.channels import Bollinger
from ordinis.engines.signalcore.indicators import CRUMB
from ordinis.engines.signalcore.parameters import check_bars, check_positive
from ordinis.engines.signalcore.strategy import StrategyColumns, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class BollingerParameters:
    """Periods are in a symbol's own minute bars. Errors: ConfigError."""

    mean_bars: int = 120  # Two hours: a shorter mean follows the fall down, and is met without a gain.
    width: float = 2.5  # Deviations below the mean; Bollinger's 2 is left on every twentieth minute.
    stop_deviations: float = 4.0  # From the entry: so far again, and it is no reversion but a move.

    def __post_init__(self) -> None:
        check_bars(BollingerReversion.name, least=2, mean_bars=self.mean_bars)
        check_positive(BollingerReversion.name, width=self.width, stop_deviations=self.stop_deviations)


class BollingerReversion:
    """Entry while the close is below the lower band; exit once it is at the mean again."""

    name = "bollinger"

    def __init__(self, parameters: BollingerParameters) -> None:
        self.parameters = parameters
        self._bands = Bollinger(parameters.mean_bars, parameters.width)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        bands = self._bands.advance(bars.close, bars)
        moves = bands.deviation > bars.close * CRUMB
        return StrategyColumns(
            direction=entries((bars.close < bands.lower) & moves),
            exit=(bars.close >= bands.middle) & moves,
            score=(bands.middle - bars.close) / bands.deviation,
            stop_distance=np.where(moves, self.parameters.stop_deviations * bands.deviation / bars.close, np.nan),
            ready=bars.warm(self._bands.warm_up_bars),
        )
