"""The methods: what each minimises over the limits, and how its answer is proven."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import caps, parity, ratio
from ordinis.engines.portfolioopt.certificate import excess
from ordinis.engines.portfolioopt.cvar import Tail, TailRisk
from ordinis.engines.portfolioopt.feasible import TARGET_RETURN
from ordinis.engines.portfolioopt.forms import Sum
from ordinis.engines.portfolioopt.hierarchy import hierarchical_weights
from ordinis.engines.portfolioopt.objectives import Growth, Objective, Quadratic
from ordinis.engines.portfolioopt.program import INFINITE
from ordinis.engines.portfolioopt.proof import Proven, proven, with_impact
from ordinis.engines.portfolioopt.subset import only
from ordinis.engines.portfolioopt.task import Task

_AIM_AT_RETURNS = ("mean_variance", "mean_cvar")
_NOTHING = 1e-12  # A budget of so little leaves nothing to share out.


def solve(method: str, task: Task) -> Proven:
    """The weights of a method. Error: OptimizationError."""
    return METHODS[method](task)


def with_target(method: str, task: Task) -> Task:
    """The target return is a limit like any other, in units of the largest mean."""
    if task.target_return is None or method not in _AIM_AT_RETURNS:
        return task
    program, unit = task.limits.program, return_unit(task)
    row = program.with_row(TARGET_RETURN, task.mean / unit, task.target_return / unit, INFINITE)
    return replace(task, limits=replace(task.limits, program=row))


def return_unit(task: Task) -> float:
    return float(np.abs(task.mean).max()) or 1.0


def value_of(method: str, task: Task, weights: FloatArray) -> float:
    """What the method minimises at any weights, trading costs included; what it is judged by when it is rounded."""
    program = task.limits.program
    if method == "risk_parity":
        return parity.unevenness(task.form, weights, _budgets(task))
    if method == "max_diversification" or (method == "mean_variance" and task.maximum_sharpe):
        return -ratio.value(_earning(method, task), task.form, task.limits, weights)
    return with_impact(_objective(method, task), task.limits).value(weights) + program.trading_cost(weights)


def _objective(method: str, task: Task) -> Objective:
    size = task.limits.program.size
    if method == "kelly_growth":
        assert task.returns is not None
        return Growth(task.returns, task.periods)
    if method == "mean_cvar":
        return _tail(task)
    if method in _TARGETS:
        target = _TARGETS[method](task)
        return Quadratic(Sum((), 1.0 / target), 1.0, np.ones(size))
    if method == "min_variance" or task.target_return is not None:
        return Quadratic(task.form, 1.0, np.zeros(size))
    aversion = 0.0 if task.target_volatility is not None else task.risk_aversion
    return Quadratic(task.form, aversion, task.mean)


def _mean_variance(task: Task) -> Proven:
    if task.maximum_sharpe:
        return ratio.highest(_earning("mean_variance", task), task.form, task.limits)
    if task.target_volatility is not None:
        return _at_volatility(task)
    return proven(_objective("mean_variance", task), task.limits)


def _at_volatility(task: Task) -> Proven:
    """The highest mean within a volatility; where the target is out of reach, the highest there is."""
    assert task.target_volatility is not None
    cap = caps.Cap("target_volatility", task.target_volatility, task.form)
    return proven(_objective("mean_variance", task), replace(task.limits, caps=(cap, *task.limits.caps)))


def _min_variance(task: Task) -> Proven:
    return proven(_objective("min_variance", task), task.limits)


def _mean_cvar(task: Task) -> Proven:
    return proven(_tail(task), task.limits)


def _tail(task: Task) -> Objective:
    assert task.returns is not None
    size = task.limits.program.size
    gain = np.zeros(size) if task.tail_aversion is None else task.mean / task.periods
    tail = Tail(task.returns, task.confidence, task.tail_aversion or 1.0, gain, task.table)
    return TailRisk(tail, task.form, task.form, 0.0, np.zeros(size))


def _kelly_growth(task: Task) -> Proven:
    return proven(_objective("kelly_growth", task), task.limits)


def _earning(method: str, task: Task) -> FloatArray:
    """What is earned in a ratio to the volatility."""
    if method == "max_diversification":
        return np.sqrt(task.form.diagonal)
    return task.mean - task.risk_free


def _max_diversification(task: Task) -> Proven:
    if _budget(task) <= _NOTHING:
        return _min_variance(task)
    return ratio.highest(_earning("max_diversification", task), task.form, task.limits)


def _risk_parity(task: Task) -> Proven:
    """Balanced among those that may be held at all."""
    if _budget(task) <= _NOTHING:
        return _min_variance(task)
    program = task.limits.program
    shut = (program.high == 0.0) & (program.low == 0.0)
    if not shut.any() or shut.all():
        return parity.balanced(task.form, _budgets(task), task.limits)
    inner = _risk_parity(only(task, ~shut))
    weights = np.zeros(program.size)
    weights[~shut] = inner.weights
    return inner._replace(weights=weights)


def _budgets(task: Task) -> FloatArray:
    size = task.limits.program.size
    return np.full(size, 1.0 / size) if task.budgets is None else task.budgets / task.budgets.sum()


def _nearest_to(target: Callable[[Task], FloatArray]) -> Callable[[Task], Proven]:
    """Weights from a formula; where a limit is in the way, those nearest to them in proportion."""

    def solve_it(task: Task) -> Proven:
        weights = target(task)
        limits = replace(task.limits, program=replace(task.limits.program, cost=None), impact=None)
        if excess(limits.program, weights) <= 0.0 and caps.kept(limits.caps, weights):
            return Proven(weights, 0.0, "formula", -0.5 * float(weights.sum()))
        if not (weights > 0.0).all():
            raise OptimizationError("the formula gives a symbol no weight: nothing is in proportion to it")
        return proven(Quadratic(Sum((), 1.0 / weights), 1.0, np.ones(weights.size)), limits)

    return solve_it


def _budget(task: Task) -> float:
    """What is to be invested: the upper end of the first limit."""
    return max(float(task.limits.program.row_high[0]), 1e-300)


def _equal_target(task: Task) -> FloatArray:
    size = task.limits.program.size
    return np.full(size, _budget(task) / size)


def _inverse_target(task: Task) -> FloatArray:
    shares = 1.0 / np.sqrt(task.form.diagonal)
    result: FloatArray = shares / shares.sum() * _budget(task)
    return result


def _hrp_target(task: Task) -> FloatArray:
    return hierarchical_weights(task.form.block(None)) * _budget(task)


_TARGETS: dict[str, Callable[[Task], FloatArray]] = {
    "equal_weight": _equal_target,
    "inverse_volatility": _inverse_target,
    "hrp": _hrp_target,
}
METHODS: dict[str, Callable[[Task], Proven]] = {
    "mean_variance": _mean_variance,
    "min_variance": _min_variance,
    "mean_cvar": _mean_cvar,
    "risk_parity": _risk_parity,
    "max_diversification": _max_diversification,
    "hrp": _nearest_to(_hrp_target),
    "equal_weight": _nearest_to(_equal_target),
    "inverse_volatility": _nearest_to(_inverse_target),
    "kelly_growth": _kelly_growth,
}
