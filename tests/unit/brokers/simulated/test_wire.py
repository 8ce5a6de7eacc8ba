"""How the server writes and reads."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.refusals import Refusal
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.wire_account import clock_body
from ordinis.brokers.simulated.wire_bars import BARS_PER_FRAME_MAX, frames
from ordinis.brokers.simulated.wire_orders import order_body, order_request, update_bodies
from ordinis.brokers.simulated.wire_values import midnight_ns, new_york_text, ns_of, plain, ulid, utc_text
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import Session
from ordinis.domain.orders import Fill, OrderStatus, OrderType, Side, TimeInForce

AT_NS = 1_735_828_260 * 10**9  # 2025-01-02 14:31 UTC, 09:31 in New York.
REQUEST = {"symbol": "AAA", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}


def _order(**changed: Any) -> BrokerOrder:
    fields: dict[str, Any] = {
        "number": 1,
        "id": "b1",
        "client_order_id": "c1",
        "priority": 1,
        "symbol": "AAA",
        "column": 0,
        "side": Side.BUY,
        "buys": True,
        "type": OrderType.MARKET,
        "time_in_force": TimeInForce.DAY,
        "quantity": Decimal(10),
        "whole": True,
        "opens": True,
        "created_at_ns": AT_NS,
        "submitted_at_ns": AT_NS,
        "updated_at_ns": AT_NS,
    }
    fields |= changed
    return BrokerOrder(**{"acts_as": fields["type"]} | fields)


def _update(status: OrderStatus, filled: int = 0, fill: Fill | None = None) -> OrderUpdate:
    return OrderUpdate(
        at_ns=AT_NS,
        client_order_id="c1",
        broker_order_id="b1",
        symbol="AAA",
        status=status,
        filled_quantity=Decimal(filled),
        fill=fill,
    )


@pytest.mark.parametrize(
    ("at_ns", "text"),
    [
        (AT_NS, "2025-01-02T14:31:00Z"),
        (AT_NS + 1, "2025-01-02T14:31:00.000000001Z"),
        (AT_NS + 10**8, "2025-01-02T14:31:00.1Z"),
    ],
)
def test_times_have_as_many_decimals_as_they_need(at_ns: int, text: str) -> None:
    assert utc_text(at_ns) == text


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("2025-01-02T14:31:00Z", AT_NS),
        ("2025-01-02T09:31:00-05:00", AT_NS),
        ("2025-01-02T14:31:00", AT_NS),
        ("2025-01-02T14:31:00.000001+00:00", AT_NS + 1000),
        ("2025-01-02", midnight_ns(date(2025, 1, 2))),
    ],
)
def test_requests_may_write_times_in_many_ways(text: str, expected_ns: int) -> None:
    assert ns_of(text) == expected_ns


def test_new_york_is_written_with_its_offset() -> None:
    assert new_york_text(AT_NS) == "2025-01-02T09:31:00-05:00"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=9))
def test_amounts_are_written_without_exponents_and_read_back_digit_by_digit(amount: Decimal) -> None:
    text = plain(amount)
    assert "E" not in text
    assert Decimal(text).as_tuple() == amount.as_tuple()


def test_event_ids_sort_by_time_and_number() -> None:
    ids = [ulid(AT_NS, 1), ulid(AT_NS, 2), ulid(AT_NS, 40), ulid(AT_NS + 10**9, 3)]
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {26}


@pytest.mark.parametrize(
    ("value", "digits"),
    [("10", "10"), ("1.500", "1.500"), (10, "10"), (Decimal("1.0"), "1"), (Decimal("0.25"), "0.25")],
)
def test_a_quantity_keeps_the_digits_of_a_string_and_the_value_of_a_number(value: object, digits: str) -> None:
    assert str(order_request(REQUEST | {"qty": value}, AT_NS, "made-up").quantity) == digits


PAIR = {"take_profit": {"limit_price": "9"}, "stop_loss": {"stop_price": "7"}}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"qty": None}, "qty or notional is required"),
        ({"qty": "many"}, "qty is not a valid number"),
        ({"qty": "NaN"}, "qty is not a valid number"),
        ({"qty": True}, "qty is not a valid number"),
        ({"type": "iceberg"}, "invalid order type"),
        ({"side": "up"}, "invalid side"),
        ({"time_in_force": "gtd"}, "invalid time_in_force"),
        ({"extended_hours": "yes"}, "extended_hours must be a boolean"),
        ({"order_class": "bracket"}, "bracket orders require take_profit.limit_price"),
        ({"order_class": "bracket", "take_profit": {"limit_price": 9}}, "bracket orders require stop_loss.stop_price"),
        ({"order_class": "oto"}, "oto orders require either take_profit.limit_price or stop_loss.stop_price"),
        ({"stop_loss": {"stop_price": "9"}}, "simple orders require no take_profit or stop_loss"),
        ({"order_class": "oto", "stop_loss": 9}, "stop_loss must be an object"),
        ({"order_class": "oco", **PAIR}, "oco orders must be limit orders"),
        ({"order_class": "oco", "type": "limit", "limit_price": 9, **PAIR}, "oco orders must be limit orders"),
        ({"order_class": "mleg"}, "invalid order_class"),
        ({"client_order_id": 7}, "client_order_id must be a string"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(Refusal, match=text):
        order_request(REQUEST | changed, AT_NS, "made-up")


LIMITED = {"type": "limit", "limit_price": "10", "extended_hours": True}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, None),
        ({"time_in_force": "gtc"}, None),
        ({"qty": "0.5"}, None),
        ({"type": "market", "limit_price": None}, "extended hours order must be DAY or GTC limit orders"),
        ({"type": "stop", "stop_price": "10"}, "extended hours order must be DAY or GTC limit orders"),
        ({"time_in_force": "ioc"}, "extended hours order must be DAY or GTC limit orders"),
        ({"time_in_force": "opg"}, "extended hours order must be DAY or GTC limit orders"),
        ({"order_class": "bracket", **PAIR}, "extended hours orders must be simple orders"),
        ({"order_class": "oto", "stop_loss": {"stop_price": "7"}}, "extended hours orders must be simple orders"),
        ({"type": "market", "extended_hours": False}, None),
    ],
)
def test_beside_the_regular_session_only_plain_limits_may_trade(changed: dict[str, Any], text: str | None) -> None:
    if text is None:
        assert order_request(REQUEST | LIMITED | changed, AT_NS, "made-up").symbol == REQUEST["symbol"]
        return
    with pytest.raises(Refusal, match=text) as refused:
        order_request(REQUEST | LIMITED | changed, AT_NS, "made-up")
    assert (refused.value.http_status, refused.value.code) == (422, 42210000)


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(Refusal, match="request body format is invalid"):
        order_request([1], AT_NS, "made-up")


def test_an_order_without_a_name_gets_one() -> None:
    assert order_request(REQUEST, AT_NS, "made-up").client_order_id == "made-up"


def test_a_leg_does_not_carry_our_name_for_it() -> None:
    parent = _order(order_class="oto")
    parent.leg = _order(id="b2", client_order_id="c1.stop", parent=parent, status=OrderStatus.HELD)
    body = order_body(parent)
    assert body["legs"][0]["status"] == "held"
    assert "c1.stop" not in body["legs"][0]["client_order_id"]
    assert order_body(parent, nested=False)["legs"] is None


def test_an_accepted_order_is_told_twice_and_a_held_leg_not_at_all() -> None:
    told = update_bodies(_update(OrderStatus.ACCEPTED), _order(), None, Decimal(0), 1)
    assert [one["event"] for one in told] == ["pending_new", "new"]
    assert [one["order"]["status"] for one in told] == ["pending_new", "new"]
    assert told[0]["event_id"] < told[1]["event_id"]
    assert update_bodies(_update(OrderStatus.HELD), _order(), None, Decimal(0), 1) == []


def test_a_fill_shows_the_order_as_it_was_then() -> None:
    fill = Fill(execution_id="e", symbol="AAA", quantity=Decimal(4), price_usd=Decimal("9.5"), filled_at_ns=AT_NS)
    filled_by_now = _order(status=OrderStatus.FILLED, filled_quantity=Decimal(10), filled_value_usd=Decimal(98))
    (told,) = update_bodies(
        _update(OrderStatus.PARTIALLY_FILLED, 4, fill), filled_by_now, Decimal("9.5"), Decimal(10), 3
    )
    assert (told["event"], told["qty"], told["price"]) == ("partial_fill", "4", "9.5")
    shown = told["order"]
    assert (shown["status"], shown["filled_qty"], shown["filled_avg_price"]) == ("partially_filled", "4", "9.5")


@pytest.mark.parametrize(
    ("now_ns", "opens", "closes"),
    [
        (0, "2025-01-02T09:30:00-05:00", "2025-01-02T09:40:00-05:00"),
        (AT_NS, "2025-01-03T09:30:00-05:00", "2025-01-02T09:40:00-05:00"),
        (2**62, "2025-01-03T09:30:00-05:00", "2025-01-03T09:40:00-05:00"),
    ],
)
def test_the_clock_names_the_next_open_and_close(now_ns: int, opens: str, closes: str) -> None:
    day_ns = 86_400 * 10**9
    first = AT_NS - 60 * 10**9
    sessions = [
        Session(date=date(2025, 1, 2 + n), open_ns=first + n * day_ns, close_ns=first + n * day_ns + 600 * 10**9)
        for n in range(2)
    ]
    body = clock_body(now_ns, False, sessions)
    assert (body["next_open"], body["next_close"]) == (opens, closes)


def test_frames_are_cut_where_small_clients_would_choke() -> None:
    bars: list[dict[str, Any]] = [{"n": number} for number in range(BARS_PER_FRAME_MAX + 1)]
    parts = list(frames(bars))
    assert [len(part) for part in parts] == [BARS_PER_FRAME_MAX, 1]
    assert [bar for part in parts for bar in part] == bars


def test_keys_admit_only_the_pair() -> None:
    keys = Keys(key="k", secret="s")
    pairs: list[tuple[object, object]] = [("k", "s"), ("k", "x"), ("x", "s"), (None, "s"), ("k", 1)]
    assert [keys.admit(*pair) for pair in pairs] == [True, False, False, False, False]
    assert "'s'" not in repr(keys)
    assert Keys.made_up() != Keys.made_up()
