from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import OrderStatus, Side, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
BAR = (101.0, 103.0, 99.0, 102.0)


@pytest.mark.parametrize(
    ("model", "side", "price"),
    [
        (FillModel.NEXT_OPEN, Side.BUY, "101.0"),
        (FillModel.NEXT_OPEN, Side.SELL, "101.0"),
        (FillModel.NEXT_CLOSE, Side.BUY, "102.0"),
        (FillModel.NEXT_CLOSE, Side.SELL, "102.0"),
        (FillModel.SPREAD, Side.BUY, "101.0202"),
        (FillModel.SPREAD, Side.SELL, "100.9798"),
    ],
)
def test_a_market_order_fills_on_the_next_bar_at_the_models_price(
    desk: MakeDesk, model: FillModel, side: Side, price: str
) -> None:
    here = desk(fill_model=model)
    here.hold(5)
    order = here.send(side, 5)
    assert here.fills(here.events()) == []
    [fill] = here.fills(here.minute(AAA=BAR))
    assert fill.price_usd == Decimal(price)
    assert fill.quantity == (5 if side is Side.BUY else -5)
    assert order.status is OrderStatus.FILLED
    assert order.filled_average_price_usd == fill.price_usd
    end = here.exchange.now_ns
    assert fill.filled_at_ns == order.filled_at_ns == (end if model is FillModel.NEXT_CLOSE else end - MINUTE_NS)


def test_this_close_fills_as_soon_as_it_is_submitted(desk: MakeDesk) -> None:
    here = desk(fill_model=FillModel.THIS_CLOSE)
    here.minute(AAA=BAR)
    here.buy(5)
    [fill] = here.fills(here.events())
    assert (fill.price_usd, fill.filled_at_ns) == (Decimal("102.0"), here.exchange.now_ns)


@pytest.mark.parametrize(
    ("side", "limit", "bar", "price", "at_open"),
    [
        (Side.BUY, 100, (101, 102, 99, 101), 100, False),
        (Side.BUY, 100, (101, 102, 100, 101), 100, False),
        (Side.BUY, 100, (101, 102, 100.01, 101), None, False),
        (Side.BUY, 100, (99, 102, 98, 101), 99, True),
        (Side.SELL, 102, (101, 103, 99, 101), 102, False),
        (Side.SELL, 102, (101, 102, 99, 101), 102, False),
        (Side.SELL, 102, (101, 101.99, 99, 101), None, False),
        (Side.SELL, 102, (104, 105, 101, 101), 104, True),
    ],
)
def test_a_limit_fills_at_its_price_or_at_a_better_open(
    desk: MakeDesk, side: Side, limit: float, bar: tuple[float, ...], price: float | None, at_open: bool
) -> None:
    here = desk()
    here.hold(5)
    here.send(side, 5, limit_price_usd=limit)
    fills = here.fills(here.minute(AAA=bar))
    assert [fill.price_usd for fill in fills] == ([] if price is None else [Decimal(str(price))])
    expected_ns = here.exchange.now_ns - (MINUTE_NS if at_open else 0)
    assert all(fill.filled_at_ns == expected_ns for fill in fills)


@pytest.mark.parametrize(
    ("side", "limit", "bar", "price"),
    [
        (Side.BUY, 100, (101, 102, 100, 101), None),
        (Side.BUY, 100, (101, 102, 99.99, 101), 100),
        (Side.BUY, 100, (99, 102, 98, 101), "99.0198"),  # It takes what is offered, half the spread above.
        (Side.BUY, 100, (99.99, 102, 99.99, 101), 100),  # What is offered is past it: it is the bid, and hit.
        (Side.SELL, 102, (101, 102, 99, 101), None),
        (Side.SELL, 102, (101, 102.01, 99, 101), 102),
        (Side.SELL, 102, (103, 104, 102.5, 103), "102.9794"),
    ],
)
def test_with_a_spread_a_limit_has_to_be_traded_through(
    desk: MakeDesk, side: Side, limit: float, bar: tuple[float, ...], price: float | str | None
) -> None:
    """And pays it, as any order does, where it is met by a better price than its own."""
    here = desk(fill_model=FillModel.SPREAD)
    here.hold(5)
    here.send(side, 5, limit_price_usd=limit)
    fills = here.fills(here.minute(AAA=bar))
    assert [fill.price_usd for fill in fills] == ([] if price is None else [Decimal(price)])


@pytest.mark.parametrize(
    ("model", "side", "stop", "bar", "price", "at_open"),
    [
        (FillModel.NEXT_OPEN, Side.SELL, 98, (100, 101, 98, 99), "98", False),
        (FillModel.NEXT_OPEN, Side.SELL, 98, (100, 101, 98.01, 99), None, False),
        (FillModel.NEXT_OPEN, Side.SELL, 98, (95, 101, 94, 99), "95", True),
        (FillModel.NEXT_OPEN, Side.BUY, 103, (100, 103, 98, 99), "103", False),
        (FillModel.NEXT_OPEN, Side.BUY, 103, (105, 106, 98, 99), "105", True),
        (FillModel.SPREAD, Side.SELL, 98, (100, 101, 97, 99), "97.9804", False),
        (FillModel.SPREAD, Side.SELL, 98, (95, 101, 94, 99), "94.981", True),
        (FillModel.SPREAD, Side.BUY, 103, (100, 104, 98, 99), "103.0206", False),
        (FillModel.NEXT_CLOSE, Side.SELL, 98, (100, 101, 97, 99), "98", False),
    ],
)
def test_a_stop_fills_at_its_price_and_a_gap_fills_worse(
    desk: MakeDesk, model: FillModel, side: Side, stop: float, bar: tuple[float, ...], price: str | None, at_open: bool
) -> None:
    here = desk(fill_model=model)
    here.hold(5)
    here.send(side, 5, stop_price_usd=stop)
    fills = here.fills(here.minute(AAA=bar))
    assert [fill.price_usd for fill in fills] == ([] if price is None else [Decimal(price)])
    expected_ns = here.exchange.now_ns - (MINUTE_NS if at_open else 0)
    assert all(fill.filled_at_ns == expected_ns for fill in fills)


def test_what_executes_at_the_open_comes_first_then_by_order_of_submission(desk: MakeDesk) -> None:
    here = desk()
    here.hold(5, symbol="BBB")
    here.hold(5, symbol="AAA")
    here.sell(5, "BBB", stop_price_usd=98, client_order_id="within-1")
    here.buy(5, "AAA", limit_price_usd=99, client_order_id="within-2")
    here.buy(5, "AAA", limit_price_usd=150, client_order_id="open-1")
    here.buy(5, "AAA", client_order_id="open-2")
    here.events()
    events = here.minute(AAA=(100, 101, 98, 100), BBB=(100, 101, 97, 100))
    assert [name for name, _ in here.statuses(events)] == ["open-1", "open-2", "within-1", "within-2"]


def test_an_order_without_a_bar_waits_and_the_price_stays_the_last_one(desk: MakeDesk) -> None:
    here = desk()
    here.hold(5)
    here.buy(5)
    assert here.fills(here.minute(BBB=50)) == []
    assert here.exchange.last_price_usd("AAA") == 100
    [fill] = here.fills(here.minute(AAA=104))
    assert fill.price_usd == 104


def test_no_price_is_known_before_the_first_bar(desk: MakeDesk) -> None:
    assert desk().exchange.last_price_usd("AAA") is None


@pytest.mark.parametrize(
    ("share", "feed_share", "quantity", "volume", "parts"),
    [
        (0.10, 1.0, "250", 1_000, ["100", "100", "50"]),
        (0.10, 0.02, "250", 20, ["100", "100", "50"]),  # Bars that show a fiftieth of the volume.
        (0.10, 1.0, "10", 99, ["9", "1"]),
        (0.10, 1.0, "1.5", 5, ["0.5", "0.5", "0.5"]),
        (0.10, 1.0, "2", 5, []),  # Half a share is no fill of a whole order.
        (0.0, 1.0, "250", 1, ["250"]),
    ],
)
def test_a_minute_fills_no_more_than_its_share_of_the_volume(
    desk: MakeDesk, share: float, feed_share: float, quantity: str, volume: float, parts: list[str]
) -> None:
    here = desk(participation_max=share, feed_share=feed_share)
    here.minute(AAA=100)
    order = here.buy(quantity)
    fills = [fill for _ in range(4) for fill in here.fills(here.minute(AAA=(100, 100, 100, 100, volume)))]
    assert [fill.quantity for fill in fills] == [Decimal(part) for part in parts]
    assert order.filled_quantity == sum(map(Decimal, parts))
    assert order.status is (OrderStatus.FILLED if parts else OrderStatus.ACCEPTED)


def test_orders_of_a_symbol_share_the_minutes_volume_by_order_of_submission(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    first, second = here.buy(70), here.buy(70)
    here.minute(AAA=(100, 100, 100, 100, 1_000))
    assert (first.filled_quantity, second.filled_quantity) == (Decimal(70), Decimal(30))
    assert second.status is OrderStatus.PARTIALLY_FILLED


def test_the_rest_of_a_reached_stop_takes_any_price(desk: MakeDesk) -> None:
    here = desk()
    here.hold(100)
    order = here.sell(100, stop_price_usd=98, time_in_force=TimeInForce.GTC)
    here.minute(AAA=(100, 100, 97, 99, 600))
    [fill] = here.fills(here.minute(AAA=(105, 106, 104, 105)))
    assert (fill.quantity, fill.price_usd) == (Decimal(-40), Decimal(105))
    assert order.status is OrderStatus.FILLED
    assert order.filled_average_price_usd == (60 * 98 + 40 * 105) / Decimal(100)


def test_the_rest_of_a_limit_waits_for_its_price(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(100, limit_price_usd=99)
    here.minute(AAA=(100, 100, 98, 99, 600))
    assert here.fills(here.minute(AAA=(105, 106, 104, 105))) == []
    assert (order.filled_quantity, order.status) == (Decimal(60), OrderStatus.PARTIALLY_FILLED)


def test_an_index_of_prices_survives_orders_that_come_and_go(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    low = here.buy(1, limit_price_usd=95)
    high = here.buy(1, limit_price_usd=99)
    here.exchange.cancel(high.id)
    assert here.fills(here.minute(AAA=(100, 100, 96, 100))) == []
    here.minute(AAA=(100, 100, 95, 100))
    assert low.status is OrderStatus.FILLED
    assert here.fills(here.minute(AAA=(1, 1, 1, 1))) == []
