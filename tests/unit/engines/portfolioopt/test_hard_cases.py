"""Problems on which an active set goes round in circles, a secant creeps and a parabola leads too far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer
from simulation.returns import market_returns, names


@pytest.mark.parametrize("symbols", [12, 60])
def test_hour_after_hour_with_costs_most_stand_still_and_all_is_proven(symbols: int) -> None:
    """Everybody at a bend at once: no single one can move, several together can."""
    table = market_returns(symbols, 360, seed=symbols)
    sectors = {name: str(place % 5) for place, name in enumerate(names(symbols))}
    limits = {"max_weight": 0.2, "sectors": sectors, "max_sector": 0.3, "cost": 5e-4, "cash_buffer": 0.05}
    optimizer = PortfolioOptimizer(estimator="sample", risk_aversion=10.0, periods_a_year=1.0)
    held = dict.fromkeys(names(symbols), 0.0)
    traded = []
    for hour in range(60):
        result = optimizer.optimize(table[hour : hour + 300], limits, held, symbols=names(symbols))
        assert result.status == "optimal"
        assert result.gap <= 1e-10
        held = result.weights
        traded.append(result.turnover or 0.0)
    assert np.median(traded[1:]) < 0.02 < traded[0]


@pytest.mark.parametrize("method", ["min_variance", "mean_variance", "kelly_growth", "mean_cvar"])
@pytest.mark.parametrize("impact", [0.001, 0.1, 10.0])
def test_who_is_nearly_right_already_hardly_trades_against_impact(method: str, impact: float) -> None:
    table = market_returns(6, 120, seed=5)
    limits = {"max_weight": 0.6}
    best = PortfolioOptimizer(method, estimator="sample").optimize(table, limits, symbols=names(6))
    near = {name: weight * 0.97 for name, weight in best.weights.items()}
    result = PortfolioOptimizer(method, estimator="sample").optimize(
        table, {**limits, "impact": impact}, near, symbols=names(6)
    )
    assert result.gap <= 1e-8
    assert result.turnover is not None
    assert result.turnover <= 0.06


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("more", [{}, {"cost": 0.002}, {"max_volatility": 0.2, "impact": 0.01}])
def test_a_ratio_that_is_the_same_for_any_amount_invested_is_found(seed: int, more: dict[str, Any]) -> None:
    table = market_returns(9, 90, seed)
    limits = {"max_weight": 0.4, "min_weight": -0.2, "gross": 1.5, "net": (0.5, 1.0), **more}
    result = PortfolioOptimizer("max_diversification").optimize(
        table, limits, dict.fromkeys(names(9), 0.1), symbols=names(9)
    )
    assert result.gap <= 1e-8


@pytest.mark.parametrize("risk_aversion", [50.0, 1e4])
def test_a_book_of_hundreds_is_as_exact_as_one_of_a_few(risk_aversion: float) -> None:
    table = market_returns(300, 350, seed=2)
    result = PortfolioOptimizer(estimator="sample", risk_aversion=risk_aversion, periods_a_year=1.0).optimize(
        table, {"max_weight": 0.01, "min_gross": 1.0}
    )
    assert sum(weight > 0.0 for weight in result.weights.values()) > 99
    assert result.gap <= 1e-10
    assert result.violation <= 1e-12


def test_fewer_rows_than_symbols_leave_directions_without_risk_and_still_a_proof() -> None:
    table = market_returns(50, 30, seed=1)
    for method in ("min_variance", "mean_variance", "mean_cvar", "max_diversification"):
        result = PortfolioOptimizer(method, estimator="sample").optimize(table, {"max_weight": 0.2})
        assert result.gap <= 1e-8
