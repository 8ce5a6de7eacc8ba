"""The limits that a solver is given, as arrays, and the bound that prices on them prove.

Every method minimises a convex f over one set of weights w:

    low <= w <= high,  row_low <= A w <= row_high,  sum|w - start| <= turnover_max,  sum|w| <= gross_max

and pays cost'|w - start|. For any convex f, any feasible x and any prices y, t, g (y of the rows, t and g of the two
sums of absolute values) the tangent at w gives

    f(x) + cost'|x - start| >= f(w) - f'(w)'w - y+'row_high + y-'row_low - t turnover_max - g gross_max
                               + sum_i min over [low_i, high_i] of r_i x + (cost_i + t)|x - start_i| + g|x|

with r = f'(w) + A'y: a bound that needs no trust in the solver, only arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import FloatArray

INFINITE = float("inf")


def largest(values: FloatArray) -> float:
    """Of arrays of a few dozen this is twice as fast as NumPy's own."""
    return float(values.item(values.argmax()))


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

    def violation(self, weights: FloatArray) -> float:
        """The most by which a limit is passed."""
        most = max(0.0, largest(self.low - weights), largest(weights - self.high))
        if self.names:
            level = self.rows @ weights
            most = max(most, largest(level - self.row_high), largest(self.row_low - level))
        if self.turnover_max < INFINITE and self.start is not None:
            most = max(most, float(np.abs(weights - self.start).sum()) - self.turnover_max)
        if self.gross_max < INFINITE:
            most = max(most, float(np.abs(weights).sum()) - self.gross_max)
        return most

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


def reduced_costs(program: Program, gradient: FloatArray, prices: Prices) -> FloatArray:
    """What a unit more of each weight costs, the limits it uses up included: f'(w) + A'y, [symbols]."""
    if not prices.rows.size:
        return gradient
    result: FloatArray = gradient + prices.rows @ program.rows
    return result


def gap(program: Program, gradient: FloatArray, weights: FloatArray, prices: Prices) -> float:
    """f(w) less the bound above; a gap of nothing proves that w is best. In the unit of f."""
    reduced = reduced_costs(program, gradient, prices)
    rows = prices.rows
    # w's own terms are taken off symbol by symbol, or their sum would lose the digits that are asked for.
    slack = 0.0
    for row in rows.nonzero()[0].tolist():  # Few limits have a price.
        price = rows.item(row)
        edge = program.row_high.item(row) if price > 0.0 else program.row_low.item(row)
        slack += price * (edge - float(program.rows[row] @ weights))
    if program.bent:
        own, least, slack = _bent(program, reduced, weights, prices, slack)
        return float((own - least).sum()) + slack
    # A positive reduced cost is least at the low bound, a negative one at the high.
    nearest = program.high.copy()
    np.putmask(nearest, reduced > 0.0, program.low)
    return float(reduced @ (weights - nearest)) + slack


def _bent(
    program: Program, reduced: FloatArray, weights: FloatArray, prices: Prices, slack: float
) -> tuple[FloatArray, FloatArray, float]:
    start = program.start if program.start is not None else np.zeros(program.size)
    trade = prices.turnover + (program.cost if program.cost is not None else 0.0)

    def total(x: FloatArray) -> FloatArray:
        result: FloatArray = reduced * x + trade * np.abs(x - start) + prices.gross * np.abs(x)
        return result

    # Convex and made of straight pieces: its least value stands at an end or where it bends.
    ends = [np.clip(at, program.low, program.high) for at in (program.low, program.high, start, np.zeros_like(start))]
    least = np.minimum.reduce([total(at) for at in ends])
    if prices.turnover > 0.0:
        slack += prices.turnover * (program.turnover_max - float(np.abs(weights - start).sum()))
    if prices.gross > 0.0:
        slack += prices.gross * (program.gross_max - float(np.abs(weights).sum()))
    return total(weights), least, slack
