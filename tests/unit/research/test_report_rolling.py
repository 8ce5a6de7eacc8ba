"""Rolling figures against plain formulas, and the pictures that show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ordinis.research.report import Benchmark, ReportSource
from ordinis.research.report.charts import BANDS_MAX, beta, sector_bands, sector_exposure, volatility
from ordinis.research.report.counts import months
from ordinis.research.report.months import monthly_returns
from ordinis.research.report.rolling import WINDOW_SESSIONS, rolling_beta, rolling_volatility
from ordinis.research.report.source import Curve, SectorExposure

if TYPE_CHECKING:
    from unit.research.conftest import MakeSource

RETURNS = np.random.default_rng(5).normal(0.0, 0.01, 45)
MARKET = 0.5 * RETURNS + np.random.default_rng(6).normal(0.0, 0.004, 45)


def test_volatility_and_beta_are_those_of_each_window() -> None:
    volatility, beta = rolling_volatility(RETURNS), rolling_beta(RETURNS, MARKET)
    assert volatility.size == beta.size == 45 - WINDOW_SESSIONS + 1
    for end in (20, 33, 45):
        own, market = RETURNS[end - 20 : end], MARKET[end - 20 : end]
        assert volatility[end - 20] == pytest.approx(np.std(own, ddof=1) * 252**0.5)
        assert beta[end - 20] == pytest.approx(np.polyfit(market, own, 1)[0])


def test_with_too_few_sessions_there_is_neither() -> None:
    assert rolling_volatility(RETURNS[:19]).size == 0
    assert rolling_beta(RETURNS[:19], MARKET[:19]).size == 0


def test_against_a_market_that_stands_still_there_is_no_beta() -> None:
    assert np.isnan(rolling_beta(RETURNS[:20], np.zeros(20))).all()


def long_run(source: ReportSource, benchmark_usd: np.ndarray) -> ReportSource:
    """A run of a minute a session, its returns as above, beside a benchmark."""
    days = tuple(date(2025, 1, 1) + timedelta(number) for number in range(RETURNS.size))
    equity_usd = np.asarray(50_000.0 * np.cumprod(1 + RETURNS), np.float64)
    curve = Curve(
        at_ns=np.arange(1, RETURNS.size + 1) * 86_400 * 10**9,
        equity_usd=equity_usd,
        long_usd=np.zeros(RETURNS.size),
        short_usd=np.zeros(RETURNS.size),
        positions=np.zeros(RETURNS.size, np.int64),
        sessions=tuple((day, number + 1) for number, day in enumerate(days)),
    )
    benchmark = Benchmark(name="it", start_usd=100.0, dates=days, values_usd=tuple(benchmark_usd.tolist()))
    return replace(source, curve=curve, benchmark=benchmark)


def test_the_pictures_end_at_the_last_close_and_begin_with_the_start_equity(make_source: MakeSource) -> None:
    source = long_run(make_source(), 100.0 * np.cumprod(1 + MARKET))
    drawn, level = volatility(source), beta(source)
    assert drawn is not None
    assert level is not None
    target, line = drawn["data"]
    assert line["y"] == pytest.approx((100 * rolling_volatility(RETURNS)).tolist(), abs=1e-4)
    assert line["x"] == list(range(20, 46))
    assert target["y"] == [15.0] * 26
    assert level["data"][0]["y"] == pytest.approx(rolling_beta(RETURNS, MARKET).tolist(), abs=1e-4)


def test_a_benchmark_that_does_not_move_has_no_beta(make_source: MakeSource) -> None:
    assert beta(long_run(make_source(), np.full(RETURNS.size, 100.0))) is None


def test_months_are_from_close_to_close(make_source: MakeSource) -> None:
    source = long_run(make_source(), np.full(RETURNS.size, 100.0))
    found = monthly_returns(source.curve, 50_000.0)
    assert found == {
        (2025, 1): pytest.approx(np.prod(1 + RETURNS[:31]) - 1),
        (2025, 2): pytest.approx(np.prod(1 + RETURNS[31:]) - 1),
    }
    drawn = months(source)
    assert drawn is not None
    (cells,) = drawn["data"]
    assert cells["y"] == ["2025"]
    assert cells["z"][0][:2] == [pytest.approx(100 * value, abs=1e-4) for value in found.values()]
    assert cells["z"][0][2:] == [None] * 10


def test_the_largest_sectors_have_bands_and_the_rest_one_together(make_source: MakeSource) -> None:
    """Twelve sectors, the n-th with n thousand dollars: the nine largest alone, three others of 1 + 2 + 3."""
    usd = np.array([[1_000.0 * number for number in range(1, 13)]] * 2)
    names = tuple(f"s{number}" for number in range(1, 13))
    source = replace(make_source(), sectors=SectorExposure(sectors=names, rows=np.array([0, 779]), usd=usd))
    found, bands = sector_bands(source)
    assert found == [*(f"s{number}" for number in range(12, 3, -1)), "3 others"]
    assert len(found) == BANDS_MAX + 1
    assert bands[:, -1].tolist() == [6_000.0, 6_000.0]
    drawn = sector_exposure(source)
    assert drawn is not None
    total = sum(line["y"][-1] for line in drawn["data"])
    assert total == pytest.approx(100 * 78_000 / source.curve.equity_usd[-1], abs=0.01)
