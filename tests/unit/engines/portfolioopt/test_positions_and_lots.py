"""Few positions and whole shares: against every possible choice, and never past a cap."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from ordinis.domain.errors import ConfigError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer
from ordinis.engines.portfolioopt.result import OptimizationResult
from ordinis.engines.portfolioopt.rounding import Lots

NAMES = [f"S{one}" for one in range(8)]


def returns(seed: int = 3, rows: int = 150) -> FloatArray:
    random = np.random.default_rng(seed)
    market = random.normal(0.0004, 0.008, (rows, 1))
    table: FloatArray = market + random.normal(0.0003, 0.012, (rows, 8)) * random.uniform(0.6, 1.6, 8)
    return table


TABLE = returns()


def solved(method: str, limits: dict[str, Any], columns: list[int] | None = None) -> OptimizationResult:
    chosen = list(range(8)) if columns is None else columns
    optimizer = PortfolioOptimizer(method, estimator="sample", risk_aversion=None)
    return optimizer.optimize(TABLE[:, chosen], limits, symbols=[NAMES[one] for one in chosen])


def value(method: str, result: OptimizationResult) -> float:
    if method == "min_variance":
        return result.expected_volatility**2
    return 2.5 * result.expected_volatility**2 - result.expected_return


@pytest.mark.parametrize("method", ["min_variance", "mean_variance"])
@pytest.mark.parametrize(("count", "least"), [(2, 0.0), (3, 0.1), (4, 0.2)])
def test_no_other_choice_of_positions_is_better(method: str, count: int, least: float) -> None:
    limits = {"max_weight": 0.6, "min_gross": 1.0}
    result = solved(method, {**limits, "max_positions": count, "min_position": least})
    held = [weight for weight in result.weights.values() if weight > 0.0]
    assert len(held) <= count
    assert min(held) >= least - 1e-12
    rivals = []
    for size in range(1, count + 1):
        for columns in combinations(range(8), size):
            try:
                rivals.append(value(method, solved(method, {**limits, "min_weight": least}, list(columns))))
            except OptimizationError:
                continue  # Two at most 0.6 each can be 1, one cannot.
    assert value(method, result) == pytest.approx(min(rivals), rel=1e-8)
    assert result.gap <= 1e-8


@pytest.mark.parametrize("method", ["risk_parity", "equal_weight", "hrp", "inverse_volatility", "mean_cvar"])
def test_other_methods_hold_so_many_and_invest_it_all(method: str) -> None:
    result = solved(method, {"max_positions": 3})
    held = [weight for weight in result.weights.values() if weight > 0.0]
    assert len(held) == 3
    assert sum(held) == pytest.approx(1.0)
    if method == "equal_weight":
        assert held == pytest.approx([1 / 3] * 3)


def test_what_cannot_be_held_in_so_few_is_refused() -> None:
    with pytest.raises(OptimizationError, match="at most 2 positions"):
        solved("min_variance", {"max_positions": 2, "max_weight": 0.4})


# Whole shares.

PRICES = dict(zip(NAMES, (12.0, 31.0, 48.0, 75.0, 110.0, 9.0, 260.0, 22.0), strict=True))


@pytest.mark.parametrize("equity", [2_000.0, 25_000.0])
@pytest.mark.parametrize(
    "limits",
    [
        {"max_weight": 0.3, "min_gross": 0.9, "gross": 0.9},
        {"max_weight": 0.3, "sectors": {name: "ab"[one % 2] for one, name in enumerate(NAMES)}, "max_sector": 0.45},
        {"max_weight": 0.35, "max_volatility": 0.12},
    ],
)
def test_whole_shares_keep_every_cap_and_say_what_they_cost(equity: float, limits: dict[str, Any]) -> None:
    lots = Lots(equity_usd=equity, prices_usd=PRICES, minimum_notional_usd=40.0, fractionable=frozenset({"S6"}))
    result = PortfolioOptimizer(estimator="sample").optimize(TABLE, limits, symbols=NAMES, lots=lots)
    rounded = result.rounded
    assert rounded is not None
    for name, shares in rounded.shares.items():
        assert shares == int(shares) or name == "S6"
        assert rounded.weights[name] == pytest.approx(shares * PRICES[name] / equity)
        assert shares == 0 or shares * PRICES[name] >= 40.0
    w = np.array(list(rounded.weights.values()))
    assert w.max() <= limits["max_weight"] + 1e-12
    assert w.sum() <= limits.get("gross", 1.0) + 1e-12
    assert max(w[::2].sum(), w[1::2].sum()) <= limits.get("max_sector", 1.0) + 1e-12
    volatility = float(w @ np.cov(TABLE, rowvar=False) @ w * 252) ** 0.5
    assert volatility <= limits.get("max_volatility", 1.0) + 1e-12
    assert rounded.cash == pytest.approx(1.0 - w.sum())
    exact = np.array(list(result.weights.values()))

    def worth(one: FloatArray) -> float:
        return float(2.5 * one @ np.cov(TABLE, rowvar=False) @ one * 252 - TABLE.mean(axis=0) @ one * 252)

    assert rounded.loss == pytest.approx(worth(w) - worth(exact))
    assert rounded.loss >= -1e-12
    assert rounded.violation <= 1e-10


def test_more_money_loses_less_to_rounding() -> None:
    def loss(equity: float) -> float:
        lots = Lots(equity_usd=equity, prices_usd=PRICES)
        result = PortfolioOptimizer(estimator="sample").optimize(TABLE, {"max_weight": 0.3}, symbols=NAMES, lots=lots)
        assert result.rounded is not None
        return result.rounded.loss_relative

    assert loss(1_000.0) > loss(10_000.0) > loss(1_000_000.0) >= 0.0
    assert loss(1_000_000.0) < 1e-4


def test_small_trades_are_left_undone_by_name() -> None:
    exact = PortfolioOptimizer("equal_weight").optimize(TABLE, symbols=NAMES).weights
    now = {**exact, "S0": exact["S0"] + 0.004, "S1": exact["S1"] - 0.05}
    lots = Lots(equity_usd=10_000.0, prices_usd=dict.fromkeys(NAMES, 10.0), minimum_notional_usd=100.0)
    rounded = (
        PortfolioOptimizer("equal_weight").optimize(TABLE, {"max_weight": 0.2}, now, symbols=NAMES, lots=lots).rounded
    )
    assert rounded is not None
    assert rounded.left_undone == ("S0",)
    assert rounded.weights["S0"] == now["S0"]


def test_a_share_without_a_price_is_named() -> None:
    lots = Lots(equity_usd=1_000.0, prices_usd={"S0": 10.0})
    with pytest.raises(ConfigError, match="price above 0 is needed of S1, S2"):
        PortfolioOptimizer().optimize(TABLE, symbols=NAMES, lots=lots)
