from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import OrderStatus, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]


def test_a_leg_is_held_until_its_parent_is_filled_and_then_lives(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    parent = here.buy(10, stop_loss_usd=95, client_order_id="entry", time_in_force=TimeInForce.GTC)
    assert here.statuses(here.events()) == [("entry", "accepted"), ("entry.stop", "held")]
    assert here.statuses(here.minute(AAA=100)) == [("entry", "filled"), ("entry.stop", "accepted")]
    [leg] = parent.legs
    assert (leg.side, leg.type) == (Side.SELL, OrderType.STOP)
    assert (leg.quantity, leg.stop_price_usd) == (Decimal(10), Decimal(95))
    assert leg.time_in_force is TimeInForce.GTC
    assert leg.parent is parent
    assert parent.order_class == leg.order_class == "oto"
    assert here.exchange.order_by_client_id("entry.stop") is leg


def test_a_partly_filled_parent_keeps_its_leg_held(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    parent = here.buy(100, stop_loss_usd=95)
    here.minute(AAA=(100, 100, 90, 100, 600))
    assert (parent.filled_quantity, parent.legs[0].status) == (Decimal(60), OrderStatus.HELD)
    here.minute(AAA=(100, 100, 96, 100))
    assert parent.legs[0].status is OrderStatus.ACCEPTED


@pytest.mark.parametrize(
    ("model", "entry", "bar", "price"),
    [
        (FillModel.NEXT_OPEN, {}, (100, 101, 95, 99), "95"),
        (FillModel.NEXT_OPEN, {}, (100, 101, 95.01, 99), None),
        (FillModel.NEXT_OPEN, {}, (94, 95, 93, 94), "94"),  # Filled below its own stop: out at once, not at 95.
        (FillModel.SPREAD, {}, (100, 101, 94, 99), "94.981"),
        (FillModel.NEXT_OPEN, {"limit_price_usd": 98}, (100, 101, 94, 99), "95"),  # The low follows the limit.
        (FillModel.NEXT_OPEN, {"stop_price_usd": 103}, (96, 104, 94, 102), None),  # The low may have come before.
        (FillModel.NEXT_OPEN, {"stop_price_usd": 103}, (96, 104, 94, 94.5), "95"),  # The close comes after.
        (FillModel.NEXT_OPEN, {"stop_price_usd": 103}, (94, 104, 93, 94.5), "95"),  # It fell from 103: no gap.
        (FillModel.NEXT_CLOSE, {}, (100, 101, 94, 99), None),
    ],
)
def test_a_stop_can_fill_in_the_bar_of_its_entry_where_the_bar_allows_it(
    desk: MakeDesk, model: FillModel, entry: dict[str, Any], bar: tuple[float, ...], price: str | None
) -> None:
    here = desk(fill_model=model)
    here.minute(AAA=100)
    parent = here.buy(10, stop_loss_usd=95, **entry)
    fills = here.fills(here.minute(AAA=bar))
    assert parent.status is OrderStatus.FILLED
    assert [fill.price_usd for fill in fills[1:]] == ([] if price is None else [Decimal(price)])
    assert all(fill.filled_at_ns == here.exchange.now_ns for fill in fills[1:])
    assert fills[0].filled_at_ns >= here.exchange.now_ns - MINUTE_NS


def test_a_stop_lives_on_after_the_bar_of_its_entry(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    parent = here.buy(10, stop_loss_usd=95)
    here.minute(AAA=100)
    [fill] = here.fills(here.minute(AAA=(90, 91, 89, 90)))
    assert (fill.quantity, fill.price_usd) == (Decimal(-10), Decimal(90))
    assert parent.legs[0].status is OrderStatus.FILLED
    assert here.exchange.positions == ()


@pytest.mark.parametrize("cancelled", ["entry", "entry.stop"])
def test_cancelling_either_of_an_unfilled_pair_cancels_both(desk: MakeDesk, cancelled: str) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(10, stop_loss_usd=95, client_order_id="entry")
    here.events()
    here.exchange.cancel(here.exchange.order_by_client_id(cancelled).id)
    assert here.statuses(here.events()) == [("entry", "canceled"), ("entry.stop", "canceled")]
    assert here.exchange.account().buying_power_usd == 200_000


def test_cancelling_a_live_leg_frees_its_shares(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    leg = here.buy(10, stop_loss_usd=95).legs[0]
    here.minute(AAA=100)
    assert here.exchange.books.held_for_exit(0) == 10
    here.exchange.cancel(leg.id)
    here.sell(10)
    here.minute(AAA=100)
    assert here.exchange.positions == ()


def test_a_leg_whose_shares_were_sold_meanwhile_is_cancelled(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    parent = here.buy(100, limit_price_usd=100, stop_loss_usd=95)
    here.minute(AAA=(100, 100, 100, 100, 600))
    here.sell(60, limit_price_usd=101)
    here.minute(AAA=(101, 101, 101, 101))
    here.minute(AAA=(100, 100, 99, 100))
    assert (parent.status, parent.legs[0].status) == (OrderStatus.FILLED, OrderStatus.CANCELED)
    assert here.exchange.positions[0].quantity == 40
    assert here.kinds() == []


def test_a_day_leg_expires_at_the_close_and_a_gtc_leg_does_not(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    day = here.buy(10, stop_loss_usd=95).legs[0]
    lasting = here.buy(10, stop_loss_usd=95, time_in_force=TimeInForce.GTC).legs[0]
    here.minute(AAA=100)
    here.close()
    assert (day.status, lasting.status) == (OrderStatus.EXPIRED, OrderStatus.ACCEPTED)
