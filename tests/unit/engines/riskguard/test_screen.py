"""Every rule that needs no size, alone, a hair inside its limit, and in order of precedence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.market import MarketBlock
from ordinis.domain.signal import SignalBlock
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.screen import ELIGIBLE, screen
from simulation.worlds import UNIVERSE, day

MINUTES = 30
LIMITS = Limits(price_age_minutes_max=15, feed_age_minutes_max=5, last_entry_minutes_before_close=5)
BLOCK = day(0, {symbol: [100.0] * MINUTES for symbol in UNIVERSE.symbols})


class Case:
    """One block in which everything is in order, to be spoilt."""

    def __init__(self) -> None:
        shape = (MINUTES, len(UNIVERSE))
        self.direction = np.ones(shape, np.int8)
        self.ready = np.ones(shape, np.bool_)
        self.confidence = np.full(shape, 0.9)
        self.price_age = np.zeros(shape, np.int64)
        self.feed_age = np.zeros(MINUTES, np.int64)
        self.min_confidence = 0.7
        self.price = np.full(shape, 100.0)
        self.reference = np.full(len(UNIVERSE), 100.0)
        self.spread = np.full(len(UNIVERSE), 4.0)

    def reasons(self, block: MarketBlock = BLOCK, limits: Limits = LIMITS) -> np.ndarray[Any, np.dtype[np.uint8]]:
        nothing = np.full(self.confidence.shape, np.nan)
        signals = SignalBlock(
            strategies=("one",),
            strategy=self.direction - np.int8(1),
            direction=self.direction,
            score=nothing,
            confidence=self.confidence,
            p_win=nothing,
            stop_distance=nothing,
            exits=np.zeros((1, *nothing.shape), np.bool_),
            covers=np.zeros((1, *nothing.shape), np.bool_),
            ready=self.ready,
            has_entry=np.ones(MINUTES, np.bool_),
            has_exit=np.zeros(MINUTES, np.bool_),
        )
        return screen(
            block,
            signals,
            price_age_minutes=self.price_age,
            feed_age_minutes=self.feed_age,
            last_price_usd=self.price,
            reference_usd=self.reference,
            spread_bps=self.spread,
            min_confidence=self.min_confidence,
            limits=limits,
        ).reasons


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("ready", True, Reason.NO_SIGNAL),
        ("confidence", 0.1, Reason.NO_SIGNAL),
        ("ready", False, Reason.WARMING_UP),
        ("price_age", 16, Reason.PRICE_STALE),
    ],
)
def test_what_nobody_wants_has_no_signal_or_says_why_nobody_could_want_it(
    field: str, value: float, reason: Reason
) -> None:
    case = Case()
    case.direction[3, 1] = 0
    getattr(case, field)[3, 1] = value
    assert case.reasons()[3].tolist() == [ELIGIBLE, reason, ELIGIBLE]


@pytest.mark.parametrize(
    ("field", "inside", "outside", "reason"),
    [
        ("ready", True, False, Reason.WARMING_UP),
        ("feed_age", 5, 6, Reason.FEED_STALE),
        ("price_age", 15, 16, Reason.PRICE_STALE),
        ("confidence", 0.7, 0.6999, Reason.LOW_CONFIDENCE),
        ("confidence", 1.0, float("nan"), Reason.LOW_CONFIDENCE),
    ],
)
def test_each_rule_fires_alone_and_not_a_hair_inside_its_limit(
    field: str, inside: Any, outside: Any, reason: Reason
) -> None:
    case = Case()
    getattr(case, field)[4] = inside
    getattr(case, field)[5] = outside
    reasons = case.reasons()
    assert reasons[4].tolist() == [ELIGIBLE] * 3
    assert reasons[5].tolist() == [reason] * 3
    assert (np.delete(reasons[:25], 5, axis=0) == ELIGIBLE).all()


def test_entries_end_some_minutes_before_the_close() -> None:
    """The session has 30 minutes: at minute 25 five are left, at minute 26 four."""
    reasons = Case().reasons()[:, 0].tolist()
    assert reasons[:25] == [ELIGIBLE] * 25
    assert reasons[25:] == [Reason.OUTSIDE_SESSION] * 5


@pytest.mark.parametrize(("minutes", "eligible"), [(0, 30), (1, 29), (30, 0)])
def test_how_many_is_a_setting(minutes: int, eligible: int) -> None:
    reasons = Case().reasons(limits=Limits(last_entry_minutes_before_close=minutes))
    assert int((reasons[:, 0] == ELIGIBLE).sum()) == eligible


def test_an_unknown_confidence_passes_where_none_is_asked_for() -> None:
    case = Case()
    case.confidence[:] = np.nan
    case.min_confidence = 0.0
    assert case.reasons()[0].tolist() == [ELIGIBLE] * 3


@pytest.mark.parametrize(
    ("broken", "reported"),
    [
        ("ready late feed_age price_age confidence", Reason.WARMING_UP),
        ("late feed_age price_age confidence", Reason.OUTSIDE_SESSION),
        ("feed_age price_age confidence", Reason.FEED_STALE),
        ("price_age confidence", Reason.PRICE_STALE),
        ("confidence", Reason.LOW_CONFIDENCE),
    ],
)
def test_of_several_the_first_in_order_of_precedence_is_reported(broken: str, reported: Reason) -> None:
    case = Case()
    spoilt = {"ready": False, "feed_age": 99, "price_age": 99, "confidence": 0.1}
    for field in broken.split():
        if field != "late":
            getattr(case, field)[:] = spoilt[field]
    row = MINUTES - 1 if "late" in broken else 0
    assert case.reasons()[row].tolist() == [reported] * 3


def test_each_symbol_is_judged_by_itself() -> None:
    case = Case()
    case.price_age[2] = [16, 0, 16]
    case.confidence[2] = [0.9, 0.1, 0.1]
    assert case.reasons()[2].tolist() == [Reason.PRICE_STALE, Reason.LOW_CONFIDENCE, Reason.PRICE_STALE]


@pytest.mark.parametrize(
    ("price", "reference", "share_max", "expected"),
    [
        (120.0, 100.0, 0.2, ELIGIBLE),
        (80.0, 100.0, 0.2, ELIGIBLE),
        (120.01, 100.0, 0.2, Reason.PRICE_COLLAR),
        (79.99, 100.0, 0.2, Reason.PRICE_COLLAR),
        (100.0, np.nan, 0.2, Reason.PRICE_COLLAR),  # Without a reference it is too far.
        (120.01, 100.0, float("inf"), ELIGIBLE),
        (100.0, np.nan, float("inf"), ELIGIBLE),
    ],
)
def test_a_price_that_leapt_is_not_bought(price: float, reference: float, share_max: float, expected: int) -> None:
    case = Case()
    case.price[7, 1], case.reference[1] = price, reference
    assert case.reasons(limits=replace(LIMITS, price_collar_fraction_max=share_max))[7, 1] == expected


@pytest.mark.parametrize(
    ("spread", "spread_max", "expected"),
    [
        (20.0, 20.0, ELIGIBLE),
        (20.1, 20.0, Reason.SPREAD),
        (np.nan, 20.0, Reason.SPREAD),  # An unknown spread is too wide.
        (20.1, float("inf"), ELIGIBLE),
    ],
)
def test_a_wide_spread_is_not_crossed(spread: float, spread_max: float, expected: int) -> None:
    case = Case()
    case.spread[2] = spread
    reasons = case.reasons(limits=replace(LIMITS, spread_bps_max=spread_max))
    assert (reasons[:20, 2] == expected).all()
    assert (reasons[:20, :2] == ELIGIBLE).all()


def test_live_quotes_may_stand_in_the_place_of_the_assumed_spread() -> None:
    case = Case()
    case.spread = np.full((MINUTES, len(UNIVERSE)), 4.0)
    case.spread[3, 1] = 50.0
    reasons = case.reasons(limits=replace(LIMITS, spread_bps_max=20.0))
    assert np.argwhere(reasons[:20] != ELIGIBLE).tolist() == [[3, 1]]


def test_a_short_sale_is_refused_by_a_rule_of_its_own() -> None:
    case = Case()
    case.direction[4, 0] = -1
    reasons = case.reasons()
    assert np.argwhere(reasons[:20] != ELIGIBLE).tolist() == [[4, 0]]
    assert reasons[4, 0] == Reason.SHORTING
