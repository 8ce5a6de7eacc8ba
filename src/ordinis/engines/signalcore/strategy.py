"""What a strategy is: a name, and an answer for every bar it is shown.

A strategy of your own fits on a page:

    class Breakout:
        name = "breakout"

        def __init__(self) -> None:
            self.mean = SMA(50)
            self.range = ATR(14)

        def advance(self, bars: OwnBars) -> StrategyColumns:
            mean, atr = self.mean.advance(bars.close, bars), self.range.advance(bars)
            distance = (bars.close - mean) / atr
            return StrategyColumns(
                direction=entries(distance > 2.0),
                exit=distance < 0.0,
                score=distance,
                stop_distance=2.0 * atr / bars.close,
                ready=bars.warm(50),
            )
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.signalcore.bars import OwnBars


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrategyColumns:
    """A strategy's answer in bar time: `[rows x symbols]` like the bars it was shown.

    Each cell may depend on that bar and earlier ones only. Cells below a column's count are ignored.
    """

    direction: NDArray[np.int8]  # 1 asks to buy, -1 to sell short, 0 for nothing.
    exit: BoolArray  # A long position of this strategy should be closed.
    score: FloatArray  # Larger is better, for a short too; finite wherever direction is not 0.
    stop_distance: FloatArray  # Fraction of the price, above 0; NaN names none.
    ready: BoolArray  # Enough history to speak; once True, it stays True. No entry where False.
    cover: BoolArray | None = None  # A short position of it should be closed; None: `exit` says so of both.


class Strategy(Protocol):
    """Called once for each block, in order. It keeps its own state and no reference to the arrays."""

    @property
    def name(self) -> str: ...

    def advance(self, bars: OwnBars) -> StrategyColumns: ...


def entries(condition: BoolArray) -> NDArray[np.int8]:
    """A condition as a direction: 1 where it holds."""
    return condition.view(np.int8)


def both_ways(buys: BoolArray, sells_short: BoolArray) -> NDArray[np.int8]:
    """Two conditions that never hold at once, as a direction: 1 and -1."""
    return buys.view(np.int8) - sells_short.view(np.int8)


def no_stop(bars: OwnBars) -> FloatArray:
    """The stop distances of a strategy that names none."""
    return np.full((bars.rows, bars.symbols), np.nan)
