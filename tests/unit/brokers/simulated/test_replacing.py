from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import ReplaceIntent, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]


def change(**fields: Any) -> ReplaceIntent:
    return ReplaceIntent(client_order_id="new", replaces="old", symbol="AAA", decided_at_ns=0, **fields)


def test_the_new_order_stands_in_the_place_of_the_old(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    old = here.buy(10, limit_price_usd=90, client_order_id="old")
    here.events()
    new = here.exchange.replace(old.id, change(limit_price_usd=Decimal(95), quantity=Decimal(4)))
    assert here.statuses(here.events()) == [("old", "replaced"), ("new", "accepted")]
    assert (old.replaced_by, new.replaces, old.replaced_at_ns) == (new.id, old.id, here.exchange.now_ns)
    assert here.exchange.books.reserved_usd == 4 * 95
    [fill] = here.fills(here.minute(AAA=94))
    assert (fill.quantity, fill.price_usd) == (Decimal(4), Decimal(94))


def test_what_the_old_order_holds_is_there_for_the_new(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    old = here.sell(10, stop_price_usd=90)
    new = here.exchange.replace(old.id, change(stop_price_usd=Decimal(95)))
    assert here.exchange.books.held_for_exit(0) == 10
    with pytest.raises(OrderRefused, match="insufficient qty"):
        here.exchange.replace(
            new.id,
            ReplaceIntent(client_order_id="x", replaces="new", symbol="AAA", decided_at_ns=0, quantity=Decimal(11)),
        )
    assert (new.live, here.exchange.books.held_for_exit(0)) == (True, Decimal(10))
    assert here.fills(here.minute(AAA=94))[0].quantity == -10


def test_what_is_left_of_a_partly_filled_order_is_replaced(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    old = here.buy(100, limit_price_usd=100)
    here.minute(AAA=(100, 100, 100, 100, 600))
    new = here.exchange.replace(old.id, change(time_in_force=TimeInForce.GTC))
    assert (old.filled_quantity, new.quantity) == (Decimal(60), Decimal(40))


@pytest.mark.parametrize(
    ("order", "changes", "text"),
    [
        ({"limit_price_usd": 90}, {}, "order parameters are not changed"),
        ({"limit_price_usd": 90}, {"limit_price_usd": Decimal(90)}, "order parameters are not changed"),
        ({"limit_price_usd": 90}, {"limit_price_usd": Decimal("90.001")}, "sub-penny"),
        ({"limit_price_usd": 90}, {"stop_price_usd": Decimal(90)}, "limit orders require no stop price"),
        ({"limit_price_usd": 90}, {"trail": Decimal(1)}, "limit orders require no trail"),
        ({"trail_usd": 2}, {"stop_price_usd": Decimal(1)}, "trailing_stop orders require no stop price"),
        ({"limit_price_usd": 90, "stop_loss_usd": 80}, {"limit_price_usd": Decimal(91)}, "not supported for oto"),
        ({"limit_price_usd": 90}, {"quantity": Decimal(10_000)}, "insufficient buying power"),
    ],
)
def test_a_refused_replacement_leaves_the_old_order_as_it_was(
    desk: MakeDesk, order: dict[str, Any], changes: dict[str, Any], text: str
) -> None:
    here = desk()
    here.minute(AAA=100)
    old = here.buy(10, **order)
    reserved_usd = here.exchange.books.reserved_usd
    with pytest.raises(OrderRefused, match=text):
        here.exchange.replace(old.id, change(**changes))
    assert (old.status.value, here.exchange.books.reserved_usd) == ("accepted", reserved_usd)


def test_an_order_that_is_over_or_not_yet_at_the_venue_cannot_be_replaced(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    filled = here.buy(10)
    lasting = here.buy(10, limit_price_usd=90, time_in_force=TimeInForce.GTC)
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match='already in "filled" state'):
        here.exchange.replace(filled.id, change(quantity=Decimal(5)))
    here.close()
    with pytest.raises(OrderRefused, match='cannot replace order in "accepted" state'):
        here.exchange.replace(lasting.id, change(quantity=Decimal(5)))
