"""Risk parity: every symbol adds its budget of the risk, but for those that a limit holds back.

With no limit in the way this is the root of one convex problem, scaled. With one, the level of risk is searched at
which the budget costs nothing: what each symbol adds is then that level, less at a limit above, more at one below.
Sources: Spinu (2013), "An Algorithm for Computing Risk Parity Weights"; Richard and Roncalli (2019), "Constrained Risk
Budgeting Portfolios".
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import caps
from ordinis.engines.portfolioopt.certificate import excess, gap
from ordinis.engines.portfolioopt.forms import Dense, Form
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.limits import Limits
from ordinis.engines.portfolioopt.objectives import RiskBudgets
from ordinis.engines.portfolioopt.program import Answer, Program
from ordinis.engines.portfolioopt.proof import Proven, with_impact

_STEPS_MAX = 200
_ROUNDS_MAX = 100
_EVEN = 1e-12
_FREE = 1e-10  # Of the risk: a price of the budget that is as good as none.
_LEAST = 1e-12  # Of the budget: nobody is left out.
_FAR = 60.0  # In logarithms.
_INVESTED = ("budget", "net")  # Limits on the sum of all weights.


def balanced(form: Form, budget: FloatArray, limits: Limits) -> Proven:
    """Error: NotSolved."""
    program = limits.program
    invested = float(program.row_high[0])
    matrix = form.block(None)
    unit = float(matrix.trace()) / budget.size
    free = _free(matrix / unit, budget)
    weights = free * (invested / free.sum())
    plain = program.cost is None and limits.impact is None
    if plain and excess(program, weights) <= 1e-15 and caps.kept(limits.caps, weights):
        return Proven(weights, unevenness(form, weights, budget), "newton", unevenness(form, weights, budget))
    return _limited(Dense(matrix / unit), unit, budget, limits, weights)


def unevenness(form: Form, weights: FloatArray, budget: FloatArray) -> float:
    """The largest difference of a contribution from its budget, as a part of it."""
    along = weights * form.product(weights)
    return float(np.abs(along / (along.sum() * budget) - 1.0).max())


def _free(matrix: FloatArray, budget: FloatArray) -> FloatArray:
    """The minimum of 1/2 x'Qx - budget'log x by Newton's method, damped as the function's self-concordance asks."""
    x = np.sqrt(budget / matrix.diagonal())
    x *= (1.0 / float(x @ matrix @ x)) ** 0.5
    for _ in range(_STEPS_MAX):
        slope = matrix @ x - budget / x
        if float(np.abs(slope * x / budget).max()) <= _EVEN:
            return x
        curved = matrix.copy()
        curved.flat[:: x.size + 1] += budget / (x * x)
        step = np.linalg.solve(curved, slope)
        decrement = float((step * slope).sum()) ** 0.5 / float(budget.min()) ** 0.5
        # Near the end whole steps: the damping is for the way there.
        x = x - step * (1.0 if decrement < 0.3 else 1.0 / (1.0 + decrement))
    if float(np.abs((matrix @ x) * x / budget - 1.0).max()) <= 1e-9:
        return x
    raise NotSolved(f"risk parity did not settle in {_STEPS_MAX} steps")


def _limited(form: Dense, unit: float, budget: FloatArray, limits: Limits, near: FloatArray) -> Proven:
    """Search the level at which the budget has no price."""
    search = _Level(form, unit, budget, limits)
    level = float(np.log(np.mean(near * form.product(near) / budget)))
    low, high = level - _FAR, level + _FAR
    step, rising = 0.5, None
    best = search.at(level)
    points: list[tuple[float, float]] = []
    for _ in range(_ROUNDS_MAX):
        if abs(search.price) <= _FREE or high - low <= 1e-14 * max(1.0, abs(level)):
            break
        points = [*points[-1:], (level, search.price)]
        if search.price > 0.0:
            high = level
        else:
            low = level
        sign = search.price > 0.0
        step = step * 2.0 if rising in (None, sign) else step
        rising = sign
        level = _next(points, low, high, -step if sign else step)
        if not low < level < high:
            break  # Bounds that add up to just the budget leave no room to change.
        best = search.at(level)
    return best


def _next(points: list[tuple[float, float]], low: float, high: float, step: float) -> float:
    """A secant where two points say something, a step otherwise; always between the ends."""
    if len(points) == 2 and points[0][1] != points[1][1]:
        (first, before), (second, after) = points
        level = second - after * (second - first) / (after - before)
        if low < level < high:
            return level
    level = points[-1][0] + step
    return level if low < level < high else (low + high) / 2.0


class _Level:
    """The problem at one level of risk; `price` is what the budget costs there, as a part of the risk."""

    def __init__(self, form: Dense, unit: float, budget: FloatArray, limits: Limits) -> None:
        program = limits.program
        self._form, self._budget = form, budget
        least = np.maximum(program.low, _LEAST * float(program.row_high[0]))
        scaled = replace(
            program, low=np.minimum(least, program.high), cost=None if program.cost is None else program.cost / unit
        )
        impact = None if limits.impact is None else limits.impact / unit
        within = tuple(replace_cap(cap, form, unit) for cap in limits.caps)
        self._limits = replace(limits, program=scaled, impact=impact, caps=within)
        self._invested = np.array([name in _INVESTED for name in program.names], dtype=np.float64)
        self.price = 0.0

    def at(self, level: float) -> Proven:
        limits = self._limits
        objective = with_impact(RiskBudgets(self._form, float(np.exp(level)), self._budget), limits)
        answer = caps.minimise(objective, limits.program, limits.caps)
        risk = self._form.square(answer.weights)
        self.price = float(answer.prices.rows @ self._invested) * float(limits.program.row_high[0]) / risk
        value = objective.value(answer.weights) + limits.program.trading_cost(answer.weights)
        return Proven(answer.weights, self._open(answer, limits.program) / max(abs(value), risk), answer.rung, value)

    def _open(self, answer: Answer, program: Program) -> float:
        return gap(program, answer.gradient, answer.weights, answer.prices) + answer.slack


def replace_cap(cap: caps.Cap, form: Form, unit: float) -> caps.Cap:
    """The same limit in the unit of a normalised covariance."""
    return cap._replace(form=form, most=cap.most / unit**0.5, unit=unit**0.5)
