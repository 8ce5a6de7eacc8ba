"""Orders of other hands, adopted: they stand in the way, cover, take their slot, fill into our book, and give way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.decision import Decision, Reason
from ordinis.domain.events import CommandKind
from ordinis.domain.orders import CancelIntent, OrderIntent, OrderStatus, OrderType, Purpose, Side
from ordinis.domain.standing import StandingOrder
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.execution.desk import ExecutionSettings
from simulation.other_hands import Said, at_work, look, stray
from simulation.remembering import differences
from simulation.worlds import Hand, tier_of

BUY, SELL = Side.BUY, Side.SELL
LIMIT = OrderType.LIMIT


def adopting(*orders: StandingOrder, held: int = 0, **more: Any) -> tuple[Hand, Said]:
    """Orders of other hands, and so many shares of AAA bought by nobody here: both adopted."""
    hand, broker, reconciler = at_work("adopt", "adopt", **more)
    broker.positions["AAA"] = held
    broker.orders = {one.client_order_id: one for one in orders}
    for _ in range(2 if held else 1):
        look(hand, broker, reconciler)
    return hand, broker


def sent(decision: Decision) -> list[str]:
    """What was done, in words."""
    return [
        f"{one.purpose.value} {one.side.value} {one.quantity:f}"
        if isinstance(one, OrderIntent)
        else f"cancel {one.client_order_id}"
        for one in decision.actions
    ]


def minute(hand: Hand, **wishes: Any) -> list[str]:
    return sent(hand.minute(AAA=100.0, BBB=100.0, **wishes))


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.TRAILING_STOP])
def test_a_stop_of_other_hands_that_covers_the_position_is_its_protection(kind: OrderType) -> None:
    hand, _ = adopting(stray("x-1-AAA-stop", "AAA", kind=kind), held=100)
    assert minute(hand) == []
    assert (minute(hand), hand.engine.state.desk.unprotected) == ([], set())


@pytest.mark.parametrize(
    "order",
    [
        stray("x-1-AAA-stop", "AAA", quantity=60),
        stray("x-1-AAA-target", "AAA", kind=LIMIT, price=120),
        stray("x-1-AAA-stop", "AAA", kind=OrderType.STOP_LIMIT),
        stray("x-1-AAA-buy", "AAA", BUY, kind=LIMIT, price=80),
    ],
    ids=["too small", "a target", "a stop that can be passed by", "a purchase"],
)
def test_what_does_not_cover_the_position_gives_way_to_a_stop_that_does(order: StandingOrder) -> None:
    hand, _ = adopting(order, held=100)
    assert minute(hand) == [f"cancel {order.client_order_id}"]
    assert minute(hand) == [], "once"
    assert sent(hand.says(order.client_order_id, OrderStatus.CANCELED)) == ["protect sell 100"]


def test_two_stops_may_cover_it_together_and_a_pair_beside_a_target() -> None:
    part = [stray(f"x-{number}-AAA-stop", "AAA", quantity=50) for number in (1, 2)]
    hand, _ = adopting(*part, stray("x-3-AAA-target", "AAA", kind=LIMIT, price=120), held=100)
    assert minute(hand) == []


def test_a_stop_that_its_owner_takes_back_is_followed_by_ours() -> None:
    hand, _ = adopting(stray("x-1-AAA-stop", "AAA"), held=100)
    assert sent(hand.says("x-1-AAA-stop", OrderStatus.CANCELED)) == ["protect sell 100"]


def test_a_stop_that_its_owner_replaces_is_waited_for() -> None:
    """The new one holds the shares, and is known with the next look."""
    hand, broker, reconciler = at_work("adopt", "adopt")
    broker.positions["AAA"], broker.orders = 100, {"x-1-AAA-stop": stray("x-1-AAA-stop", "AAA")}
    for _ in range(2):
        look(hand, broker, reconciler)
    assert sent(hand.says("x-1-AAA-stop", OrderStatus.REPLACED)) == []
    broker.orders = {"x-2-AAA-stop": stray("x-2-AAA-stop", "AAA", price=95)}
    look(hand, broker, reconciler)
    assert minute(hand) == []
    assert hand.engine.state.desk.unprotected == set()


def test_an_exit_takes_back_what_holds_the_shares_first() -> None:
    hand = owned()
    assert minute(hand, leave="AAA") == ["cancel x-1-AAA-stop", "cancel x-2-AAA-target"]
    assert sent(hand.says("x-1-AAA-stop", OrderStatus.CANCELED)) == []
    assert sent(hand.says("x-2-AAA-target", OrderStatus.CANCELED)) == ["exit sell 100"]


def owned() -> Hand:
    """A position of a strategy of ours, whose stop a person has taken back and put two orders in its place."""
    hand, broker, reconciler = at_work("leave", "adopt")
    entry = hand.enters("AAA")
    broker.positions["AAA"] = 100
    stop = f"{entry.client_order_id}.stop"
    (ours,) = hand.says(stop, OrderStatus.CANCELED).actions
    assert isinstance(ours, OrderIntent)
    hand.says(ours.client_order_id, OrderStatus.REJECTED, code=40310000)
    both = (stray("x-1-AAA-stop", "AAA"), stray("x-2-AAA-target", "AAA", kind=LIMIT, price=120))
    broker.orders = {one.client_order_id: one for one in both}
    look(hand, broker, reconciler)
    hand.minute(AAA=100.0, BBB=100.0)
    return hand


@pytest.mark.parametrize("side", [BUY, SELL])
def test_no_entry_goes_out_beside_an_opening_order_of_other_hands(side: Side) -> None:
    hand, _ = adopting(stray("x-1-AAA-entry", "AAA", side, kind=LIMIT, price=95))
    minute(hand, enter="AAA")
    assert hand.reason("AAA") is Reason.DUPLICATE_ORDER
    hand.says("x-1-AAA-entry", OrderStatus.CANCELED)
    assert minute(hand, enter="AAA") == ["entry buy 100"]


def test_an_opening_order_takes_a_slot_buying_power_and_a_day_trade_until_it_ends() -> None:
    hand, _ = adopting(
        stray("x-1-AAA-entry", "AAA", BUY, kind=LIMIT, price=95),
        tiers=[tier_of(max_positions=1, stop_loss_pct=0.05)],
        throttle=Throttle(enabled=True, equity_floor_usd=1e9),
    )
    state = hand.engine.state
    assert (state.desk.opening, state.book.open_buys_usd, state.gate.slots.reserved) == (1, 9_500.0, 1)
    minute(hand, enter="BBB")
    assert hand.reason("BBB") is Reason.POSITIONS_FULL
    hand.says("x-1-AAA-entry", OrderStatus.EXPIRED)
    assert (state.desk.opening, state.book.open_buys_usd, state.gate.slots.reserved) == (0, 0.0, 0)
    assert minute(hand, enter="BBB") == ["entry buy 100"]


def test_what_adds_to_a_position_takes_no_slot_of_its_own() -> None:
    hand, _ = adopting(stray("x-1-AAA-buy", "AAA", BUY, kind=LIMIT, price=95), held=100)
    assert hand.engine.state.desk.opening == 0
    hand.minute(AAA=100.0, BBB=100.0)
    assert hand.engine.state.book.positions == 1


def test_what_fills_is_held_by_nobody_under_the_tier_s_stop() -> None:
    """In part it is protected as our own entries are: the rest is taken back."""
    hand, _ = adopting(stray("x-1-AAA-entry", "AAA", BUY, kind=LIMIT, price=95))
    filling = hand.fills("x-1-AAA-entry", 40, 95, so_far=40, status=OrderStatus.PARTIALLY_FILLED)
    assert sent(filling) == ["cancel x-1-AAA-entry"]
    stop = hand.says("x-1-AAA-entry", OrderStatus.CANCELED, filled=40).actions[0]
    assert isinstance(stop, OrderIntent)
    assert (stop.purpose, stop.quantity, stop.stop_price_usd) == (Purpose.PROTECT, Decimal(40), Decimal("90.25"))
    assert hand.engine.state.ledger.cash_usd == 100_000 - 40 * 95
    assert hand.engine.state.entries_filled == 0, "no entry of ours"


def test_a_bracket_of_other_hands_protects_what_it_buys() -> None:
    group = (
        stray("x-1-AAA-entry", "AAA", BUY, kind=LIMIT, price=95),
        stray("x-2-AAA-target", "AAA", kind=LIMIT, price=120, waits=True),
        stray("x-3-AAA-stop", "AAA", waits=True),
    )
    hand, _ = adopting(*group)
    assert hand.engine.state.desk.opening == 1, "legs open nothing"
    assert minute(hand) == []
    assert sent(hand.fills("x-1-AAA-entry", 100, 95)) == []
    assert (minute(hand), hand.engine.state.desk.unprotected) == ([], set())


def test_what_would_open_a_position_the_other_way_is_taken_back() -> None:
    """The shares are gone, and the stop for them is still there."""
    hand, _ = adopting(stray("x-1-AAA-stop", "AAA"), held=100)
    assert sent(hand.fills("other-1-AAA-sale", -100, 99)) == []
    assert minute(hand) == ["cancel x-1-AAA-stop"]


def test_entries_that_are_to_be_taken_back_are_theirs_too_but_their_time_is_not_ours() -> None:
    hand, _ = adopting(
        stray("x-1-AAA-entry", "AAA", BUY, kind=LIMIT, price=95),
        execution=ExecutionSettings(entry_collar_fraction=0.003, entry_life_minutes=2),
    )
    for _ in range(4):
        assert minute(hand) == []
    (cancel,) = hand.orders(CommandKind.REDUCE).actions
    assert isinstance(cancel, CancelIntent)
    assert cancel.client_order_id == "x-1-AAA-entry"


def test_an_engine_that_recalls_them_knows_what_the_first_knows() -> None:
    hand, _ = adopting(
        stray("x-1-AAA-stop", "AAA", quantity=60),
        stray("x-2-BBB-entry", "BBB", BUY, kind=LIMIT, price=95),
        held=100,
    )
    minute(hand)
    hand.says("x-1-AAA-stop", OrderStatus.CANCELED)
    hand.fills("x-2-BBB-entry", 30, 95, so_far=30, status=OrderStatus.PARTIALLY_FILLED)
    minute(hand)
    twin = recalled(hand)
    assert differences(hand.engine, twin.engine) == []
    assert twin.engine.state.desk.of("BBB").foreign[0].cancelling


def test_an_engine_that_recalls_a_stop_that_covers_does_not_look_for_another() -> None:
    hand, _ = adopting(stray("x-1-AAA-stop", "AAA"), held=100)
    minute(hand)
    minute(hand)
    twin = recalled(hand)
    assert differences(hand.engine, twin.engine) == []
    assert twin.engine.state.desk.unprotected == set()


def recalled(hand: Hand) -> Hand:
    twin = Hand(tiers=[tier_of(stop_loss_pct=0.05)])
    for event, decision in hand.tale.steps:
        twin.engine.recall(event, decision)
    return twin


def test_with_everything_left_alone_nothing_of_it_is_ours() -> None:
    hand, broker, reconciler = at_work("leave", "leave")
    broker.orders = {"x-1-AAA-entry": stray("x-1-AAA-entry", "AAA", BUY, kind=LIMIT, price=95)}
    assert look(hand, broker, reconciler) == []
    assert hand.engine.state.desk.working == {}
    assert minute(hand, enter="AAA")[0].startswith("entry buy")
