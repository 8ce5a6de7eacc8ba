"""From the optimum down to holding still: what is answered when the rung above it fails, and never in silence.

optimal       the method's own solver, or the interior point over all symbols at once
best_found    the same under a limit on positions, where the search ended before the proof: the gap says how near
relaxed       the same, with limits giving way in a stated order (feasible.GIVES_WAY), each by what is reported
substitute    inverse volatility, as near to it as the limits allow
held          the last proven weights where they keep the limits, or the weights as they are
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ordinis.domain.errors import ConfigError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import feasible, positions
from ordinis.engines.portfolioopt.constraints import Constraints
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.limits import Limits, Room, check, limits_of
from ordinis.engines.portfolioopt.methods import Task
from ordinis.engines.portfolioopt.proof import Proven
from ordinis.engines.portfolioopt.result import OptimizationResult

GAP_MAX = 1e-8  # Relative; beyond it the weights are no proven optimum.
VIOLATION_MAX = 1e-10  # In weight.


class TooLate(OptimizationError):
    """The deadline has passed."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Book:
    """One optimisation: what is believed, asked for and held."""

    method: str
    symbols: list[str]
    mean: FloatArray
    form: Form
    returns: FloatArray | None
    constraints: Constraints
    least: float  # To be invested.
    current: Mapping[str, float] | None
    excluded: dict[str, str]
    goal: dict[str, Any]
    risk_aversion: float
    tail_aversion: float | None
    budgets: Mapping[str, float] | None
    periods: float
    cost_a_year: float

    @property
    def frozen(self) -> dict[str, float]:
        """Held and without an estimate."""
        current = self.current
        return {name: current[name] for name in self.excluded if current and current.get(name)}

    def room(self) -> Room:
        return Room(
            symbols=self.symbols,
            least=self.least,
            most=self.constraints.budget,
            frozen=self.frozen,
            current=self.current,
        )

    def task(self, limits: Limits) -> Task:
        return Task(
            mean=self.mean,
            form=self.form,
            limits=limits,
            risk_aversion=self.risk_aversion,
            tail_aversion=self.tail_aversion,
            budgets=self._budgets(),
            returns=self.returns,
            periods=self.periods,
            **self.goal,
        )

    def _budgets(self) -> FloatArray | None:
        if self.budgets is None:
            return None
        budgets = np.array([float(self.budgets.get(symbol, 0.0)) for symbol in self.symbols])
        if not ((budgets > 0.0).all() and np.isfinite(budgets).all()):
            raise ConfigError("risk_budgets: every symbol that is optimised needs a part above 0")
        return budgets


Clock = Callable[[], float] | None
Telling = Callable[[Proven, str], OptimizationResult]


def climb(
    book: Book,
    watch: Callable[[], None] | None,
    whole: bool,
    last: OptimizationResult | None,
    clock_ms: Clock,
    began_ms: float | None,
) -> OptimizationResult:
    """The first rung that holds. Without `whole` the error of the first two stands."""
    room = book.room()
    limits = limits_of(book.constraints, room, book.form, book.cost_a_year)
    limits = replace(limits, program=replace(limits.program, watch=watch))
    task = book.task(limits)

    def told(found: Proven, status: str, relaxed: dict[str, float] | None = None) -> OptimizationResult:
        return _told(book, limits, found, status, relaxed or {}, clock_ms, began_ms)

    failure: OptimizationError
    try:
        check(book.constraints, room, limits.program)
        found = _certain(book.method, task)
        return told(found, "optimal" if found.gap <= GAP_MAX else "best_found")
    except TooLate:
        return _still(book, limits, last, told)
    except OptimizationError as error:
        failure = error
    if not whole:
        raise failure
    try:
        near = feasible.nearest(limits.program)
        if near.slack:
            wider = replace(limits, program=feasible.relaxed(limits.program, near))
            return told(_certain(book.method, replace(task, limits=wider)), "relaxed", near.slack)
        return told(positions.solve("inverse_volatility", task)._replace(gap=math.nan), "substitute")
    except OptimizationError:
        return _still(book, limits, last, told)


def _certain(method: str, task: Task) -> Proven:
    """The optimum with its proof, if need be by the interior point."""
    try:
        return _accepted(method, task, positions.solve(method, task))
    except TooLate:
        raise
    except OptimizationError as error:
        inside = replace(task.limits.program, interior=True)
        try:
            return _accepted(
                method, task, positions.solve(method, replace(task, limits=replace(task.limits, program=inside)))
            )
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
    return found


def violation(limits: Limits, weights: FloatArray) -> float:
    """The most by which any limit is passed."""
    over = [limits.program.violation(weights)]
    over += [max(0.0, cap.risk(weights)) ** 0.5 - cap.most for cap in limits.caps]
    return max(over)


def _still(book: Book, limits: Limits, last: OptimizationResult | None, told: Telling) -> OptimizationResult:
    """The last proven weights where they fit today's limits, or what is held."""
    if last is not None and last.weights.keys() == {*book.symbols, *book.frozen}:
        weights = np.array([last.weights[symbol] for symbol in book.symbols])
        if violation(limits, weights) <= VIOLATION_MAX and _frozen_alike(book, last):
            return told(Proven(weights, math.nan, "last proven weights", math.nan), "held")
    if book.current is None:
        raise OptimizationError(f"{book.method}: no rung of the ladder held, and no current_weights to stay at")
    weights = np.array([float(book.current.get(symbol, 0.0)) for symbol in book.symbols])
    return told(Proven(weights, math.nan, "current weights", math.nan), "held")


def _frozen_alike(book: Book, last: OptimizationResult) -> bool:
    return all(last.weights[name] == weight for name, weight in book.frozen.items())


def _told(
    book: Book,
    limits: Limits,
    found: Proven,
    status: str,
    relaxed: dict[str, float],
    clock_ms: Clock,
    began_ms: float | None,
) -> OptimizationResult:
    frozen = book.frozen
    weights = dict(zip(book.symbols, found.weights.tolist(), strict=True)) | frozen
    return OptimizationResult(
        method=book.method,
        weights=weights,
        cash=1.0 - sum(weights.values()),
        expected_return=float(book.mean @ found.weights),
        expected_volatility=max(0.0, book.form.square(found.weights)) ** 0.5,
        status=status,
        gap=max(0.0, found.gap),
        violation=max(0.0, violation(limits, found.weights)),
        rung=found.rung,
        excluded=book.excluded,
        frozen=frozen,
        relaxed=relaxed,
        turnover=None if book.current is None else _turnover(weights, book.current),
        elapsed_ms=None if began_ms is None or clock_ms is None else clock_ms() - began_ms,
    )


def _turnover(weights: Mapping[str, float], current: Mapping[str, float]) -> float:
    return sum(abs(weights.get(name, 0.0) - current.get(name, 0.0)) for name in weights.keys() | current.keys())
