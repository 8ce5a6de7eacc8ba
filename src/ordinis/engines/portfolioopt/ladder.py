"""From the optimum down to holding still: what is answered when the rung above it fails, and never in silence.

optimal       the method's own solver, or the interior point over all symbols at once
best_found    the same under a limit on positions, where the search ended before the proof: the gap says how near
relaxed       the same, with limits giving way in a stated order (feasible.GIVES_WAY), each by what is reported
substitute    inverse volatility, as near to it as the limits allow
held          the last proven weights where they keep the limits, or the weights as they are
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import feasible, methods, positions
from ordinis.engines.portfolioopt.accelerator import NUMPY
from ordinis.engines.portfolioopt.book import Book
from ordinis.engines.portfolioopt.inner import Infeasible, TooLate
from ordinis.engines.portfolioopt.proof import Proven, violation
from ordinis.engines.portfolioopt.result import OptimizationResult
from ordinis.engines.portfolioopt.rounding import Rounded, rounded
from ordinis.engines.portfolioopt.shape import Shape, check, limits_of
from ordinis.engines.portfolioopt.task import Task

GAP_MAX = 1e-8  # Relative; beyond it the weights are no proven optimum.
VIOLATION_MAX = 1e-10  # In weight.
PROVEN = ("optimal", "best_found")
_OF_VARIANCE = ("mean_variance", "min_variance")  # Their proof knows the variance.


class Ladder:
    """One climb down. `whole`: without it the error of the first rung stands."""

    def __init__(
        self,
        book: Book,
        shape: Shape,
        *,
        whole: bool = False,
        last: OptimizationResult | None = None,
        watch: Callable[[], None] | None = None,
    ) -> None:
        """Errors: ConfigError, OptimizationError."""
        self._book, self._shape, self._whole, self._last = book, shape, whole, last
        self._room = book.room()
        limits = limits_of(book.constraints, shape, self._room, book.form, book.cost_a_year, watch)
        self._task = methods.with_target(book.method, book.task(limits))
        self._limits = self._task.limits

    def climb(self) -> OptimizationResult:
        """The first rung that holds. Error: OptimizationError."""
        try:
            check(self._book.constraints, self._shape, self._room)
            found = _certain(self._book.method, self._task)
            return self._told(found, "optimal" if found.gap <= GAP_MAX else "best_found")
        except TooLate:
            return self._held()
        except OptimizationError as error:
            if not self._whole:
                raise self._explained(error) from None
            return self._lower()

    def _explained(self, error: OptimizationError) -> OptimizationError:
        """Limits that contradict each other are named."""
        if isinstance(error, Infeasible):
            return OptimizationError(feasible.conflict(self._limits.program, methods.return_unit(self._task)))
        return error

    def _lower(self) -> OptimizationResult:
        book, limits, task = self._book, self._limits, self._task
        try:
            near = feasible.nearest(limits.program)
            if near.slack:
                wider = replace(limits, program=feasible.relaxed(limits.program, near))
                slack = feasible.told(near.slack, methods.return_unit(task))
                return self._told(_certain(book.method, replace(task, limits=wider)), "relaxed", slack)
            return self._told(positions.solve("inverse_volatility", task)._replace(gap=math.nan), "substitute")
        except OptimizationError:
            return self._held()

    def _held(self) -> OptimizationResult:
        """The last proven weights where they fit today's limits, or what is held."""
        book, last = self._book, self._last
        if last is not None and last.weights.keys() == {*book.symbols, *book.frozen}:
            weights = np.array([last.weights[symbol] for symbol in book.symbols])
            alike = all(last.weights[name] == weight for name, weight in book.frozen.items())
            if alike and self._keeps(weights):
                return self._told(Proven(weights, math.nan, "last proven weights", math.nan), "held")
        if book.current is None:
            raise OptimizationError(f"{book.method}: no rung of the ladder held, and no current_weights to stay at")
        weights = np.array([float(book.current.get(symbol, 0.0)) for symbol in book.symbols])
        return self._told(Proven(weights, math.nan, "current weights", math.nan), "held")

    def _keeps(self, weights: FloatArray) -> bool:
        limits = self._limits
        return violation(limits, weights) <= VIOLATION_MAX and positions.keeps(limits, weights)

    def _turnover(self, weights: FloatArray) -> float | None:
        """What changes, and what is held of names that are not among the symbols at all."""
        start, current = self._limits.program.start, self._book.current
        if start is None or current is None:
            return None
        gone = current.keys() - {*self._book.symbols, *self._room.frozen}
        return float(np.abs(weights - start).sum()) + math.fsum(abs(current[name]) for name in gone)

    def _rounded(self, found: Proven) -> Rounded:
        book = self._book
        assert book.lots is not None
        beside = sum(self._room.frozen.values(), 0.0)
        return rounded(book.method, self._task, book.symbols, found.weights, book.lots, beside)

    def _told(self, found: Proven, status: str, slack: dict[str, float] | None = None) -> OptimizationResult:
        book, frozen = self._book, self._room.frozen
        weights = dict(zip(book.symbols, found.weights.tolist(), strict=True))
        if frozen:
            weights |= frozen
        excess = found.violation if status == "optimal" else violation(self._limits, found.weights)
        known = book.method in _OF_VARIANCE and found.variance == found.variance
        variance = found.variance if known else book.form.square(found.weights)
        return OptimizationResult(
            method=book.method,
            weights=weights,
            cash=1.0 - sum(weights.values()),
            expected_return=float(book.mean.dot(found.weights)),
            expected_volatility=max(0.0, variance) ** 0.5,
            status=status,
            gap=max(found.gap, 0.0),  # In this order NaN stays NaN.
            violation=max(0.0, excess),
            rung=found.rung,
            excluded=book.excluded,
            frozen=dict(frozen),
            relaxed=slack or {},
            turnover=self._turnover(found.weights),
            elapsed_ms=book.elapsed_ms(),
            backend=NUMPY if book.table is None else book.table.backend,
            rounded=self._rounded(found) if book.lots is not None and status in PROVEN else None,
        )


def _certain(method: str, task: Task) -> Proven:
    """The optimum with its proof, if need be by the interior point."""
    try:
        return _accepted(method, task, positions.solve(method, task))
    except TooLate:
        raise
    except OptimizationError as error:
        inside = replace(task.limits, program=replace(task.limits.program, interior=True))
        again = replace(task, limits=inside)
        try:
            return _accepted(method, again, positions.solve(method, again))
        except TooLate:
            raise
        except OptimizationError:
            raise error from None


def _accepted(method: str, task: Task, found: Proven) -> Proven:
    limits = task.limits
    excess = violation(limits, found.weights)
    if not excess <= VIOLATION_MAX:
        raise OptimizationError(f"{method}: the weights of {found.rung} pass a constraint by {excess:.3g}: refused")
    counted = limits.positions_max is not None or limits.position_min > 0.0
    if not found.gap <= GAP_MAX and not (counted and math.isfinite(found.gap)):
        raise OptimizationError(
            f"{method}: the weights of {found.rung} are not the optimum (gap {found.gap:.3g},"
            f" {GAP_MAX:.0e} is allowed): refused"
        )
    return Proven(found.weights, found.gap, found.rung, found.value, excess, found.variance)
