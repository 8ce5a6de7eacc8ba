"""Every fault, seen on the wire."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import pytest

from contract.days import block_of
from contract.wire import broker
from ordinis.brokers.simulated.faults import kinds

OPENED = 2  # Steps: the opening and the first minute.
STOP = {"qty": 10, "side": "sell", "type": "stop", "time_in_force": "gtc"}


def _symbols(messages: list[Any]) -> list[tuple[str, str]]:
    return [(one["T"], one["S"]) for one in messages]


def test_an_answer_comes_late() -> None:
    with broker(kinds.Delay(path="/v2/account", seconds=0.3)) as wire:
        wire.get("/v2/clock")
        assert wire.control("GET", "/faults").json()[0]["happened"] == 0
        began = time.monotonic()
        wire.get("/v2/account")
        assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"code": 42910000, "message": "rate limit exceeded"}),
        (500, {"message": "internal server error"}),
        (503, {"message": "service unavailable"}),
    ],
)
def test_an_error_means_that_nothing_was_done(status: int, body: dict[str, Any]) -> None:
    with broker(kinds.HttpError(method="POST", path="/v2/orders", status=status)) as wire:
        wire.step(OPENED)
        failed = wire.buy()
        assert (failed.status_code, failed.json()) == (status, body)
        assert wire.exchange.orders == ()
        assert wire.buy().status_code == 200


def test_an_order_is_accepted_behind_a_504() -> None:
    with broker(kinds.LostAnswer(method="POST", path="/v2/orders")) as wire:
        wire.step(OPENED)
        failed = wire.buy(client_order_id="mine")
        assert (failed.status_code, failed.json()) == (504, {"message": "gateway timeout"})
        assert wire.get("/v2/orders:by_client_order_id", client_order_id="mine")["status"] == "new"
        assert wire.buy(client_order_id="mine").json()["message"] == "client_order_id must be unique"


def test_a_dropped_socket_loses_the_message_and_a_new_one_hears_the_next() -> None:
    with broker(kinds.DropSocket(stream="trading", event="fill")) as wire:
        wire.step(OPENED)
        ears = wire.trading()
        wire.buy()
        assert ears.events() == ["pending_new", "new"]
        wire.step(2)
        assert not ears.open
        again = wire.trading()
        wire.ask("DELETE", "/v2/positions/AAA")
        wire.step(2)
        assert again.events() == ["pending_new", "new", "fill"]


def test_a_mute_socket_stays_open_and_says_nothing_until_it_connects_anew() -> None:
    with broker(kinds.MuteSocket(stream="data"), days=[block_of(0, gaps=False)]) as wire:
        ears = wire.data(bars=["*"])
        wire.step(4)
        assert ears.rest() == []
        assert ears.open
        assert wire.data(bars=["*"]).rest() == []
        told = wire.step()["totals"]["bars"]
        assert told > 0


def test_a_mute_trading_stream_loses_every_update() -> None:
    with broker(kinds.MuteSocket(stream="trading", event="new")) as wire:
        wire.step(OPENED)
        ears = wire.trading()
        wire.buy()
        told = wire.step(2)["totals"]["trade_updates"]
        assert (ears.events(), told) == (["pending_new"], 1)
        assert ears.open
        assert len(wire.get("/v2/positions")) == 1


def test_a_mute_socket_may_speak_again_after_some_minutes() -> None:
    with broker(kinds.MuteSocket(stream="data", minutes=2)) as wire:
        ears = wire.data(bars=["AAA"])
        wire.step(1 + 4)
        first = ears.rest()
        heard = [bar["t"] for bar in first]
        assert heard
        assert min(heard) >= "2025-01-02T14:32:00Z"


@pytest.mark.parametrize("stream", ["trading", "data"])
def test_who_connects_is_refused_as_often_as_asked(stream: kinds.Stream) -> None:
    with broker(kinds.RefuseSocket(stream=stream)) as wire:

        def connected() -> object:
            return wire.trading() if stream == "trading" else wire.data(bars=["*"])

        with pytest.raises(Exception, match="1001"):
            connected()
        assert connected()


@pytest.mark.parametrize(
    ("fault", "events"),
    [
        (kinds.DuplicateEvent(stream="trading", event="fill"), ["pending_new", "new", "fill", "fill"]),
        (kinds.MissingEvent(stream="trading", event="new"), ["pending_new", "fill"]),
        (kinds.ReorderEvents(stream="trading", event="new"), ["pending_new", "fill", "new"]),
        (kinds.ReorderEvents(stream="trading", symbol="BBB"), ["pending_new", "new", "fill"]),
        (kinds.MissingEvent(stream="data"), ["pending_new", "new", "fill"]),
    ],
)
def test_events_are_said_twice_too_late_or_never(fault: kinds.Fault, events: list[str]) -> None:
    with broker(fault) as wire:
        wire.step(OPENED)
        ears = wire.trading()
        wire.buy()
        told = wire.step(3)["totals"]["trade_updates"]
        assert ears.events() == events
        assert told == len(events)


def test_an_order_is_refused_with_the_words_of_the_plan() -> None:
    fault = kinds.RefuseOrder(symbol="AAA", status=403, code=40310100, text="trade denied")
    with broker(fault) as wire:
        wire.step(OPENED)
        assert wire.buy("BBB").status_code == 200
        refused = wire.buy("AAA")
        assert (refused.status_code, refused.json()) == (403, {"code": 40310100, "message": "trade denied"})
        assert [one.symbol for one in wire.exchange.orders] == ["BBB"]


def test_a_refusal_is_for_new_orders_alone_and_a_block_for_replacements_too() -> None:
    with broker(kinds.RefuseOrder(skip=1)) as wire:
        wire.step(OPENED)
        sent = wire.buy(type="limit", limit_price="50").json()
        replaced = wire.ask("PATCH", f"/v2/orders/{sent['id']}", {"limit_price": "51"})
        assert replaced.json()["limit_price"] == "51"
        assert wire.buy().status_code == 403
        wire.control("POST", "/faults", {"kind": "account_blocked"})
        blocked = wire.ask("PATCH", f"/v2/orders/{replaced.json()['id']}", {"limit_price": "52"})
        assert (blocked.status_code, blocked.json()["message"]) == (403, "account is blocked from trading")
        assert wire.ask("DELETE", f"/v2/orders/{replaced.json()['id']}").status_code == 204


def test_an_order_is_accepted_and_then_rejected_with_its_leg() -> None:
    with broker(kinds.RejectOrder(side="buy")) as wire:
        wire.step(OPENED)
        ears = wire.trading()
        sent = wire.buy(order_class="oto", stop_loss={"stop_price": "50"}).json()
        assert sent["status"] == "pending_new"
        assert ears.events() == ["pending_new", "new", "rejected", "rejected"]
        shown = wire.get(f"/v2/orders/{sent['id']}", nested="true")
        assert (shown["status"], shown["legs"][0]["status"]) == ("rejected", "rejected")
        assert shown["failed_at"] is not None
        assert Decimal(wire.get("/v2/account")["buying_power"]) == 200_000


def test_an_order_fills_in_part_and_then_the_rest() -> None:
    with broker(kinds.PartialFill(symbol="AAA", fraction=Decimal("0.3"))) as wire:
        wire.step(OPENED)
        ears = wire.trading()
        wire.buy("AAA", 10)
        wire.buy("BBB", 10)
        wire.step(4)
        told = [message["data"] for message in ears.rest()]
        fills = [(one["order"]["symbol"], one["event"], one["qty"]) for one in told if "qty" in one]
        assert sorted(fills) == [("AAA", "fill", "7"), ("AAA", "partial_fill", "3"), ("BBB", "fill", "10")]


def test_positions_lag_behind_the_order_for_some_seconds() -> None:
    with broker(kinds.StalePositions(seconds=10)) as wire:
        wire.step(OPENED)
        sent = wire.buy("AAA", 10).json()
        while wire.get(f"/v2/orders/{sent['id']}")["status"] != "filled":
            assert wire.step()["phase"] == "minute"
        assert wire.get("/v2/positions") == []
        assert wire.ask("GET", "/v2/positions/AAA").status_code == 404
        wire.step()
        assert [one["qty"] for one in wire.get("/v2/positions")] == ["10"]


def test_a_sold_position_is_shown_for_some_seconds_more() -> None:
    with broker(kinds.StalePositions(side="sell", seconds=10)) as wire:
        wire.step(OPENED)
        wire.buy("AAA", 10)
        wire.step(2)
        assert [one["qty"] for one in wire.get("/v2/positions")] == ["10"]
        sold = wire.ask("DELETE", "/v2/positions/AAA").json()
        while wire.get(f"/v2/orders/{sold['id']}")["status"] != "filled":
            assert wire.step()["phase"] == "minute"
        assert [one["qty"] for one in wire.get("/v2/positions")] == ["10"]
        wire.step()
        assert wire.get("/v2/positions") == []


def test_a_blocked_account_says_so_and_takes_no_order_until_the_block_ends() -> None:
    with broker(kinds.AccountBlocked(minutes=2, from_minute=1)) as wire:
        wire.step(1)
        assert wire.get("/v2/account")["trading_blocked"] is False
        wire.step(1)
        account = wire.get("/v2/account")
        assert (account["trading_blocked"], account["account_blocked"]) == (True, False)
        refused = wire.buy()
        assert (refused.status_code, refused.json()["code"]) == (403, 40310000)
        wire.step(2)
        assert wire.get("/v2/account")["trading_blocked"] is False
        assert wire.buy().status_code == 200


def test_a_block_without_an_end_lasts_until_the_faults_are_cleared() -> None:
    with broker(kinds.AccountBlocked(field="account_blocked")) as wire:
        for _ in range(3):
            assert wire.get("/v2/account")["account_blocked"] is True
            wire.step()
        assert wire.control("DELETE", "/faults").json() == []
        assert wire.get("/v2/account")["account_blocked"] is False


def test_a_late_bar_comes_after_later_ones() -> None:
    with broker(kinds.LateBar(symbol="AAA", minutes=2)) as wire:
        ears = wire.data(bars=["AAA", "BBB"])
        wire.step(OPENED)
        assert _symbols(ears.rest()) == [("b", "BBB")]
        told = wire.step()["totals"]["bars"]
        before = ears.rest()
        wire.step()
        *_, late = ears.rest()
        assert (late["T"], late["S"], late["t"]) == ("b", "AAA", "2025-01-02T14:30:00Z")
        assert all(bar["t"] > late["t"] for bar in before)
        assert told == 1 + len(before)


def test_a_wrong_bar_is_put_right_by_an_updated_one() -> None:
    with broker(kinds.CorrectedBar(symbol="AAA", factor=1.02)) as wire:
        ears = wire.data(bars=["AAA"], updatedBars=["AAA"])
        wire.step(OPENED)
        true_close = float(block_of(0, gaps=False).close[0, 0])
        (wrong,) = ears.rest()
        assert wrong["c"] == pytest.approx(true_close * 1.02, abs=1e-4)
        totals = wire.step()["totals"]
        right = ears.rest()[-1]
        assert (right["T"], right["t"], right["c"]) == ("u", wrong["t"], true_close)
        assert totals["updated_bars"] == 1
        stored = wire.get("/v2/stocks/bars", symbols="AAA", timeframe="1Min")["bars"]["AAA"][0]
        assert stored["c"] == true_close


def test_a_symbol_splits_in_the_night() -> None:
    days = [block_of(day, gaps=False) for day in range(3)]
    with broker(kinds.SplitBeforeOpen(symbol="AAA", ratio=Decimal(4)), days=days) as wire:
        wire.step(OPENED)
        ears = wire.data(bars=["AAA", "BBB"])
        wire.buy("AAA", 10)
        wire.step(2)
        wire.ask("POST", "/v2/orders", STOP | {"symbol": "AAA", "stop_price": "50"})
        value = float(wire.get("/v2/positions")[0]["market_value"])
        wire.step(days[0].rows - 3 + 1)
        ears.rest()
        assert [one["qty"] for one in wire.get("/v2/positions")] == ["10"]
        wire.step(2)
        (position,) = wire.get("/v2/positions")
        assert position["qty"] == "40"
        assert float(position["market_value"]) == pytest.approx(value, rel=0.05)
        assert [one["status"] for one in wire.get("/v2/orders", status="all", symbols="AAA")] == ["canceled", "filled"]
        bars = {bar["S"]: bar for bar in ears.rest()}
        opened = {symbol: bar["o"] for symbol, bar in bars.items()}
        assert opened["AAA"] == pytest.approx(float(days[1].open[0, 0]) / 4, abs=1e-4)
        assert opened["BBB"] == float(days[1].open[0, 1])
        assert bars["AAA"]["v"] == days[1].volume[0, 0] * 4
        actions = wire.get("/v1/corporate-actions", start="2025-01-01", end="2025-01-09")["corporate_actions"]
        (split,) = actions["forward_splits"]
        assert (split["symbol"], split["new_rate"], split["ex_date"]) == ("AAA", "4", "2025-01-03")
        query = {"symbols": "AAA", "timeframe": "1Min", "end": "2025-01-02T21:00:00Z"}
        raw, adjusted = (
            wire.get("/v2/stocks/bars", adjustment=name, **query)["bars"]["AAA"][-1] for name in ("raw", "split")
        )
        assert raw["c"] == float(days[0].close[-1, 0])
        assert (adjusted["c"], adjusted["v"]) == (pytest.approx(raw["c"] / 4, abs=1e-4), raw["v"] * 4)


def test_a_split_of_a_symbol_that_is_not_there_splits_nothing() -> None:
    with broker(kinds.SplitBeforeOpen(symbol="ZZZ")) as wire:
        wire.step(block_of(0).rows + 4)
        assert wire.get("/v1/corporate-actions", start="2025-01-01", end="2025-01-09")["corporate_actions"] == {}


def test_a_field_is_missing_only_where_it_is_asked_for() -> None:
    with broker(kinds.MissingField(where="/v2/account", field="cash")) as wire:
        account = wire.get("/v2/account")
        assert "cash" not in account
        assert "equity" in account
        wire.step(OPENED)
        wire.buy()
        assert "cash" not in wire.get("/v2/account")


def test_a_list_is_empty_only_where_it_is_asked_for() -> None:
    with broker(kinds.EmptyList(where="/v2/positions", count=1)) as wire:
        wire.step(OPENED)
        wire.buy()
        wire.step()
        assert len(wire.get("/v2/orders", status="all")) == 1
        assert [len(wire.get("/v2/positions")) for _ in range(2)] == [0, 1]


def test_a_field_is_removed_overnight() -> None:
    with broker(kinds.MissingField(where="/v2/account", field="buying_power", from_session=2)) as wire:
        rows = block_of(0).rows
        wire.step(1 + rows)
        assert "buying_power" in wire.get("/v2/account")
        assert wire.step()["phase"] == "closed"
        assert "buying_power" not in wire.get("/v2/account")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (kinds.MissingField(where="trading_stream", field="position_qty"), lambda one: "position_qty" not in one),
        (kinds.UnknownField(where="trading_stream"), lambda one: one["order"]["field_of_tomorrow"] == "new"),
        (kinds.UnknownStatus(where="trading_stream"), lambda one: one["order"]["status"] == "pending_of_tomorrow"),
    ],
)
def test_a_stream_s_messages_have_other_fields_than_yesterday(fault: kinds.Fault, expected: Any) -> None:
    with broker(fault) as wire:
        wire.step(OPENED)
        ears = wire.trading()
        wire.buy()
        wire.step(2)
        heard = [message["data"] for message in ears.rest()]
        assert len(heard) == 3
        assert all(expected(one) for one in heard)
        assert "field_of_tomorrow" not in wire.get("/v2/account")


def test_bars_have_a_field_that_nobody_knows() -> None:
    with broker(kinds.UnknownField(where="data_stream", field="zz", value=[1])) as wire:
        for packed in (False, True):
            ears = wire.data(packed=packed, bars=["AAA"])
            wire.step(OPENED)
            assert all(bar["zz"] == [1] for bar in ears.rest())


def test_orders_are_in_a_status_that_nobody_knows() -> None:
    with broker(kinds.UnknownStatus(status="frozen")) as wire:
        wire.step(OPENED)
        assert wire.buy(order_class="oto", stop_loss={"stop_price": "50"}).json()["legs"][0]["status"] == "frozen"
        assert [one["status"] for one in wire.get("/v2/orders")] == ["frozen", "frozen"]
        assert wire.get("/v2/account")["status"] == "ACTIVE"


def test_faults_are_armed_counted_and_cleared_through_the_control_port() -> None:
    with broker() as wire:
        fault = {"kind": "http_error", "path": "/v2/clock", "status": 500, "count": 2, "skip": 1}
        (armed,) = wire.control("POST", "/faults", fault).json()
        assert (armed["fault"]["kind"], armed["happened"]) == ("http_error", 0)
        seen = [wire.ask("GET", "/v2/clock").status_code for _ in range(4)]
        assert seen == [200, 500, 500, 200]
        assert wire.control("GET", "/faults").json()[0]["happened"] == 2
        assert wire.control("DELETE", "/faults").json() == []
        assert wire.control("POST", "/faults", [fault, fault]).status_code == 200


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"kind": "earthquake"}, r"\[0\].kind: Invalid value 'earthquake'; there are account_blocked, "),
        ({"status": 500}, r"missing required field `kind`, one of account_blocked, "),
        ({"kind": "http_error", "status": 200}, "status must be from 400 to 599, was 200"),
        ({"kind": "delay"}, "missing required field `seconds`"),
        ({"kind": "delay", "seconds": 1, "secnods": 2}, "unknown field `secnods`"),
        ({"kind": "drop_socket", "stream": "gossip"}, "Invalid enum value 'gossip'"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_in_words(body: Any, text: str) -> None:
    with broker() as wire:
        refused = wire.control("POST", "/faults", body)
        assert refused.status_code == 422
        assert re.search(text, refused.json()["message"])
        assert wire.control("GET", "/faults").json() == []


def test_chances_are_the_seed_s() -> None:
    def seen(seed: int) -> list[int]:
        with broker(kinds.HttpError(path="/v2/clock", status=500, count=0, probability=0.5), seed=seed) as wire:
            return [wire.ask("GET", "/v2/clock").status_code for _ in range(24)]

    first = seen(1)
    assert first == seen(1)
    assert first != seen(2)
    assert set(first) == {200, 500}
