"""The efficient frontier: the least volatility at each return that the constraints allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer
from ordinis.engines.portfolioopt.result import OptimizationResult


class Point(NamedTuple):
    """One portfolio on the frontier; figures of a year."""

    volatility: float
    expected_return: float
    weights: dict[str, float]


def efficient_frontier(
    returns: Any,
    constraints: Mapping[str, Any] | None = None,
    *,
    symbols: Sequence[str] | None = None,
    points: int = 40,
    **figures: Any,
) -> tuple[Point, ...]:
    """From the least volatility to the highest return, fully invested, `points` of them at equal steps of return.

    `figures` are those of PortfolioOptimizer (estimator, mean, periods_a_year ...). Source: Markowitz (1952),
    "Portfolio Selection". Errors: those of PortfolioOptimizer.optimize.
    """
    limits = dict(constraints or {})
    limits.setdefault("min_gross", limits.get("gross", 1.0) * (1.0 - limits.get("cash_buffer", 0.0)))

    def solved(**goal: Any) -> OptimizationResult:
        return PortfolioOptimizer(**goal, **figures).optimize(returns, limits, symbols=symbols)

    lowest, highest = solved(risk_aversion=_CAUTIOUS), solved(risk_aversion=_BOLD)
    steps = np.linspace(lowest.expected_return, highest.expected_return, points)[1:-1].tolist()
    between = [solved(target_return=step) for step in steps]
    return tuple(
        Point(one.expected_volatility, one.expected_return, one.weights) for one in (lowest, *between, highest)
    )


_CAUTIOUS, _BOLD = 1e6, 1e-4  # Aversions at which only the variance counts, and only the mean.
