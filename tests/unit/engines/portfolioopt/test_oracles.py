"""The optimum of every method and limit against a conic solver at tight tolerances, and against another library."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

cp: Any = pytest.importorskip("cvxpy", reason="cvxpy is a development tool")
pytest.importorskip("clarabel", reason="clarabel is a development tool")

ASSETS, ROWS, YEAR = 12, 120, 252.0
SYMBOLS = [f"S{one}" for one in range(ASSETS)]
SECTORS = {symbol: "abc"[one % 3] for one, symbol in enumerate(SYMBOLS)}
BETAS = {symbol: 0.4 + 0.1 * one for one, symbol in enumerate(SYMBOLS)}
NOW = {symbol: (0.16 if one < 6 else 0.0) for one, symbol in enumerate(SYMBOLS)}
START = np.array(list(NOW.values()))
EQUAL = np.full(ASSETS, 1.0 / ASSETS)
AVERSION = 4.0


def returns(seed: int = 11) -> FloatArray:
    random = np.random.default_rng(seed)
    market = random.normal(0.0005, 0.009, (ROWS, 1)) * random.uniform(0.6, 1.4, ASSETS)
    table: FloatArray = market + random.normal(0.0004, 0.01, (ROWS, ASSETS)) * random.uniform(0.7, 1.8, ASSETS)
    return table


TABLE = returns()
MEAN = TABLE.mean(axis=0) * YEAR
COVARIANCE = np.cov(TABLE, rowvar=False) * YEAR
ROOT = np.linalg.cholesky(COVARIANCE).T

LIMITS: dict[str, tuple[dict[str, Any], Callable[[Any], list[Any]]]] = {
    "caps": ({"max_weight": 0.2}, lambda w: [w >= 0, w <= 0.2, cp.sum(w) == 1]),
    "sectors and beta": (
        {"max_weight": 0.3, "sectors": SECTORS, "max_sector": 0.4, "betas": BETAS, "beta": (0.8, 0.9)},
        lambda w: [
            w >= 0,
            w <= 0.3,
            cp.sum(w) == 1,
            *(cp.sum(w[one::3]) <= 0.4 for one in range(3)),
            np.array(list(BETAS.values())) @ w >= 0.8,
            np.array(list(BETAS.values())) @ w <= 0.9,
        ],
    ),
    "turnover": (
        {"max_weight": 0.3, "max_turnover": 0.4},
        lambda w: [w >= 0, w <= 0.3, cp.sum(w) == 1, cp.norm1(w - START) <= 0.4],
    ),
    "long and short": (
        {"max_weight": 0.3, "min_weight": -0.2, "gross": 1.5, "net": (1.0, 1.0)},
        lambda w: [w >= -0.2, w <= 0.3, cp.sum(w) == 1, cp.norm1(w) <= 1.5],
    ),
    "volatility": (
        {"max_weight": 0.4, "max_volatility": 0.17},
        lambda w: [w >= 0, w <= 0.4, cp.sum(w) == 1, cp.norm(ROOT @ w) <= 0.17],
    ),
    "tracking error, turnover and volatility": (
        {
            "max_weight": 0.4,
            "benchmark": dict(zip(SYMBOLS, EQUAL.tolist(), strict=True)),
            "max_tracking_error": 0.06,
            "max_turnover": 0.9,
            "max_volatility": 0.165,
        },
        lambda w: [
            w >= 0,
            w <= 0.4,
            cp.sum(w) == 1,
            cp.norm(ROOT @ (w - EQUAL)) <= 0.06,
            cp.norm1(w - START) <= 0.9,
            cp.norm(ROOT @ w) <= 0.165,
        ],
    ),
    "everything": (
        {
            "max_weight": 0.35,
            "min_weight": -0.1,
            "gross": 1.4,
            "net": (0.9, 0.95),
            "sectors": SECTORS,
            "max_sector": 0.5,
            "max_turnover": 1.1,
            "max_volatility": 0.17,
            "frozen": ["S1"],
        },
        lambda w: [
            w >= -0.1,
            w <= 0.35,
            cp.sum(w) >= 0.9,
            cp.sum(w) <= 0.95,
            cp.norm1(w) <= 1.4,
            *(cp.abs(cp.sum(w[one::3])) <= 0.5 for one in range(3)),
            cp.norm1(w - START) <= 1.1,
            cp.norm(ROOT @ w) <= 0.17,
            w[1] == START[1],
        ],
    ),
}
COSTS: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "free": ({}, lambda w: 0.0),
    "linear": ({"cost": 0.02}, lambda w: 0.02 * cp.norm1(w - START)),
    "linear and impact": (
        {"cost": 0.01, "impact": 0.05},
        lambda w: 0.01 * cp.norm1(w - START) + 0.05 * cp.sum(cp.power(cp.abs(w - START), 1.5)),
    ),
}


def tail(w: Any) -> Any:
    edge, beyond = cp.Variable(), cp.Variable(ROWS, nonneg=True)
    return edge + cp.sum(beyond) / (0.1 * ROWS), [beyond + edge + TABLE @ w >= 0]


OBJECTIVES: dict[str, tuple[dict[str, Any], Callable[[Any], tuple[Any, list[Any]]]]] = {
    "mean_variance": (
        {"risk_aversion": AVERSION},
        lambda w: (AVERSION / 2 * cp.sum_squares(ROOT @ w) - MEAN @ w, []),
    ),
    "min_variance": ({}, lambda w: (cp.sum_squares(ROOT @ w) / 2, [])),
    "mean_cvar": ({"confidence": 0.9}, tail),
    "kelly_growth": ({}, lambda w: (-YEAR * cp.sum(cp.log(1 + TABLE @ w)) / ROWS, [])),
}


def best_value(objective: Any, limits: list[Any]) -> float:
    """Its own tolerances at their tightest; where the last digits of a power cone fail it, as near as it came."""
    problem = cp.Problem(cp.Minimize(objective), limits)
    tight = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            problem.solve(solver="CLARABEL", **tight)
        except cp.error.SolverError:
            problem.solve(solver="CLARABEL")
    return float(problem.value)


def value_at(method: str, paid: dict[str, float], w: FloatArray) -> float:
    """The same objective in plain arithmetic."""
    traded = np.abs(w - START)
    cost = paid.get("cost", 0.0) * float(traded.sum()) + paid.get("impact", 0.0) * float((traded**1.5).sum())
    variance = float(w @ COVARIANCE @ w)
    if method == "mean_variance":
        return AVERSION / 2 * variance - float(MEAN @ w) + cost
    if method == "min_variance":
        return variance / 2 + cost
    if method == "kelly_growth":
        return -YEAR * float(np.log(1 + TABLE @ w).mean()) + cost
    worst = np.sort(TABLE @ w)[: ROWS // 10]
    return -float(worst.mean()) + cost / YEAR  # What a row's tail loses against what a year's trades cost.


def weights_of(result: Any) -> FloatArray:
    return np.array([result.weights[symbol] for symbol in SYMBOLS])


@pytest.mark.parametrize("costs", COSTS)
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("method", OBJECTIVES)
def test_no_conic_solver_finds_better_weights(method: str, limits: str, costs: str) -> None:
    figures, build = OBJECTIVES[method]
    constraints, to_limits = LIMITS[limits]
    paid, cost = COSTS[costs]
    optimizer = PortfolioOptimizer(method, estimator="sample", **figures)
    fully = {} if "net" in constraints else {"min_gross": 1.0}
    result = optimizer.optimize(TABLE, {**constraints, **paid, **fully}, NOW, symbols=SYMBOLS)
    w = cp.Variable(ASSETS)
    objective, more = build(w)
    scale = 1.0 if method != "mean_cvar" else 1.0 / YEAR
    best = best_value(objective + scale * cost(w), [*to_limits(w), *more])
    assert result.status == "optimal"
    assert result.gap <= 1e-8
    assert result.violation <= 1e-10
    ours = value_at(method, paid, weights_of(result))
    assert ours <= best + 1e-7 * abs(best)
    assert ours == pytest.approx(best, rel=3e-6)


@pytest.mark.parametrize("goal", ["target_return", "target_volatility"])
def test_a_target_is_met_as_a_conic_solver_meets_it(goal: str) -> None:
    w = cp.Variable(ASSETS)
    limits = [w >= 0, w <= 0.3, cp.sum(w) == 1]
    target = 0.45 if goal == "target_return" else 0.13
    goals: dict[str, Any] = {goal: target}
    result = PortfolioOptimizer(estimator="sample", **goals).optimize(
        TABLE, {"max_weight": 0.3, "min_gross": 1.0}, symbols=SYMBOLS
    )
    if goal == "target_return":
        best = best_value(cp.sum_squares(ROOT @ w), [*limits, MEAN @ w >= target])
        assert result.expected_volatility**2 == pytest.approx(best, rel=1e-7)
        assert result.expected_return == pytest.approx(target)
    else:
        best = best_value(-MEAN @ w, [*limits, cp.norm(ROOT @ w) <= target])
        assert result.expected_return == pytest.approx(-best, rel=1e-7)
        assert result.expected_volatility == pytest.approx(target)


@pytest.mark.parametrize(
    ("method", "earning"), [("mean_variance", MEAN - 0.02), ("max_diversification", np.sqrt(np.diag(COVARIANCE)))]
)
def test_the_highest_ratio_is_that_of_the_cone_s_own_problem(method: str, earning: FloatArray) -> None:
    """Source of the reformulation: Schaible (1974), with y = w / (earning'w)."""
    figures: dict[str, Any] = {"maximum_sharpe": True, "risk_free": 0.02} if method == "mean_variance" else {}
    result = PortfolioOptimizer(method, estimator="sample", **figures).optimize(
        TABLE, {"max_weight": 0.25}, symbols=SYMBOLS
    )
    y, share = cp.Variable(ASSETS), cp.Variable(nonneg=True)
    limits = [earning @ y == 1, cp.sum(y) == share, y >= 0, y <= 0.25 * share]
    best = best_value(cp.sum_squares(ROOT @ y), limits) ** -0.5
    w = weights_of(result)
    assert float(earning @ w) / float(w @ COVARIANCE @ w) ** 0.5 == pytest.approx(best, rel=1e-7)
    assert result.gap <= 1e-8


def test_capped_risk_budgets_solve_their_convex_problem() -> None:
    budgets = {symbol: 1.0 + one % 3 for one, symbol in enumerate(SYMBOLS)}
    limits = {"max_weight": 0.12}
    result = PortfolioOptimizer("risk_parity", estimator="sample", risk_budgets=budgets).optimize(
        TABLE, limits, symbols=SYMBOLS
    )
    w = weights_of(result)
    share = np.array(list(budgets.values())) / sum(budgets.values())
    added = w * (COVARIANCE @ w) / share
    capped = w >= 0.12 - 1e-9
    assert capped.any()
    level = float(added[~capped].mean())
    assert np.ptp(added[~capped]) <= 1e-6 * level
    assert (added[capped] <= level * (1 + 1e-6)).all()


# Another library on the same returns.


@pytest.mark.parametrize("name", ["utility", "cvar", "parity", "diversification", "inverse"])
def test_skfolio_finds_the_same_weights(name: str) -> None:
    optimization = pytest.importorskip("skfolio.optimization", reason="skfolio is a development tool")
    measure = pytest.importorskip("skfolio", reason="skfolio is a development tool").RiskMeasure
    theirs: dict[str, Callable[[], Any]] = {
        "utility": lambda: optimization.MeanRisk(
            objective_function=optimization.ObjectiveFunction.MAXIMIZE_UTILITY, risk_aversion=3.0, max_weights=0.3
        ),
        "cvar": lambda: optimization.MeanRisk(risk_measure=measure.CVAR, cvar_beta=0.9, max_weights=0.3),
        "parity": optimization.RiskBudgeting,
        "diversification": lambda: optimization.MaximumDiversification(max_weights=0.3),
        "inverse": optimization.InverseVolatility,
    }
    ours = {
        "utility": PortfolioOptimizer(estimator="sample", risk_aversion=6.0, periods_a_year=1.0),
        "cvar": PortfolioOptimizer("mean_cvar", estimator="sample", confidence=0.9),
        "parity": PortfolioOptimizer("risk_parity", estimator="sample"),
        "diversification": PortfolioOptimizer("max_diversification", estimator="sample"),
        "inverse": PortfolioOptimizer("inverse_volatility", estimator="sample"),
    }
    limits = {"min_gross": 1.0} | ({} if name in ("parity", "inverse") else {"max_weight": 0.3})
    import pandas as pd

    frame = pd.DataFrame(TABLE, pd.bdate_range("2020-01-01", periods=ROWS), SYMBOLS)
    expected = np.asarray(theirs[name]().fit(frame).weights_)
    assert weights_of(ours[name].optimize(frame, limits)) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("name", ["plain", "costs", "turnover", "sectors"])
def test_cvxportfolio_trades_to_the_same_weights(name: str) -> None:
    cvx = pytest.importorskip("cvxportfolio", reason="cvxportfolio is a development tool")
    import pandas as pd

    frame = pd.DataFrame(TABLE, pd.bdate_range("2020-01-01", periods=ROWS), SYMBOLS)
    members = pd.DataFrame({one: [float(SECTORS[symbol] == one) for symbol in SYMBOLS] for one in "abc"}, SYMBOLS)
    covariance = cvx.FullCovariance(Sigma=frame.cov() * YEAR)
    goal = cvx.ReturnsForecast(r_hat=frame.mean() * YEAR) - (AVERSION / 2) * covariance
    limits = [cvx.LongOnly(), cvx.NoCash(), cvx.MaxWeights(0.3)]
    ours: dict[str, Any] = {"max_weight": 0.3, "min_gross": 1.0}
    if name == "costs":
        goal, ours = goal - cvx.TransactionCost(a=2e-3, b=None), ours | {"cost": 2e-3}
    if name == "turnover":
        limits.append(cvx.TurnoverLimit(0.15))  # It counts half of buys plus sells.
        ours |= {"max_turnover": 0.3}
    if name == "sectors":
        limits.append(cvx.FactorMaxLimit(members, pd.Series(0.4, members.columns)))
        ours |= {"sectors": SECTORS, "max_sector": 0.4}
    holdings = pd.Series(np.append(START, 1.0 - START.sum()), [*SYMBOLS, "cash"]) * 1e6
    policy = cvx.SinglePeriodOptimization(goal, limits, include_cash_return=False, solver="CLARABEL")
    trades, _, _ = policy.execute(holdings, market_data=None, t=pd.Timestamp("2030-01-01"))
    expected = ((holdings + trades) / 1e6).to_numpy()[:ASSETS]
    result = PortfolioOptimizer(estimator="sample", risk_aversion=AVERSION).optimize(frame, ours, NOW)
    assert weights_of(result) == pytest.approx(expected, abs=1e-6)
