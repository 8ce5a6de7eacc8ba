"""Every method on real daily and minute bars, and the benchmark's problems as they are published."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ordinis.engines.portfolioopt.optimizer import METHODS, PortfolioOptimizer

SHARED = Path(__file__).parents[5] / "shared"
MINUTES = "minute_rth_2025-01_20sym"
DAILY = "daily_2006_2017_djia31"


def closes(name: str) -> pd.DataFrame:
    path = SHARED / "data" / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"needs the shared data set {name}")
    frame = pd.read_parquet(path, columns=["symbol", "timestamp", "close"])
    return frame.pivot(index="timestamp", columns="symbol", values="close")


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    return closes(DAILY).iloc[-500:].pct_change().iloc[1:]


@pytest.fixture(scope="module")
def minutes() -> pd.DataFrame:
    return closes(MINUTES).ffill().pct_change().iloc[1:4_000]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bars", ["daily", "minutes"])
def test_real_returns_have_proven_weights(method: str, bars: str, request: pytest.FixtureRequest) -> None:
    table: pd.DataFrame = request.getfixturevalue(bars)
    periods = 252.0 if bars == "daily" else 252.0 * 391
    optimizer = PortfolioOptimizer(method, periods_a_year=periods)
    held = dict.fromkeys(table.columns, 0.9 / table.shape[1])
    result = optimizer.optimize(table, {"max_weight": 0.2, "cash_buffer": 0.1, "max_turnover": 0.8}, held)
    w = np.array(list(result.weights.values()))
    assert result.status == "optimal"
    assert result.gap <= 1e-8
    assert w.max() <= 0.2 + 1e-10
    assert w.sum() <= 0.9 + 1e-10
    assert result.turnover is not None
    assert result.turnover <= 0.8 + 1e-9
    assert 0.02 < result.expected_volatility < 0.6
    assert optimizer.optimize(table, {"max_weight": 0.2, "cash_buffer": 0.1, "max_turnover": 0.8}, held) == result


def test_minutes_are_optimised_as_exactly_as_days(minutes: pd.DataFrame) -> None:
    """Their variances are about 1e-7: a solver with an absolute tolerance of 1e-5 would hold everything alike."""
    plain = PortfolioOptimizer("min_variance", estimator="sample").optimize(minutes)
    scaled = PortfolioOptimizer("min_variance", estimator="sample").optimize(minutes * 390.0)
    assert plain.weights == pytest.approx(scaled.weights, abs=1e-9)
    assert max(plain.weights.values()) > 3.0 / minutes.shape[1]


def test_the_benchmark_s_own_returns_are_those_that_others_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (SHARED / "bench" / "optimizer_peers.py").is_file():
        pytest.skip("needs the shared problems of the benchmark")
    monkeypatch.syspath_prepend(str(SHARED / "bench"))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[4] / "bench"))
    ours: Any = __import__("optimizer_problems")
    theirs: Any = __import__("optimizer_peers")
    for name in ("optimizer_problems", "optimizer_peers"):
        monkeypatch.delitem(sys.modules, name)
    for assets, days in ((5, 500), (16, 1000)):
        assert (ours.simulated(assets, days) == theirs.simulate_returns(assets, days)).all()
    for name in ("mv", "sector", "cvar"):
        problem, published = ours.problem_of(name, 16), theirs.problems(name, 16)[0]
        w = ours.our_call(problem)(problem)
        assert ours.objective_and_violation(problem, w) == pytest.approx(theirs.objective_and_violation(published, w))
    start = ours.problem_of("turnover_limit", 16).weights_before
    assert start == pytest.approx(theirs.problems("turnover", 16)[0].weights_before, abs=1e-8)
