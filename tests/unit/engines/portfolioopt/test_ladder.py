"""What a live trader's optimiser survives: gaps, contradictions, drift, a clock that runs out. Never in silence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ordinis.domain.errors import ConfigError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import inner, positions
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

NAMES = ["A", "B", "C", "D", "E"]


def returns(seed: int = 6, rows: int = 100) -> FloatArray:
    random = np.random.default_rng(seed)
    table: FloatArray = random.normal(0.0005, 0.01, (rows, 5)) * random.uniform(0.6, 1.6, 5)
    return table + random.normal(0.0003, 0.008, (rows, 1))


TABLE = returns()
HELD = dict.fromkeys(NAMES, 0.2)


def optimize(method: str = "mean_variance", limits: dict[str, Any] | None = None, **more: Any) -> Any:
    return PortfolioOptimizer(method, on_failure="ladder", **more).optimize(TABLE, limits, HELD, symbols=NAMES)


def broken(*_: Any, **__: Any) -> Any:
    raise NotSolved("out of order")


@pytest.mark.interpreted
def test_a_failing_active_set_hands_over_to_the_interior_point(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = optimize(limits={"max_weight": 0.4})
    monkeypatch.setattr(inner, "active_set", broken)
    result = optimize(limits={"max_weight": 0.4})
    assert (result.status, result.rung, expected.rung) == ("optimal", "interior_point", "active_set")
    assert result.weights == pytest.approx(expected.weights, abs=1e-9)


def test_limits_give_way_in_the_stated_order_and_by_the_least_that_does() -> None:
    limits = {"max_weight": 0.3, "min_gross": 1.0, "sectors": dict.fromkeys(NAMES, "all"), "max_sector": 0.8}
    result = optimize(limits=limits)
    assert (result.status, result.relaxed) == ("relaxed", {"sector all": pytest.approx(0.2)})
    assert sum(result.weights.values()) == pytest.approx(1.0)
    assert max(result.weights.values()) <= 0.3 + 1e-9
    assert result.violation == pytest.approx(0.2)  # Of what was asked for.


@pytest.mark.parametrize("method", ["mean_variance", "mean_cvar"])
@pytest.mark.parametrize("scale", [1.0, 1.0 / 390.0])
def test_a_return_out_of_reach_is_named_and_gives_way_by_what_is_missing(method: str, scale: float) -> None:
    limits, table = {"max_weight": 0.4}, TABLE * scale
    most = PortfolioOptimizer(risk_aversion=1e-6).optimize(table, limits, HELD, symbols=NAMES).expected_return
    target = most + 0.3 * scale
    result = PortfolioOptimizer(method, target_return=target, on_failure="ladder").optimize(
        table, limits, HELD, symbols=NAMES
    )
    assert result.status == "relaxed"
    assert result.relaxed == pytest.approx({"target_return": 0.3 * scale})
    assert result.expected_return == pytest.approx(most)
    with pytest.raises(OptimizationError, match=f"target_return by {0.3 * scale:.4g}"):
        PortfolioOptimizer(method, target_return=target).optimize(table, limits, HELD, symbols=NAMES)


def test_turnover_gives_way_before_what_says_how_much_to_risk() -> None:
    held = {"A": 1.0}
    limits = {"max_weight": 0.3, "max_turnover": 0.5, "min_gross": 1.0}
    result = PortfolioOptimizer(on_failure="ladder").optimize(TABLE, limits, held, symbols=NAMES)
    assert result.relaxed == {"max_turnover": pytest.approx(0.9)}  # 0.7 sold and 0.7 bought.
    assert result.turnover == pytest.approx(1.4)
    assert max(result.weights.values()) <= 0.3 + 1e-9


def test_without_the_ladder_a_contradiction_names_who_is_in_it_and_by_how_much() -> None:
    limits = {"max_weight": 0.3, "max_turnover": 0.5, "min_gross": 1.0}
    with pytest.raises(OptimizationError, match=r"give way: max_turnover by 0\.9"):
        PortfolioOptimizer().optimize(TABLE, limits, {"A": 1.0}, symbols=NAMES)
    with pytest.raises(OptimizationError, match=r"max_volatility is 0\.01, and the least .* is 0\.1"):
        PortfolioOptimizer("min_variance").optimize(TABLE, {"max_volatility": 0.01}, symbols=NAMES)


@pytest.mark.interpreted
def test_a_method_without_an_answer_is_stood_in_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    real = positions.solve

    def fails(method: str, task: Any) -> Any:
        return broken() if method == "mean_variance" else real(method, task)

    monkeypatch.setattr(positions, "solve", fails)
    result = optimize(limits={"max_weight": 0.3, "min_gross": 1.0})
    assert result.status == "substitute"
    assert math.isnan(result.gap)
    spread = 1.0 / TABLE.std(axis=0)
    assert list(result.weights.values()) == pytest.approx((spread / spread.sum()).tolist(), abs=0.02)


@pytest.mark.interpreted
def test_when_nothing_works_what_is_held_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "solve", broken)
    result = optimize()
    assert (result.status, result.rung, result.weights, result.turnover) == ("held", "current weights", HELD, 0.0)
    with pytest.raises(OptimizationError, match="no current_weights to stay at"):
        PortfolioOptimizer(on_failure="ladder").optimize(TABLE, symbols=NAMES)


def test_a_deadline_answers_with_the_last_proven_weights_or_with_what_is_held() -> None:
    now = {"ms": 0.0, "step": 0.0}

    def clock_ms() -> float:
        now["ms"] += now["step"]
        return now["ms"]

    optimizer = PortfolioOptimizer(deadline_ms=5.0, clock_ms=clock_ms)
    first = optimizer.optimize(TABLE, {"max_weight": 0.4}, HELD, symbols=NAMES)
    now["step"] = 10.0  # From here on it is always too late.
    late = optimizer.optimize(returns(seed=9), {"max_weight": 0.4}, HELD, symbols=NAMES)
    assert (first.status, late.status, late.rung) == ("optimal", "held", "last proven weights")
    assert late.weights == first.weights
    tighter = optimizer.optimize(TABLE, {"max_weight": 0.21}, HELD, symbols=NAMES)  # They would pass this limit.
    assert (tighter.rung, tighter.weights) == ("current weights", HELD)
    assert late.elapsed_ms is not None
    assert late.elapsed_ms > 5.0


def test_a_deadline_needs_a_clock() -> None:
    with pytest.raises(ConfigError, match="deadline_ms needs clock_ms"):
        PortfolioOptimizer(deadline_ms=5.0)


def test_weights_that_drifted_past_their_cap_are_brought_back() -> None:
    held = {"A": 0.6, "B": 0.1, "C": 0.1, "D": 0.1, "E": 0.1}
    result = PortfolioOptimizer("min_variance").optimize(TABLE, {"max_weight": 0.3, "cost": 0.01}, held, symbols=NAMES)
    assert max(result.weights.values()) <= 0.3
    assert result.status == "optimal"


def test_lots_that_may_not_be_sold_now_stay_and_count() -> None:
    held = {"A": 0.5, "B": 0.5}
    limits = {"max_weight": 0.3, "frozen": ["A"], "min_gross": 1.0, "max_volatility": 0.165}
    result = PortfolioOptimizer().optimize(TABLE, limits, held, symbols=NAMES)
    assert result.weights["A"] == 0.5  # Past its cap, too.
    assert sum(result.weights.values()) == pytest.approx(1.0)
    assert max(weight for name, weight in result.weights.items() if name != "A") <= 0.3


def test_what_is_frozen_uses_up_sectors_beta_and_gross() -> None:
    table = TABLE.copy()
    table[3, 4] = np.nan
    sectors = {"A": "x", "B": "y", "C": "y", "D": "y", "E": "x"}
    limits = {
        "sectors": sectors,
        "max_sector": {"x": 0.4, "y": 0.6},
        "betas": {"A": 1.0, "B": 1.0, "C": 1.0, "D": 1.0, "E": 2.0},
        "beta": (0.0, 1.2),
        "min_gross": 0.9,
    }
    result = PortfolioOptimizer().optimize(table, limits, {"E": 0.3}, symbols=NAMES)
    assert result.frozen == {"E": 0.3}
    assert result.weights["A"] <= 0.1 + 1e-12
    assert sum(result.weights.values()) + 0.3 <= 1.2 + 1e-12  # A beta of 1 each, and one more of the frozen one.
    assert sum(result.weights.values()) >= 0.9 - 1e-12


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_turnover": 0.2}, "max_turnover needs current_weights"),
        ({"frozen": ["A"]}, "frozen needs current_weights"),
        ({"beta": (0.5, 1.0)}, "beta needs betas"),
        ({"beta": (0.5, 1.0), "betas": {"A": 1.0}}, "beta needs a figure of B, C"),
        ({"max_sector": 0.5}, "max_sector needs sectors"),
        ({"max_tracking_error": 0.1}, "max_tracking_error needs benchmark"),
        ({"net": (1.0, 0.5)}, "net must be"),
        ({"max_positions": 0}, "max_positions must be at least 1"),
        ({"max_weight": "much"}, "max_weight"),
        ({"bounds": {"A": (0.3, 0.1)}}, "bounds of A"),
    ],
)
def test_a_constraint_that_lacks_something_says_what(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PortfolioOptimizer().optimize(TABLE, limits, symbols=NAMES)


def test_the_answer_of_a_kept_optimizer_follows_every_change_of_its_constraints() -> None:
    optimizer, limits = PortfolioOptimizer("min_variance"), {"max_weight": 0.3, "bounds": {"A": [0.0, 0.1]}}
    first = optimizer.optimize(TABLE, limits, symbols=NAMES)
    limits["bounds"]["A"][1] = 0.05  # type: ignore[index]
    second = optimizer.optimize(TABLE, limits, symbols=NAMES)
    fresh = PortfolioOptimizer("min_variance").optimize(TABLE, limits, symbols=NAMES)
    assert first.weights["A"] > 0.05 >= second.weights["A"]
    assert second == fresh
