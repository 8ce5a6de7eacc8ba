"""Immediate orders, all-or-none orders, and the auctions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
IOC, FOK, OPG, CLS = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS


@pytest.mark.parametrize(
    ("kind", "fields", "bar", "filled"),
    [
        (IOC, {}, (100, 101, 99, 100, 500), 50),
        (FOK, {}, (100, 101, 99, 100, 500), 0),
        (FOK, {}, (100, 101, 99, 100, 1000), 100),
        (IOC, {"limit_price_usd": 100}, (99, 101, 99, 100, 500), 50),
        (IOC, {"limit_price_usd": 100}, (101, 101, 99, 100, 500), 0),  # Not at once: the open was above it.
    ],
)
def test_what_the_next_open_does_not_give_is_taken_back(
    desk: MakeDesk, kind: TimeInForce, fields: dict[str, Any], bar: tuple[float, ...], filled: int
) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(100, time_in_force=kind, **fields)
    here.minute(AAA=bar)
    assert (order.filled_quantity, order.live) == (Decimal(filled), False)
    assert order.status.value == ("filled" if filled == 100 else "canceled")
    assert here.exchange.books.reserved_usd == 0


def test_an_immediate_order_does_not_wait_for_a_bar(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(1, time_in_force=IOC)
    here.minute(BBB=100)
    assert order.status.value == "canceled"


def test_the_opening_auction_trades_at_the_first_open_without_a_spread(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.SPREAD)
    here.minute(AAA=100)
    here.close()
    market = here.buy(5, time_in_force=OPG)
    limited = here.buy(5, limit_price_usd=99, time_in_force=OPG)
    other = here.buy(5, "BBB", limit_price_usd=99, time_in_force=OPG)
    here.open()
    fills = here.fills(here.minute(AAA=(101, 102, 98, 100)))
    assert [fill.price_usd for fill in fills] == [Decimal(101)]
    assert [one.status.value for one in (market, limited, other)] == ["filled", "canceled", "canceled"]


def test_the_closing_auction_trades_at_the_last_close(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.SPREAD)
    here.minute(AAA=100)
    market = here.buy(5, time_in_force=CLS)
    limited = here.buy(5, limit_price_usd=99, time_in_force=CLS)
    assert here.fills(here.minute(AAA=(98, 99, 97, 98))) == []
    [fill] = here.fills(here.last_minute(AAA=(101, 102, 98, 100)))
    assert (fill.price_usd, fill.filled_at_ns) == (Decimal(100), here.exchange.now_ns)
    assert [one.status.value for one in (market, limited)] == ["filled", "canceled"]


def test_an_auction_order_that_comes_too_late_is_refused(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match="before the open"):
        here.buy(5, time_in_force=OPG)
    here._minutes = 379
    here.minute(AAA=100)
    assert here.buy(5, time_in_force=CLS).live
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match="10 minutes before the close"):
        here.buy(5, time_in_force=CLS)
    here._minutes = 389
    here.minute(AAA=100)
    assert here.buy(5, time_in_force=CLS).live  # For tomorrow.


def test_an_auction_order_at_the_deciding_close_waits_for_its_auction(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.THIS_CLOSE)
    here.minute(AAA=100)
    assert here.buy(5, time_in_force=CLS).filled_quantity == 0


@pytest.mark.parametrize("kind", [IOC, FOK, OPG, CLS])
def test_stops_and_fractions_last(desk: MakeDesk, kind: TimeInForce) -> None:
    here = desk()
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match="stop orders must be DAY or GTC"):
        here.buy(5, stop_price_usd=105, time_in_force=kind)
    with pytest.raises(OrderRefused, match="fractional orders must be DAY"):
        here.buy("0.5", time_in_force=kind)
