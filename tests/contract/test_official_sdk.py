"""Alpaca's own SDK, unmodified, against the simulated broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.models import TradeUpdate
from alpaca.trading.requests import (
    GetCalendarRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
)
from alpaca.trading.stream import TradingStream

from contract.days import UNIVERSE, block_of, daily_of
from ordinis.brokers.alpaca.control import Control, ControlAddress
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings

HISTORY, TODAY = block_of(0), block_of(1)
DAILY = daily_of(5)
ACCOUNT = ExchangeSettings(
    cash_usd=Decimal(100_000),
    participation_max=0.0,
    shorting_enabled=True,
    easy_to_borrow=frozenset({"AAA"}),
)
DAY = TimeInForce.DAY
SECONDS_MAX = 20.0


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    data = SimulatedData(days=[TODAY], history=[HISTORY], daily=DAILY)
    with serve(Exchange(UNIVERSE, ACCOUNT), data) as served:
        yield served.addresses


@pytest.fixture
def control(addresses: Addresses) -> Iterator[Control]:
    control = Control(ControlAddress(url=addresses.control, token=addresses.control_token))
    yield control
    control.close()


@pytest.fixture
def client(addresses: Addresses) -> Iterator[Any]:
    client = TradingClient(addresses.key, addresses.secret, url_override=addresses.rest)
    yield client
    client._session.close()


@pytest.fixture
def bars(addresses: Addresses) -> Iterator[Any]:
    client = StockHistoricalDataClient(addresses.key, addresses.secret, url_override=addresses.data)
    yield client
    client._session.close()


def _market(symbol: str, quantity: float, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=symbol, qty=quantity, side=OrderSide.BUY, time_in_force=DAY, **more)


def _steps(control: Control, count: int) -> None:
    for _ in range(count):
        control.step()


def test_the_account_reads_as_a_trade_account(client: Any, control: Control) -> None:
    _steps(control, 2)
    account = client.get_account()
    assert (account.cash, account.equity, account.multiplier) == ("100000", "100000", "2")
    assert account.pattern_day_trader is None  # The field left the API in July 2026.


def test_an_order_is_sent_found_and_filled(client: Any, control: Control) -> None:
    _steps(control, 2)
    sent = client.submit_order(_market("AAA", 3, client_order_id="mine"))
    assert sent.status is OrderStatus.PENDING_NEW
    _steps(control, 2)
    found = client.get_order_by_client_id("mine")
    assert (found.id, found.status, found.filled_qty) == (sent.id, OrderStatus.FILLED, "3")
    position = client.get_open_position("AAA")
    assert (position.qty, position.side.value) == ("3", "long")
    assert [one.symbol for one in client.get_all_positions()] == ["AAA"]
    fills = client.get("/account/activities/FILL")
    assert [(row["symbol"], row["qty"], row["leaves_qty"]) for row in fills] == [("AAA", "3", "0")]


def test_an_order_of_money_has_no_quantity_and_fills_in_fractions(client: Any, control: Control) -> None:
    _steps(control, 2)
    request = MarketOrderRequest(symbol="AAA", notional=250.5, side=OrderSide.BUY, time_in_force=DAY)
    sent = client.submit_order(request)
    assert (sent.qty, sent.notional) == (None, "250.5")
    _steps(control, 2)
    found = client.get_order_by_id(sent.id)
    spent = Decimal(found.filled_qty) * Decimal(found.filled_avg_price)
    assert (found.status, found.qty) == (OrderStatus.FILLED, None)
    assert Decimal("250.49") < spent <= Decimal("250.5")
    with pytest.raises(APIError, match="only one of qty or notional is accepted"):
        client.post("/orders", {**request.to_request_fields(), "qty": "1"})


def test_a_short_has_negative_shares_and_values_and_is_told_as_such(client: Any, control: Control) -> None:
    _steps(control, 2)
    request = MarketOrderRequest(symbol="AAA", qty=10, side=OrderSide.SELL, time_in_force=DAY)
    sent = client.submit_order(request)
    assert sent.position_intent.value == "sell_to_open"
    _steps(control, 2)
    cover = client.submit_order(
        LimitOrderRequest(symbol="AAA", qty=4, side=OrderSide.BUY, time_in_force=DAY, limit_price=50)
    )
    assert cover.position_intent.value == "buy_to_close"
    position, account = client.get_open_position("AAA"), client.get_account()
    assert (position.qty, position.qty_available, position.side.value) == ("-10", "-6", "short")
    value = Decimal(position.market_value)
    assert value == -10 * Decimal(position.current_price)
    assert Decimal(position.unrealized_pl) == value - Decimal(position.cost_basis)
    assert (account.shorting_enabled, Decimal(account.short_market_value)) == (True, value)
    assert Decimal(account.long_market_value) == 0
    assert Decimal(account.cash) + value == Decimal(account.equity)
    assert [row["side"] for row in client.get("/account/activities/FILL")] == ["sell_short"]
    assert (client.get_asset("AAA").easy_to_borrow, client.get_asset("BBB").shortable) == (True, False)
    client.patch("/account/configurations", {"no_shorting": True})
    with pytest.raises(APIError, match="account is not allowed to short"):
        client.submit_order(request)
    assert client.get_account().shorting_enabled is False
    client.patch("/account/configurations", {"no_shorting": False})
    with pytest.raises(APIError, match="cannot be sold short"):
        client.submit_order(MarketOrderRequest(symbol="BBB", qty=1, side=OrderSide.SELL, time_in_force=DAY))


def test_a_stop_leg_is_nested_under_its_parent_and_has_a_name_of_the_broker_s(client: Any, control: Control) -> None:
    _steps(control, 2)
    request = LimitOrderRequest(
        symbol="AAA",
        qty=1,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.GTC,
        limit_price=50.0,
        client_order_id="parent",
        order_class=OrderClass.OTO,
        stop_loss=StopLossRequest(stop_price=45.0),
    )
    sent = client.submit_order(request)
    leg = client.get_order_by_id(sent.id, GetOrderByIdRequest(nested=True)).legs[0]
    assert (leg.status, leg.stop_price) == (OrderStatus.HELD, "45")
    assert "parent" not in leg.client_order_id
    assert client.get_order_by_client_id(leg.client_order_id).id == leg.id
    rolled_up, flat = (client.get_orders(GetOrdersRequest(nested=nested)) for nested in (True, False))
    assert [one.id for one in rolled_up] == [sent.id]
    assert [one.id for one in flat] == [leg.id, sent.id]


def test_an_extended_hours_order_is_taken_keeps_its_wish_and_waits_for_the_session(
    client: Any, control: Control
) -> None:
    request = LimitOrderRequest(
        symbol="AAA", qty=1, side=OrderSide.BUY, time_in_force=DAY, limit_price=5000, extended_hours=True
    )
    sent = client.submit_order(request)  # Before the open: at a broker this could trade at once.
    assert sent.extended_hours is True
    assert client.get_order_by_id(sent.id).status is OrderStatus.NEW
    _steps(control, 2)
    assert client.get_order_by_id(sent.id).status is OrderStatus.FILLED
    resting = client.submit_order(request.model_copy(update={"limit_price": 5.0}))
    moved = client.replace_order_by_id(resting.id, ReplaceOrderRequest(limit_price=6.0))
    assert moved.extended_hours is client.get_order_by_id(moved.id).extended_hours is True


def test_orders_are_listed_filtered_and_cancelled(client: Any, control: Control) -> None:
    _steps(control, 2)
    for number, symbol in enumerate(("AAA", "BBB", "AAA")):
        client.submit_order(
            LimitOrderRequest(
                symbol=symbol,
                qty=1,
                side=OrderSide.BUY,
                time_in_force=DAY,
                limit_price=50 + number,
                client_order_id=str(number),
            )
        )
    asked = GetOrdersRequest(status=QueryOrderStatus.OPEN, symbols=["AAA"], nested=True)
    assert [one.client_order_id for one in client.get_orders(asked)] == ["2", "0"]
    assert [one.client_order_id for one in client.get_orders(GetOrdersRequest(limit=1))] == ["2"]
    early = GetOrdersRequest(status=QueryOrderStatus.ALL, until=datetime(2025, 1, 1, tzinfo=UTC))
    assert client.get_orders(early) == []
    client.cancel_order_by_id(client.get_order_by_client_id("1").id)
    assert client.get_order_by_client_id("1").status is OrderStatus.CANCELED
    assert len(client.cancel_orders()) == 2
    assert client.get_orders() == []


@pytest.mark.parametrize(
    ("request_of", "http_status", "code", "text"),
    [
        (lambda client: client.submit_order(_market("ZZZZ", 1)), 422, 42210000, 'asset "ZZZZ" not found'),
        (lambda client: client.submit_order(_market("AAA", 1e6)), 403, 40310000, "insufficient buying power"),
        (lambda client: client.get_open_position("AAA"), 404, 40410000, "position does not exist"),
        (lambda client: client.get_order_by_client_id("none"), 404, 40410000, "order not found for none"),
        (lambda client: client.post("/orders", {"symbol": "AAA"}), 422, 40010001, "invalid side"),
        (
            lambda client: client.submit_order(_market("AAA", 1, extended_hours=True)),
            422,
            42210000,
            "extended hours order must be DAY or GTC limit orders",
        ),
        (
            lambda client: client.post(
                "/orders", {"symbol": "AAA", "qty": 1, "side": "buy", "type": "iceberg", "time_in_force": "day"}
            ),
            422,
            40010001,
            "invalid order type",
        ),
    ],
)
def test_refusals_have_the_broker_s_shape(
    client: Any, control: Control, request_of: Callable[[Any], Any], http_status: int, code: int, text: str
) -> None:
    _steps(control, 2)
    with pytest.raises(APIError) as refused:
        request_of(client)
    assert (refused.value.status_code, refused.value.code) == (http_status, code)
    assert text in refused.value.message


def test_the_same_client_order_id_is_refused_twice(client: Any, control: Control) -> None:
    _steps(control, 2)
    client.submit_order(_market("AAA", 1, client_order_id="once"))
    with pytest.raises(APIError, match="client_order_id must be unique"):
        client.submit_order(_market("AAA", 1, client_order_id="once"))


def test_a_wrong_key_is_unauthorized_without_a_code(addresses: Addresses) -> None:
    client = TradingClient(addresses.key, "wrong", url_override=addresses.rest)
    with pytest.raises(APIError) as refused:
        client.get_account()
    client._session.close()
    assert (refused.value.status_code, refused.value.message) == (401, "unauthorized.")
    with pytest.raises(KeyError):
        _ = refused.value.code


def test_the_clock_runs_on_virtual_time(client: Any, control: Control) -> None:
    before = client.get_clock()
    assert (before.is_open, before.next_open) == (False, datetime(2025, 1, 3, 14, 30, tzinfo=UTC))
    _steps(control, 3)
    assert (client.get_clock().is_open, client.get_clock().timestamp) == (
        True,
        datetime(2025, 1, 3, 14, 32, tzinfo=UTC),
    )
    _steps(control, TODAY.rows - 1)
    assert client.get_clock().is_open is False


def test_the_calendar_knows_the_sessions_of_the_data(client: Any) -> None:
    days = client.get_calendar(GetCalendarRequest(start=date(2025, 1, 3), end=date(2025, 1, 9)))
    assert [(day.date, day.open, day.close) for day in days] == [
        (date(2025, 1, 3), datetime(2025, 1, 3, 9, 30), datetime(2025, 1, 3, 9, 38))
    ]


def test_assets_are_the_universe(client: Any) -> None:
    assert [one.symbol for one in client.get_all_assets()] == list(UNIVERSE.symbols)
    assert client.get_asset("BBB").fractionable is True


def test_minute_bars_come_by_symbol_and_never_from_the_future(bars: Any, control: Control) -> None:
    _steps(control, 4)
    request = StockBarsRequest(symbol_or_symbols=["BBB", "AAA"], timeframe=TimeFrame.Minute)
    found = bars.get_stock_bars(request).data
    present = [
        int(block.present[rows, column].sum())
        for block, rows in ((HISTORY, slice(8)), (TODAY, slice(3)))
        for column in (0, 1)
    ]
    assert [len(found["AAA"]), len(found["BBB"])] == [present[0] + present[2], present[1] + present[3]]
    first = found["AAA"][0]
    assert (first.timestamp, first.open) == (datetime(2025, 1, 2, 14, 30, tzinfo=UTC), float(HISTORY.open[0, 0]))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_join_to_the_whole(bars: Any, control: Control, order: str) -> None:
    _steps(control, 4)
    query = {"symbols": "AAA,BBB,CCC", "timeframe": "1Min", "sort": order}
    whole = bars.get("/stocks/bars", query | {"limit": 10_000})["bars"]
    joined: dict[str, list[Any]] = {}
    token = None
    while True:
        page = bars.get("/stocks/bars", query | {"limit": 4, "page_token": token})
        for symbol, rows in page["bars"].items():
            joined.setdefault(symbol, []).extend(rows)
        token = page["next_page_token"]
        if token is None:
            break
    assert joined == whole


def test_daily_bars_begin_at_midnight_in_new_york(bars: Any, control: Control) -> None:
    _steps(control, 2)
    found = bars.get_stock_bars(StockBarsRequest(symbol_or_symbols="CCC", timeframe=TimeFrame.Day)).data["CCC"]
    assert [one.close for one in found[:-1]] == DAILY.close[:, 2].tolist()
    assert found[-2].timestamp == datetime(2025, 1, 1, 5, tzinfo=UTC)
    assert (found[-1].timestamp, found[-1].close) == (datetime(2025, 1, 3, 5, tzinfo=UTC), float(TODAY.close[0, 2]))


@pytest.mark.parametrize("query", [{"symbols": "AAA", "timeframe": "60Min"}, {"timeframe": "1Min"}])
def test_bad_bar_requests_say_what_is_wrong(bars: Any, query: dict[str, str]) -> None:
    with pytest.raises(APIError) as refused:
        bars.get("/stocks/bars", query)
    assert refused.value.status_code == 400


def _until(happened: threading.Event, control: Control, steps_max: int) -> None:
    """Let time pass until it has happened: the SDK does not say when it has subscribed."""
    for _ in range(steps_max):
        control.step()
        if happened.wait(0.15):
            return
    assert happened.wait(SECONDS_MAX)


def _stop(stream: Any, thread: threading.Thread, speak: Callable[[], object]) -> None:
    """The SDK looks whether it should stop when a message comes, or after five seconds."""
    stream.stop()
    speak()
    thread.join(SECONDS_MAX)
    assert not thread.is_alive()


def test_the_sdk_s_data_stream_hears_bars(addresses: Addresses, control: Control) -> None:
    stream = StockDataStream(addresses.key, addresses.secret, url_override=addresses.data_stream)
    heard: list[Any] = []
    happened = threading.Event()

    async def on_bar(bar: Any) -> None:
        heard.append(bar)
        happened.set()

    stream.subscribe_bars(on_bar, "AAA")
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    _until(happened, control, TODAY.rows + 1)
    _stop(stream, thread, control.step)
    assert {bar.symbol for bar in heard} == {"AAA"}
    row = (heard[0].timestamp - datetime(2025, 1, 3, 14, 30, tzinfo=UTC)).seconds // 60
    assert (heard[0].close, heard[0].volume) == (float(TODAY.close[row, 0]), float(TODAY.volume[row, 0]))


def test_the_sdk_s_data_stream_hears_trades_quotes_and_daily_bars(addresses: Addresses, control: Control) -> None:
    stream = StockDataStream(addresses.key, addresses.secret, url_override=addresses.data_stream)
    heard: dict[str, Any] = {}
    happened = threading.Event()

    async def on_message(message: Any) -> None:
        heard[type(message).__name__] = message
        if {"Bar", "Quote", "Trade"} <= heard.keys():
            happened.set()

    for subscribe in (
        stream.subscribe_quotes,
        stream.subscribe_trades,
        stream.subscribe_updated_bars,
        stream.subscribe_daily_bars,
    ):
        subscribe(on_message, "AAA")
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    _until(happened, control, TODAY.rows + 1)
    _stop(stream, thread, control.step)
    assert heard["Quote"].bid_price < heard["Trade"].price < heard["Quote"].ask_price
    assert heard["Bar"].open == float(TODAY.open[0, 0])  # Today's bar, from its first minute on.


def test_the_sdk_s_trading_stream_hears_an_order_live(addresses: Addresses, client: Any, control: Control) -> None:
    stream = TradingStream(addresses.key, addresses.secret, url_override=addresses.trading_stream)
    heard: list[TradeUpdate] = []
    happened = threading.Event()

    async def on_update(update: Any) -> None:
        heard.append(update)
        if update.event == "fill":
            happened.set()

    stream.subscribe_trade_updates(on_update)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    _steps(control, 2)
    for number in range(100):  # Until the first order is heard, the stream may not be listening.
        client.submit_order(
            LimitOrderRequest(
                symbol="BBB",
                qty=1,
                side=OrderSide.BUY,
                time_in_force=DAY,
                limit_price=1,
                client_order_id=f"probe-{number}",
            )
        )
        if happened.wait(0.1) or heard:
            break
    client.submit_order(_market("AAA", 2, client_order_id="mine"))
    _until(happened, control, TODAY.rows - 1)
    _stop(stream, thread, lambda: client.submit_order(_market("CCC", 1)))
    mine = [update for update in heard if update.order.client_order_id == "mine"]
    assert [update.event for update in mine] == ["pending_new", "new", "fill"]
    assert (mine[-1].qty, mine[-1].position_qty) == (2.0, 2.0)
