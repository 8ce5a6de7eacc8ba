from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.domain.errors import DataError
from ordinis.domain.orders import OrderStatus, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]


def test_day_orders_expire_at_the_close_and_gtc_orders_stay(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    day = here.buy(1, limit_price_usd=50)
    lasting = here.buy(1, limit_price_usd=50, time_in_force=TimeInForce.GTC)
    here.events()
    assert here.statuses(here.close()) == [(day.client_order_id, "expired")]
    assert day.expired_at_ns == day.expires_at_ns == here.exchange.now_ns
    here.open()
    here.minute(AAA=(60, 60, 50, 50))
    assert (day.status, lasting.status) == (OrderStatus.EXPIRED, OrderStatus.FILLED)


@pytest.mark.parametrize("moment", ["after the last minute", "after the close"])
@pytest.mark.parametrize("quantity", ["1", "0.5"])
def test_an_order_sent_when_trading_is_over_waits_for_the_next_session(
    desk: MakeDesk, moment: str, quantity: str
) -> None:
    here = desk()
    here.hold(10)
    here.last_minute(AAA=100)
    if moment == "after the close":
        here.close()
    market = here.buy(quantity)
    if moment == "after the last minute":
        here.close()
    here.open()
    [fill] = here.fills(here.minute(AAA=105))
    assert (fill.price_usd, market.status) == (Decimal(105), OrderStatus.FILLED)


def test_a_fractional_day_stop_sent_after_the_close_guards_the_next_session_only(desk: MakeDesk) -> None:
    here = desk()
    here.hold("2.5")
    here.close()
    stop = here.sell("2.5", stop_price_usd=90)
    assert stop.expires_at_ns is None
    here.open()
    here.minute(AAA=95)
    assert stop.live
    here.close()
    assert stop.status is OrderStatus.EXPIRED


def test_a_gtc_order_expires_after_ninety_days(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(1, limit_price_usd=50, time_in_force=TimeInForce.GTC)
    here.close()
    for _ in range(90):
        assert order.live
        here.open()
        here.close()
    assert order.status is OrderStatus.EXPIRED


def test_a_half_filled_day_order_expires_with_what_it_has(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(100, stop_loss_usd=90)
    here.minute(AAA=(100, 100, 100, 100, 600))
    here.close()
    assert order.filled_quantity == 60
    assert (order.status, order.legs[0].status) == (OrderStatus.EXPIRED, OrderStatus.EXPIRED)
    assert here.exchange.positions[0].quantity == 60


def test_the_equity_of_the_close_is_kept(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    here.last_minute(AAA=110)
    here.close()
    here.open()
    here.minute(AAA=150)
    assert here.exchange.account().last_equity_usd == 100_100


@pytest.mark.parametrize(
    "misuse",
    [
        lambda here: (here.close(), here.exchange.close_session()),
        lambda here: here.exchange.advance(here.block_of(here.session_number(0), 1, {"AAA": 1}).at(0)),
        lambda here: (
            here.close(),
            here.exchange.advance(here.block_of(here.session_number(1), 1, {"AAA": 1}).at(0)),
        ),
    ],
    ids=["close twice", "back in time", "while closed"],
)
def test_time_that_cannot_pass_is_an_error(desk: MakeDesk, misuse: Callable[[Any], Any]) -> None:
    here = desk()
    here.minute(AAA=100)
    with pytest.raises(DataError):
        misuse(here)
