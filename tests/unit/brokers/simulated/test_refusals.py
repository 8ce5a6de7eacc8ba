from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
BUY, SELL = Side.BUY, Side.SELL
GTC = TimeInForce.GTC
WASH = "potential wash trade detected. use complex orders"


def refusal(desk: Desk, side: Side, quantity: Any, symbol: str = "AAA", **fields: Any) -> tuple[int, int, str]:
    """What the exchange answers, and that the refused order left nothing behind."""
    before = (desk.exchange.account(), desk.exchange.orders, desk.exchange.books.reserved_usd)
    with pytest.raises(OrderRefused) as caught:
        desk.send(side, quantity, symbol, **fields)
    assert (desk.exchange.account(), desk.exchange.orders, desk.exchange.books.reserved_usd) == before
    return caught.value.http_status, caught.value.code, caught.value.text


@pytest.mark.parametrize(
    ("side", "quantity", "fields", "status", "code", "text"),
    [
        (BUY, 1, {"symbol": "ZZZZ"}, 422, 42210000, 'asset "ZZZZ" not found'),
        (BUY, 1, {"symbol": "BBB"}, 422, 42210000, 'asset "BBB" has not traded yet'),
        (BUY, 0, {}, 422, 40010001, "qty must be > 0"),
        (SELL, -1, {}, 422, 40010001, "qty must be > 0"),
        (BUY, "1.0000000001", {}, 422, 40010001, "qty must be limited to 9 decimal places"),
        (BUY, 1, {"client_order_id": "x" * 129}, 422, 40010001, "client_order_id must be no more than 128 characters"),
        (BUY, 1, {"type": OrderType.LIMIT}, 422, 40010001, "limit orders require limit_price"),
        (BUY, 1, {"type": OrderType.STOP}, 422, 40010001, "stop orders require stop_price"),
        (
            BUY,
            1,
            {"type": OrderType.LIMIT, "limit_price_usd": 9, "stop_price_usd": 9},
            422,
            40010001,
            "limit orders require no stop price",
        ),
        (
            BUY,
            1,
            {"type": OrderType.MARKET, "limit_price_usd": 9},
            422,
            40010001,
            "market orders require no limit price",
        ),
        (BUY, 1, {"limit_price_usd": 0}, 422, 40010001, "limit_price must be > 0"),
        (
            BUY,
            1,
            {"limit_price_usd": "290.123"},
            422,
            42210000,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (
            SELL,
            1,
            {"stop_price_usd": "0.12345"},
            422,
            42210000,
            "invalid stop_price 0.12345. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (BUY, "1.5", {"time_in_force": GTC}, 422, 42210000, "fractional orders must be DAY orders"),
        (BUY, "1.5", {"stop_loss_usd": 90}, 422, 42210000, "fractional orders must be simple orders"),
        (BUY, "0.0099", {}, 422, 40010001, "notional must be >= 1.00"),
        (SELL, "0.0099", {}, 422, 40010001, "notional must be >= 1.00"),
        (
            BUY,
            1,
            {"stop_loss_usd": "100.00"},
            422,
            42210000,
            "stop_loss.stop_price must be <= base_price - 0.01 (base_price: 100.0)",
        ),
        (
            BUY,
            1,
            {"limit_price_usd": "98", "stop_loss_usd": "98"},
            422,
            42210000,
            "stop_loss.stop_price must be <= base_price - 0.01 (base_price: 98)",
        ),
        (
            BUY,
            1,
            {"stop_loss_usd": "90.001"},
            422,
            42210000,
            "invalid stop_loss.stop_price 90.001. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (BUY, 100_000, {}, 403, 40310000, "insufficient buying power"),
        (SELL, 6, {}, 403, 40310000, "insufficient qty available for order (requested: 6, available: 5)"),
        (SELL, "5.5", {}, 403, 40310000, "insufficient qty available for order (requested: 5.5, available: 5)"),
        (SELL, 5, {"stop_loss_usd": 110}, 422, 42210000, "oto orders must be entry orders"),
        (
            SELL,
            5,
            {"stop_loss_usd": 110, "take_profit_usd": 90},
            422,
            42210000,
            "bracket orders must be entry orders",
        ),
    ],
)
def test_an_order_that_cannot_stand_is_refused_in_the_brokers_words(
    desk: MakeDesk, side: Side, quantity: Any, fields: dict[str, Any], status: int, code: int, text: str
) -> None:
    here = desk()
    here.hold(5)
    assert refusal(here, side, quantity, **fields) == (status, code, text)


@pytest.mark.parametrize(
    ("settings", "quantity", "expected"),
    [
        ({}, 1, (403, 40310000, "account is not allowed to short")),
        ({"multiplier": 1}, 1, (403, 40310000, "short selling needs a margin account with at least $2000 of equity")),
        ({"cash_usd": 1999}, 1, (403, 40310000, "short selling needs a margin account with at least $2000 of equity")),
        ({}, "1.5", (422, 42210000, "fractional orders cannot be sold short")),
    ],
)
def test_nothing_is_sold_short_unless_the_account_may(
    desk: MakeDesk, settings: dict[str, Any], quantity: Any, expected: tuple[int, int, str]
) -> None:
    here = desk(**settings)
    here.minute(AAA=100)
    assert refusal(here, SELL, quantity) == expected


@pytest.mark.parametrize("first", [{}, {"stop_loss_usd": 90}])
@pytest.mark.parametrize("end", ["working", "filled", "canceled"])
def test_an_order_id_is_used_once_whatever_became_of_it(desk: MakeDesk, first: dict[str, Any], end: str) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(1, client_order_id="same", **first)
    if end == "filled":
        here.minute(AAA=100)
    if end == "canceled":
        here.exchange.cancel(order.id)
    expected = (422, 40010001, "client_order_id must be unique")
    assert refusal(here, BUY, 1, client_order_id="same") == expected
    if first:
        assert refusal(here, BUY, 1, client_order_id="same.stop") == expected


def test_a_legs_id_must_be_free_too(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(1, client_order_id="same.stop")
    expected = (422, 40010001, "client_order_id must be unique")
    assert refusal(here, BUY, 1, client_order_id="same", stop_loss_usd=90) == expected


def test_a_refused_id_may_be_used_again(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    refusal(here, BUY, 100_000, client_order_id="same")
    assert here.buy(1, client_order_id="same").live


def test_shares_in_working_sells_cannot_be_sold_again(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    stop = here.sell(7, stop_price_usd=90)
    with pytest.raises(OrderRefused, match=r"requested: 4, available: 3") as caught:
        here.sell(4)
    assert caught.value.details == {  # type: ignore[attr-defined]
        "symbol": "AAA",
        "available": "3",
        "existing_qty": "10",
        "held_for_orders": "7",
        "related_orders": [stop.id],
    }
    here.exchange.cancel(stop.id)
    assert here.sell(10).live


def test_the_last_crumb_of_a_position_can_be_sold_under_a_dollar(desk: MakeDesk) -> None:
    here = desk()
    here.hold("0.02")
    here.minute(AAA=1)
    here.sell("0.02")
    here.minute(AAA=1)
    assert here.exchange.positions == ()


@pytest.mark.parametrize(
    ("working", "new", "reason"),
    [
        ((SELL, {"stop_price_usd": 90}), (BUY, {}), "opposite side market/stop order exists"),
        ((SELL, {"stop_price_usd": 90}), (BUY, {"limit_price_usd": 80}), "opposite side market/stop order exists"),
        ((SELL, {}), (BUY, {"limit_price_usd": 80}), "opposite side market/stop order exists"),
        ((BUY, {}), (SELL, {"limit_price_usd": 120}), "opposite side market/stop order exists"),
        ((BUY, {"limit_price_usd": 95}), (SELL, {}), "opposite side market/stop order exists"),
        ((BUY, {"limit_price_usd": 95}), (SELL, {"limit_price_usd": 95}), "opposite side limit order exists"),
        ((SELL, {"limit_price_usd": 105}), (BUY, {"limit_price_usd": 106}), "opposite side limit order exists"),
        ((BUY, {"limit_price_usd": 95}), (SELL, {"limit_price_usd": 95.01}), None),
        ((SELL, {"limit_price_usd": 105}), (BUY, {"limit_price_usd": 104.99}), None),
        ((BUY, {"limit_price_usd": 95}), (BUY, {}), None),
    ],
)
def test_a_pair_that_could_trade_with_itself_is_refused(
    desk: MakeDesk, working: tuple[Side, dict[str, Any]], new: tuple[Side, dict[str, Any]], reason: str | None
) -> None:
    here = desk()
    here.hold(10)
    first = here.send(working[0], 5, **working[1])
    if reason is None:
        assert here.send(new[0], 5, **new[1]).live
        return
    with pytest.raises(OrderRefused) as caught:
        here.send(new[0], 5, **new[1])
    assert (caught.value.http_status, caught.value.code, caught.value.text) == (403, 40310000, WASH)
    assert caught.value.details == {"existing_order_id": first.id, "reject_reason": reason}  # type: ignore[attr-defined]


def test_a_held_leg_does_not_work_yet_and_a_live_one_does(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    here.buy(10, stop_loss_usd=90)
    here.buy(10, limit_price_usd=80)
    here.minute(AAA=100)
    assert refusal(here, BUY, 1) == (403, 40310000, WASH)


@pytest.mark.parametrize("end", ["filled", "canceled", "expired"])
def test_a_final_order_cannot_be_cancelled(desk: MakeDesk, end: str) -> None:
    here = desk()
    here.minute(AAA=100)
    order = here.buy(1) if end == "filled" else here.buy(1, limit_price_usd=50)
    if end == "canceled":
        here.exchange.cancel(order.id)
    here.minute(AAA=100)
    here.close()
    with pytest.raises(OrderRefused) as caught:
        here.exchange.cancel(order.id)
    assert (caught.value.http_status, caught.value.code) == (422, 42210000)
    assert caught.value.text == f'order is already in "{end}" state'


def test_an_unknown_order_is_not_found(desk: MakeDesk) -> None:
    exchange = desk().exchange
    for look_up in (exchange.cancel, exchange.order, exchange.order_by_client_id):
        with pytest.raises(OrderRefused, match="order not found for nothing") as caught:
            look_up("nothing")
        assert (caught.value.http_status, caught.value.code) == (404, 40410000)
