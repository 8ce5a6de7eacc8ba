from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.wire import (
    WireAccount,
    WireCalendarDay,
    WireCashActivity,
    WireOrder,
    WirePosition,
    WireTradeUpdate,
)
from ordinis.domain.errors import BrokerError
from ordinis.domain.orders import OrderIntent, OrderStatus, OrderType, Purpose, Side, TimeInForce

ACCOUNT = {
    "id": "1",
    "equity": "100.10",
    "cash": "50",
    "buying_power": "200.2",
    "last_equity": "99",
    "multiplier": "4",
}
ORDER = {"id": "b1", "client_order_id": "c1", "status": "new", "symbol": "AAA", "side": "buy", "filled_qty": "0"}
AT = "2025-01-02T14:31:00Z"
AT_NS = 1_735_828_260 * 10**9


def _update(**changed: Any) -> WireTradeUpdate:
    message: dict[str, Any] = {"event": "new", "order": ORDER, "timestamp": AT} | changed
    return wire.read(message, WireTradeUpdate, "trade update")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pending_new", OrderStatus.ACCEPTED),
        ("new", OrderStatus.ACCEPTED),
        ("done_for_day", OrderStatus.ACCEPTED),
        ("held", OrderStatus.HELD),
        ("canceled", OrderStatus.CANCELED),
        ("expired", OrderStatus.EXPIRED),
        ("a_status_of_next_year", OrderStatus.UNKNOWN),
    ],
)
def test_statuses_are_translated_and_new_ones_are_unknown(text: str, expected: OrderStatus) -> None:
    assert wire.status(text) is expected


def test_fields_may_come_and_go_but_not_those_we_use() -> None:
    account = wire.read(ACCOUNT | {"a_new_field": {"deep": 1}}, WireAccount, "account")
    assert account.equity == Decimal("100.10")
    del (broken := dict(ACCOUNT))["equity"]
    with pytest.raises(BrokerError, match=r"the broker's account cannot be read: .*`equity`"):
        wire.read(broken, WireAccount, "account")


def test_an_order_s_numbers_go_out_with_every_digit() -> None:
    intent = OrderIntent(
        client_order_id="c",
        symbol="AAA",
        side=Side.BUY,
        quantity=Decimal("0.000000010"),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        purpose=Purpose.ENTRY,
        decided_at_ns=0,
        valid_until_ns=1,
        limit_price_usd=Decimal("12.50"),
        stop_loss_usd=Decimal("11.00"),
    )
    assert wire.order_payload(intent) == {
        "symbol": "AAA",
        "qty": "0.000000010",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "client_order_id": "c",
        "limit_price": "12.50",
        "order_class": "oto",
        "stop_loss": {"stop_price": "11.00"},
    }


@pytest.mark.parametrize(("side", "signed"), [("buy", Decimal(2)), ("sell", Decimal(-2)), ("sell_short", Decimal(-2))])
def test_a_fill_is_signed_by_its_side(side: str, signed: Decimal) -> None:
    order = ORDER | {"side": side, "status": "partially_filled", "filled_qty": "5"}
    message = _update(event="partial_fill", order=order, execution_id="e", price="10.1234", qty="2")
    update = wire.order_update(message, "ours")
    assert update.fill is not None
    assert (update.fill.quantity, update.fill.price_usd, update.fill.filled_at_ns) == (
        signed,
        Decimal("10.1234"),
        AT_NS,
    )
    assert (update.client_order_id, update.filled_quantity, update.at_ns) == ("ours", Decimal(5), AT_NS)


@pytest.mark.parametrize("missing", ["execution_id", "price", "qty"])
def test_a_fill_that_lacks_a_part_is_an_error(missing: str) -> None:
    parts = {"execution_id": "e", "price": "10", "qty": "1"}
    del parts[missing]
    with pytest.raises(BrokerError, match="lacks"):
        wire.order_update(_update(event="fill", **parts), "ours")


def test_an_update_or_an_order_without_a_time_is_an_error() -> None:
    with pytest.raises(BrokerError, match="names no time"):
        wire.order_update(_update(timestamp=None), "ours")
    with pytest.raises(BrokerError, match="no time of submission"):
        wire.submitted_at_ns(wire.read(ORDER, WireOrder, "order"))


def test_positions_are_sorted_and_shorts_are_negative() -> None:
    rows = [
        {"symbol": "BBB", "qty": "3", "avg_entry_price": "10", "side": "short"},
        {"symbol": "AAA", "qty": "1.5", "avg_entry_price": "9.99"},
    ]
    view = wire.account_view(
        wire.read(ACCOUNT, WireAccount, "account"), wire.read(rows, list[WirePosition], "positions"), AT_NS
    )
    assert [(one.symbol, one.quantity) for one in view.positions] == [("AAA", Decimal("1.5")), ("BBB", Decimal(-3))]
    assert view.multiplier == 4


def test_a_fee_takes_the_session_s_close_where_it_names_no_time() -> None:
    row = {"id": "f", "activity_type": "FEE", "net_amount": "-0.03", "date": "2025-01-02", "description": "TAF"}
    flow = wire.cash_flow(wire.read(row, WireCashActivity, "fee"), AT_NS)
    assert (flow.at_ns, flow.kind, flow.amount_usd, flow.note) == (AT_NS, "fee", Decimal("-0.03"), "TAF")


def test_a_half_day_of_the_calendar_is_a_short_session() -> None:
    row = {"date": "2024-11-29", "open": "09:30", "close": "13:00", "session_open": "0400"}
    session = wire.session(wire.read(row, WireCalendarDay, "calendar"))
    assert (session.date, session.minutes) == (date(2024, 11, 29), 210)


OPEN_ORDER = {"id": "b-1", "client_order_id": "x", "status": "new", "symbol": "AAA", "side": "sell", "type": "stop"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"qty": "10", "stop_price": "90"}, (10, Side.SELL, OrderType.STOP, Decimal(90), False)),
        ({"qty": "10", "type": "limit", "limit_price": "95"}, (10, Side.SELL, OrderType.LIMIT, Decimal(95), False)),
        ({"qty": "10", "status": "held"}, (10, Side.SELL, OrderType.STOP, None, True)),
        ({"qty": "10", "side": "sell_short"}, (10, Side.SELL, OrderType.STOP, None, False)),
        ({"qty": None, "notional": "100"}, (0, Side.SELL, OrderType.STOP, None, False)),
        ({"qty": "10", "type": "iceberg", "side": "swap"}, (10, None, None, None, False)),
    ],
)
def test_an_open_order_says_what_it_is_and_what_is_not_known_is_not_guessed(
    changed: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    order = wire.standing_order(wire.read(OPEN_ORDER | changed, wire.WireOrder, "order"), "ours")
    assert (order.quantity, order.side, order.type, order.price_usd, order.waits) == expected
    assert (order.client_order_id, order.symbol) == ("ours", "AAA")


@pytest.mark.parametrize("missing", ["side", "type"])
def test_an_order_without_its_side_or_kind_is_of_none(missing: str) -> None:
    order = wire.read({name: value for name, value in OPEN_ORDER.items() if name != missing}, wire.WireOrder, "order")
    assert getattr(wire.standing_order(order, "ours"), missing) is None
