"""Breakout: a price beyond everything the last bars have seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.channels import Donchian
from ordinis.engines.signalcore.indicators import ATR
from ordinis.engines.signalcore.parameters import check_bars, check_positive
from ordinis.engines.signalcore.strategy import StrategyColumns, both_ways, entries
from ordinis.engines.signalcore.windows import Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class DonchianParameters:
    """Periods are in a symbol's own minute bars. Errors: ConfigError."""

    entry_bars: int = 390  # A session: a new high of a day is news, a new high of an hour is noise.
    exit_bars: int = 195  # Half of it, as the Turtles halved theirs: out before all of the gain is given back.
    atr_bars: int = 60  # An hour, so that one wild minute does not move the stop.
    shorts: bool = False  # Sell short on a close below the lowest low of the entry's bars.
    stop_atr: float = 10.0  # As of ema_trend: what chance covers in some hours.

    def __post_init__(self) -> None:
        name = DonchianBreakout.name
        check_bars(name, entry_bars=self.entry_bars, exit_bars=self.exit_bars, atr_bars=self.atr_bars)
        check_positive(name, stop_atr=self.stop_atr)


class DonchianBreakout:
    """Entry on a close above the highest high of the bars before; exit on one below their lowest low.

    Shorts are its mirror: sold on a close below the lowest low, covered on one above the highest high.

    Source: Donchian, Commodities, 1960; the two windows are the Turtles' (Faith, Way of the Turtle, 2007).
    """

    name = "donchian"

    def __init__(self, parameters: DonchianParameters) -> None:
        self.parameters = parameters
        self._entry, self._exit = Donchian(parameters.entry_bars), Donchian(parameters.exit_bars)
        self._above, self._below = Earlier(1), Earlier(1)  # The channel without this bar, which nothing could leave.
        self._floor, self._ceiling = Earlier(1), Earlier(1)  # The same for shorts.
        self._range = ATR(parameters.atr_bars)
        self._warm_up_bars = max(parameters.entry_bars + 1, parameters.exit_bars + 1, self._range.warm_up_bars)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        wide, narrow = self._entry.advance(bars), self._exit.advance(bars)
        upper = self._above.advance(wide.upper, bars)
        lower = self._below.advance(narrow.lower, bars)
        atr = self._range.advance(bars)
        ready = bars.warm(self._warm_up_bars)
        may = (atr > 0.0) & ready
        direction, score, cover = entries((bars.close > upper) & may), (bars.close - upper) / atr, None
        if self.parameters.shorts:
            floor = self._floor.advance(wide.lower, bars)
            direction = both_ways((bars.close > upper) & may, (bars.close < floor) & may)
            score = np.maximum(score, (floor - bars.close) / atr)
            cover = bars.close > self._ceiling.advance(narrow.upper, bars)
        return StrategyColumns(
            direction=direction,
            exit=bars.close < lower,
            cover=cover,
            score=score,
            stop_distance=np.where(atr > 0.0, self.parameters.stop_atr * atr / bars.close, np.nan),
            ready=ready,
        )
