"""Covariances and means against closed forms and against scikit-learn's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.estimators import ESTIMATORS, estimator_of
from ordinis.engines.portfolioopt.forms import Dense, Form, Rows
from ordinis.engines.portfolioopt.means import black_litterman, signal_views
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

ROWS, SYMBOLS = 90, 7


def returns(rows: int = ROWS, symbols: int = SYMBOLS, seed: int = 4) -> FloatArray:
    random = np.random.default_rng(seed)
    market = random.normal(0.0004, 0.01, (rows, 1)) * random.uniform(0.5, 1.5, symbols)
    table: FloatArray = market + random.normal(0.0002, 0.008, (rows, symbols)) * random.uniform(0.5, 2.0, symbols)
    return table


def form_of(name: str, table: FloatArray, periods: float = 1.0) -> Rows:
    estimate = estimator_of(name, 30.0, 2 if name == "factor" else None)
    return estimate(table, table.mean(axis=0), periods, None)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_form_is_the_matrix_that_it_stands_for(name: str) -> None:
    form = form_of(name, returns())
    whole, w = form.block(None), np.linspace(-0.3, 0.7, SYMBOLS)
    some = np.array([1, 4, 5])
    assert form.diagonal == pytest.approx(whole.diagonal())
    assert form.product(w) == pytest.approx(whole @ w)
    assert form.square(w) == pytest.approx(float(w @ whole @ w))
    assert form.block(some) == pytest.approx(whole[np.ix_(some, some)])
    sparse = np.where(np.arange(SYMBOLS) == 2, 0.5, 0.0)
    assert form.product(sparse) == pytest.approx(whole @ sparse)


@pytest.mark.parametrize("name", [one for one in ESTIMATORS if one != "sample"])
def test_every_estimator_but_the_sample_gives_every_portfolio_some_risk(name: str) -> None:
    form = form_of(name, returns(rows=40, symbols=60) if name != "ewma" else returns())
    assert np.linalg.eigvalsh(form.block(None))[0] > 0.0


@pytest.mark.parametrize("name", ["sample", "ledoit_wolf", "oas", "factor", "denoised"])
def test_volatilities_stay_as_measured(name: str) -> None:
    table = returns()
    assert form_of(name, table, 252.0).block(None).diagonal() == pytest.approx(table.var(axis=0, ddof=1) * 252.0)


@pytest.mark.parametrize(("name", "theirs"), [("ledoit_wolf", "ledoit_wolf"), ("oas", "oas")])
@pytest.mark.parametrize("rows", [25, 90, 2_000])
def test_correlations_are_shrunk_as_scikit_learn_shrinks_them(name: str, theirs: str, rows: int) -> None:
    covariance: Any = pytest.importorskip("sklearn.covariance", reason="scikit-learn is a development tool")
    table = returns(rows)
    standard = (table - table.mean(axis=0)) / table.std(axis=0)
    expected, _ = getattr(covariance, theirs)(standard, assume_centered=True)
    ours = form_of(name, table).block(None)
    deviation = table.std(axis=0, ddof=1)
    assert ours / np.outer(deviation, deviation) == pytest.approx(expected, abs=1e-12)


def test_the_sample_is_the_sample() -> None:
    table = returns()
    assert form_of("sample", table).block(None) == pytest.approx(np.cov(table, rowvar=False))


def test_newer_rows_count_more() -> None:
    quiet, wild = returns(60) * 0.1, returns(60, seed=5) * 3.0
    later = form_of("ewma", np.vstack([quiet, wild])).block(None).diagonal()
    earlier = form_of("ewma", np.vstack([wild, quiet])).block(None).diagonal()
    assert (later > 2.0 * earlier).all()
    # A row 30 rows older counts half: two rows have shares of 2/3 and 1/3, whose unbiased variance is plain.
    two = np.zeros((31, 1))
    two[0] = 1.0
    share = 0.5 ** (np.arange(30, -1, -1) / 30.0)
    share /= share.sum()
    mean = share[0]
    expected = (share @ (two[:, 0] - mean) ** 2) / (1.0 - float(share @ share))
    assert form_of("ewma", two).block(None)[0, 0] == pytest.approx(expected)


def test_two_factors_explain_what_two_factors_made() -> None:
    random = np.random.default_rng(8)
    factors, loadings = random.normal(size=(5_000, 2)), random.normal(size=(2, 40))
    table = factors @ loadings + 0.3 * random.normal(size=(5_000, 40))
    true = loadings.T @ loadings + 0.09 * np.eye(40)
    scale = np.sqrt(np.outer(true.diagonal(), true.diagonal()))
    ours = form_of("factor", table).block(None)
    assert ours / np.sqrt(np.outer(ours.diagonal(), ours.diagonal())) == pytest.approx(true / scale, abs=0.05)


def test_noise_alone_is_denoised_to_no_correlation() -> None:
    table = np.random.default_rng(2).normal(size=(400, 30))
    noisy = np.asarray(np.corrcoef(table, rowvar=False))
    clean = form_of("denoised", table).block(None)
    clean /= np.sqrt(np.outer(clean.diagonal(), clean.diagonal()))
    apart = ~np.eye(30, dtype=bool)
    assert np.abs(clean[apart]).max() < 0.2 * np.abs(noisy[apart]).max()


# Black and Litterman.

COVARIANCE = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.16]])
FORM: Form = Dense(COVARIANCE)
NAMES = ("A", "B", "C")


def test_without_views_the_market_is_right() -> None:
    market = {"A": 2.0, "B": 1.0, "C": 1.0}
    expected = 3.0 * COVARIANCE @ np.array([0.5, 0.25, 0.25])
    assert black_litterman(NAMES, FORM, 3.0, {}, market) == pytest.approx(expected)
    assert black_litterman(NAMES, FORM, 3.0, {"A": (0.9, 0.0)}, market) == pytest.approx(expected)


def test_a_certain_view_is_believed_and_moves_what_moves_with_it() -> None:
    prior = black_litterman(NAMES, FORM, 3.0, {})
    believed = black_litterman(NAMES, FORM, 3.0, {"B": (0.5, 1.0)})
    assert believed[1] == pytest.approx(0.5)
    moved = (0.5 - prior[1]) * COVARIANCE[:, 1] / COVARIANCE[1, 1]
    assert believed == pytest.approx(prior + moved)


def test_half_a_confidence_goes_half_the_way() -> None:
    prior = black_litterman(NAMES, FORM, 3.0, {})
    half = black_litterman(NAMES, FORM, 3.0, {"B": (0.5, 0.5)})
    assert half[1] == pytest.approx((prior[1] + 0.5) / 2)


def test_a_confidence_too_small_to_be_counted_is_none() -> None:
    assert black_litterman(NAMES, FORM, 3.0, {"A": (0.3, 5e-324)}) == pytest.approx(
        black_litterman(NAMES, FORM, 3.0, {})
    )


def test_signals_become_views_of_their_confidence() -> None:
    direction, confidence = np.array([1.0, 0.0, -1.0]), np.array([0.8, 0.9, np.nan])
    views = signal_views(NAMES, direction, confidence, np.array([0.2, 0.3, 0.4]), 0.1)
    assert views.keys() == {"A"}
    assert views["A"] == pytest.approx((0.02, 0.8))
    above = signal_views(NAMES, direction, confidence, np.array([0.2, 0.3, 0.4]), 0.1, prior=np.array([0.05, 0.1, 0.1]))
    assert above["A"] == pytest.approx((0.07, 0.8))


def test_a_signal_raises_the_weight_of_its_symbol() -> None:
    table = returns()
    optimizer = PortfolioOptimizer(mean="black_litterman", risk_aversion=3.0)
    plain, told = (optimizer.optimize(table, {"max_weight": 0.5}, views=one) for one in (None, {"3": (0.4, 0.6)}))
    assert told.weights["3"] > plain.weights["3"] + 0.05


@pytest.mark.parametrize(
    ("views", "market"), [({"A": (0.1, 1.5)}, None), ({"A": (float("nan"), 0.5)}, None), ({}, {"Z": 1.0})]
)
def test_impossible_views_are_refused(views: Any, market: Any) -> None:
    with pytest.raises(ConfigError, match=r"views|market_weights"):
        black_litterman(NAMES, FORM, 3.0, views, market)
