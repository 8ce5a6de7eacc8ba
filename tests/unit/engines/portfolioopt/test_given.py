"""What a person may hand over in which form, and what is refused by name: never a traceback, never in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ordinis.domain.errors import ConfigError, DataError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer
from simulation.returns import market_returns, names

NAMES = names(5)
TABLE = market_returns(5, 80, 1)
HELD = dict.fromkeys(NAMES, 0.2)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "given",
    [
        lambda cap: {"max_weight": pd.Series(cap, index=NAMES)},
        lambda cap: {"bounds": {name: np.array([0.0, cap]) for name in NAMES}},
        lambda cap: {
            "max_weight": np.float64(cap),
            "sectors": pd.Series("a", index=NAMES),
            "max_sector": np.array(1.0),
        },
        lambda cap: {"max_weight": cap, "net": (0.5, 1.0)},
    ],
)
def test_limits_may_be_series_and_arrays_again_and_again(given: Any) -> None:
    optimizer = PortfolioOptimizer("min_variance")
    for cap in (0.3, 0.3, 0.25, 0.3):
        plain = PortfolioOptimizer("min_variance").optimize(TABLE, {"max_weight": cap}, symbols=NAMES)
        again = optimizer.optimize(TABLE, given(cap) | {"min_gross": 1.0}, symbols=NAMES)
        assert again.weights == pytest.approx(plain.weights, abs=1e-9)


def test_what_is_held_may_be_a_series_under_the_columns_own_names() -> None:
    numbered = pd.DataFrame(TABLE)
    limits = {"max_turnover": 0.1}
    plain = PortfolioOptimizer().optimize(TABLE, limits, HELD, symbols=NAMES)
    given: list[Any] = [dict.fromkeys(range(5), 0.2), pd.Series(0.2, index=range(5))]
    for held in given:
        result = PortfolioOptimizer().optimize(numbered, limits, held)
        assert list(result.weights.values()) == pytest.approx(list(plain.weights.values()), abs=1e-12)
        assert result.turnover == pytest.approx(plain.turnover)


def test_views_and_the_market_go_by_the_columns_own_names() -> None:
    told = PortfolioOptimizer(mean="black_litterman").optimize(
        TABLE, {"max_weight": 0.5}, symbols=NAMES, views={"S3": (0.4, 0.6)}, market_weights={"S1": 1.0, "S3": 1.0}
    )
    views: Any = {3: (0.4, 0.6)}
    market: Any = pd.Series({1: 1.0, 3: 1.0})
    numbered = PortfolioOptimizer(mean="black_litterman").optimize(
        pd.DataFrame(TABLE), {"max_weight": 0.5}, views=views, market_weights=market
    )
    assert list(numbered.weights.values()) == pytest.approx(list(told.weights.values()), abs=1e-9)


class _Frame:
    """A table whose columns are a list, as some libraries have them."""

    def __init__(self, table: FloatArray, columns: list[str]) -> None:
        self.columns, self._table = columns, table

    def to_numpy(self) -> FloatArray:
        return self._table


def test_tables_whose_columns_are_a_list_are_read_each_time() -> None:
    optimizer = PortfolioOptimizer()
    for columns in (NAMES, list(NAMES), NAMES[::-1]):
        assert list(optimizer.optimize(_Frame(TABLE, columns)).weights) == columns
    assert list(optimizer.optimize(pd.DataFrame(TABLE, columns=NAMES)).weights) == NAMES
    assert list(optimizer.optimize(_Frame(TABLE, NAMES)).weights) == NAMES


@pytest.mark.parametrize("weight", [NAN, INF, None, "0.1"])
def test_what_is_held_has_to_be_a_finite_number(weight: Any) -> None:
    with pytest.raises(ConfigError, match=r"current_weights: .* S1 "):
        PortfolioOptimizer().optimize(TABLE, {"cost": 0.01}, {"S0": 0.1, "S1": weight}, symbols=NAMES)
    with pytest.raises(ConfigError, match=r"current_weights: .* S1 "):
        PortfolioOptimizer("min_variance").optimize_moments(NAMES, np.zeros(5), np.eye(5), None, {"S1": weight})


@pytest.mark.parametrize(
    "limits",
    [
        {"min_weight": NAN},
        {"min_weight": -INF},
        {"min_weight": {"S0": NAN}},
        {"bounds": {"S0": (-INF, INF)}},
        {"betas": dict.fromkeys(NAMES, NAN), "beta": (0.0, 1.0)},
        {"benchmark": {"S0": INF}, "max_tracking_error": 0.1},
    ],
)
def test_a_limit_that_is_no_figure_is_refused_by_name(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"constraints: {next(iter(limits))}"):
        PortfolioOptimizer().optimize(TABLE, limits, symbols=NAMES)


@pytest.mark.parametrize(
    "figures",
    [
        {"target_return": NAN},
        {"target_return": INF},
        {"target_volatility": NAN},
        {"target_volatility": 0.0},
        {"risk_free": NAN},
        {"half_life_rows": 0.0},
        {"half_life_rows": NAN},
        {"factors": 0},
        {"factors": -1},
    ],
)
def test_a_figure_that_makes_no_sense_is_refused_by_name(figures: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(figures))):
        PortfolioOptimizer(**figures)


@pytest.mark.parametrize("views", [{"S0": 0.1}, {"S0": (0.1, NAN)}, {"S0": (0.1,)}, {"S0": None}])
def test_a_view_that_is_none_is_refused(views: Any) -> None:
    with pytest.raises(ConfigError, match="views: each is"):
        PortfolioOptimizer(mean="black_litterman").optimize(TABLE, symbols=NAMES, views=views)


def test_a_table_without_symbols_is_refused() -> None:
    with pytest.raises(DataError, match="no symbols"):
        PortfolioOptimizer().optimize(np.zeros((80, 0)))
