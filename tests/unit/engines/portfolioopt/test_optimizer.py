"""Weights against closed forms, brute force and the conditions of an optimum; what is refused is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.errors import ConfigError, DataError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import positions
from ordinis.engines.portfolioopt.estimators import ledoit_wolf
from ordinis.engines.portfolioopt.means import shrunk_mean
from ordinis.engines.portfolioopt.optimizer import METHODS, PortfolioOptimizer
from ordinis.engines.portfolioopt.proof import Proven
from simulation.returns import market_returns

CASH_FREE = ("mean_variance", "kelly_growth")
FROM_MOMENTS = tuple(method for method in METHODS if method not in ("mean_cvar", "kelly_growth"))
NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")


def returns_of(symbols: int, rows: int = 250, seed: int = 1, scale: float = 1.0) -> FloatArray:
    table: FloatArray = scale * market_returns(symbols, rows, seed)
    return table


def covariance_of(volatility: list[float], correlation: float) -> FloatArray:
    s = np.array(volatility)
    r = np.full((s.size, s.size), correlation)
    np.fill_diagonal(r, 1.0)
    matrix: FloatArray = r * s * s[:, None]
    return matrix


def shrunk_covariance(table: FloatArray) -> FloatArray:
    return ledoit_wolf(table, table.mean(axis=0), 1.0).block(None)


def weights_of(method: str, mean: list[float], covariance: FloatArray, more: Any = None, **figures: Any) -> list[float]:
    names = NAMES[: len(mean)]
    result = PortfolioOptimizer(method, **figures).optimize_moments(names, np.array(mean), covariance, more)
    return [result.weights[name] for name in names]


@pytest.mark.parametrize(
    "table", [returns_of(6), pd.DataFrame(returns_of(6), columns=list(NAMES))], ids=["array", "frame"]
)
def test_the_plan_s_own_call_works_with_an_array_and_with_a_table(table: Any) -> None:
    optimal = PortfolioOptimizer(method="mean_variance").optimize(table, constraints={"max_weight": 0.2})
    names = set(NAMES) if isinstance(table, pd.DataFrame) else {str(one) for one in range(6)}
    assert optimal.weights.keys() == names
    assert max(optimal.weights.values()) <= 0.2 + 1e-12
    assert sum(optimal.weights.values()) + optimal.cash == pytest.approx(1.0)
    assert (optimal.status, optimal.method, optimal.excluded) == ("optimal", "mean_variance", {})


# Closed forms.


def test_without_a_limit_in_the_way_mean_variance_is_the_inverse_covariance_times_the_mean() -> None:
    covariance, expected = covariance_of([0.2, 0.3, 0.4], 0.3), np.array([0.2, 0.1, 0.15])
    mean = (8.0 * covariance @ expected).tolist()
    assert weights_of("mean_variance", mean, covariance, risk_aversion=8.0) == pytest.approx(expected.tolist())
    alone = [0.04, -0.5, -0.5]  # Nobody buys what falls.
    assert weights_of("mean_variance", alone, covariance, risk_aversion=8.0) == pytest.approx([0.125, 0.0, 0.0])


def test_the_least_variance_of_two_has_a_formula() -> None:
    s, t, r = 0.2, 0.35, 0.25
    first = (t * t - r * s * t) / (s * s + t * t - 2 * r * s * t)
    assert weights_of("min_variance", [0, 0], covariance_of([s, t], r)) == pytest.approx([first, 1 - first])


@pytest.mark.parametrize("correlation", [-0.2, 0.0, 0.5])
def test_at_one_correlation_equal_risk_is_inverse_volatility(correlation: float) -> None:
    volatility = [0.1, 0.2, 0.4]
    expected = [4 / 7, 2 / 7, 1 / 7]
    assert weights_of("risk_parity", [0, 0, 0], covariance_of(volatility, correlation)) == pytest.approx(expected)
    assert weights_of("inverse_volatility", [0, 0, 0], covariance_of(volatility, correlation)) == pytest.approx(
        expected
    )


def test_each_symbol_adds_the_same_risk() -> None:
    covariance = shrunk_covariance(returns_of(6))
    w = np.array(weights_of("risk_parity", [0] * 6, covariance))
    risk = w * (covariance @ w)
    assert risk == pytest.approx(np.full(6, risk.mean()), rel=1e-9)


def test_equal_weights_are_equal() -> None:
    assert weights_of("equal_weight", [0] * 4, covariance_of([0.1, 0.2, 0.3, 0.4], 0.5)) == [0.25] * 4


@pytest.mark.parametrize(
    ("method", "floor"), [("inverse_volatility", 0.0), ("inverse_volatility", 0.15), ("equal_weight", 0.1)]
)
def test_what_a_bound_takes_the_others_share(method: str, floor: float) -> None:
    w = weights_of(method, [0] * 4, covariance_of([0.05, 0.2, 0.3, 0.9], 0.5), {"max_weight": 0.4, "min_weight": floor})
    assert sum(w) == pytest.approx(1.0)
    if method == "inverse_volatility":
        assert w[0] == 0.4
        assert w[3] == pytest.approx(max(floor, 0.6 / 0.9 / (1 / 0.2 + 1 / 0.3 + 1 / 0.9)))
    else:
        assert w == [0.25] * 4


def test_capped_equal_risk_caps_who_would_have_more_and_leaves_the_others_equal() -> None:
    covariance = shrunk_covariance(returns_of(6, seed=3))
    free = np.array(weights_of("risk_parity", [0] * 6, covariance))
    cap = float(np.sort(free)[-2]) * 0.95
    w = np.array(weights_of("risk_parity", [0] * 6, covariance, {"max_weight": cap}))
    risk = w * (covariance @ w)
    capped = w >= cap - 1e-12
    assert capped.any()
    assert w.sum() == pytest.approx(1.0)
    assert np.ptp(risk[~capped]) <= 1e-9 * risk.mean()
    assert (risk[capped] <= risk[~capped].mean() * (1 + 1e-9)).all()


@pytest.mark.parametrize("symbols", [2, 6, 10])
def test_risk_parity_with_caps_that_add_up_to_just_the_budget_is_at_every_cap(symbols: int) -> None:
    result = PortfolioOptimizer("risk_parity").optimize(returns_of(symbols, seed=0), {"max_weight": 1.0 / symbols})
    assert list(result.weights.values()) == pytest.approx([1.0 / symbols] * symbols)


# The conditions of an optimum.


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(METHODS),
    st.integers(1, 12),
    st.integers(0, 10_000),
    st.sampled_from([1.0, 1e-3]),
    st.floats(1.0, 3.0),
    st.floats(0.0, 0.9),
    st.floats(0.0, 0.3),
)
def test_constraints_hold_and_the_certificate_is_small(
    method: str, symbols: int, seed: int, scale: float, room: float, floor: float, buffer: float
) -> None:
    limits = {"max_weight": room / symbols, "min_weight": floor * (1 - buffer) / symbols, "cash_buffer": buffer}
    result = PortfolioOptimizer(method).optimize(returns_of(symbols, seed=seed, scale=scale), limits)
    w = np.array(list(result.weights.values()))
    assert w.sum() <= 1 - buffer + 1e-9
    assert (w <= limits["max_weight"] + 1e-9).all()
    assert (w >= limits["min_weight"] - 1e-9).all()
    if method not in CASH_FREE:
        assert w.sum() == pytest.approx(1 - buffer)
    assert result.gap <= 1e-8
    assert result.violation <= 1e-10


@pytest.mark.parametrize("method", ["mean_variance", "min_variance"])
def test_no_random_weights_are_better(method: str) -> None:
    covariance, mean = shrunk_covariance(returns_of(5)) * 252, np.array([0.1, 0.2, 0.05, 0.15, 0.3])
    gain = mean if method == "mean_variance" else np.zeros(5)
    aversion = 5.0

    def value(w: FloatArray) -> FloatArray:
        result: FloatArray = w @ gain - aversion / 2 * np.einsum("ij,jk,ik->i", w, covariance, w)
        return result

    best = np.array(weights_of(method, mean.tolist(), covariance, {"max_weight": 0.35}, risk_aversion=aversion))
    others = np.random.default_rng(5).dirichlet(np.ones(5), 20_000)
    others = others[(others <= 0.35).all(axis=1)]
    assert len(others) > 500
    assert value(best[None, :])[0] >= value(others).max()


@pytest.mark.parametrize("method", FROM_MOMENTS)
def test_the_unit_of_the_returns_is_no_matter(method: str) -> None:
    """Minute returns are tiny: an absolute tolerance would stop anywhere. The price of variance scales along."""
    rows = returns_of(8)
    coarse = PortfolioOptimizer(method, risk_aversion=4.0).optimize(rows)
    fine = PortfolioOptimizer(method, risk_aversion=4e4).optimize(rows * 1e-4)
    assert list(fine.weights.values()) == pytest.approx(list(coarse.weights.values()), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_input_gives_the_same_weights_bit_for_bit(method: str) -> None:
    once, again = (PortfolioOptimizer(method).optimize(returns_of(10), {"max_weight": 0.3}) for _ in range(2))
    assert once == again


def test_more_of_what_may_be_invested_and_the_least_that_must_be() -> None:
    covariance = covariance_of([0.2, 0.3], 0.2)
    assert sum(weights_of("min_variance", [0, 0], covariance, {"gross": 1.5, "cash_buffer": 0.1})) == pytest.approx(
        1.35
    )
    assert weights_of("mean_variance", [-0.1, -0.2], covariance) == [0.0, 0.0]  # Cash is free.
    forced = weights_of("mean_variance", [-0.1, -0.2], covariance, {"min_gross": 0.5})
    assert sum(forced) == pytest.approx(0.5)


# Who is left out.


def test_what_cannot_be_estimated_is_left_out_with_its_reason() -> None:
    table = returns_of(5, rows=40)
    table[:25, 1] = np.nan
    table[3, 2] = np.nan
    table[:, 3] = 0.0
    result = PortfolioOptimizer("equal_weight").optimize(table, symbols=NAMES[:5])
    assert result.weights == {"AAA": 0.5, "EEE": 0.5}
    assert result.excluded == {
        "BBB": "short history: 15 returns, 20 are needed",
        "CCC": "1 of 40 returns are missing",
        "DDD": "its returns never changed",
    }


def test_what_is_held_without_an_estimate_is_frozen_and_counts() -> None:
    table = returns_of(3, rows=40)
    table[:, 2] = np.nan
    result = PortfolioOptimizer("equal_weight").optimize(
        table, {"cash_buffer": 0.1}, {"CCC": 0.3, "AAA": 0.1}, symbols=NAMES[:3]
    )
    assert result.weights == pytest.approx({"AAA": 0.3, "BBB": 0.3, "CCC": 0.3})
    assert result.frozen == {"CCC": 0.3}
    assert result.turnover == pytest.approx(0.5)
    assert result.cash == pytest.approx(0.1)


def test_fewer_rows_than_symbols_are_no_obstacle() -> None:
    result = PortfolioOptimizer("min_variance").optimize(returns_of(40, rows=25))
    assert sum(result.weights.values()) == pytest.approx(1.0)
    assert result.expected_volatility > 0


def test_a_column_twice_under_two_names_is_held_once_and_the_other_is_named() -> None:
    table = returns_of(3)
    doubled = np.column_stack([table, table[:, 0]])
    alone = PortfolioOptimizer("min_variance", estimator="sample").optimize(table, symbols=NAMES[:3])
    both = PortfolioOptimizer("min_variance", estimator="sample").optimize(doubled, symbols=NAMES[:4])
    assert both.weights == pytest.approx(alone.weights)
    assert both.excluded == {"DDD": "its returns are those of AAA"}
    held = PortfolioOptimizer("min_variance").optimize(doubled, None, {"DDD": 0.2}, symbols=NAMES[:4])
    assert held.excluded == {"AAA": "its returns are those of DDD"}


# What is refused.


@pytest.mark.parametrize(
    ("method", "limits", "message"),
    [
        ("min_variance", {"max_weight": 0.2}, "what has to be invested is 1, above max_weight x 3 symbols of 0.6"),
        ("mean_variance", {"min_weight": 0.3, "max_weight": 0.2}, "min_weight is 0.3, above max_weight of 0.2"),
        ("mean_variance", {"min_weight": 0.4}, "min_weight x 3 symbols is 1.2, above gross x .* of 1"),
        ("mean_variance", {"max_weight": 0.1, "min_gross": 0.5}, "what has to be invested is 0.5, above max_weight"),
    ],
)
def test_limits_that_contradict_each_other_are_named(method: str, limits: dict[str, float], message: str) -> None:
    with pytest.raises(OptimizationError, match=message):
        PortfolioOptimizer(method).optimize(returns_of(3), limits)


def test_a_conflict_says_how_much_is_missing() -> None:
    with pytest.raises(OptimizationError, match=r"by at least 0\.4$"):
        PortfolioOptimizer("risk_parity").optimize(returns_of(3), {"max_weight": 0.2})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_wieght": 0.2}, "did you mean max_weight"),
        ({"xyz": 0.2}, "xyz is unknown; known are max_weight"),
        ({"max_weight": -0.1}, "max_weight must be at least 0 and finite, was -0.1"),
        ({"gross": float("nan")}, "gross must be at least 0 and finite"),
        ({"cash_buffer": 1.0}, r"cash_buffer must be in \[0, 1\)"),
    ],
)
def test_a_constraint_that_makes_no_sense_is_refused(limits: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PortfolioOptimizer().optimize(returns_of(3), limits)


@pytest.mark.parametrize(("method", "message"), [("mean_varience", "did you mean mean_variance"), ("x", "known are")])
def test_an_unknown_method_is_refused(method: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PortfolioOptimizer(method)


def infinite() -> FloatArray:
    table = returns_of(3)
    table[7, 1] = np.inf
    return table


@pytest.mark.parametrize(
    ("table", "names", "message"),
    [
        (infinite(), NAMES[:3], "the return of BBB in row 7 is infinite"),
        (returns_of(3), ("AAA", "AAA", "BBB"), "name AAA more than once"),
        (returns_of(3), ("AAA",), "3 columns and 1 symbols"),
        (np.zeros(3), None, "1 dimensions"),
        (returns_of(2, rows=5), ("AAA", "BBB"), "no symbol has usable returns: AAA: short history"),
    ],
)
def test_returns_that_cannot_be_used_are_refused(table: FloatArray, names: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        PortfolioOptimizer().optimize(table, symbols=names)


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Proven(np.array([0.7, 0.7]), 0.0, "broken", 1.0), "weights of broken pass a constraint by 0.4"),
        (Proven(np.array([0.5, 0.5]), 1e-7, "broken", 1.0), "not the optimum"),
        (Proven(np.array([0.5, 0.5]), float("nan"), "broken", 1.0), "not the optimum"),
    ],
)
def test_an_answer_without_its_certificate_is_an_error(
    monkeypatch: pytest.MonkeyPatch, answer: Proven, message: str
) -> None:
    monkeypatch.setattr(positions, "solve", lambda method, task: answer)
    with pytest.raises(OptimizationError, match=message):
        PortfolioOptimizer("min_variance").optimize(returns_of(2))


# The moments.


def test_little_evidence_draws_means_together_and_much_leaves_them() -> None:
    covariance, mean = covariance_of([0.01, 0.01, 0.01], 0.2), np.array([0.001, 0.0, -0.001])
    few, many = (shrunk_mean(mean, covariance, rows) for rows in (20, 1_000_000))
    assert np.ptp(few) < 0.3 * np.ptp(mean)
    assert many == pytest.approx(mean, rel=0.01, abs=1e-6)


def test_volatilities_stay_as_measured_and_correlations_are_drawn_to_none() -> None:
    table = returns_of(6, rows=30)
    shrunk = shrunk_covariance(table)
    assert np.sqrt(np.diag(shrunk)) == pytest.approx(table.std(axis=0, ddof=1))
    measured = np.cov(table.T)
    apart = ~np.eye(6, dtype=bool)
    assert (np.abs(shrunk[apart]) <= np.abs(measured[apart])).all()
    assert np.abs(shrunk[apart]).sum() < 0.99 * np.abs(measured[apart]).sum()


def test_time_is_told_by_the_clock_that_was_passed_in() -> None:
    ticks = iter([100.0, 103.5])
    result = PortfolioOptimizer("equal_weight", clock_ms=lambda: next(ticks)).optimize(returns_of(2))
    assert result.elapsed_ms == 3.5
    assert PortfolioOptimizer("equal_weight").optimize(returns_of(2)).elapsed_ms is None


def test_expectations_are_of_a_year() -> None:
    covariance = covariance_of([0.2, 0.3], 0.5)
    result = PortfolioOptimizer("equal_weight").optimize_moments(["A", "B"], np.array([0.1, 0.2]), covariance)
    assert result.expected_return == pytest.approx(0.15)
    assert result.expected_volatility == pytest.approx((0.25 * (0.04 + 0.09 + 2 * 0.03)) ** 0.5)
