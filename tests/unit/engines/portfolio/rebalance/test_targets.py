"""Targets against closed forms: who is cut, by how much, and which limit did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replaced

from ordinis.domain.decision import Reason
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolio.rebalance.book_limits import BookLimits
from ordinis.engines.portfolio.rebalance.plan import Seat
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.rebalance.targets import Targets, targets

SETTINGS = RebalanceSettings(turnover_max=0.0, information_coefficient=0.0)
ROOMY = BookLimits(gross=1.0, cash_buffer=0.10)
VOLATILITY = np.array([0.20, 0.30, 0.40])


def covariance(correlation: float = 0.0) -> FloatArray:
    matrix: FloatArray = np.full((3, 3), correlation) + (1.0 - correlation) * np.eye(3)
    matrix *= VOLATILITY * VOLATILITY[:, None]
    return matrix


def seat(at: int, now: float, most: float, **more: Any) -> Seat:
    side = -1 if now < 0.0 else 1
    given: dict[str, Any] = {"symbol": "ABC"[at], "held": Decimal(str(now)) * 1000, "price_usd": 100.0, "side": side}
    return Seat(column=at, now=now, most=most, **(given | more))


def seats(now: tuple[float, ...], most: tuple[float, ...]) -> list[Seat]:
    return [seat(at, weight, top) for at, (weight, top) in enumerate(zip(now, most, strict=True))]


def solved(book: list[Seat], limits: BookLimits = ROOMY, **more: Any) -> Targets:
    return targets(book, more.pop("covariance", covariance()), limits, replace(SETTINGS, **more))


def test_a_book_within_its_sizes_and_limits_stays_as_it_is() -> None:
    found = solved(seats((0.10, 0.15, 0.05), (0.20, 0.15, 0.10)))
    assert found.weights == pytest.approx([0.10, 0.15, 0.05], abs=1e-9)
    assert found.volatility_after == pytest.approx(found.volatility_before)


def test_a_holding_above_its_size_is_cut_to_it() -> None:
    assert solved(seats((0.25, 0.15, 0.05), (0.20, 0.15, 0.10))).weights == pytest.approx([0.20, 0.15, 0.05], abs=1e-9)


def test_a_name_without_a_signal_is_never_opened_and_a_candidate_is_bounded_by_its_size() -> None:
    book = seats((0.10, 0.15, 0.0), (0.10, 0.15, 0.12))
    assert solved(book).weights == pytest.approx([0.10, 0.15, 0.12], abs=1e-9)
    assert solved(seats((0.10, 0.15, 0.0), (0.10, 0.15, 0.0))).weights[2] == 0.0


LIMITED: list[tuple[str, BookLimits, float, float]] = [
    ("buffer", replace(ROOMY, gross=0.5), 0.45, 1.0),
    ("sector", replace(ROOMY, sectors={"A": "x", "B": "x", "C": "y"}, max_sector=0.30), 0.30, 0.5),
    ("cluster", replace(ROOMY, clusters={"A": "x", "B": "x", "C": "y"}, max_cluster=0.25), 0.25, 0.5),
]


@pytest.mark.parametrize(("name", "limits", "most", "members"), LIMITED, ids=[one[0] for one in LIMITED])
def test_a_limit_of_the_whole_book_that_is_past_is_mended_and_no_more(
    name: str, limits: BookLimits, most: float, members: float
) -> None:
    book = seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20))
    weights = solved(book, limits).weights
    inside = sum(weights) if members == 1.0 else weights[0] + weights[1]
    assert inside == pytest.approx(most, abs=1e-9)
    assert weights[2] <= 0.20
    assert solved(book).weights == pytest.approx([0.20] * 3, abs=1e-9)


def test_the_book_is_cut_to_its_target_volatility() -> None:
    """By symmetry of the problem in risk: S w is proportional to S u, so all weights shrink alike."""
    book = seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20))
    before = solved(book)
    found = solved(book, replace(ROOMY, max_volatility=before.volatility_before / 2))
    assert found.volatility_after == pytest.approx(before.volatility_before / 2, rel=1e-6)
    assert found.weights == pytest.approx([0.10] * 3, rel=1e-5)


def test_a_beta_past_its_band_is_brought_back() -> None:
    limits = replace(ROOMY, betas={"A": 2.0, "B": 1.0, "C": 0.0}, beta=(0.0, 0.45))
    weights = solved(seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20)), limits).weights
    assert 2.0 * weights[0] + weights[1] == pytest.approx(0.45, abs=1e-9)
    assert weights[2] == pytest.approx(0.20, abs=1e-9)


def test_what_may_not_be_traded_stays_and_the_others_make_room() -> None:
    book = seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20))
    book[0] = seat(0, 0.20, 0.10, frozen=Reason.HOLD)
    weights = solved(book, replace(ROOMY, gross=0.5)).weights
    assert weights[0] == pytest.approx(0.20)
    assert sum(weights) == pytest.approx(0.45, abs=1e-9)


def test_a_holding_of_unknown_volatility_is_neither_cut_nor_forgotten() -> None:
    unknown = covariance()
    unknown[1, :] = unknown[:, 1] = np.nan
    found = solved(seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20)), replace(ROOMY, gross=0.5), covariance=unknown)
    assert found.weights[1] == pytest.approx(0.20)
    assert sum(found.weights) == pytest.approx(0.45, abs=1e-9)


def test_limits_that_cannot_be_kept_give_way_by_name() -> None:
    book = [seat(at, 0.30, 0.30, frozen=Reason.HOLD) for at in range(3)]
    found = solved(book, replace(ROOMY, gross=0.5))
    assert found.weights == pytest.approx([0.30] * 3)
    assert found.note


TWICE = replace(ROOMY, gross=2.0)
STUCK: list[tuple[str, BookLimits]] = [
    ("gross gives way by 0.2500", replace(ROOMY, gross=0.5)),
    ("sector x gives way by 0.3000", replace(ROOMY, sectors={"A": "x", "B": "x", "C": "y"}, max_sector=0.10)),
    ("cluster x gives way by 0.3000", replace(ROOMY, clusters={"A": "x", "B": "x", "C": "y"}, max_cluster=0.10)),
    ("beta_max gives way by 0.3000", replace(ROOMY, betas={"A": 1.0, "B": 1.0, "C": 1.0}, beta=(-0.1, 0.10))),
    ("beta_min gives way by 0.3000", replace(ROOMY, betas={"A": -1.0, "B": -1.0, "C": -1.0}, beta=(-0.1, 0.10))),
]


@pytest.mark.parametrize(("note", "limits"), STUCK, ids=[note.partition(" gives")[0] for note, _ in STUCK])
@pytest.mark.parametrize("turnover_max", [0.0, 0.05])
def test_a_limit_gives_way_to_what_stays_by_itself(note: str, limits: BookLimits, turnover_max: float) -> None:
    """What stays is 0.40 of A, or 0.70 of it where the limit is of all; whatever else counts in the limit goes."""
    stays = 0.70 if note.startswith("gross") else 0.40
    book = [seat(0, stays, 0.10, frozen=Reason.HOLD), seat(1, 0.10, 0.10), seat(2, 0.10, 0.10)]
    found = solved(book, limits, turnover_max=turnover_max)
    assert found.weights[:2] == pytest.approx([stays, 0.0], abs=1e-8)
    assert found.note.startswith(note)
    assert found.note == note or (turnover_max and "max_turnover gives way" in found.note)


def test_a_floor_of_beta_is_not_given_up_because_what_stays_has_less() -> None:
    book = [seat(0, 0.10, 0.10, frozen=Reason.HOLD), seat(1, 0.30, 0.20), seat(2, 0.0, 0.0)]
    found = solved(book, replace(ROOMY, betas=dict.fromkeys("ABC", 1.0), beta=(0.25, 1.0)))
    assert found.weights[:2] == pytest.approx([0.10, 0.20], abs=1e-9)
    assert found.note == ""


def test_a_volatility_that_what_stays_has_by_itself_gives_way_and_all_else_goes() -> None:
    book = seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20))
    book[2] = seat(2, 0.20, 0.20, frozen=Reason.HOLD)
    found = solved(book, replace(ROOMY, max_volatility=0.05))  # C alone has 0.20 x 0.40 = 0.08.
    assert found.weights == pytest.approx([0.0, 0.0, 0.20], abs=1e-4)
    assert found.volatility_after == pytest.approx(0.08, abs=1e-6)
    assert found.note == "max_volatility gives way by 0.0300"


def test_a_whim_does_not_turn_the_book_over() -> None:
    found = solved(seats((0.30, 0.30, 0.30), (0.05, 0.05, 0.05)), turnover_max=0.25)
    assert sum(abs(0.30 - weight) for weight in found.weights) == pytest.approx(0.25, abs=1e-8)


def test_a_volatility_that_one_turnover_cannot_mend_is_mended_all_the_same_and_nothing_is_opened() -> None:
    """By the symmetry above the three keep 0.05 / 0.1616 of 30 % each."""
    book = [*seats((0.30, 0.30, 0.30), (0.30, 0.30, 0.30))]
    before = solved(book).volatility_before
    found = solved(book, replace(ROOMY, max_volatility=0.05), turnover_max=0.10)
    left = 0.30 * 0.05 / before
    assert found.weights == pytest.approx([left] * 3, rel=1e-5)
    assert found.note == f"max_turnover gives way by {3 * (0.30 - left) - 0.10:.4f}"
    hedge = [seat(0, 0.30, 0.30), seat(1, 0.0, 0.30, side=-1), seat(2, 0.0, 0.30)]
    moving_as_one = solved(hedge, replace(ROOMY, max_volatility=0.03), covariance=covariance(0.9), turnover_max=0.10)
    assert moving_as_one.weights == pytest.approx([0.15, 0.0, 0.0], abs=1e-6)


METHODS = ["mean_variance", "min_variance", "risk_parity", "max_diversification", "hrp"]


@pytest.mark.parametrize("method", METHODS[1:])
def test_other_methods_keep_every_bound(method: str) -> None:
    found = solved(seats((0.20, 0.20, 0.20), (0.15, 0.20, 0.25)), covariance=covariance(0.3), method=method)
    assert all(weight <= top + 1e-9 for weight, top in zip(found.weights, (0.15, 0.20, 0.20), strict=True))
    assert sum(found.weights) == pytest.approx(0.55)  # As much as the sizes allow.


BREACHES: list[tuple[BookLimits, float]] = [
    (replace(ROOMY, sectors={"A": "x", "B": "x", "C": "y"}, max_sector=0.30), 0.50),
    (replace(ROOMY, clusters={"A": "x", "B": "x", "C": "y"}, max_cluster=0.25), 0.45),
    (replace(ROOMY, betas={"A": 1.0, "B": 1.0, "C": 0.0}, beta=(0.0, 0.35)), 0.55),
    (replace(ROOMY, max_volatility=0.06), 0.3342),  # What mean_variance has: 60 % of 0.06 / 0.1077.
]


@pytest.mark.parametrize(("limits", "invested"), BREACHES, ids=["sector", "cluster", "beta", "volatility"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_mends_a_limit_that_is_past_and_invests_the_rest(
    method: str, limits: BookLimits, invested: float
) -> None:
    found = solved(seats((0.20, 0.20, 0.20), (0.20, 0.20, 0.20)), limits, method=method)
    assert found.note == ""
    assert sum(found.weights) == pytest.approx(invested, abs=1e-4)
    if limits.max_volatility is None:
        assert found.weights[0] + found.weights[1] == pytest.approx(invested - 0.20, abs=1e-6)
    else:
        assert found.volatility_after <= limits.max_volatility + 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_what_may_not_be_traded_and_is_above_its_size_takes_nothing_from_the_others(method: str) -> None:
    book = [seat(0, 0.30, 0.10, frozen=Reason.HOLD), seat(1, 0.20, 0.20), seat(2, 0.10, 0.10)]
    assert solved(book, method=method).weights == pytest.approx([0.30, 0.20, 0.10], abs=1e-6)
    all_of_it = solved([seat(at, 0.60, 0.60, frozen=Reason.HOLD) for at in range(3)], TWICE, method=method)
    assert (all_of_it.weights, all_of_it.note) == ([0.60, 0.60, 0.60], "")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_leaves_a_short_its_size(method: str) -> None:
    book = [seat(0, 0.20, 0.20), seat(1, -0.20, 0.10), seat(2, 0.0, 0.20, side=-1)]
    assert solved(book, method=method).weights == pytest.approx([0.20, -0.10, -0.20], abs=1e-6)


@pytest.mark.parametrize(
    "limits",
    [
        replace(ROOMY, sectors={"A": "x", "B": "x", "C": "y"}, max_sector=0.30),
        replace(ROOMY, clusters={"A": "x", "B": "x", "C": "y"}, max_cluster=0.30),
    ],
)
def test_longs_and_shorts_add_up_in_a_group(limits: BookLimits) -> None:
    book = [seat(0, 0.20, 0.20), seat(1, -0.20, 0.20), seat(2, 0.10, 0.10)]
    weights = solved(book, limits).weights
    assert weights[0] - weights[1] == pytest.approx(0.30, abs=1e-9)
    assert weights[2] == pytest.approx(0.10, abs=1e-9)


def test_a_short_shrinks_and_stays_a_short() -> None:
    weights = solved(seats((-0.25, 0.15, 0.0), (0.20, 0.15, 0.0))).weights
    assert weights[:2] == pytest.approx([-0.20, 0.15], abs=1e-9)


def test_a_candidate_that_would_be_a_short_is_weighed_as_one() -> None:
    """It takes off the beta what the longs put on: with it they may all stay."""
    book = [seat(0, 0.20, 0.20), seat(1, 0.20, 0.20), seat(2, 0.0, 0.20, side=-1)]
    limits = replace(ROOMY, betas=dict.fromkeys("ABC", 1.0), beta=(-0.2, 0.2))
    assert solved(book, limits).weights == pytest.approx([0.20, 0.20, -0.20], abs=1e-9)


SURE = (0.60, 0.95, 0.80)


def convinced(now: tuple[float, ...], most: tuple[float, ...], confidence: Sequence[float | None] = SURE) -> list[Seat]:
    return [replaced(one, confidence=sure) for one, sure in zip(seats(now, most), confidence, strict=True)]


def test_where_a_limit_binds_the_less_sure_give_way_first() -> None:
    """Of two alike that have to lose a tenth together, by the closed form of the two weights."""
    alike = np.diag([0.09, 0.09, 0.16])
    limits = replace(ROOMY, sectors={"A": "x", "B": "x", "C": "y"}, max_sector=0.30)
    book = convinced((0.20, 0.20, 0.20), (0.20, 0.20, 0.20))
    equal = solved(book, limits, covariance=alike).weights
    assert equal == pytest.approx([0.15, 0.15, 0.20], abs=1e-9)
    told = solved(book, limits, covariance=alike, information_coefficient=0.05).weights
    # Uncorrelated: the surer one's mean rises by confidence x skill x volatility x score, and half of that, over
    # aversion x variance, moves.
    score = 12**0.5 * (0.95 - 0.60)
    moved = 0.95 * 0.05 * 0.30 * score / (2 * SETTINGS.risk_aversion * 0.09)
    assert told == pytest.approx([0.15 - moved, 0.15 + moved, 0.20], abs=1e-9)


def test_signals_change_nothing_where_no_limit_binds() -> None:
    book = convinced((0.25, 0.15, 0.0), (0.20, 0.15, 0.12))
    found = solved(book, covariance=covariance(0.4), information_coefficient=0.05)
    assert found.weights == pytest.approx([0.20, 0.15, 0.12], abs=1e-9)


def test_a_short_is_believed_in_downwards() -> None:
    book = convinced((-0.2, -0.2, 0.0), (0.2, 0.2, 0.0))
    alike = np.diag([0.09, 0.09, 0.16])
    weights = solved(book, replace(ROOMY, gross=1 / 3), covariance=alike, information_coefficient=0.05).weights
    assert sum(weights) == pytest.approx(-0.30, abs=1e-9)
    assert weights[1] < weights[0] - 0.01


def test_an_empty_book_is_held() -> None:
    assert solved([], covariance=np.zeros((0, 0)), information_coefficient=0.05).weights == []


def test_who_has_no_confidence_has_no_view() -> None:
    limits = replace(ROOMY, gross=0.5)
    book = convinced((0.20, 0.20, 0.20), (0.20, 0.20, 0.20), (None, None, None))
    told = solved(book, limits, information_coefficient=0.05)
    assert told.weights == solved(book, limits).weights


def test_views_of_an_unknown_volatility_or_of_twins_do_no_harm() -> None:
    unknown = covariance()
    unknown[1, :] = unknown[:, 1] = np.nan
    book = convinced((0.20, 0.20, 0.20), (0.20, 0.20, 0.20), (1.0, 1.0, 1.0))
    limits = replace(ROOMY, gross=0.5)
    found = solved(book, limits, covariance=unknown, information_coefficient=0.05)
    assert found.weights[1] == pytest.approx(0.20)
    assert sum(found.weights) == pytest.approx(0.45, abs=1e-9)
    twins = solved(book, limits, covariance=np.full((3, 3), 0.09), information_coefficient=0.05)
    assert sum(twins.weights) == pytest.approx(0.45, abs=1e-9)


def test_what_may_be_added_to_grows_to_its_size_and_no_further() -> None:
    book = seats((0.10, 0.10, 0.10), (0.20, 0.15, 0.12))
    held = [replaced(one, grows_to=top) for one, top in zip(book, (0.18, None, 0.12), strict=True)]
    assert solved(held).weights == pytest.approx([0.18, 0.10, 0.12], abs=1e-9)


def test_growth_keeps_what_the_whole_book_has_to_keep() -> None:
    held = [replaced(one, grows_to=0.3) for one in seats((0.10, 0.10, 0.10), (0.30, 0.30, 0.30))]
    found = solved(held, BookLimits(gross=1.0, cash_buffer=0.4, sectors=dict.fromkeys("AB", "x"), max_sector=0.25))
    assert sum(found.weights) <= 0.6 + 1e-9
    assert found.weights[0] + found.weights[1] <= 0.25 + 1e-9
    assert solved(held, turnover_max=0.1).weights == pytest.approx([0.1, 0.1, 0.1], abs=0.1 + 1e-9)
    assert sum(solved(held, turnover_max=0.1).weights) == pytest.approx(0.4)


@settings(deadline=None)
@given(
    now=st.lists(st.floats(0.0, 0.4), min_size=3, max_size=3),
    most=st.lists(st.floats(0.01, 0.3), min_size=3, max_size=3),
    side=st.lists(st.sampled_from([1, 1, -1]), min_size=3, max_size=3),
    stays=st.sampled_from([None, 0, 1]),
    gross=st.floats(0.2, 1.5),
    target=st.floats(0.02, 0.3),
    sector=st.floats(0.1, 0.5),
    correlation=st.floats(0.0, 0.9),
    part=st.lists(st.none() | st.floats(0.0, 1.0), min_size=3, max_size=3),
    sure=st.lists(st.none() | st.floats(0.0, 1.0), min_size=3, max_size=3),
    skill=st.sampled_from([0.0, 0.05, 1.0]),
    turnover=st.sampled_from([0.0, 0.25]),
    method=st.sampled_from([one for one in METHODS if one != "risk_parity"]),  # Which is slow in tight corners.
)
def test_targets_keep_every_limit_that_what_stays_leaves_and_only_what_may_grow_grows(
    now: list[float],
    most: list[float],
    side: list[int],
    stays: int | None,
    gross: float,
    target: float,
    sector: float,
    correlation: float,
    part: list[float | None],
    sure: list[float | None],
    skill: float,
    turnover: float,
    method: str,
) -> None:
    sectors = {"A": "x", "B": "x", "C": "y"}
    limits = BookLimits(gross=gross, cash_buffer=0.10, max_volatility=target, sectors=sectors, max_sector=sector)
    tops = [None if one is None or not held else one * top for one, top, held in zip(part, most, now, strict=True)]
    book = [
        replaced(one, grows_to=top, now=by * one.now, held=by * one.held, side=by)
        for one, top, by in zip(convinced(tuple(now), tuple(most), sure), tops, side, strict=True)
    ]
    kept = 0.0
    if stays is not None and now[stays]:
        book[stays], kept = replaced(book[stays], frozen=Reason.HOLD), now[stays]
    told = {"information_coefficient": skill, "turnover_max": turnover, "method": method}
    found = solved(book, limits, covariance=covariance(correlation), **told)
    size = [weight * by for weight, by in zip(found.weights, side, strict=True)]
    for weight, seat, before, top, grows_to in zip(size, book, now, most, tops, strict=True):
        assert -1e-9 <= weight <= max(before, grows_to or 0.0) + 1e-9 or before == 0.0
        assert seat.frozen is None or weight == pytest.approx(before)
        assert seat.frozen is not None or turnover or weight <= top + 1e-9
    # Each limit, or what stays by itself.
    assert sum(size) <= max(0.9 * gross, kept) + 1e-8
    assert size[0] + size[1] <= max(sector, kept) + 1e-8
    assert size[2] <= sector + 1e-8
    assert found.volatility_after <= max(target, 0.0 if stays is None else kept * VOLATILITY[stays]) + 1e-8
    turned = sum(abs(after - before) for after, before in zip(size, now, strict=True))
    assert not turnover or turned <= turnover + 1e-8 or "max_turnover gives way" in found.note
