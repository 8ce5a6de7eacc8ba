"""Books at the edge of what can be asked: nothing to invest, equal columns, what may not be held, what is not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import methods
from ordinis.engines.portfolioopt.inner import Inner, NotSolved, solve
from ordinis.engines.portfolioopt.optimizer import METHODS, PortfolioOptimizer
from ordinis.engines.portfolioopt.proof import Proven
from ordinis.engines.portfolioopt.rounding import Lots
from ordinis.engines.portfolioopt.task import Task
from simulation.returns import market_returns, names

BALANCED = ("risk_parity", "hrp", "equal_weight", "inverse_volatility")
NAMES = names(6)
TABLE = market_returns(6, 80, 1) + 0.002  # All of them earn something.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("limits", "least", "most"),
    [
        ({"net": (0.0, 2.0), "cash_buffer": 0.1}, 0.0, 0.9),
        ({"net": (0.2, 0.6)}, 0.2, 0.6),
        ({"net": (0.9, 2.0), "cash_buffer": 0.1}, 0.9, 0.9),
        ({"net": (0.0, 1.0), "min_gross": 0.5}, 0.5, 1.0),
    ],
)
def test_a_net_of_its_own_takes_no_more_than_the_budget(
    method: str, limits: dict[str, Any], least: float, most: float
) -> None:
    result = PortfolioOptimizer(method).optimize(TABLE, limits, symbols=NAMES)
    assert least - 1e-9 <= sum(result.weights.values()) <= most + 1e-9
    assert result.gap <= 1e-8


def test_a_net_that_the_budget_cannot_hold_is_named_with_what_is_missing() -> None:
    with pytest.raises(OptimizationError, match=r"net by 0\.1"):
        PortfolioOptimizer().optimize(TABLE, {"net": (1.0, 1.0), "cash_buffer": 0.1}, symbols=NAMES)


def test_a_short_that_may_not_be_bought_back_counts_in_gross() -> None:
    held = {"S0": -0.4}
    result = PortfolioOptimizer(risk_aversion=0.01).optimize(TABLE, {"frozen": ["S0"]}, held, symbols=NAMES)
    assert sum(map(abs, result.weights.values())) == pytest.approx(1.0)
    gaps = TABLE.copy()
    gaps[3, 0] = np.nan
    result = PortfolioOptimizer(risk_aversion=0.01).optimize(gaps, None, held, symbols=NAMES)
    assert sum(map(abs, result.weights.values())) == pytest.approx(1.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_where_nothing_is_left_to_invest_nothing_is_held(method: str, elsewhere: bool) -> None:
    table = TABLE.copy()
    if elsewhere:  # All that is held is a name without an estimate.
        table[3, 5] = np.nan
    limits = {"gross": 1.0 if elsewhere else 0.0}
    result = PortfolioOptimizer(method).optimize(table, limits, {"S5": 1.0} if elsewhere else None, symbols=NAMES)
    assert [result.weights[name] for name in NAMES[:5]] == pytest.approx([0.0] * 5, abs=1e-12)


@pytest.mark.parametrize("limits", [{"max_weight": 0.5}, {"max_weight": dict.fromkeys(NAMES, 0.3) | {"S2": 0.01}}])
def test_a_ratio_without_a_least_amount_is_that_without_limits(limits: dict[str, Any]) -> None:
    whole = PortfolioOptimizer("max_diversification").optimize(TABLE, symbols=NAMES)
    some = PortfolioOptimizer("max_diversification").optimize(TABLE, limits | {"net": (0.0, 1.0)}, symbols=NAMES)
    invested = sum(some.weights.values())
    assert invested > 0.001
    assert {name: weight / invested for name, weight in some.weights.items()} == pytest.approx(whole.weights, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("order", ["C", "F"])
def test_equal_columns_are_one_wherever_they_stand(seed: int, order: Any) -> None:
    random = np.random.default_rng(seed)
    count, rows = int(random.integers(20, 90)), int(random.integers(40, 200))
    table = np.asarray(market_returns(count, rows, seed), order=order)
    twins = sorted(random.choice(count, 3, replace=False).tolist())
    for other in twins[1:]:
        table[:, other] = table[:, twins[0]]
    held = {f"S{twins[2]}": 0.1}
    result = PortfolioOptimizer().optimize(table, {"max_weight": 0.1}, held, symbols=names(count))
    said = f"its returns are those of S{twins[2]}"  # Who is held stays.
    assert result.excluded == dict.fromkeys((f"S{twins[0]}", f"S{twins[1]}"), said)


def test_three_equal_columns_are_one_whatever_their_names() -> None:
    table = market_returns(3, 60, 2)[:, [0, 1, 0, 0]]
    result = PortfolioOptimizer().optimize(table, symbols=["AA", "B", "X", "A"])
    assert set(result.excluded) == {"X", "A"}


def test_risk_is_shared_among_those_that_may_be_held() -> None:
    bounds = {"S1": (0.0, 0.0), "S4": (0.0, 0.0)}
    result = PortfolioOptimizer("risk_parity").optimize(TABLE, {"bounds": bounds}, symbols=NAMES)
    few = [0, 2, 3, 5]
    alone = PortfolioOptimizer("risk_parity").optimize_moments(
        [NAMES[one] for one in few], np.zeros(4), _covariance()[np.ix_(few, few)]
    )
    whole = PortfolioOptimizer("risk_parity").optimize_moments(NAMES, np.zeros(6), _covariance(), {"bounds": bounds})
    assert (result.weights["S1"], result.weights["S4"]) == (0.0, 0.0)
    assert [whole.weights[NAMES[one]] for one in few] == pytest.approx(list(alone.weights.values()), abs=1e-9)


def _covariance() -> Any:
    return np.cov(TABLE.T) * 252.0


@pytest.mark.parametrize("scale", [1e-6, 1e-3])
@pytest.mark.parametrize("limits", [{"max_weight": 0.2}, {"max_weight": 0.2, "cost": 0.01}])
@pytest.mark.parametrize("seed", range(4))
def test_tails_of_tiny_returns_are_as_exact(scale: float, limits: dict[str, Any], seed: int) -> None:
    table, symbols = market_returns(12, 90, seed), names(12)
    held = dict.fromkeys(symbols, 1 / 12)
    daily = PortfolioOptimizer("mean_cvar").optimize(table, limits, held, symbols=symbols)
    paid = {key: value * (scale if key == "cost" else 1.0) for key, value in limits.items()}
    tiny = PortfolioOptimizer("mean_cvar").optimize(table * scale, paid, held, symbols=symbols)
    assert tiny.weights == pytest.approx(daily.weights, abs=1e-7)


@pytest.mark.interpreted
@pytest.mark.parametrize("method", ["mean_variance", "min_variance"])
def test_who_may_not_be_held_does_not_come_and_go(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []

    def counted(inner: Inner) -> tuple[FloatArray, FloatArray, str]:
        rounds.append(inner.low.size)
        return solve(inner)

    monkeypatch.setattr("ordinis.engines.portfolioopt.sparse.solve", counted)
    table, symbols = market_returns(60, 120, 3), names(60)
    caps = {name: 0.0 if place % 3 else 0.3 for place, name in enumerate(symbols)}
    result = PortfolioOptimizer(method, estimator="sample").optimize(table, {"max_weight": caps}, symbols=symbols)
    assert result.gap <= 1e-8
    assert len(rounds) < 10


@pytest.mark.parametrize("method", ["risk_parity", "min_variance", "mean_cvar"])
def test_a_volatility_out_of_reach_is_named_as_it_was_given(method: str) -> None:
    least = PortfolioOptimizer("min_variance").optimize(TABLE, symbols=NAMES).expected_volatility
    with pytest.raises(OptimizationError, match=r"max_volatility is 0\.05, and the least .* is 0\.[12]") as refused:
        PortfolioOptimizer(method).optimize(TABLE, {"max_volatility": 0.05}, symbols=NAMES)
    assert float(str(refused.value).rsplit(" ", 1)[1]) == pytest.approx(least, rel=1e-4)


@pytest.mark.parametrize("method", BALANCED)
def test_the_largest_positions_keep_what_may_not_be_sold_and_a_tracking_error(method: str) -> None:
    held = {"S0": 0.01, "S1": 0.2}
    limits = {
        "max_positions": 3,
        "frozen": ["S0"],
        "benchmark": dict.fromkeys(NAMES, 1 / 6),
        "max_tracking_error": 0.2,
    }
    result = PortfolioOptimizer(method).optimize(TABLE, limits, held, symbols=NAMES)
    assert result.weights["S0"] == 0.01
    assert sum(weight > 1e-9 for weight in result.weights.values()) == 3
    assert sum(result.weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("method", BALANCED)
def test_as_many_are_held_as_reach_the_least_position(method: str) -> None:
    table, symbols = market_returns(14, 90, 2), names(14)
    result = PortfolioOptimizer(method).optimize(table, {"min_position": 0.15}, symbols=symbols)
    held = [weight for weight in result.weights.values() if weight > 0.0]
    assert min(held) >= 0.15
    assert sum(held) == pytest.approx(1.0)
    if method == "equal_weight":
        assert len(held) == 6


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limits", [{}, {"cost": 0.002}, {"cost": 0.002, "impact": 0.001}])
def test_whoever_has_to_invest_all_of_gross_is_never_short(method: str, seed: int, limits: dict[str, Any]) -> None:
    table, symbols = market_returns(14, 60, seed), names(14)
    whole = {"min_gross": 1.5, "gross": 1.5, "max_weight": 0.5} | limits
    held = dict.fromkeys(symbols, 0.1)
    long = PortfolioOptimizer(method).optimize(table, whole, held, symbols=symbols)
    either = PortfolioOptimizer(method).optimize(table, whole | {"long_only": False}, held, symbols=symbols)
    assert either.gap <= 1e-8
    assert either.weights == pytest.approx(long.weights, abs=1e-5)


def test_a_short_beside_them_leaves_less_of_gross_and_a_contradiction_is_named() -> None:
    table, held = TABLE.copy(), {"S5": -0.1}
    table[3, 5] = np.nan
    limits: dict[str, Any] = {"long_only": False}
    with pytest.raises(OptimizationError, match=r"gross by 0\.2"):  # 1.0 in all would take 1.1 long and 0.1 short.
        PortfolioOptimizer("min_variance").optimize(table, limits, held, symbols=NAMES)
    result = PortfolioOptimizer("min_variance").optimize(table, limits | {"net": (0.8, 1.2)}, held, symbols=NAMES)
    assert sum(map(abs, result.weights.values())) <= 1.0 + 1e-9
    wide = PortfolioOptimizer().optimize(TABLE, limits | {"net": (1.0, 1.2)}, symbols=NAMES)
    assert sum(wide.weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["hrp", "equal_weight", "min_variance"])
def test_positions_that_are_taken_up_by_what_has_no_estimate_leave_none(method: str) -> None:
    table = TABLE.copy()
    table[3, 5] = np.nan
    with pytest.raises(OptimizationError, match="no weights with at most 0 positions"):
        PortfolioOptimizer(method).optimize(table, {"max_positions": 1}, {"S5": 0.3}, symbols=NAMES)


@pytest.mark.parametrize("method", ["equal_weight", "mean_variance"])
def test_a_least_weight_of_each_and_a_limit_on_how_many_contradict_each_other(method: str) -> None:
    limits = {"min_weight": 0.01, "max_positions": 2}
    with pytest.raises(OptimizationError, match="no weights with at most 2 positions"):
        PortfolioOptimizer(method).optimize(TABLE, limits, symbols=NAMES)


def test_cash_beside_whole_shares_leaves_out_what_is_frozen() -> None:
    table = TABLE.copy()
    table[3, 5] = np.nan
    lots = Lots(equity_usd=50_000.0, prices_usd=dict.fromkeys(NAMES, 50.0))
    result = PortfolioOptimizer().optimize(table, {"max_weight": 0.2}, {"S5": 0.3}, symbols=NAMES, lots=lots)
    assert result.rounded is not None
    assert result.rounded.cash == pytest.approx(1.0 - 0.3 - sum(result.rounded.weights.values()))


def test_the_last_weights_are_not_held_past_today_s_limit_on_positions() -> None:
    now = {"ms": 0.0, "step": 0.0}

    def clock_ms() -> float:
        now["ms"] += now["step"]
        return now["ms"]

    held = {"S0": 0.5}
    optimizer = PortfolioOptimizer("min_variance", deadline_ms=5.0, clock_ms=clock_ms)
    optimizer.optimize(TABLE, {"max_weight": 0.3}, held, symbols=NAMES)
    now["step"] = 10.0
    late = optimizer.optimize(TABLE, {"max_weight": 0.5, "max_positions": 2}, held, symbols=NAMES)
    assert (late.rung, late.weights["S0"]) == ("current weights", 0.5)


@pytest.mark.parametrize("ticks", [2, 4, 8, 12, 16, 20, 30])
def test_a_choice_of_positions_that_ran_out_of_time_proves_nothing(ticks: int) -> None:
    seen = {"left": 10_000}

    def clock_ms() -> float:
        seen["left"] -= 1
        return 0.0 if seen["left"] > 0 else 1e9

    table, symbols = market_returns(12, 80, 4), names(12)
    limits = {"max_positions": 4, "min_position": 0.1}
    held = {"S0": 0.2}
    exact = PortfolioOptimizer("min_variance").optimize(table, limits, held, symbols=symbols)
    optimizer = PortfolioOptimizer("min_variance", deadline_ms=5.0, clock_ms=clock_ms)
    seen["left"] = ticks
    late = optimizer.optimize(table, limits, held, symbols=symbols)
    assert exact.status == "optimal"
    assert late.status == "held"


@pytest.mark.interpreted
@pytest.mark.parametrize("solved", [3, 5, 8])
def test_a_branch_that_could_not_be_solved_is_no_proof(solved: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, calls = methods.solve, iter(range(1_000))

    def sometimes(method: str, task: Task) -> Proven:
        if next(calls) >= solved:
            raise NotSolved("not today")
        return whole(method, task)

    table, symbols = market_returns(12, 80, 4), names(12)
    limits = {"max_positions": 4, "min_position": 0.1}
    exact = PortfolioOptimizer("min_variance").optimize(table, limits, symbols=symbols)
    monkeypatch.setattr(methods, "solve", sometimes)
    found = PortfolioOptimizer("min_variance").optimize(table, limits, symbols=symbols)
    assert exact.status == "optimal"
    assert found.status == "best_found"
    assert found.expected_volatility**2 * (1.0 - found.gap) <= exact.expected_volatility**2 + 1e-12
