"""Momentum across the universe: hold what has risen most, for how wild it is, compared with all the others.

Returns are measured in bar time, a symbol's own bars; ranks are given in minutes, among what every symbol's
newest bar says at that minute. A symbol that lacks the minute is ranked on what it last said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import FloatArray
from ordinis.engines.estimates import newest_row
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import ATR
from ordinis.engines.signalcore.parameters import check_bars, check_fraction, check_positive
from ordinis.engines.signalcore.strategy import StrategyColumns, entries
from ordinis.engines.signalcore.volatility import RollingVolatility
from ordinis.engines.signalcore.windows import Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossSectionalParameters:
    """Periods are in a symbol's own minute bars. Errors: ConfigError."""

    look_back_bars: int = 780  # Two sessions: within one, minutes revert more than they persist.
    skip_bars: int = 30  # The newest half-hour is left out: what moved last tends to come back.
    top_fraction: float = 0.2  # The best fifth, as the studies of momentum have it.
    keep_fraction: float = 0.5  # Held down to the middle: leaving at the edge of the fifth would be costs only.
    symbols_min: int = 5  # Below five there is no fifth.
    atr_bars: int = 60  # An hour, so that one wild minute does not move the stop.
    stop_atr: float = 15.0  # Wider than a trend's: the rank is the exit, the stop is for accidents.

    def __post_init__(self) -> None:
        name = CrossSectional.name
        check_bars(name, least=2, look_back_bars=self.look_back_bars, symbols_min=self.symbols_min)
        check_bars(name, skip_bars=self.skip_bars, atr_bars=self.atr_bars)
        check_fraction(name, top_fraction=self.top_fraction, keep_fraction=self.keep_fraction)
        check_positive(name, stop_atr=self.stop_atr)
        if self.top_fraction > self.keep_fraction:
            raise ConfigError(
                f"strategies.{name}.top_fraction must not be above keep_fraction ({self.keep_fraction}), "
                f"was {self.top_fraction}"
            )


class CrossSectional:
    """Entry in the top fraction, if it has risen at all; exit once out of the fraction that is kept.

    Source: Jegadeesh and Titman, Journal of Finance 48, 1993; a return is counted in units of its volatility,
    or the wildest symbol would lead every ranking.
    """

    name = "cross_sectional"

    def __init__(self, parameters: CrossSectionalParameters) -> None:
        self.parameters = parameters
        self._recent = Earlier(parameters.skip_bars)
        self._old = Earlier(parameters.skip_bars + parameters.look_back_bars)
        self._wildness = RollingVolatility(parameters.look_back_bars)
        self._range = ATR(parameters.atr_bars)
        self._known: FloatArray | None = None  # Each symbol's newest momentum, `[symbols]`.
        self._warm_up_bars = max(
            parameters.skip_bars + parameters.look_back_bars + 1, self._wildness.warm_up_bars, self._range.warm_up_bars
        )

    def advance(self, bars: OwnBars) -> StrategyColumns:
        wanted = self.parameters
        momentum, atr, ready = self._momentum(bars), self._range.advance(bars), bars.warm(self._warm_up_bars)
        place = self._place(momentum, bars)
        asks = (place < wanted.top_fraction) & (momentum > 0.0) & (atr > 0.0) & ready
        return StrategyColumns(
            direction=entries(asks),
            exit=place >= wanted.keep_fraction,
            score=momentum,
            stop_distance=np.where(atr > 0.0, wanted.stop_atr * atr / bars.close, np.nan),
            ready=ready,
        )

    def _momentum(self, bars: OwnBars) -> FloatArray:
        """The return over the look-back in standard deviations of such a return, in bar time."""
        rise = self._recent.advance(bars.close, bars) / self._old.advance(bars.close, bars) - 1.0
        usual = self._wildness.advance(bars) * np.sqrt(self.parameters.look_back_bars)
        return np.where(usual > 0.0, rise / np.where(usual > 0.0, usual, 1.0), np.nan)

    def _place(self, momentum: FloatArray, bars: OwnBars) -> FloatArray:
        """The share of known symbols that are better, in bar time; NaN where too few are known."""
        known = self._newest(momentum, bars)
        count = np.isfinite(known).sum(axis=1, keepdims=True)
        order = np.argsort(-known, axis=1, kind="stable")  # Ties go by the universe's order, NaN to the end.
        rank = np.empty(known.shape)
        np.put_along_axis(rank, order, np.broadcast_to(np.arange(known.shape[1], dtype=np.float64), rank.shape), axis=1)
        usable = np.isfinite(known) & (count >= self.parameters.symbols_min)
        return bars.from_minutes(np.where(usable, rank / np.maximum(count, 1), np.nan))

    def _newest(self, momentum: FloatArray, bars: OwnBars) -> FloatArray:
        """What each symbol's newest bar said at every minute, `[block rows x symbols]`."""
        minutes: FloatArray = bars.to_minutes(momentum, np.nan)
        if self._known is None:
            self._known = np.full(bars.symbols, np.nan)
        if not bars.full:
            row = newest_row(bars.block.present)
            minutes = np.where(row >= 0, np.take_along_axis(minutes, np.maximum(row, 0), axis=0), self._known)
        self._known = minutes[-1].copy()
        return minutes
