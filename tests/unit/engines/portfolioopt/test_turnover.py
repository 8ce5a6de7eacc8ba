"""A hard limit on turnover: tight, loose and in between, each with its proof, and another way agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import quadratic, search, turnover
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer
from ordinis.engines.portfolioopt.result import OptimizationResult

SYMBOLS, ROWS = 200, 300
FEW = 90  # Of them: so few that the first guess of who trades is tried at once.
NAMES = [f"A{one}" for one in range(SYMBOLS)]


def table(rows: int = ROWS) -> FloatArray:
    random = np.random.default_rng(17)
    market = random.standard_t(5, (rows, 1)) * 0.008 * random.uniform(0.5, 1.5, SYMBOLS)
    sectors = random.standard_normal((rows, 11))[:, np.arange(SYMBOLS) % 11] * 0.005
    own = random.standard_t(5, (rows, SYMBOLS)) * random.uniform(0.006, 0.02, SYMBOLS)
    result: FloatArray = random.normal(4e-4, 4e-4, SYMBOLS) + market + sectors + own
    return result


def spread_out(symbols: int = SYMBOLS) -> dict[str, float]:
    """Everybody is held, a few of them much."""
    weights = np.full(symbols, 0.3 / symbols)
    weights[::9] += 0.7 / weights[::9].size
    return dict(zip(NAMES[:symbols], weights.tolist(), strict=True))


def answered(most: float, now: dict[str, float], **more: Any) -> OptimizationResult:
    optimizer = PortfolioOptimizer(risk_aversion=10.0, estimator="sample", periods_a_year=1.0)
    constraints = {"max_weight": 0.2, "min_gross": 1.0, "max_turnover": most, **more}
    return optimizer.optimize(table()[:, : len(now)], constraints, now, symbols=list(now))


@pytest.mark.parametrize("symbols", [FEW, SYMBOLS])
@pytest.mark.parametrize("most", [0.0, 0.02, 0.1, 0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"cost": 2e-4},
        {"sectors": {name: f"S{one % 11}" for one, name in enumerate(NAMES)}, "max_sector": 0.25},
        {"min_gross": 0.0, "cash_buffer": 0.02, "max_turnover": 0.5},
    ],
    ids=["alone", "costs", "sectors", "cash"],
)
def test_however_tight_a_turnover_limit_is_the_best_trades_are_proven(
    most: float, more: dict[str, Any], symbols: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = spread_out(symbols)
    if "cash_buffer" in more:
        now = {name: 0.9 * size for name, size in now.items()}
    result = answered(most, now, **more)
    assert result.gap <= 1e-10
    assert result.violation <= 1e-12
    assert result.turnover is not None
    assert result.turnover <= more.get("max_turnover", most) + 1e-12
    monkeypatch.setattr(quadratic, "limited", lambda *_: None)
    assert list(result.weights.values()) == pytest.approx(list(answered(most, now, **more).weights.values()), abs=1e-7)


@pytest.mark.interpreted
def test_where_much_is_traded_the_price_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would compare one way with itself."""
    roots: list[float] = []
    root = turnover._root

    def counted(*given: Any) -> Any:
        found = root(*given)
        assert found is not None
        roots.append(found.prices.turnover)
        return found

    monkeypatch.setattr(turnover, "_root", counted)
    for most in (0.25, 0.4, 0.6, 0.8):
        answered(most, spread_out())
    assert len(roots) >= 2
    assert all(price > 0.0 for price in roots)


def test_a_book_is_built_hour_after_hour_within_its_turnover() -> None:
    """From nothing: every limit is loose at first, and where the search goes on from it keeps no side of before."""
    optimizer = PortfolioOptimizer(risk_aversion=10.0, estimator="sample", periods_a_year=1.0)
    sectors = {name: f"S{one % 11}" for one, name in enumerate(NAMES)}
    limits = {"max_weight": 0.2, "sectors": sectors, "max_sector": 0.2, "max_turnover": 0.1, "cash_buffer": 0.05}
    rows = table(ROWS + 60)
    now = dict.fromkeys(NAMES, 0.0)
    for hour in range(60):
        result = optimizer.optimize(rows[hour : hour + ROWS], limits, now, symbols=NAMES)
        assert result.gap <= 1e-9
        assert result.violation <= 1e-12
        now = result.weights
    assert sum(now.values()) == pytest.approx(0.95)


@pytest.mark.interpreted
@pytest.mark.parametrize("sector", range(0, 11, 3))
@pytest.mark.parametrize("cost", [5e-4, 5e-3])
def test_weights_drifted_past_a_sector_cap_are_brought_back_by_the_working_set(
    sector: int, cost: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names that it begins with cannot keep the cap by themselves; the free optimum keeps it."""
    sectors = {name: f"S{one % 11}" for one, name in enumerate(NAMES)}
    weights = np.full(SYMBOLS, 0.5 / SYMBOLS)
    weights[sector::11] += 0.5 / weights[sector::11].size
    optimizer = PortfolioOptimizer(risk_aversion=10.0, estimator="sample", periods_a_year=1.0)
    limits = {"max_weight": 0.3, "min_gross": 1.0, "sectors": sectors, "max_sector": 0.2, "cost": cost}
    monkeypatch.setattr(search, "nearest", lambda _: pytest.fail("a linear program was asked for a point to begin at"))
    result = optimizer.optimize(table(), limits, dict(zip(NAMES, weights.tolist(), strict=True)), symbols=NAMES)
    assert (result.rung, result.status) == ("active_set", "optimal")
    assert result.gap <= 1e-10
    assert result.violation <= 1e-12


@pytest.mark.parametrize("ticks", [2, 3])
def test_a_deadline_is_seen_in_the_midst_of_the_search(ticks: int) -> None:
    now, clock = spread_out(), iter(range(10_000))
    optimizer = PortfolioOptimizer(
        risk_aversion=10.0,
        estimator="sample",
        periods_a_year=1.0,
        deadline_ms=float(ticks),
        clock_ms=lambda: float(next(clock)),
    )
    result = optimizer.optimize(table(), {"max_weight": 0.2, "max_turnover": 0.6}, now, symbols=NAMES)
    assert (result.status, result.weights) == ("held", now)
