"""Two plain means: above is an entry, below an exit. The benchmark's job."""

from __future__ import annotations

from dataclasses import dataclass

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import SMA
from ordinis.engines.signalcore.parameters import check_bars, check_order
from ordinis.engines.signalcore.strategy import StrategyColumns, entries, no_stop


@dataclass(frozen=True, slots=True, kw_only=True)
class SmaCrossParameters:
    """Errors: ConfigError."""

    fast_bars: int = 20  # The job that every engine in the benchmark is given.
    slow_bars: int = 60  # As above: the mean of an hour.

    def __post_init__(self) -> None:
        check_bars(SmaCross.name, fast_bars=self.fast_bars, slow_bars=self.slow_bars)
        check_order(SmaCross.name, fast_bars=self.fast_bars, slow_bars=self.slow_bars)


class SmaCross:
    """A state, not a moment: fast above slow asks for an entry on every bar from the slow mean's first on."""

    name = "sma_cross"

    def __init__(self, parameters: SmaCrossParameters) -> None:
        self.parameters = parameters
        self._fast = SMA(parameters.fast_bars)
        self._slow = SMA(parameters.slow_bars)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        fast = self._fast.advance(bars.close, bars)
        slow = self._slow.advance(bars.close, bars)
        return StrategyColumns(
            direction=entries(fast > slow),  # NaN compares as False, so nothing is asked before both are known.
            exit=fast < slow,
            score=fast / slow - 1.0,
            stop_distance=no_stop(bars),
            ready=bars.warm(self._slow.warm_up_bars),
        )
