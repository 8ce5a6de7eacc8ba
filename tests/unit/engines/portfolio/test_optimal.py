"""RISK_PARITY and MEAN_VARIANCE as sizes: budgets of a slot, limits of the account, one solution a session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.portfolio.optimal import Beliefs, OptimalBook
from ordinis.engines.portfolio.sizing import SizingConfig, SizingMethod

VOLATILITY = np.array([0.2, 0.3, 0.4, np.nan, 0.25])
MEAN = np.array([0.10, 0.20, 0.15, 0.3, np.nan])
PARITY, VARIANCE = SizingMethod.RISK_PARITY, SizingMethod.MEAN_VARIANCE


def covariance(columns: IntArray) -> FloatArray:
    s = VOLATILITY[columns]
    r = np.full((s.size, s.size), 0.4)
    np.fill_diagonal(r, 1.0)
    matrix: FloatArray = r * s * s[:, None]
    return matrix


def mean(columns: IntArray) -> tuple[FloatArray, int]:
    return MEAN[columns], 250


BELIEFS = Beliefs(covariance=covariance, correlation=covariance, mean=mean)  # Nobody asks for correlations.


def config_of(method: SizingMethod, **more: Any) -> SizingConfig:
    given = {"max_position_pct": 0.5, "max_positions": 5, "target_volatility": 0.10, "max_portfolio_leverage": 1.0}
    return SizingConfig(method=method, **{**given, **more})


def weights(method: SizingMethod, columns: tuple[int, ...], **more: Any) -> dict[int, float]:
    return OptimalBook().weights(method, config_of(method, **more), columns, BELIEFS)


@pytest.mark.parametrize("columns", [(0,), (0, 1), (0, 1, 2)])
def test_each_name_adds_a_slot_s_part_of_the_target_s_variance(columns: tuple[int, ...]) -> None:
    book = weights(PARITY, columns)
    w = np.array([book[one] for one in columns])
    assert w * (covariance(np.array(columns)) @ w) == pytest.approx(np.full(len(columns), 0.10**2 / 5))


def test_more_names_than_slots_share_the_target() -> None:
    book = weights(PARITY, (0, 1, 2), max_positions=2)
    w = np.array([book[one] for one in (0, 1, 2)])
    assert w @ covariance(np.arange(3)) @ w == pytest.approx(0.10**2)


def test_parity_stays_within_what_may_be_invested() -> None:
    book = weights(PARITY, (0, 1, 2), target_volatility=2.0, cash_buffer_fraction=0.1, max_portfolio_leverage=1.5)
    assert sum(book.values()) == pytest.approx(1.35)


def test_mean_variance_keeps_the_account_s_limits() -> None:
    book = weights(VARIANCE, (0, 1, 2), max_position_pct=0.3, cash_buffer_fraction=0.3, risk_aversion=0.5)
    assert max(book.values()) == pytest.approx(0.3)
    assert sum(book.values()) == pytest.approx(0.7)


def test_more_aversion_invests_less() -> None:
    bold, shy = (sum(weights(VARIANCE, (0, 1, 2), risk_aversion=one).values()) for one in (3.0, 30.0))
    assert 0.0 < shy < bold


@pytest.mark.parametrize(
    ("method", "columns", "known"),
    [
        (PARITY, (0, 3), {0}),
        (VARIANCE, (0, 3), {0}),
        (VARIANCE, (0, 4), {0}),
        (PARITY, (0, 4), {0, 4}),
        (PARITY, (3,), set()),
    ],
)
def test_a_name_without_an_estimate_has_no_weight_at_all(
    method: SizingMethod, columns: tuple[int, ...], known: set[int]
) -> None:
    assert weights(method, columns).keys() == known


def test_a_mean_variance_book_of_unknowns_is_no_book() -> None:
    assert weights(VARIANCE, (3, 4)) == {}


def test_the_same_names_are_solved_once_until_the_estimates_change() -> None:
    optimal = OptimalBook()
    for _ in range(3):
        optimal.weights(PARITY, config_of(PARITY), (0, 1), BELIEFS)
    assert optimal.solved == 1
    optimal.weights(PARITY, config_of(PARITY), (0, 2), BELIEFS)
    assert optimal.solved == 2
    optimal.forget()
    optimal.weights(PARITY, config_of(PARITY), (0, 1), BELIEFS)
    assert optimal.solved == 3
