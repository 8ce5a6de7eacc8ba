"""Orders of an amount of money: what they reserve, what they fill, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import OrderType, ReplaceIntent, Side, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
BUY, SELL = Side.BUY, Side.SELL


def send(here: Desk, side: Side, notional: str, **fields: Any) -> BrokerOrder:
    return here.exchange.submit(here.intent(side, 0, **fields), Decimal(notional))


@pytest.mark.parametrize(
    ("price", "shares"),
    [(80, "12.5"), (125, "8"), (90, "11.111111111")],  # Rounded down: never more than was meant.
)
def test_money_becomes_shares_at_the_price_of_the_fill(desk: MakeDesk, price: int, shares: str) -> None:
    here = desk()
    here.minute(AAA=100)
    order = send(here, BUY, "1000")
    [fill] = here.fills(here.minute(AAA=price))
    assert fill.quantity == order.quantity == order.filled_quantity == Decimal(shares)
    assert order.status.value == "filled"
    assert here.exchange.account().cash_usd == 100_000 - Decimal(shares) * Decimal(price)
    assert here.exchange.books.reserved_usd == 0


def test_until_then_it_reserves_its_money_and_a_collar(desk: MakeDesk) -> None:
    here = desk(cash_usd=Decimal(1_040), multiplier=1)
    here.minute(AAA=100)
    order = send(here, BUY, "1000")
    assert here.exchange.account().buying_power_usd == 0
    here.exchange.cancel(order.id)
    assert here.exchange.account().buying_power_usd == 1_040
    with pytest.raises(OrderRefused, match="insufficient buying power"):
        send(here, BUY, "1000.01", client_order_id="two")


def test_a_sale_takes_no_more_than_there_is(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    send(here, SELL, "1000")
    [fill] = here.fills(here.minute(AAA=80))
    assert fill.quantity == -10
    assert here.exchange.positions == ()
    assert here.exchange.books.held_for_exit(0) == 0


def test_the_first_price_of_several_fills_counts(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = send(here, BUY, "5000")
    here.minute(AAA=(50, 50, 50, 50, 400))
    assert (order.quantity, order.filled_quantity) == (Decimal(100), Decimal(40))
    here.minute(AAA=60)
    assert (order.quantity, order.filled_quantity) == (Decimal(100), Decimal(100))


def test_at_the_deciding_close_it_is_converted_at_once(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.THIS_CLOSE)
    here.minute(AAA=80)
    assert send(here, BUY, "1000").filled_quantity == Decimal("12.5")


@pytest.mark.parametrize(
    ("side", "notional", "fields", "text"),
    [
        (BUY, "0.99", {}, "notional must be >= 1.00"),
        (BUY, "1.001", {}, "notional must be limited to 2 decimal places"),
        (BUY, "10", {"limit_price_usd": 90}, "notional orders must be market orders"),
        (BUY, "10", {"time_in_force": TimeInForce.GTC}, "notional orders must be DAY orders"),
        (BUY, "10", {"stop_loss_usd": 90}, "notional orders must be simple orders"),
        (BUY, "10", {"symbol": "BBB"}, 'asset "BBB" has not traded yet'),
        (SELL, "10", {"symbol": "BBB"}, 'asset "BBB" has not traded yet'),
        (SELL, "500.01", {}, "insufficient qty available"),
    ],
)
def test_what_money_cannot_order_is_refused(
    desk: MakeDesk, side: Side, notional: str, fields: dict[str, Any], text: str
) -> None:
    here = desk(shorting_enabled=True)
    here.hold(5)
    before = here.exchange.account()
    with pytest.raises(OrderRefused, match=text):
        send(here, side, notional, **fields)
    assert here.exchange.account() == before


def test_money_sells_nothing_short(desk: MakeDesk) -> None:
    here = desk(shorting_enabled=True)
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match="fractional orders cannot be sold short"):
        send(here, SELL, "100")


def test_an_order_of_money_is_not_replaced(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = send(here, BUY, "100")
    change = ReplaceIntent(client_order_id="new", replaces="one", symbol="AAA", decided_at_ns=0, quantity=Decimal(2))
    with pytest.raises(OrderRefused, match="not supported for notional orders"):
        here.exchange.replace(order.id, change)
    assert (order.live, order.type) == (True, OrderType.MARKET)
