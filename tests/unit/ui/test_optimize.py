"""`ordinis optimize`: weights of a data set's symbols from its daily bars or its minutes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ordinis import app
from ordinis.config import load
from ordinis.config.settings import Settings
from ordinis.domain.errors import DataError
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer
from ordinis.ui.commands.optimize import rendered

if TYPE_CHECKING:
    from unit.ui.conftest import Ordinis


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("optimize")
    return load(None, [f"data.store_dir={folder / 'bars'}", f"run.state_dir={folder / 'state'}"])


def test_daily_bars_have_the_weights_of_their_returns(settings: Settings) -> None:
    found = app.optimize_data(settings, data=app.BUNDLED, limits={"max_weight": 0.3}, estimator="sample")
    daily = app.open_data(settings, app.BUNDLED).daily()
    closes = daily.close[[day <= date(2013, 2, 28) for day in daily.dates]]
    returns = closes[1:] / closes[:-1] - 1.0
    expected = PortfolioOptimizer(estimator="sample").optimize(
        returns, {"max_weight": 0.3}, symbols=daily.universe.symbols
    )
    assert found.result.weights == pytest.approx(expected.weights)
    assert (found.rows, found.periods_a_year) == (len(returns), 252.0)
    assert "FB" in found.result.excluded


@pytest.mark.parametrize(("minutes", "rows"), [(60, 7 * 5 + 4), (30, 13 * 5 + 4)])
def test_minutes_have_a_row_a_bar_and_a_row_a_night(minutes: int, rows: int, settings: Settings) -> None:
    days = [session.date for session in app.open_data(settings, app.BUNDLED).sessions]
    found = app.optimize_data(
        settings, data=app.BUNDLED, bar_minutes=minutes, first=days[-5], last=days[-1], method="min_variance"
    )
    assert found.rows == rows
    assert found.periods_a_year == 252 * (-(-390 // minutes) + 1)
    assert found.result.gap <= 1e-8
    assert sum(found.result.weights.values()) == pytest.approx(1.0)


def test_without_a_first_day_a_month_of_minutes_counts(settings: Settings) -> None:
    assert app.optimize_data(settings, data=app.BUNDLED, bar_minutes=390).rows == 20 + 19


def test_too_few_bars_are_named(settings: Settings) -> None:
    day = app.open_data(settings, app.BUNDLED).sessions[-1].date
    with pytest.raises(DataError, match="short history: 1 returns"):
        app.optimize_data(settings, data=app.BUNDLED, bar_minutes=390, first=day)


def test_it_prints_the_largest_first_and_who_was_left_out(settings: Settings) -> None:
    lines = rendered(app.optimize_data(settings, data=app.BUNDLED, limits={"max_weight": "0.2"})).splitlines()
    weights = [float(line.split()[1].rstrip("%")) for line in lines[1:] if "█" in line]
    assert weights == sorted(weights, reverse=True)
    assert max(weights) == 20.0
    assert lines[0].startswith("mean_variance by active_set, optimal: ")
    assert any(line.startswith("FB was left out: ") for line in lines)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--method", "mean_varianc"), "did you mean mean_variance?"),
        (("--limit", "max_weight"), "write KEY=VALUE"),
        (("--limit", "max_weigth=0.2"), "did you mean max_weight?"),
        (("--bar-minutes", "0"), "bar_minutes must be from 1 to 390"),
    ],
)
def test_mistakes_are_named(given: tuple[str, ...], said: str, settings: Settings, ordinis: Ordinis) -> None:
    store = f"data.store_dir={Path(settings.data.store_dir)}"
    code, _, err = ordinis("optimize", "--data", "bundled", "--set", store, *given)
    assert code != 0
    assert said in err
