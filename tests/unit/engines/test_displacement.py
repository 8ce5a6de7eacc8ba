"""Full slots: who makes room for whom, and when nobody does."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.orders import Action, OrderIntent, OrderStatus, Purpose
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.held import as_candidate, held_confidence
from ordinis.engines.state import Displacement, Draft
from simulation.worlds import Hand, tier_of

pytestmark = pytest.mark.interpreted  # Parts of a class are replaced.

RULES = Displacement(confidence_gain_min=0.20, cost_fraction=0.0008)


def full_book(rules: Displacement | None = RULES, **tier: Any) -> Hand:
    """Two slots, taken in an earlier session by AAA and BBB; confidence is set by hand."""
    figures = {"max_positions": 2, "stop_loss_pct": 0.02, **tier}
    hand = Hand(
        tiers=[tier_of(**figures)], execution=ExecutionSettings(protect=False), displacement=rules, cash_usd=100_000
    )
    hand.opens()
    hand.enters("AAA", 100.0, BBB=100.0, CCC=100.0)
    hand.enters("BBB", 100.0, AAA=100.0, CCC=100.0)
    return hand


def next_day(hand: Hand, **confidence: float) -> None:
    hand.closes()
    hand.opens()
    hold(hand, **confidence)


def hold(hand: Hand, **confidence: float) -> None:
    state = hand.engine.state
    for symbol, sure in confidence.items():
        state.entry_confidence[state.universe.column[symbol]] = sure


def wants_ccc(hand: Hand, confidence: float, monkeypatch: pytest.MonkeyPatch, enter: str = "CCC") -> list[Action]:
    """CCC asks with this confidence; those that are held do not ask again, unless they are named."""
    advance = hand.engine._outlook.advance

    def surely(*arguments: Any, **more: Any) -> Any:
        minutes = advance(*arguments, **more)
        minutes.signals.confidence[:] = np.where(minutes.signals.direction > 0, confidence, np.nan)
        return minutes

    monkeypatch.setattr(hand.engine._outlook, "advance", surely)
    return list(hand.minute(enter=enter).actions)


def test_the_weakest_makes_room_for_a_clearly_better_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book()
    next_day(hand, AAA=0.7, BBB=0.3)
    (sale,) = wants_ccc(hand, 0.9, monkeypatch)
    assert isinstance(sale, OrderIntent)
    assert (sale.symbol, sale.purpose) == ("BBB", Purpose.EXIT)
    assert hand.tale.notes[-1] == "BBB makes room for CCC: confidence 0.30 against 0.90"
    assert hand.reason("CCC") is Reason.POSITIONS_FULL  # Sells before buys.
    hand.fills(sale.client_order_id, -sale.quantity)
    (entry,) = hand.minute(enter="CCC").actions
    assert (entry.symbol, isinstance(entry, OrderIntent)) == ("CCC", True)


def test_it_is_not_the_order_of_arrival_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book()
    next_day(hand, AAA=0.3, BBB=0.7)
    (sale,) = wants_ccc(hand, 0.9, monkeypatch)
    assert sale.symbol == "AAA"


@pytest.mark.parametrize(
    ("confidence", "held", "other", "sold"),
    [
        (0.49, 0.30, 0.85, False),  # Better, but not clearly.
        (0.501, 0.30, 0.85, True),
        (0.90, nan, nan, False),  # What nobody knows is not compared.
        (0.90, nan, 0.85, False),
    ],
)
def test_the_gain_has_to_be_clear(
    confidence: float, held: float, other: float, sold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = full_book()
    next_day(hand, AAA=held, BBB=other)
    assert bool(wants_ccc(hand, confidence, monkeypatch)) is sold


@pytest.mark.parametrize(
    ("opened", "asked_again", "expected"),
    [
        (0.3, False, 0.3),
        (0.3, True, 0.6),
        (0.8, True, 0.8),
        (nan, True, 0.6),  # Recovered, or corrected: only today's is known.
        (nan, False, nan),
    ],
)
def test_a_holding_is_as_sure_as_when_it_was_opened_or_as_now_where_it_would_be_again(
    opened: float, asked_again: bool, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = full_book()
    next_day(hand, AAA=opened, BBB=0.7)
    wants_ccc(hand, 0.6, monkeypatch, enter="CCC AAA" if asked_again else "CCC")
    minutes, state = hand.engine._minutes, hand.engine.state
    assert minutes is not None
    draft = Draft(minutes, 0, 0, state.columns.last, [])
    assert held_confidence(state, draft, 0) == pytest.approx(expected, nan_ok=True)
    assert as_candidate(state, draft, 0, None).strength == (None if np.isnan(expected) else expected)


@pytest.mark.parametrize(("cost", "sold"), [(0.0119, True), (0.0121, False)])
def test_the_gain_times_the_risk_has_to_pay_for_both_trades(
    cost: float, sold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.9 against 0.3 at a stop of 2 % is worth 1.2 %."""
    hand = full_book(Displacement(confidence_gain_min=0.2, cost_fraction=cost))
    next_day(hand, AAA=0.3, BBB=0.8)
    assert bool(wants_ccc(hand, 0.9, monkeypatch)) is sold


def test_without_a_stop_nobody_knows_what_the_gain_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book(stop_loss_pct=None)
    next_day(hand, AAA=0.3, BBB=0.8)
    assert wants_ccc(hand, 0.9, monkeypatch) == []


def test_a_position_of_today_stays_for_its_sale_would_be_a_day_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book()
    hold(hand, AAA=0.1, BBB=0.1)
    assert wants_ccc(hand, 0.9, monkeypatch) == []


def test_the_minimum_hold_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book(hold_sessions=2)
    next_day(hand, AAA=0.1, BBB=0.1)
    assert wants_ccc(hand, 0.9, monkeypatch) == []
    next_day(hand, AAA=0.1, BBB=0.1)
    assert len(hand.minute(enter="CCC").actions) == 1


def test_one_makes_room_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book()
    next_day(hand, AAA=0.3, BBB=0.1)
    (sale,) = wants_ccc(hand, 0.9, monkeypatch)
    assert sale.symbol == "BBB"
    hand.says(sale.client_order_id, OrderStatus.ACCEPTED)
    assert hand.minute(enter="CCC").actions == ()


def test_with_a_free_slot_nobody_has_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book(max_positions=3)
    next_day(hand, AAA=0.1, BBB=0.1)
    (entry,) = wants_ccc(hand, 0.9, monkeypatch)
    assert entry.symbol == "CCC"


def test_without_the_rule_nobody_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book(None)
    next_day(hand, AAA=0.1, BBB=0.1)
    assert wants_ccc(hand, 0.9, monkeypatch) == []


def test_a_holding_that_its_strategy_would_buy_again_is_as_sure_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = full_book()
    next_day(hand, AAA=0.5, BBB=0.3)
    (sale,) = wants_ccc(hand, 0.9, monkeypatch, enter="CCC BBB")
    assert sale.symbol == "AAA"
