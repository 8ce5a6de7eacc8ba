"""The optimiser's problems: seeded returns, what is asked of them, and a judge of any weights.

Problems, for n assets and seed n. Weights w are fractions of equity, returns fractions a day. m is the sample mean, S
the sample covariance (T - 1). Asset i is in sector i mod 11. weight_max = max(0.2, 3 / n).

mv                minimise (gamma / 2) w'Sw - m'w, gamma = 10, T = 500 days, sum(w) = 1, 0 <= w_i <= weight_max
sector            mv, and in every sector sum(w_i) <= 0.2
turnover_penalty  mv plus kappa sum|w_i - w0_i|, kappa = 0.0005; w0 = 0.7 (mv of the first 400 days) + 0.3 / n
turnover_limit    mv, and sum|w_i - w0_i| <= 0.2
cvar              minimise the mean loss of the worst 5 % of T = 1000 days, with mv's limits
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

NAMES = ("mv", "sector", "turnover_penalty", "turnover_limit", "cvar")
SECTORS = 11
RISK_AVERSION, TRADE_COST, CONFIDENCE = 10.0, 5e-4, 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """One problem as arrays; a limit that is None is absent."""

    name: str
    returns: FloatArray  # [days x assets].
    weight_max: float
    sector_max: float | None = None
    weights_before: FloatArray | None = None  # [assets].
    trade_cost: float = 0.0
    turnover_max: float | None = None
    confidence: float | None = None  # Set: CVaR. None: mean-variance.

    @property
    def assets(self) -> int:
        return int(self.returns.shape[1])

    @cached_property
    def symbols(self) -> list[str]:
        return [f"A{asset}" for asset in range(self.assets)]

    @cached_property
    def sectors(self) -> dict[str, str]:
        return {symbol: f"S{asset % SECTORS}" for asset, symbol in enumerate(self.symbols)}

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The returns with dates and names."""
        return pd.DataFrame(self.returns, pd.bdate_range("2015-01-01", periods=len(self.returns)), self.symbols)

    @cached_property
    def mean(self) -> FloatArray:
        mean: FloatArray = self.returns.mean(axis=0)
        return mean

    @cached_property
    def covariance(self) -> FloatArray:
        return np.cov(self.returns, rowvar=False)


def problem_of(name: str, assets: int) -> Problem:
    """The problem of that name. Error: ValueError."""
    if name not in NAMES or assets < 5:
        raise ValueError(f"want one of {', '.join(NAMES)} and at least 5 assets, not {name} and {assets}")
    days = 1000 if name == "cvar" else 500
    base = Problem(name=name, returns=simulated(assets, days), weight_max=max(0.2, 3 / assets))
    if name == "sector":
        return replace(base, sector_max=0.2)
    if name == "cvar":
        return replace(base, confidence=CONFIDENCE)
    if name == "mv":
        return base
    base = replace(base, weights_before=0.7 * _earlier_optimum(base) + 0.3 / assets)
    return replace(base, trade_cost=TRADE_COST) if name == "turnover_penalty" else replace(base, turnover_max=0.2)


def simulated(assets: int, days: int) -> FloatArray:
    """Returns [days x assets]: a market, 11 sectors, 5 styles and heavy-tailed noise, from the seed `assets`.

    The order of the draws is part of the problem: change it and figures no longer compare.
    """
    random, unit = np.random.default_rng(assets), np.sqrt(3 / 5)  # Student's t of 5 degrees has a variance of 5 / 3.
    market = random.standard_t(5, size=days) * 0.01 * unit
    sectors = random.standard_normal((days, SECTORS)) * 0.006
    styles = random.standard_normal((days, 5)) * 0.004
    beta, loadings = random.uniform(0.5, 1.5, assets), random.standard_normal((5, assets))
    noise = random.standard_t(5, size=(days, assets)) * unit * random.uniform(0.008, 0.03, assets)
    drift = random.normal(0.0004, 0.0004, assets)
    own_sector = sectors[:, np.arange(assets) % SECTORS]
    result: FloatArray = drift + np.outer(market, beta) + own_sector + styles @ loadings + noise
    return result


def _earlier_optimum(problem: Problem) -> FloatArray:
    earlier = replace(problem, returns=problem.returns[:400])
    return our_call(earlier)(earlier)


def our_optimizer(problem: Problem, estimator: str = "sample") -> PortfolioOptimizer:
    if problem.confidence is not None:
        return PortfolioOptimizer(
            "mean_cvar", confidence=problem.confidence, estimator=estimator, periods_a_year=1.0, rows_min=2
        )
    return PortfolioOptimizer(
        "mean_variance", risk_aversion=RISK_AVERSION, estimator=estimator, periods_a_year=1.0, rows_min=2
    )


def our_constraints(problem: Problem) -> dict[str, Any]:
    constraints: dict[str, Any] = {"max_weight": problem.weight_max, "min_gross": 1.0}
    if problem.sector_max is not None:
        constraints |= {"sectors": problem.sectors, "max_sector": problem.sector_max}
    if problem.trade_cost:
        constraints["cost"] = problem.trade_cost
    if problem.turnover_max is not None:
        constraints["max_turnover"] = problem.turnover_max
    return constraints


def our_call(problem: Problem) -> Callable[[Problem], FloatArray]:
    """Returns to weights through the public interface, by an optimiser that is kept as a trader keeps it."""
    optimizer, constraints = our_optimizer(problem), our_constraints(problem)
    before = problem.weights_before
    current = None if before is None else dict(zip(problem.symbols, before.tolist(), strict=True))

    def call(given: Problem) -> FloatArray:
        weights = optimizer.optimize(given.frame, constraints, current).weights
        return np.fromiter(weights.values(), np.float64, len(weights))

    return call


def objective_and_violation(problem: Problem, weights: FloatArray) -> tuple[float, float]:
    """What is minimised, and the most by which any limit is passed, in weight."""
    w = np.asarray(weights, dtype=float).ravel()
    if w.shape != (problem.assets,) or not np.isfinite(w).all():
        return math.nan, math.inf
    traded = 0.0 if problem.weights_before is None else float(np.abs(w - problem.weights_before).sum())
    excess = [0.0, abs(float(w.sum()) - 1.0), -float(w.min()), float(w.max()) - problem.weight_max]
    if problem.sector_max is not None:
        excess += [float(w[sector::SECTORS].sum()) - problem.sector_max for sector in range(SECTORS)]
    if problem.turnover_max is not None:
        excess.append(traded - problem.turnover_max)
    gain = 0.0 if problem.confidence is not None else float(problem.mean @ w) - problem.trade_cost * traded
    return risk_term(problem, w) - gain, max(excess)


def risk_term(problem: Problem, w: FloatArray) -> float:
    """CVaR, or (gamma / 2) w'Sw."""
    if problem.confidence is None:
        return float(0.5 * RISK_AVERSION * w @ problem.covariance @ w)
    losses = np.sort(-(problem.returns @ w))[::-1]
    tail = (1 - problem.confidence) * len(losses)
    whole = math.floor(tail)
    return float((losses[:whole].sum() + (tail - whole) * losses[whole]) / tail)
