"""The room that the book's target volatility leaves, against the variance itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolio.book_risk import BookRisk


def covariance_of(volatility: list[float], correlation: float) -> FloatArray:
    s = np.array(volatility)
    r = np.full((s.size, s.size), correlation)
    np.fill_diagonal(r, 1.0)
    matrix: FloatArray = r * s * s[:, None]
    return matrix


@pytest.mark.parametrize(
    ("held", "correlation", "room"),
    [
        ([0.0, 0.0], 0.5, 0.10 / 0.25),  # An empty book: target over volatility.
        ([0.0, 0.25], 0.0, math.sqrt(0.10**2 - 0.05**2) / 0.25),
        ([0.0, 0.25], 1.0, (0.10 - 0.05) / 0.25),  # Volatilities add.
        ([0.0, 0.25], -1.0, (0.10 + 0.05) / 0.25),  # They cancel.
        ([0.0, 0.5], 0.0, 0.0),  # The book is at its target.
        ([0.0, 0.8], 0.3, 0.0),  # And past it.
        ([0.0, 0.6], -0.9, (0.108 + math.sqrt(0.108**2 - 0.0044)) / 0.25),  # Past it, and this brings it back.
    ],
)
def test_room_is_what_brings_the_book_to_its_target(held: list[float], correlation: float, room: float) -> None:
    covariance = covariance_of([0.25, 0.20], correlation)
    assert BookRisk(np.array(held), covariance, 0.10).room(0) == pytest.approx(room, abs=1e-9)


@given(
    st.lists(st.floats(0.0, 0.4), min_size=3, max_size=3),
    st.lists(st.floats(0.05, 0.9), min_size=3, max_size=3),
    st.floats(-0.4, 1.0),
    st.floats(0.02, 0.5),
)
def test_with_its_room_used_the_book_has_exactly_its_target(
    held: list[float], volatility: list[float], correlation: float, target: float
) -> None:
    covariance, weights = covariance_of(volatility, correlation), np.array(held)
    room = BookRisk(weights, covariance, target).room(1)
    assert room >= 0.0
    if room > 0.0:
        weights[1] += room
        assert weights @ covariance @ weights == pytest.approx(target**2, rel=1e-6)


def test_the_second_entry_of_a_minute_finds_less_room_than_the_first() -> None:
    risk = BookRisk(np.zeros(2), covariance_of([0.2, 0.2], 0.5), 0.10)
    assert risk.room(0) == risk.room(1) == pytest.approx(0.5)
    risk.add(0, 0.3)
    again = BookRisk(np.array([0.3, 0.0]), covariance_of([0.2, 0.2], 0.5), 0.10)
    assert risk.room(1) == pytest.approx(again.room(1)) != pytest.approx(0.5)
    assert risk.room(0) == pytest.approx(0.2)


@pytest.mark.parametrize(("unknown", "held"), [(0, [0.0, 0.0]), (1, [0.0, 0.2])])
def test_a_risk_that_is_not_known_leaves_no_figure(unknown: int, held: list[float]) -> None:
    covariance = covariance_of([0.2, 0.2], 0.5)
    covariance[unknown, :] = covariance[:, unknown] = np.nan
    assert math.isnan(BookRisk(np.array(held), covariance, 0.10).room(0))


def test_an_unknown_that_is_not_held_does_not_matter() -> None:
    covariance = covariance_of([0.2, 0.2], 0.5)
    covariance[1, :] = covariance[:, 1] = np.nan
    assert BookRisk(np.zeros(2), covariance, 0.10).room(0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("held", "correlation", "room"),
    [
        ([0.0, 0.0], 0.5, 0.10 / 0.25),
        ([0.0, 0.25], 1.0, (0.10 + 0.05) / 0.25),  # Against a long that moves alike it cancels,
        ([0.0, -0.25], 1.0, (0.10 - 0.05) / 0.25),  # with a short it adds up.
        ([0.0, 0.25], -1.0, (0.10 - 0.05) / 0.25),
    ],
)
def test_a_short_finds_the_room_of_its_own_side(held: list[float], correlation: float, room: float) -> None:
    covariance, weights = covariance_of([0.25, 0.20], correlation), np.array(held)
    assert BookRisk(weights, covariance, 0.10).room(0, -1) == pytest.approx(room, abs=1e-9)
    weights[0] -= room
    assert weights @ covariance @ weights == pytest.approx(0.10**2, rel=1e-9)


def test_a_short_that_goes_out_leaves_room_for_a_long() -> None:
    risk = BookRisk(np.zeros(2), covariance_of([0.2, 0.2], 1.0), 0.10)
    risk.add(0, -0.25)
    assert risk.room(1) == pytest.approx(0.75)
    assert risk.room(1, -1) == pytest.approx(0.25)
