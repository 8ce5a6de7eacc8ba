"""Betas, clusters and the market's volatility, against figures that can be checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.domain.market import FloatArray
from ordinis.engines.comovement import (
    ALONE,
    annual_volatility,
    betas,
    clusters,
    equal_weight,
    fitted,
    known_pairs,
    measure,
)
from ordinis.engines.estimates import pairwise_correlation

NAN = float("nan")


def market_and(*loads: float, noise: float = 0.0, sessions: int = 40) -> FloatArray:
    """A market in the first column, and a symbol for each load on it."""
    random = np.random.default_rng(5)
    market = random.normal(0, 0.01, sessions)
    return np.column_stack([market, *(load * market + random.normal(0, noise, sessions) for load in loads)])


@pytest.mark.parametrize("load", [-1.0, 0.0, 0.5, 1.0, 2.0])
def test_a_beta_is_drawn_a_third_of_the_way_to_one(load: float) -> None:
    returns = market_and(load)
    assert betas(returns, returns[:, 0], 10) == pytest.approx([1.0, 1 / 3 + 2 / 3 * load])


def test_a_beta_is_the_regression_s_slope_over_common_sessions() -> None:
    returns = market_and(1.3, noise=0.005)
    returns[5:12, 1] = NAN
    returns[20:25, 0] = NAN
    both = np.isfinite(returns).all(axis=1)
    slope = np.polyfit(returns[both, 0], returns[both, 1], 1)[0]
    assert betas(returns, returns[:, 0], 10)[1] == pytest.approx(1 / 3 + 2 / 3 * slope)


@pytest.mark.parametrize(("sessions", "known"), [(9, False), (10, True)])
def test_a_beta_of_too_few_sessions_is_not_known(sessions: int, known: bool) -> None:
    returns = market_and(1.0, sessions=sessions)
    assert np.isfinite(betas(returns, returns[:, 0], 10)).tolist() == [known, known]


def test_a_market_that_never_moved_has_no_betas_and_no_volatility() -> None:
    returns = market_and(1.0)
    still = np.zeros(40)
    assert np.isnan(betas(returns, still, 10)).all()
    assert np.isnan(annual_volatility(still, 10))


def test_the_universe_s_mean_is_over_what_is_known() -> None:
    returns = np.array([[0.01, 0.03], [NAN, 0.02], [NAN, NAN]])
    assert equal_weight(returns).tolist()[:2] == pytest.approx([0.02, 0.02])
    assert np.isnan(equal_weight(returns)[2])


def test_a_year_s_volatility_is_the_sample_s_times_the_root_of_its_sessions() -> None:
    returns = np.array([0.01, -0.01, NAN, 0.02, 0.0])
    assert annual_volatility(returns, 4) == pytest.approx(np.std([0.01, -0.01, 0.02, 0.0], ddof=1) * 252**0.5)
    assert np.isnan(annual_volatility(returns, 5))


def matrix(size: int, **pairs: float) -> FloatArray:
    """Ones on the diagonal; pairs named r01=0.9, and 0 elsewhere."""
    made = np.eye(size)
    for name, value in pairs.items():
        i, j = int(name[1]), int(name[2])
        made[i, j] = made[j, i] = value
    return made


def plain(found: object) -> list[list[int] | None]:
    assert isinstance(found, tuple)
    return [None if one is None else one.tolist() for one in found]


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        (matrix(3), [[], [], []]),
        (matrix(3, r01=0.7), [[0, 1], [0, 1], []]),
        (matrix(3, r01=0.6999), [[], [], []]),
        (matrix(3, r01=-0.9), [[], [], []]),
        (matrix(4, r01=0.8, r13=0.8), [[0, 1, 3], [0, 1, 3], [], [0, 1, 3]]),  # A chain is one cluster.
        (matrix(5, r43=0.8, r32=0.8, r21=0.8, r10=0.8), [[0, 1, 2, 3, 4]] * 5),
        (matrix(4, r01=0.8, r23=0.8), [[0, 1], [0, 1], [2, 3], [2, 3]]),
        (matrix(2, r01=NAN), [[0, 1], [0, 1]]),  # Unknown of each other: taken to move together.
        (matrix(2, r01=NAN, r11=NAN), [[], None]),  # Unknown altogether.
    ],
)
def test_a_cluster_is_what_hangs_together(correlation: FloatArray, expected: list[list[int] | None]) -> None:
    found = clusters(correlation, 0.7)
    assert plain(found) == expected
    assert all(one is ALONE for one in found if one is not None and not one.size)


def drawn_of(correlation: FloatArray) -> FloatArray:
    """Each drawn to the mean of all, over 21 sessions."""
    return fitted(known_pairs(correlation), 21).draw(correlation)


def test_shrinking_follows_its_formula() -> None:
    """Pairs 0.9, 0.1 and 0.2 over 21 sessions: mean 0.4, variance 0.12667, mean error 0.03219, so t = 0.09447."""
    correlation = matrix(3, r01=0.9, r02=0.1, r12=0.2)
    errors = {r: (1 - r**2) ** 2 / 20 for r in (0.9, 0.1, 0.2)}
    truth = np.var([0.9, 0.1, 0.2]) - np.mean(list(errors.values()))
    expected = {r: 0.4 + truth / (truth + error) * (r - 0.4) for r, error in errors.items()}
    drawn = drawn_of(correlation)
    assert [drawn[0, 1], drawn[0, 2], drawn[1, 2]] == pytest.approx([expected[0.9], expected[0.1], expected[0.2]])
    assert drawn[0, 1] > 0.88  # What lies near 1 is hardly chance.
    assert np.diagonal(drawn).tolist() == [1.0, 1.0, 1.0]


def test_what_is_all_chance_becomes_the_mean() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, (21, 12))
    found = pairwise_correlation(noise, common_min=10)
    drawn = drawn_of(found)
    pairs = np.triu_indices(12, k=1)
    assert np.ptp(drawn[pairs]) < 0.4 * np.ptp(found[pairs])
    assert drawn_of(matrix(2, r01=NAN))[0, 0] == 1.0


def test_the_market_is_one_symbol_or_the_mean_of_all() -> None:
    returns = market_and(2.0)
    given: dict[str, Any] = {"common_min": 10, "cluster_correlation_min": 0.7}
    assert measure(returns, 0, **given).betas == pytest.approx([1.0, 1 / 3 + 2 / 3 * 2.0])
    assert measure(returns, None, **given).betas == pytest.approx([1 / 3 + 2 / 3 / 1.5, 1 / 3 + 2 / 3 * 2 / 1.5])
    assert measure(returns, 0, **given).market_volatility == annual_volatility(returns[:, 0], 10)


@pytest.mark.parametrize(("sessions", "warm"), [(9, False), (10, True)])
def test_it_is_warm_with_enough_sessions_of_anything(sessions: int, warm: bool) -> None:
    returns = market_and(1.0, sessions=sessions)
    returns[:, 0] = NAN  # The market itself has none: its rules have no input, and that is not warm-up.
    found = measure(returns, 0, common_min=10, cluster_correlation_min=0.7)
    assert found.warm is warm
    assert np.isnan(found.market_volatility)
    assert found.held_beta.tolist() == [1.0, 1.0]  # What is held counts as the market.
    assert found.clusters[0] is None
