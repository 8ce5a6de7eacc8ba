"""The highest ratio of what is earned to its volatility: Sharpe's, and that of diversification.

At the best weights m'w / w'Qw is just the risk aversion whose mean-variance weights they are (the ratio is
pseudo-concave, so what is stationary is best), and p m'w - w'Qw, p being one over the aversion, is a straight line in p
as long as the same limits hold: a secant finds its root. Sources: Sharpe (1966), "Mutual Fund Performance"; Choueifaty
and Coignard (2008), "Toward Maximum Diversification"; Dinkelbach (1967), "On Nonlinear Fractional Programming".
"""

from __future__ import annotations

import math

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import caps
from ordinis.engines.portfolioopt.certificate import gap
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.limits import Limits
from ordinis.engines.portfolioopt.objectives import Quadratic
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Prices
from ordinis.engines.portfolioopt.proof import Proven, with_impact

_ROUNDS_MAX = 200
_GOOD = 1e-11
_FIRST_SHARE = 1e-12  # As good as none: the weights of the least variance.
_SHARE_MAX = 1e12
_NO_RISK = 1e-12  # Of the mean variance.


def value(earning: FloatArray, form: Form, limits: Limits, weights: FloatArray) -> float:
    """The ratio."""
    volatility = math.sqrt(max(form.square(weights), 1e-300))
    return earned(earning, limits, weights) / volatility


def earned(earning: FloatArray, limits: Limits, weights: FloatArray) -> float:
    """What trading costs is not earned."""
    program = limits.program
    impact = 0.0
    if limits.impact is not None and program.start is not None:
        impact = float(limits.impact @ np.abs(weights - program.start) ** 1.5)
    return float(earning @ weights) - program.trading_cost(weights) - impact


def highest(earning: FloatArray, form: Form, limits: Limits) -> Proven:
    """Error: OptimizationError where no weights earn anything."""
    search = _Search(earning, form, limits)
    best = search.try_share(search.first())
    low: tuple[float, float] = (0.0, -search.least_variance)
    high: tuple[float, float] | None = None
    below = True
    for _ in range(_ROUNDS_MAX):
        if best.gap <= _GOOD:
            break
        # Illinois: an end that stays twice counts half, or the other would creep towards the root for ever.
        if search.level < 0.0:
            high = (high[0], high[1] / 2.0) if high is not None and below else high
            low, below = (search.share, search.level), True
        else:
            low = (low[0], low[1] / 2.0) if not below else low
            high, below = (search.share, search.level), False
        share = _next(low, high, of_any=search.of_any)
        if share == search.share:
            break
        tried = search.try_share(share)
        best = min(best, tried, key=lambda one: one.gap)
    return best


def _next(low: tuple[float, float], high: tuple[float, float] | None, *, of_any: bool) -> float:
    """A secant between the two, or further out; halved where it would stand still."""
    if high is None:
        return low[0] * 4.0
    if of_any and low[0] == 0.0:  # Every amount that no limit holds back is right.
        return high[0] / 4.0
    (left, below), (right, above) = low, high
    share = left - below * (right - left) / (above - below)
    return share if left < share < right else (left + right) / 2.0


class _Search:
    def __init__(self, earning: FloatArray, form: Form, limits: Limits) -> None:
        self._earning, self._form, self._limits = earning, form, limits
        start = self._answer(_FIRST_SHARE)
        self._start = start.weights
        self.least_variance = self._variance(start.weights)
        self._mean_variance = float(form.diagonal.mean())
        self.of_any = self.least_variance <= _NO_RISK * self._mean_variance  # All may stay cash.
        self.share = self.level = 0.0

    def first(self) -> float:
        """What would be right if the weights of the least variance were the answer."""
        earned = self._earned(self._start)
        most = float(self._earning.max()) * max(1e-300, float(np.abs(self._start).sum()))
        if most <= 0.0 and earned <= 0.0:
            raise OptimizationError("no weights earn more than the risk-free rate: there is no highest ratio")
        if self.of_any:
            return self._mean_variance / (float(np.abs(self._earning).max()) * self._earning.size)
        return self.least_variance / (earned if earned > 1e-3 * most else most)

    def try_share(self, share: float) -> Proven:
        if not share < _SHARE_MAX:
            raise OptimizationError("no weights earn more than the risk-free rate: there is no highest ratio")
        answer = self._answer(share)
        earned, variance = self._earned(answer.weights), self._variance(answer.weights)
        self.share, self.level = share, share * earned - variance
        open_gap = self._gap(answer, share, earned / variance) / earned if earned > 0.0 else INFINITE
        ratio = value(self._earning, self._form, self._limits, answer.weights)
        return Proven(answer.weights, open_gap, answer.rung, -ratio)

    def _answer(self, share: float) -> Answer:
        limits = self._limits
        cost, impact = limits.program.cost, limits.impact
        scaled = replace(
            limits,
            program=replace(limits.program, cost=None if cost is None else share * cost),
            impact=None if impact is None else share * impact,
        )
        objective = with_impact(Quadratic(self._form, 1.0, share * self._earning), scaled)
        return caps.minimise(objective, scaled.program, scaled.caps)

    def _gap(self, answer: Answer, share: float, aversion: float) -> float:
        """Of mean-variance at the aversion that the weights themselves imply: an upper bound on what is missed."""
        gradient = answer.gradient / share + (aversion - 1.0 / share) * self._form.product(answer.weights)
        prices = Prices(answer.prices.rows / share, answer.prices.turnover / share, answer.prices.gross / share)
        return gap(self._limits.program, gradient, answer.weights, prices) + answer.slack / share

    def _earned(self, weights: FloatArray) -> float:
        return earned(self._earning, self._limits, weights)

    def _variance(self, weights: FloatArray) -> float:
        return self._form.square(weights)
