"""Plain solvers on SciPy. Each takes a Problem and gives weights; the optimiser certifies them.

SciPy is imported where it is used: it takes longer to import than the whole engine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import BoolArray, FloatArray, IntArray
from ordinis.engines.portfolioopt.problem import Problem

_ROUNDS_MAX = 200
_SWEEPS_MAX = 2_000
_TINY = 1e-13


class Solution(NamedTuple):
    weights: FloatArray
    residual: float
    rung: str


def quadratic(problem: Problem) -> Solution:
    """The minimum of the quadratic problem: SLSQP comes near, an active set makes it exact."""
    from scipy.optimize import minimize

    symbols = problem.linear.size
    steep = max(1.0, float(np.abs(problem.linear).max()))  # A steep objective makes SLSQP's first steps too long.
    start = np.full(symbols, min(problem.high, max(problem.low, problem.most / symbols)))
    answer = minimize(
        lambda w: (0.5 * w @ problem.quadratic @ w - problem.linear @ w) / steep,
        start,
        jac=lambda w: problem.gradient(w) / steep,
        method="SLSQP",
        bounds=[(problem.low, problem.high)] * symbols,
        constraints=_sums(problem, symbols),
        options={"maxiter": _ROUNDS_MAX, "ftol": 1e-12},
    )
    near = np.clip(np.nan_to_num(answer.x, nan=0.0), problem.low, problem.high)
    exact = _exact(problem, near)
    weights, rung = (near, "slsqp") if exact is None else (exact, "slsqp+active_set")
    return Solution(weights, problem.residual(weights), rung)


def _sums(problem: Problem, symbols: int) -> list[dict[str, object]]:
    ones = np.ones(symbols)
    if problem.least == problem.most:
        return [{"type": "eq", "fun": lambda w: w.sum() - problem.most, "jac": lambda w: ones}]
    return [
        {"type": "ineq", "fun": lambda w: problem.most - w.sum(), "jac": lambda w: -ones},
        {"type": "ineq", "fun": lambda w: w.sum() - problem.least, "jac": lambda w: ones},
    ]


def _exact(problem: Problem, near: FloatArray) -> FloatArray | None:
    """Guess who is at a bound, solve for the others, mend the guess by the signs; None when that does not settle."""
    margin = 1e-6
    low, high = near <= problem.low + margin, near >= problem.high - margin
    total = float(near.sum())
    tight = (
        problem.most if total >= problem.most - margin else problem.least if total <= problem.least + margin else None
    )
    for _ in range(_ROUNDS_MAX):
        weights, price = _between(problem, low, high, tight)
        slope = problem.gradient(weights) + price
        next_low = np.where(low, slope >= -_TINY, weights < problem.low - _TINY)
        next_high = np.where(high, slope <= _TINY, weights > problem.high + _TINY)
        next_tight = _tightness(problem, float(weights.sum()), price, tight)
        if next_tight == tight and (next_low == low).all() and (next_high == high).all():
            return np.clip(weights, problem.low, problem.high)
        low, high, tight = next_low, next_high & ~next_low, next_tight
    return None


def _tightness(problem: Problem, total: float, price: float, tight: float | None) -> float | None:
    """Which limit on the sum holds the answer back, if any."""
    if tight is None:
        return (
            problem.most if total > problem.most + _TINY else problem.least if total < problem.least - _TINY else None
        )
    if problem.least == problem.most:
        return tight
    return tight if (price >= 0.0) == (tight == problem.most) else None


def _between(problem: Problem, low: BoolArray, high: BoolArray, tight: float | None) -> tuple[FloatArray, float]:
    """Those at bounds stay there; the others, and the price of the sum, follow from linear equations."""
    weights: FloatArray = np.where(high, problem.high, problem.low).astype(np.float64)
    free = np.flatnonzero(~(low | high))
    if not free.size and tight is not None and abs(float(weights.sum()) - tight) > _TINY:
        free = _released(problem, weights, low, high, tight)
    if not free.size:
        return weights, problem.budget_price(weights) if tight is not None else 0.0
    weights[free] = 0.0
    inner = problem.quadratic[np.ix_(free, free)]
    right = (problem.linear - problem.quadratic @ weights)[free]
    plain, spread = np.linalg.solve(inner, np.column_stack([right, np.ones(free.size)])).T
    price = 0.0 if tight is None else float((plain.sum() - (tight - weights.sum())) / spread.sum())
    weights[free] = plain - price * spread
    return weights, price


def _released(problem: Problem, weights: FloatArray, low: BoolArray, high: BoolArray, tight: float) -> IntArray:
    """With everybody at a bound the sum cannot hold: the one that gives way most cheaply is let go."""
    slope = problem.gradient(weights)
    if float(weights.sum()) > tight:
        return np.array([int(np.where(high, slope, -np.inf).argmax())])
    return np.array([int(np.where(low, slope, np.inf).argmin())])


def risk_parity(problem: Problem) -> Solution:
    """Every symbol adds the same risk, w_i (Qw)_i = t, but for those at a bound; t so that the budget is used.

    Without a bound in the way this is a root of one convex problem, scaled (source: Spinu (2013), "An Algorithm
    for Computing Risk Parity Weights"). With one, t is searched (source: Richard and Roncalli (2019), "Constrained
    Risk Budgeting Portfolios").
    """
    plain = _equal_risk(problem, 1.0, 0.0, np.inf)
    weights = plain * (problem.most / plain.sum())
    if not ((weights <= problem.high).all() and (weights >= problem.low).all()):
        from scipy.optimize import brentq

        def over(logarithm: float) -> float:
            return float(_equal_risk(problem, float(np.exp(logarithm)), problem.low, problem.high).sum()) - problem.most

        middle = float(np.log(np.mean(weights * (problem.quadratic @ weights))))
        logarithm = brentq(over, middle - 60.0, middle + 60.0, xtol=1e-15, rtol=1e-15)
        weights = _equal_risk(problem, float(np.exp(logarithm)), problem.low, problem.high)
    return Solution(weights, _risk_residual(problem, weights), "coordinate_descent")


def _equal_risk(problem: Problem, each: float, low: float, high: float) -> FloatArray:
    """Minimise 1/2 w'Qw - each * sum(log w) within the bounds, a coordinate at a time."""
    q = problem.quadratic
    variance = np.diag(q)
    weights = np.clip(np.sqrt(each / (variance * variance.size)), low, high)
    pull = q @ weights
    for _ in range(_SWEEPS_MAX):
        moved = 0.0
        for one in range(weights.size):
            own = variance[one]
            others = pull[one] - own * weights[one]
            best = (-others + np.sqrt(others * others + 4.0 * own * each)) / (2.0 * own)
            step = min(max(best, low), high) - weights[one]
            weights[one] += step
            pull += q[:, one] * step
            moved = max(moved, abs(step) / weights[one])
        if moved < 1e-14:
            return weights
    raise OptimizationError(f"risk parity of {weights.size} symbols did not settle in {_SWEEPS_MAX} sweeps")


def _risk_residual(problem: Problem, weights: FloatArray) -> float:
    """How far the contributions are from equal, as a part of the mean one; at a bound only the wrong side counts."""
    risk = weights * (problem.quadratic @ weights)
    at_low, at_high = problem.at_bounds(weights)
    at_low = at_low & (problem.low > 0.0)
    free = ~(at_low | at_high)
    level = float(risk[free].mean()) if free.any() else float(np.median(risk))
    apart = risk / level - 1.0
    apart = np.where(at_high & (apart < 0.0), 0.0, np.where(at_low & (apart > 0.0), 0.0, apart))
    return float(np.abs(apart).max()) if free.any() else 0.0


def proportional(problem: Problem, shares: FloatArray) -> Solution:
    """The budget in these proportions; what a bound takes or gives, the others share. Exact."""
    weights = np.zeros(shares.size)
    bound = np.zeros(shares.size, dtype=np.bool_)
    for _ in range(2 * shares.size + 1):
        left = problem.most - float(weights[bound].sum())
        weights[~bound] = shares[~bound] / shares[~bound].sum() * left
        over, under = ~bound & (weights > problem.high), ~bound & (weights < problem.low)
        if not (over.any() or under.any()):
            break
        # The side that is passed by more is settled first: it moves the others away from the other side's error.
        excess = float((weights[over] - problem.high).sum()) - float((problem.low - weights[under]).sum())
        fixed = over if excess >= 0.0 else under
        weights[fixed] = problem.high if excess >= 0.0 else problem.low
        bound |= fixed
        if bound.all():
            break
    return Solution(weights, 0.0, "formula")
