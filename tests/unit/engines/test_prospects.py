"""Sizes that depend on the rest of the book, in the decision path."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from ordinis.domain.decision import Assessment, Reason, SizeResult
from ordinis.domain.market import DailyBlock, FloatArray
from ordinis.domain.orders import OrderIntent
from ordinis.engines import prospects
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.portfolio.book_risk import BookRisk
from ordinis.engines.portfolio.marginal_risk import BookPull
from ordinis.engines.portfolio.optimal import Beliefs
from ordinis.engines.portfolio.sizing import SizingMethod
from ordinis.engines.prospects import Prospects
from simulation.worlds import UNIVERSE, Hand, tier_of


def daily(unknown: str = "") -> DailyBlock:
    """Thirty closes that share a market and have volatilities of their own; of one symbol none are known."""
    random = np.random.default_rng(4)
    steps = random.normal(0.001, 0.012, (30, 1)) + random.normal(0.002, 0.01, (30, 3)) * np.array([0.5, 1.0, 2.0])
    close = 100 * np.exp(np.cumsum(steps, axis=0))
    for symbol in unknown.split():
        close[:, UNIVERSE.column[symbol]] = np.nan
    return DailyBlock(
        universe=UNIVERSE,
        dates=tuple(date(2024, 12, 16) + timedelta(one) for one in range(30)),
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.ones_like(close),
    )


def hand_of(method: SizingMethod, unknown: str = "", **tier: Any) -> Hand:
    """A book whose covariance is known but for what is named."""
    figures = {"method": method, "default_volatility": None, "max_position_pct": 1.0, **tier}
    hand = Hand(
        tiers=[tier_of(**figures)], execution=ExecutionSettings(protect=False), fractionable=True, cash_usd=1_000_000
    )
    hand.engine.warm_up([], daily(unknown))
    hand.opens()
    return hand


def sizes(hand: Hand, enter: str) -> dict[str, SizeResult]:
    told: tuple[Assessment, ...] = hand.minute(enter=enter).assessments
    return {one.symbol: one.size for one in told if one.size is not None}


def covariance(hand: Hand) -> FloatArray:
    minutes = hand.engine._minutes
    assert minutes is not None
    matrix: FloatArray = minutes.beliefs.covariance(np.arange(3))
    return matrix


def weights(found: dict[str, SizeResult]) -> FloatArray:
    return np.array([found[symbol].weight for symbol in UNIVERSE.symbols])


CAPPED: dict[str, Any] = {"fixed_percent": 0.25, "book_volatility_cap": True, "target_volatility": 0.15}


def test_the_whole_book_keeps_the_target_volatility() -> None:
    """Three entries of one minute: the first find room, the last finds what they have left."""
    hand = hand_of(SizingMethod.FIXED_PERCENT, **CAPPED)
    found = sizes(hand, "AAA BBB CCC")
    w = weights(found)
    assert w @ covariance(hand) @ w == pytest.approx(0.15**2, rel=0.02)  # But for whole shares.
    assert w @ covariance(hand) @ w <= 0.15**2 * (1 + 1e-9)
    last = found["CCC"]
    assert (last.bound_by, last.chain[-1].name, last.chain[-2].name) == (
        "book_volatility",
        "book_volatility",
        "FIXED_PERCENT",
    )


def test_what_is_held_and_what_is_still_bought_both_count() -> None:
    hand = hand_of(SizingMethod.FIXED_PERCENT, **CAPPED)
    alone = sizes(hand, "CCC")["CCC"].weight
    for filled in (True, False):
        hand = hand_of(SizingMethod.FIXED_PERCENT, **CAPPED)
        (order,) = hand.minute(enter="BBB").actions
        assert isinstance(order, OrderIntent)
        if filled:
            hand.fills(order.client_order_id, order.quantity)
        assert 0.0 < sizes(hand, "CCC")["CCC"].weight < alone


def test_a_book_at_its_target_takes_nothing_more() -> None:
    hand = hand_of(SizingMethod.FIXED_PERCENT, **{**CAPPED, "fixed_percent": 1.0, "sliver_fraction": 0.05})
    hand.minute(enter="CCC")
    hand.minute(enter="AAA")
    assert hand.reason("AAA") is Reason.BOOK_VOLATILITY


@pytest.mark.parametrize("enter", ["BBB", "AAA"])
def test_a_risk_that_nobody_knows_is_not_taken(enter: str) -> None:
    """Neither into a symbol without an estimate, nor into a book that holds one."""
    hand = hand_of(SizingMethod.FIXED_PERCENT, unknown="BBB", **CAPPED)
    hand.engine.state.ledger.quantity[UNIVERSE.column["BBB"]] = 100.0 if enter == "AAA" else 0.0
    hand.minute(enter=enter)
    assert hand.reason(enter) is Reason.VOLATILITY_UNKNOWN


def test_without_the_cap_the_book_is_not_looked_at() -> None:
    hand = hand_of(SizingMethod.FIXED_PERCENT, **{**CAPPED, "book_volatility_cap": False})
    assert weights(sizes(hand, "AAA BBB CCC")) == pytest.approx([0.25] * 3, abs=0.02)


def test_risk_parity_gives_each_of_a_minute_s_entries_the_same_risk() -> None:
    hand = hand_of(SizingMethod.RISK_PARITY, max_positions=3, target_volatility=0.05)
    found = sizes(hand, "AAA BBB CCC")
    w = np.array([found[symbol].chain[0].weight for symbol in UNIVERSE.symbols])
    assert {one.sizing_method for one in found.values()} == {"RISK_PARITY"}
    assert w * (covariance(hand) @ w) == pytest.approx(np.full(3, 0.05**2 / 3))
    assert hand.engine.state.optimal.solved == 1


def test_a_candidate_beyond_the_free_slots_is_looked_at_in_the_last_one_s_place() -> None:
    hand = hand_of(SizingMethod.RISK_PARITY, max_positions=1, target_volatility=0.05)
    found = sizes(hand, "AAA BBB")
    for symbol, size in found.items():
        own = covariance(hand)[UNIVERSE.column[symbol], UNIVERSE.column[symbol]]
        assert size.chain[0].weight == pytest.approx(0.05 / own**0.5)


def test_mean_variance_buys_by_its_optimum_or_says_that_there_is_no_place() -> None:
    hand = hand_of(SizingMethod.MEAN_VARIANCE, max_position_pct=0.4, risk_aversion=2.0)
    found = sizes(hand, "AAA BBB CCC")
    unasked = cast("Beliefs", ())  # This book is solved already.
    book = hand.engine.state.optimal.weights(
        SizingMethod.MEAN_VARIANCE, hand.engine.state.tier.sizing, (0, 1, 2), unasked
    )
    for column, symbol in enumerate(UNIVERSE.symbols):
        if book[column] > 0:
            assert found[symbol].chain[0].weight == pytest.approx(book[column])
        else:
            assert found[symbol].reason is Reason.NO_OPTIMAL_WEIGHT
    assert hand.engine.state.optimal.solved == 1


@pytest.mark.parametrize("method", [SizingMethod.RISK_PARITY, SizingMethod.MEAN_VARIANCE])
@pytest.mark.parametrize("fallback", [SizingMethod.FIXED_PERCENT, None])
def test_without_an_estimate_the_fallback_is_named(method: SizingMethod, fallback: SizingMethod | None) -> None:
    hand = hand_of(method, unknown="BBB", optimal_fallback=fallback, fixed_percent=0.1)
    size = sizes(hand, "BBB")["BBB"]
    if fallback is None:
        assert (size.shares, size.reason) == (Decimal(0), Reason.NO_OPTIMUM)
    else:
        assert (size.sizing_method, size.chain[0].name) == (
            "FIXED_PERCENT",
            f"{method.value}: NO_OPTIMUM, falling back",
        )


def test_a_book_is_solved_anew_when_the_estimates_change() -> None:
    hand = hand_of(SizingMethod.RISK_PARITY)
    for _ in range(2):
        hand.minute(enter="AAA")
        hand.closes()
        hand.opens()
        hand.engine.state.ledger.quantity[:] = 0.0
    assert hand.engine.state.optimal.solved >= 1
    assert hand.engine.state.optimal._books == {}


def test_a_book_that_fits_whatever_moves_together_needs_no_covariance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights times volatilities bound the book's volatility: far below the target nobody asks for more."""
    hand = hand_of(SizingMethod.FIXED_PERCENT, **CAPPED | {"target_volatility": 2.0})
    monkeypatch.setattr(BookRisk, "__init__", _never)
    found = sizes(hand, "AAA BBB CCC")
    assert [found[symbol].bound_by for symbol in UNIVERSE.symbols] == ["FIXED_PERCENT"] * 3


PAIRED: dict[str, Any] = {"fixed_percent": 0.25, "marginal_risk_ratio_max": 1.0, "default_correlation": 0.0}


def links(found: dict[str, SizeResult]) -> dict[str, list[str]]:
    return {symbol: [step.name for step in size.chain] for symbol, size in found.items()}


@pytest.mark.interpreted  # A function is replaced.
def test_entries_of_one_minute_are_scaled_by_how_they_move_with_those_before_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first has its full size; each next one shares the market with it, and no average forgives that."""
    monkeypatch.setattr(prospects, "_average_correlation", lambda state, draft: 0.0)
    hand = hand_of(SizingMethod.FIXED_PERCENT, **PAIRED)
    found = sizes(hand, "AAA BBB CCC")
    assert links(found) == {
        "AAA": ["FIXED_PERCENT"],
        "BBB": ["FIXED_PERCENT", "marginal_risk_scale"],
        "CCC": ["FIXED_PERCENT", "marginal_risk_scale"],
    }
    minutes = hand.engine._minutes
    assert minutes is not None
    r, s = minutes.beliefs.correlation(np.arange(3)), minutes.volatility
    toward = sum(r[2, one] * found[name].weight * s[one] for one, name in ((0, "AAA"), (1, "BBB")))
    expected = 0.25 * 0.25 * s[2] / (toward + 0.25 * s[2])
    assert found["CCC"].chain[-1].weight == pytest.approx(expected)


@pytest.mark.interpreted  # A function is replaced.
def test_what_is_held_counts_as_what_was_bought_a_moment_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospects, "_average_correlation", lambda state, draft: 0.0)
    one_minute = sizes(hand_of(SizingMethod.FIXED_PERCENT, **PAIRED), "AAA BBB")["BBB"]
    hand = hand_of(SizingMethod.FIXED_PERCENT, **PAIRED)
    (order,) = hand.minute(enter="AAA").actions
    assert isinstance(order, OrderIntent)
    hand.fills(order.client_order_id, order.quantity)
    assert sizes(hand, "BBB")["BBB"].chain[-1].weight == pytest.approx(one_minute.chain[-1].weight)


def test_correlations_are_those_of_the_clusters_less_what_is_chance() -> None:
    hand = hand_of(SizingMethod.FIXED_PERCENT, **PAIRED)
    sizes(hand, "AAA")
    minutes = hand.engine._minutes
    assert minutes is not None
    measured = covariance(hand) / np.outer(minutes.volatility, minutes.volatility)
    assert minutes.beliefs.correlation(np.arange(3)) == pytest.approx(minutes.moves.shrinkage.draw(measured))


@pytest.mark.parametrize("ratio_max", [0.0, 1_000.0])
def test_a_ratio_that_nothing_can_pass_is_not_reckoned(monkeypatch: pytest.MonkeyPatch, ratio_max: float) -> None:
    monkeypatch.setattr(BookPull, "__init__", _never)
    hand = hand_of(SizingMethod.FIXED_PERCENT, **{**PAIRED, "marginal_risk_ratio_max": ratio_max})
    assert set(links(sizes(hand, "AAA BBB CCC"))["CCC"]) == {"FIXED_PERCENT"}


def _never(*_: object) -> None:
    raise AssertionError("the covariance was asked for")


@pytest.mark.parametrize("target", [0.05, 0.15, 0.25, 0.30, 0.40])
def test_the_bound_decides_as_the_covariance_would(monkeypatch: pytest.MonkeyPatch, target: float) -> None:
    config = CAPPED | {"target_volatility": target, "max_position_pct": 0.3}
    quick = sizes(hand_of(SizingMethod.FIXED_PERCENT, **config), "AAA BBB CCC")
    monkeypatch.setattr(Prospects, "_fits_whatever_moves", lambda self, column: False)
    assert quick == sizes(hand_of(SizingMethod.FIXED_PERCENT, **config), "AAA BBB CCC")
