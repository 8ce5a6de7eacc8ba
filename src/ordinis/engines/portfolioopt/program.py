"""The limits that a solver is given, as arrays, and what it answers.

    low <= w <= high,  row_low <= A w <= row_high,  sum|w - start| <= turnover_max,  sum|w| <= gross_max

and trades cost cost'|w - start|.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import FloatArray

INFINITE = float("inf")


class Prices(NamedTuple):
    """What one more unit of each limit would be worth."""

    rows: FloatArray  # [limits]: positive at the upper side, negative at the lower.
    turnover: float = 0.0
    gross: float = 0.0


class Answer(NamedTuple):
    """Weights, and what proves them best."""

    weights: FloatArray  # [symbols].
    gradient: FloatArray  # [symbols], of what is minimised, absolute values apart, at the weights.
    prices: Prices
    rung: str  # Who solved it.
    slack: float = 0.0  # Further parts of the gap: risks that are not quite at their caps, a tail's own bound.


class Program(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What weights are allowed, and what changing them costs."""

    low: FloatArray  # [symbols], finite.
    high: FloatArray  # [symbols], finite.
    rows: FloatArray  # [limits x symbols].
    row_low: FloatArray  # [limits].
    row_high: FloatArray  # [limits].
    names: tuple[str, ...]  # [limits], as the user knows them.
    start: FloatArray | None = None  # [symbols], the weights now.
    cost: FloatArray | None = None  # [symbols], a unit of weight traded; in the unit of f.
    turnover_max: float = INFINITE
    gross_max: float = INFINITE  # Infinite too where a row does the same: without shorts.
    interior: bool = False  # All assets at once by the interior point, where the working set failed.
    watch: Callable[[], None] | None = None  # Called before each solve: raises when it is too late.

    @property
    def size(self) -> int:
        return int(self.low.size)

    @property
    def bent(self) -> bool:
        """Whether anything depends on absolute values."""
        return self.cost is not None or self.turnover_max < INFINITE or self.gross_max < INFINITE

    def trading_cost(self, weights: FloatArray) -> float:
        if self.cost is None or self.start is None:
            return 0.0
        return float(self.cost @ np.abs(weights - self.start))

    def bound(self, low: FloatArray, high: FloatArray) -> Program:
        """The same with other bounds on each weight."""
        return replace(self, low=low, high=high)

    def with_row(self, name: str, row: FloatArray, low: float, high: float) -> Program:
        """The same with one limit more."""
        return replace(
            self,
            rows=np.vstack([self.rows, row]),
            row_low=np.append(self.row_low, low),
            row_high=np.append(self.row_high, high),
            names=(*self.names, name),
        )
