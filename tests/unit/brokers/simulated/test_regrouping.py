"""A new price for an order of a group: who takes the place of whom, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import OrderType, ReplaceIntent, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
GTC = TimeInForce.GTC


def change(here: Desk, old: BrokerOrder, name: str = "new", **prices: Any) -> BrokerOrder:
    fields: dict[str, Any] = {field: Decimal(str(price)) for field, price in prices.items()}
    intent = ReplaceIntent(client_order_id=name, replaces=old.client_order_id, symbol="AAA", decided_at_ns=0, **fields)
    return here.exchange.replace(old.id, intent)


def bracket(here: Desk, **fields: Any) -> BrokerOrder:
    here.minute(AAA=100)
    return here.buy(10, client_order_id="entry", stop_loss_usd=90, take_profit_usd=110, **fields)


def test_a_waiting_entry_gets_a_new_limit_and_keeps_its_legs(desk: MakeDesk) -> None:
    here = desk()
    entry = bracket(here, limit_price_usd=95, time_in_force=GTC)
    here.events()
    new = change(here, entry, limit_price_usd=97)
    assert here.statuses(here.events()) == [("entry", "replaced"), ("new", "accepted")]
    assert here.exchange.books.reserved_usd == 10 * 97
    assert (new.order_class, new.replaces, entry.replaced_by) == ("bracket", entry.id, new.id)
    assert (new.time_in_force, new.expires_at_ns) == (GTC, entry.expires_at_ns)
    assert here.statuses(here.minute(AAA=96)) == [
        ("new", "filled"),
        ("entry.stop", "accepted"),
        ("entry.target", "accepted"),
    ]
    here.minute(AAA=(96, 111, 96, 110))
    assert here.exchange.positions == ()


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(
    ("leg", "price", "bar", "at"),
    [
        ("leg", {"stop_price_usd": 95}, (100, 100, 94, 96), 95),
        ("target", {"limit_price_usd": 105}, (100, 106, 100, 101), 105),
        ("leg", {"stop_price_usd": 95}, (100, 112, 94, 96), 95),  # The bar touches both: still the stop.
        ("target", {"limit_price_usd": 105}, (100, 112, 89, 96), 90),
    ],
)
def test_a_leg_gets_a_new_price_whether_it_works_or_waits(
    desk: MakeDesk, held: bool, leg: str, price: dict[str, Any], bar: tuple[float, ...], at: float
) -> None:
    here = desk(participation_max=0.0)
    entry = bracket(here)
    if not held:
        here.minute(AAA=100)
    old = getattr(entry, leg)
    here.events()
    new = change(here, old, **price)
    state = "held" if held else "accepted"
    assert here.statuses(here.events()) == [(old.client_order_id, "replaced"), ("new", state)]
    assert getattr(entry, leg) is new
    if held:
        here.minute(AAA=100)
    assert here.exchange.books.held_for_exit(0) == 10  # Still once for both.
    assert [float(fill.price_usd) for fill in here.fills(here.minute(AAA=bar))] == [at]
    assert here.exchange.positions == ()
    assert all(not order.live for order in here.exchange.orders)


@pytest.mark.parametrize(("which", "price"), [("target", {"limit_price_usd": 105}), ("stop", {"stop_price_usd": 95})])
def test_a_pair_gets_a_new_price_for_either(desk: MakeDesk, which: str, price: dict[str, Any]) -> None:
    here = desk(participation_max=0.0)
    here.hold(10)
    pair = here.sell(10, type=OrderType.LIMIT, client_order_id="pair", take_profit_usd=110, stop_loss_usd=90)
    new = change(here, pair if which == "target" else pair.legs[0], **price)
    assert here.exchange.books.held_for_exit(0) == 10
    assert new.sibling is not None
    assert (new.sibling.sibling, new.sibling.live) == (new, True)
    here.minute(AAA=(100, 112, 89, 96))
    assert here.exchange.account().cash_usd == 99_000 + 10 * (95 if which == "stop" else 90)
    assert all(not order.live for order in here.exchange.orders)


def test_taking_back_who_came_later_takes_back_the_group(desk: MakeDesk) -> None:
    here = desk()
    entry = bracket(here)
    here.minute(AAA=100)
    assert entry.target is not None
    new = change(here, entry.target, limit_price_usd=105)
    here.exchange.cancel(new.id)
    assert all(not order.live for order in here.exchange.orders)
    assert here.exchange.books.held_for_exit(0) == 0


def test_a_target_that_filled_in_part_goes_on_with_what_is_left(desk: MakeDesk) -> None:
    here = desk()
    entry = bracket(here)
    here.minute(AAA=100)
    here.minute(AAA=(110, 110, 110, 110, 40))
    stop, target = entry.legs
    assert (target.filled_quantity, stop.quantity) == (Decimal(4), Decimal(6))
    new = change(here, target, limit_price_usd=112)
    assert (new.quantity, here.exchange.books.held_for_exit(0)) == (Decimal(6), Decimal(6))
    here.minute(AAA=(112, 112, 112, 112))
    assert here.exchange.positions == ()
    assert not stop.live


@pytest.mark.parametrize(
    ("which", "fields", "text"),
    [
        ("target", {"limit_price_usd": 110}, "order parameters are not changed"),
        ("target", {"limit_price_usd": 90}, "stop_loss.stop_price must be <= base_price"),
        ("target", {"limit_price_usd": "110.001"}, "sub-penny"),
        ("target", {"stop_price_usd": 95}, "limit orders require no stop price"),
        ("leg", {"stop_price_usd": 110}, "stop_loss.stop_price must be <= base_price"),
        ("leg", {"limit_price_usd": 89}, "stop orders require no limit price"),
        ("leg", {"quantity": 5, "stop_price_usd": 91}, "bracket orders can be replaced in limit_price and stop_price"),
        ("leg", {"trail": 1}, "bracket orders can be replaced in limit_price and stop_price"),
    ],
)
def test_a_refused_price_leaves_the_group_as_it_was(
    desk: MakeDesk, which: str, fields: dict[str, Any], text: str
) -> None:
    here = desk()
    entry = bracket(here)
    here.minute(AAA=100)
    old = getattr(entry, which)
    before = (here.exchange.orders, here.exchange.books.held_for_exit(0), old.status)
    with pytest.raises(OrderRefused, match=text):
        change(here, old, **fields)
    assert (here.exchange.orders, here.exchange.books.held_for_exit(0), old.status) == before
    assert getattr(entry, which) is old


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ({"limit_price_usd": 90}, "stop_loss.stop_price must be <= base_price"),
        ({"limit_price_usd": 110}, "take_profit.limit_price must be >= base_price"),
        ({"limit_price_usd": 109, "client": "entry.stop"}, "must be unique"),
        ({"stop_price_usd": 99}, "limit orders require no stop price"),
    ],
)
def test_an_entry_s_new_price_is_checked_against_its_legs(desk: MakeDesk, price: dict[str, Any], text: str) -> None:
    here = desk()
    entry = bracket(here, limit_price_usd=95)
    name = price.pop("client", "new")
    with pytest.raises(OrderRefused, match=text):
        change(here, entry, name, **price)
    assert (entry.live, here.exchange.books.reserved_usd) == (True, Decimal(950))


def test_an_entry_that_filled_in_part_keeps_its_price(desk: MakeDesk) -> None:
    here = desk()
    entry = bracket(here, limit_price_usd=100)
    here.minute(AAA=(100, 100, 100, 100, 40))
    with pytest.raises(OrderRefused, match='cannot replace order in "partially_filled" state'):
        change(here, entry, limit_price_usd=101)
