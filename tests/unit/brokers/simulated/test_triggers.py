"""Stop-limits and trailing stops."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import OrderStatus, Side, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]


@pytest.mark.parametrize(
    ("side", "stop", "limit", "bar", "price"),
    [
        (Side.SELL, 95, 94, (100, 101, 94.5, 99), "95"),
        (Side.SELL, 95, 94, (94.5, 95, 94, 94.2), "94.5"),  # A gap to between the two.
        (Side.SELL, 95, 94, (93, 93.5, 92, 93), None),  # A gap through the limit.
        (Side.SELL, 95, 94, (93, 94.5, 92, 93), "94"),  # It came back to the limit after the open.
        (Side.SELL, 95, 96, (100, 101, 94, 95), None),  # 96 was there before the stop was met, not surely after.
        (Side.SELL, 95, 96, (100, 101, 94, 97), "96"),  # The close is after it.
        (Side.SELL, 95, 94, (100, 101, 95.01, 99), None),
        (Side.BUY, 105, 106, (100, 105.5, 99, 101), "105"),
        (Side.BUY, 105, 106, (107, 108, 106.5, 107), None),
        (Side.BUY, 105, 106, (107, 108, 105.5, 107), "106"),
    ],
)
def test_a_stop_limit_pays_no_worse_than_its_limit(
    desk: MakeDesk, side: Side, stop: float, limit: float, bar: tuple[float, ...], price: str | None
) -> None:
    here = desk()
    here.hold(5)
    here.send(side, 5, stop_price_usd=stop, limit_price_usd=limit)
    fills = here.fills(here.minute(AAA=bar))
    assert [fill.price_usd for fill in fills] == ([] if price is None else [Decimal(price)])


def test_a_stop_limit_that_was_reached_stays_a_limit(desk: MakeDesk) -> None:
    here = desk()
    here.hold(5)
    order = here.sell(5, stop_price_usd=95, limit_price_usd=94)
    here.minute(AAA=(93, 93.5, 92, 93))
    assert order.live
    [fill] = here.fills(here.minute(AAA=(96, 97, 95.5, 96)))
    assert fill.price_usd == 96  # Above its stop by now, and better than its limit.


def test_half_a_spread_is_paid_by_a_stop_limit_but_not_past_its_limit(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.SPREAD)
    here.hold(10)
    here.sell(5, stop_price_usd=95, limit_price_usd=94)
    here.sell(5, stop_price_usd=95, limit_price_usd=95)
    fills = here.fills(here.minute(AAA=(100, 100, 94, 94.5)))
    assert [fill.price_usd for fill in fills] == [Decimal("94.981")]


@pytest.mark.parametrize(
    ("trail", "bars", "stop", "price"),
    [
        ({"trail_usd": 2}, [(100, 105, 104, 105)], "103", None),
        ({"trail_percent": 2}, [(100, 105, 104, 105)], "102.9", None),
        ({"trail_usd": 2}, [(100, 105, 104, 105), (104, 104, 102, 103)], "103", "103"),
        ({"trail_usd": 2}, [(100, 105, 104, 105), (101, 102, 100, 101)], "103", "101"),  # A gap.
        ({"trail_usd": 2}, [(100, 101, 97, 100)], "98", "98"),
        ({"trail_usd": 2}, [(100, 105, 99, 104)], "103", None),  # The low may have come before the high.
        ({"trail_usd": 2}, [(100, 105, 99, 102)], "103", "103"),  # The close came after it.
        ({"trail_usd": 2}, [(105, 105, 102.5, 104)], "103", "103"),  # So did the low, after a high at the open.
    ],
)
def test_a_trailing_stop_follows_the_high(
    desk: MakeDesk, trail: dict[str, Any], bars: list[tuple[float, ...]], stop: str, price: str | None
) -> None:
    here = desk()
    here.hold(5)
    order = here.sell(5, **trail)
    assert (order.mark_usd, order.stop_price_usd) == (Decimal(100), Decimal(98))
    fills = [fill for bar in bars for fill in here.fills(here.minute(AAA=bar))]
    assert order.stop_price_usd == Decimal(stop)
    assert [fill.price_usd for fill in fills] == ([] if price is None else [Decimal(price)])


def test_a_trailing_buy_follows_the_low(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(5, trail_usd=2)
    here.minute(AAA=(99, 99, 95, 95))
    assert (order.mark_usd, order.stop_price_usd) == (Decimal(95), Decimal(97))
    [fill] = here.fills(here.minute(AAA=(96, 98, 96, 98)))
    assert fill.price_usd == 97


def test_the_rest_of_a_trailing_stop_sells_at_any_price(desk: MakeDesk) -> None:
    here = desk()
    here.hold(100)
    order = here.sell(100, trail_usd=2, time_in_force=TimeInForce.GTC)
    here.minute(AAA=(97, 97, 97, 97, 300))
    assert order.filled_quantity == 30
    here.minute(AAA=120)
    assert order.status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"stop_price_usd": "95.001", "limit_price_usd": 94}, "invalid stop_price"),
        ({"trail_usd": 1, "trail_percent": 1}, "require either trail_price or trail_percent"),
        ({"trail_usd": 0}, "trail_price must be > 0"),
        ({"trail_percent": 100}, "trail_price must be > 0"),
        ({"trail_usd": 1, "stop_price_usd": 9}, "trailing_stop orders require no stop price"),
        ({"trail_usd": 1, "time_in_force": TimeInForce.IOC}, "trailing_stop orders must be DAY or GTC"),
    ],
)
def test_forms_that_make_no_sense_are_refused(desk: MakeDesk, fields: dict[str, Any], text: str) -> None:
    here = desk()
    here.hold(5)
    with pytest.raises(OrderRefused, match=text):
        here.sell(5, **fields)


def test_a_fraction_cannot_trail_and_nothing_trails_a_price_nobody_knows(desk: MakeDesk) -> None:
    here = desk()
    here.hold("1.5")
    with pytest.raises(OrderRefused, match="fractional orders must be"):
        here.sell("0.5", trail_usd=1)
    with pytest.raises(OrderRefused, match="has not traded yet"):
        here.buy(1, "BBB", trail_usd=1)
