"""What holds of any optimisation: the certificate, every limit, and no dependence on order, unit or repetition."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.certificate import excess, gap
from ordinis.engines.portfolioopt.optimizer import METHODS, PortfolioOptimizer
from ordinis.engines.portfolioopt.program import Prices, Program
from ordinis.engines.portfolioopt.result import OptimizationResult
from simulation.returns import market_returns, names

SCALE_FREE = tuple(method for method in METHODS if method not in ("mean_variance", "kelly_growth"))
CONVEX = ("mean_variance", "min_variance", "mean_cvar", "kelly_growth")


@st.composite
def problems(draw: st.DrawFn) -> tuple[FloatArray, dict[str, Any], dict[str, float]]:
    """Returns, any of the limits together, and what is held: feasible more often than not."""
    count, seed = draw(st.integers(3, 14)), draw(st.integers(0, 10_000))
    symbols = names(count)
    random = np.random.default_rng(seed + 1)
    share = random.dirichlet(np.ones(count))
    held = dict(zip(symbols, (0.9 * share).tolist(), strict=True))
    limits: dict[str, Any] = {"max_weight": draw(st.sampled_from([0.4, 0.6, 1.0]))}
    if draw(st.booleans()):
        limits |= {"min_weight": -0.2, "gross": 1.5, "net": (0.5, 1.0)}
    if draw(st.booleans()):
        limits |= {"sectors": {one: "ab"[place % 2] for place, one in enumerate(symbols)}, "max_sector": 0.7}
    if draw(st.booleans()):
        limits["max_turnover"] = draw(st.sampled_from([0.3, 0.8]))
    if draw(st.booleans()):
        limits["cost"] = draw(st.sampled_from([0.002, 0.03]))
    if draw(st.booleans()):
        limits["max_volatility"] = draw(st.sampled_from([0.15, 0.2, 0.3]))
    if draw(st.booleans()):
        limits["cash_buffer"] = 0.1
    return market_returns(count, 80, seed), limits, held


def excess_of(limits: dict[str, Any], w: FloatArray, held: FloatArray, volatility: float) -> float:
    """The most by which any limit is passed, written down anew."""
    low = limits.get("min_weight", 0.0)
    over = [float(w.max()) - limits["max_weight"], low - float(w.min())]
    over.append(float(np.abs(w).sum()) - limits.get("gross", 1.0) * (1.0 - limits.get("cash_buffer", 0.0)))
    if "net" in limits:
        over += [limits["net"][0] - float(w.sum()), float(w.sum()) - limits["net"][1]]
    if "max_sector" in limits:
        over += [abs(float(w[first::2].sum())) - limits["max_sector"] for first in (0, 1)]
    if "max_turnover" in limits:
        over.append(float(np.abs(w - held).sum()) - limits["max_turnover"])
    if "max_volatility" in limits:
        over.append(volatility - limits["max_volatility"])
    return float(max(over))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(METHODS), problems())
def test_what_is_answered_keeps_every_limit_and_is_proven(
    method: str, problem: tuple[FloatArray, dict[str, Any], dict[str, float]]
) -> None:
    table, limits, held = problem
    if method in ("risk_parity", "hrp", "equal_weight", "inverse_volatility"):
        limits = {key: value for key, value in limits.items() if key not in ("min_weight", "gross", "net")}
    try:
        result = PortfolioOptimizer(method).optimize(table, limits, held, symbols=names(table.shape[1]))
    except OptimizationError as error:
        said = str(error)  # Only what contradicts itself is refused, and it is said what does.
    else:
        _check(result, limits, held)
        return
    assert re.search(r"no weights satisfy the constraints.*( by [0-9.]+| is [0-9.]+)", said), said


def _check(result: OptimizationResult, limits: dict[str, Any], held: dict[str, float]) -> None:
    w = np.array(list(result.weights.values()))
    assert excess_of(limits, w, np.array(list(held.values())), result.expected_volatility) <= 1e-9
    assert result.gap <= 1e-8
    assert result.violation <= 1e-10


@settings(max_examples=60, deadline=None)  # hrp halves an order of its tree, which has as many orders as branches.
@given(st.sampled_from([method for method in METHODS if method != "hrp"]), st.integers(0, 10_000), st.integers(3, 10))
def test_the_order_of_the_symbols_is_no_matter(method: str, seed: int, count: int) -> None:
    table, symbols = market_returns(count, 80, seed), names(count)
    order = np.random.default_rng(seed).permutation(count)
    limits = {"max_weight": 0.6}
    straight = PortfolioOptimizer(method).optimize(table, limits, symbols=symbols)
    mixed = PortfolioOptimizer(method).optimize(table[:, order], limits, symbols=[symbols[one] for one in order])
    assert mixed.weights == pytest.approx(straight.weights, abs=2e-6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SCALE_FREE), st.integers(0, 10_000))
def test_minute_returns_have_the_weights_of_daily_ones(method: str, seed: int) -> None:
    table = market_returns(8, 80, seed)
    daily, minute = (PortfolioOptimizer(method).optimize(one, {"max_weight": 0.4}) for one in (table, table / 390.0))
    assert minute.weights == pytest.approx(daily.weights, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_in_minutes_mean_variance_wants_its_aversion_and_its_costs_in_minutes(seed: int) -> None:
    table = market_returns(8, 80, seed)
    held = dict.fromkeys(names(8), 0.1)

    def weights(scale: float) -> dict[str, float]:
        optimizer = PortfolioOptimizer(risk_aversion=4.0 * scale)
        limits = {"max_weight": 0.4, "cost": 0.02 / scale}
        return optimizer.optimize(table / scale, limits, held, symbols=names(8)).weights

    assert weights(390.0) == pytest.approx(weights(1.0), abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(CONVEX), st.integers(0, 10_000))
def test_a_symbol_twice_changes_no_risk(method: str, seed: int) -> None:
    table = market_returns(6, 80, seed)
    almost = np.column_stack([table, table[:, 0] + 1e-13])  # Another symbol, but for the last digits.
    once, twice = (
        PortfolioOptimizer(method, estimator="sample").optimize(one, {"min_gross": 1.0}) for one in (table, almost)
    )
    assert twice.expected_volatility == pytest.approx(once.expected_volatility, rel=1e-5)
    assert twice.expected_return == pytest.approx(once.expected_return, rel=1e-5, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(METHODS), problems())
def test_the_same_question_has_the_same_answer_to_the_last_bit(
    method: str, problem: tuple[FloatArray, dict[str, Any], dict[str, float]]
) -> None:
    table, limits, held = problem

    def answer(optimizer: PortfolioOptimizer) -> object:
        try:
            return optimizer.optimize(table, limits, held, symbols=names(table.shape[1]))
        except OptimizationError as error:
            return str(error)

    kept = PortfolioOptimizer(method)
    assert answer(PortfolioOptimizer(method)) == answer(kept) == answer(kept)


@st.composite
def wide_problems(draw: st.DrawFn) -> tuple[FloatArray, dict[str, Any], dict[str, float]]:
    """Too many symbols to look at all of them at once, some of them held."""
    count, seed = draw(st.integers(41, 130)), draw(st.integers(0, 10_000))
    symbols, random = names(count), np.random.default_rng(seed + 1)
    share = random.dirichlet(np.full(count, draw(st.sampled_from([0.05, 0.3, 2.0]))))
    held = dict(zip(symbols, (0.9 * share).tolist(), strict=True))
    limits: dict[str, Any] = {"max_weight": draw(st.sampled_from([0.08, 0.2, 1.0]))}
    if draw(st.booleans()):
        limits |= {"sectors": {one: "abcde"[place % 5] for place, one in enumerate(symbols)}, "max_sector": 0.35}
    if draw(st.booleans()):
        limits["max_turnover"] = draw(st.sampled_from([0.2, 0.6, 1.2]))
    if draw(st.booleans()):
        limits["cost"] = draw(st.sampled_from([0.0005, 0.02]))
    if draw(st.booleans()):
        limits["min_gross"] = 1.0
    return market_returns(count, 150, seed), limits, held


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["sample", "ledoit_wolf"]), st.sampled_from(["mean_variance", "min_variance"]), wide_problems())
def test_wide_books_are_proven_whatever_their_order_and_to_the_last_bit(
    estimator: str, method: str, problem: tuple[FloatArray, dict[str, Any], dict[str, float]]
) -> None:
    table, limits, held = problem
    symbols = names(table.shape[1])
    order = np.random.default_rng(5).permutation(len(symbols))
    optimizer = PortfolioOptimizer(method, estimator=estimator)
    try:
        result = optimizer.optimize(table, limits, held, symbols=symbols)
    except OptimizationError as error:
        said = str(error)
    else:
        _check_wide(result, limits, held)
        assert optimizer.optimize(table, limits, held, symbols=symbols) == result
        mixed = optimizer.optimize(table[:, order], limits, held, symbols=[symbols[one] for one in order])
        assert mixed.weights == pytest.approx(result.weights, abs=2e-6)
        return
    assert re.search(r"no weights satisfy the constraints.* by [0-9.]+", said), said


def _check_wide(result: OptimizationResult, limits: dict[str, Any], held: dict[str, float]) -> None:
    assert result.gap <= 1e-8
    assert result.violation <= 1e-10
    weights = np.array(list(result.weights.values()))
    for first in range(5) if "max_sector" in limits else ():
        assert float(weights[first::5].sum()) <= 0.35 + 1e-9
    assert float(np.abs(weights - np.array(list(held.values()))).sum()) <= limits.get("max_turnover", 3.0) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10_000), st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.booleans())
def test_no_feasible_weights_are_below_the_bound_whatever_the_prices(
    count: int, seed: int, turnover: float, gross: float, costs: bool
) -> None:
    """The certificate trusts nobody: with any prices at all it may only be too cautious."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(count, count))
    quadratic, gain = root @ root.T, random.normal(size=count)
    start = random.uniform(-0.2, 0.4, count)
    program = Program(
        low=np.full(count, -0.3),
        high=np.full(count, 0.6),
        rows=random.normal(size=(2, count)),
        row_low=np.array([-0.5, -np.inf]),
        row_high=np.array([0.5, 0.4]),
        names=("one", "two"),
        start=start,
        cost=random.uniform(0.0, 0.3, count) if costs else None,
        turnover_max=1.0 + count * 0.1,
        gross_max=0.2 * count,
    )
    prices = Prices(np.array([random.normal(), abs(random.normal())]), turnover, gross)

    def value(w: FloatArray) -> float:
        return float(0.5 * w @ quadratic @ w - gain @ w) + program.trading_cost(w)

    tried = random.uniform(-0.3, 0.6, (80, count)) * random.uniform(0.1, 1.0, (80, 1))
    feasible = [w for w in tried if excess(program, w) <= 0.0]
    for w in feasible[:10]:
        bound = value(w) - gap(program, quadratic @ w - gain, w, prices)
        assert min(value(other) for other in feasible) >= bound - 1e-12
