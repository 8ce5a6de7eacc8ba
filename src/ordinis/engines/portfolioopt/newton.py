"""The minimum of any smooth convex objective over a Program: one quadratic problem after the other, each certified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import cvar, quadratic
from ordinis.engines.portfolioopt.certificate import gap
from ordinis.engines.portfolioopt.feasible import conflict, nearest
from ordinis.engines.portfolioopt.forms import Sum
from ordinis.engines.portfolioopt.inner import Infeasible, NotSolved
from ordinis.engines.portfolioopt.objectives import Objective, Quadratic, WithImpact
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Program

MILLIONTH = 1e-6  # Of equity: what so much is worth is the least that a gap is measured by.
GOOD = 1e-11  # A gap relative to the objective at which no more steps are made.
_STEPS_MAX = 100
_HALVINGS_MAX = 60
_STALLED = 8e-9  # A gap that no longer closes is good enough up to here.
_ROUNDING = 1e-11  # Of the value: what a step promises below it cannot be measured.
_SUFFICIENT = 1e-4  # Armijo's constant.


def minimise(objective: Objective, program: Program, start: FloatArray | None = None) -> Answer:
    """The minimum; `start` is where to begin. Error: NotSolved."""
    if isinstance(objective, Quadratic):
        return quadratic.minimise(objective.form, objective.theta, objective.gain, program)
    if isinstance(objective, cvar.TailRisk):
        return cvar.minimise(objective, program)
    weights = _inside(objective, program) if start is None or not objective.inside(start) else start
    before, best, best_gap = INFINITE, None, INFINITE
    for _ in range(_STEPS_MAX):
        there, found = _step(objective, program, weights)
        if isinstance(objective, WithImpact) and objective.turns(weights, found.weights):
            there, found = _step(replace(objective, caution=2.0), program, weights)
        weights = _along(objective, program, weights, found.weights)
        gradient, slack = there(weights)
        answer = found._replace(weights=weights, gradient=gradient, slack=slack)
        open_gap = gap(program, answer.gradient, weights, answer.prices) + answer.slack
        size = max(abs(objective.value(weights)), MILLIONTH * float(np.abs(answer.gradient).max()))
        if open_gap <= GOOD * size or (open_gap <= _STALLED * size and open_gap >= 0.5 * before):
            return answer
        if open_gap < best_gap:
            best, best_gap = answer, open_gap
        before = open_gap
    if best is not None:
        return best  # Its gap says what it is worth.
    raise NotSolved(f"Newton's method did not settle in {_STEPS_MAX} steps")


Tangent = Callable[[FloatArray], tuple[FloatArray, float]]  # Weights -> gradient of a bound, and how far it is below.


def _step(objective: Objective, program: Program, weights: FloatArray) -> tuple[Tangent, Answer]:
    """The minimum of the objective's parabola at the weights, and how to say the true gradient elsewhere."""
    if isinstance(objective, WithImpact) and isinstance(objective.base, cvar.TailRisk):
        return _tail_step(objective, objective.base, program, weights)
    factor, form = objective.curvature(weights)
    gain = factor * form.product(weights) - objective.gradient(weights)
    return lambda at: (objective.gradient(at), 0.0), quadratic.minimise(form, factor, gain, program)


def _tail_step(
    objective: WithImpact, base: cvar.TailRisk, program: Program, weights: FloatArray
) -> tuple[Tangent, Answer]:
    """The tail stays as it is; only what trades cost becomes a parabola."""
    bend, slope = objective.bend(weights), objective.slope(weights)
    form = Sum(((base.theta, base.form),) if base.theta else (), bend)
    model = cvar.TailRisk(base.tail, base.start, form, 1.0, base.pull + bend * weights - slope)
    found = cvar.minimise(model, program)
    smooth = base.theta * base.form.product(found.weights) if base.theta else 0.0
    linear = found.gradient - smooth - bend * (found.weights - weights) + base.pull - slope

    def tangent(at: FloatArray) -> tuple[FloatArray, float]:
        """The tail lies above what its worst scenarios of the step's end make of any weights."""
        tail = base.tail.risk_aversion * base.tail.risk(at) - float(base.tail.gain @ at)
        smooth = base.theta * base.form.product(at) if base.theta else 0.0
        return linear + smooth - base.pull + objective.slope(at), max(0.0, tail - float(linear @ at))

    return tangent, found


def _along(objective: Objective, program: Program, here: FloatArray, there: FloatArray) -> FloatArray:
    """As far towards `there` as the objective falls in earnest."""
    move = there - here
    value = objective.value(here) + program.trading_cost(here)
    slope = float(objective.gradient(here) @ move) + program.trading_cost(there) - program.trading_cost(here)
    share = 1.0
    for _ in range(_HALVINGS_MAX):
        weights = here + share * move if share < 1.0 else there
        if objective.inside(weights):
            fall = value - objective.value(weights) - program.trading_cost(weights)
            if fall >= -_SUFFICIENT * share * slope or abs(slope) <= _ROUNDING * abs(value):
                return weights
        share /= 2.0
    return here


def _inside(objective: Objective, program: Program) -> FloatArray:
    """Weights within the limits at which the objective is finite."""
    near = nearest(program)
    if near.slack:
        raise Infeasible(conflict(program))
    middle = np.clip(np.full(program.size, 1.0 / program.size), program.low, program.high)
    central = quadratic.minimise(Sum((), np.ones(program.size)), 1.0, middle, program).weights
    for share in (1.0, 0.9, 0.5, 0.1):
        weights = share * central + (1.0 - share) * near.weights
        if objective.inside(weights):
            return weights
    raise NotSolved("no weights within the limits give the objective a value")
