"""Brackets, pairs and lone targets: what lives when, and what ends with what."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import OrderStatus, OrderType, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
BRACKET: dict[str, Any] = {"stop_loss_usd": 95, "take_profit_usd": 110}


def test_both_legs_of_a_bracket_are_held_until_the_parent_is_filled_in_full(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    parent = here.buy(100, client_order_id="in", **BRACKET)
    assert here.statuses(here.events()) == [("in", "accepted"), ("in.stop", "held"), ("in.target", "held")]
    here.minute(AAA=(100, 120, 90, 100, 600))
    assert [leg.status for leg in parent.legs] == [OrderStatus.HELD, OrderStatus.HELD]
    here.minute(AAA=100)
    assert [leg.status for leg in parent.legs] == [OrderStatus.ACCEPTED, OrderStatus.ACCEPTED]
    assert {parent.order_class, *(leg.order_class for leg in parent.legs)} == {"bracket"}
    assert here.exchange.books.held_for_exit(0) == 100  # Once for both.


@pytest.mark.parametrize(
    ("bar", "filled", "price"),
    [
        ((100, 111, 99, 105), "in.target", "110"),
        ((100, 101, 94, 100), "in.stop", "95"),
        ((100, 111, 94, 105), "in.stop", "95"),  # It touched both: the worse one is assumed.
        ((112, 113, 94, 105), "in.target", "112"),  # The open came first.
        ((93, 111, 92, 105), "in.stop", "93"),  # A gap through the stop.
    ],
)
def test_one_leg_fills_and_the_other_is_cancelled(
    desk: MakeDesk, bar: tuple[float, ...], filled: str, price: str
) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(10, client_order_id="in", **BRACKET)
    here.minute(AAA=100)
    events = here.minute(AAA=bar)
    other = {"in.target": "in.stop", "in.stop": "in.target"}[filled]
    assert sorted(here.statuses(events)) == sorted([(filled, "filled"), (other, "canceled")])
    assert [(fill.price_usd, fill.quantity) for fill in here.fills(events)] == [(Decimal(price), Decimal(-10))]
    assert here.exchange.positions == ()
    assert here.exchange.books.held_for_exit(0) == 0


@pytest.mark.parametrize(
    ("entry", "bar", "statuses"),
    [
        ({}, (100, 111, 99, 105), ("canceled", "filled")),  # After an entry at the open the whole bar follows.
        ({"limit_price_usd": 98}, (100, 111, 97, 105), ("accepted", "accepted")),  # The high may have come before.
        ({"limit_price_usd": 98}, (100, 111, 97, 110), ("canceled", "filled")),  # The close comes after.
        ({"stop_price_usd": 101}, (100, 111, 94, 105), ("accepted", "accepted")),
    ],
)
def test_a_target_fills_in_its_entrys_bar_only_where_the_bar_must_have_met_it(
    desk: MakeDesk, entry: dict[str, Any], bar: tuple[float, ...], statuses: tuple[str, str]
) -> None:
    here = desk()
    here.minute(AAA=100)
    parent = here.buy(10, **BRACKET, **entry)
    here.minute(AAA=bar)
    assert tuple(leg.status.value for leg in parent.legs) == statuses


def test_a_target_that_its_entry_has_passed_gets_the_better_price(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(10, take_profit_usd=110)
    fills = here.fills(here.minute(AAA=(112, 113, 111, 112)))
    assert [fill.price_usd for fill in fills] == [Decimal(112), Decimal(112)]


def test_a_partial_target_resizes_the_stop(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    stop, target = here.buy(100, **BRACKET).legs
    here.minute(AAA=100)
    here.minute(AAA=(110, 110, 109, 109, 400))
    assert (target.filled_quantity, stop.quantity, stop.status) == (Decimal(40), Decimal(60), OrderStatus.ACCEPTED)
    [fill] = here.fills(here.minute(AAA=(96, 96, 90, 91)))
    assert (fill.quantity, target.status) == (Decimal(-60), OrderStatus.CANCELED)
    assert here.exchange.positions == ()


def test_a_stop_that_fills_in_part_ends_its_target_and_sells_on_at_any_price(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    stop, target = here.buy(100, **BRACKET).legs
    here.minute(AAA=100)
    here.minute(AAA=(96, 96, 94, 95, 300))
    assert (stop.filled_quantity, target.status) == (Decimal(30), OrderStatus.CANCELED)
    assert here.exchange.books.held_for_exit(0) == 70
    [fill] = here.fills(here.minute(AAA=(115, 116, 114, 115)))
    assert (fill.quantity, fill.price_usd) == (Decimal(-70), Decimal(115))


@pytest.mark.parametrize("cancelled", ["in", "in.stop", "in.target"])
def test_cancelling_one_of_a_waiting_bracket_cancels_all(desk: MakeDesk, cancelled: str) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(10, client_order_id="in", **BRACKET)
    here.exchange.cancel(here.exchange.order_by_client_id(cancelled).id)
    assert {order.status for order in here.exchange.orders} == {OrderStatus.CANCELED}
    assert here.exchange.books.reserved_usd == 0


@pytest.mark.parametrize("cancelled", ["in.stop", "in.target"])
def test_cancelling_one_living_leg_cancels_the_other(desk: MakeDesk, cancelled: str) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(10, client_order_id="in", **BRACKET)
    here.minute(AAA=100)
    here.exchange.cancel(here.exchange.order_by_client_id(cancelled).id)
    assert [order.status.value for order in here.exchange.orders] == ["filled", "canceled", "canceled"]
    assert here.exchange.books.held_for_exit(0) == 0


def test_a_pair_protects_and_takes_profit_of_what_is_held(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    target = here.sell(10, client_order_id="out", type=OrderType.LIMIT, **BRACKET)
    [stop] = target.legs
    assert here.statuses(here.events())[-3:] == [("out", "accepted"), ("out.stop", "held"), ("out.stop", "accepted")]
    assert (stop.stop_price_usd, target.limit_price_usd, target.order_class) == (Decimal(95), Decimal(110), "oco")
    with pytest.raises(OrderRefused, match="insufficient qty"):
        here.sell(1)
    here.minute(AAA=(100, 111, 94, 100))
    assert (stop.status, target.status) == (OrderStatus.FILLED, OrderStatus.CANCELED)


def test_a_pair_of_the_day_expires_together(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    target = here.sell(10, type=OrderType.LIMIT, **BRACKET)
    here.close()
    assert (target.status, target.legs[0].status) == (OrderStatus.EXPIRED, OrderStatus.EXPIRED)
    assert here.exchange.books.held_for_exit(0) == 0


def test_the_stop_leg_can_have_a_limit(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.SPREAD)
    here.minute(AAA=100)
    stop = here.buy(10, stop_loss_usd=95, stop_loss_limit_usd=94).legs[0]
    here.minute(AAA=100)
    assert here.fills(here.minute(AAA=(90, 91, 89, 90))) == []  # Through the limit: it waits for 94.
    [fill] = here.fills(here.minute(AAA=(90, 94.5, 90, 94)))
    assert (fill.price_usd, stop.status) == (Decimal(94), OrderStatus.FILLED)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"stop_loss_usd": 95, "take_profit_usd": 100}, "take_profit.limit_price must be >= base_price"),
        ({"stop_loss_usd": 100, "take_profit_usd": 110}, "stop_loss.stop_price must be <= base_price"),
        ({"take_profit_usd": "110.001"}, "invalid take_profit.limit_price"),
        ({**BRACKET, "time_in_force": TimeInForce.IOC}, "must be DAY or GTC"),
        ({**BRACKET, "trail_usd": 1}, "trailing stop orders must be simple"),
        ({**BRACKET, "type": OrderType.LIMIT}, "oco orders must be exit orders"),
        ({"take_profit_usd": 110, "type": OrderType.LIMIT}, "oco orders require stop_loss"),
    ],
)
def test_groups_that_make_no_sense_are_refused(desk: MakeDesk, fields: dict[str, Any], text: str) -> None:
    here = desk()
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match=text):
        here.buy(10, **fields)
    assert here.exchange.orders == ()


def test_a_bracket_may_meet_working_orders_of_the_other_side(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    here.sell(10, type=OrderType.LIMIT, **BRACKET)
    assert here.buy(5).live
    here.buy(5, **BRACKET)
