"""Account, positions and what surrounds them, through alpaca-py as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetStatus, OrderClass, OrderSide, OrderStatus, OrderType, TimeInForce
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

from contract.days import block_of
from contract.wire import Wire, broker

DAY, GTC = TimeInForce.DAY, TimeInForce.GTC
BUY, SELL = OrderSide.BUY, OrderSide.SELL
OPENED = 2


@pytest.fixture
def wire() -> Iterator[Wire]:
    with broker() as wire:
        wire.step(OPENED)
        yield wire


@pytest.fixture
def client(wire: Wire) -> Iterator[Any]:
    client = TradingClient("key", "secret", url_override=wire.addresses.rest)
    yield client
    client._session.close()


def _market(symbol: str, quantity: float, side: OrderSide = BUY, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol=symbol, qty=quantity, side=side, time_in_force=DAY, **more)


def _hold(wire: Wire, client: Any, **quantities: float) -> None:
    for symbol, quantity in quantities.items():
        client.submit_order(_market(symbol, quantity))
    wire.step(2)


ORDERS = [
    _market("AAA", 1.5),
    LimitOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=GTC, limit_price=50),
    LimitOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=TimeInForce.IOC, limit_price=50),
    LimitOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=TimeInForce.FOK, limit_price=50),
    LimitOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=TimeInForce.CLS, limit_price=50),
    StopOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=DAY, stop_price=150),
    StopLimitOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=DAY, stop_price=150, limit_price=151),
    TrailingStopOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=DAY, trail_percent=5),
    TrailingStopOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=GTC, trail_price=5),
    _market("AAA", 1, order_class=OrderClass.OTO, stop_loss=StopLossRequest(stop_price=50)),
    _market(
        "AAA",
        1,
        order_class=OrderClass.BRACKET,
        stop_loss=StopLossRequest(stop_price=50, limit_price=49),
        take_profit=TakeProfitRequest(limit_price=150),
    ),
]


@pytest.mark.parametrize("request_", ORDERS, ids=lambda one: f"{type(one).__name__}-{one.time_in_force.value}")
def test_every_order_is_taken_as_it_was_meant(wire: Wire, client: Any, request_: Any) -> None:
    if request_.time_in_force is TimeInForce.CLS:
        with pytest.raises(APIError):  # The made-up day is too short for an order ten minutes before its close.
            client.submit_order(request_)
        return
    sent = client.submit_order(request_)
    assert (sent.symbol, sent.type, sent.time_in_force) == ("AAA", request_.type, request_.time_in_force)
    assert sent.status is OrderStatus.PENDING_NEW
    for name in ("limit_price", "stop_price", "trail_percent", "trail_price"):
        asked = getattr(request_, name, None)
        assert asked is None or Decimal(getattr(sent, name)) == Decimal(str(asked))
    assert len(sent.legs or []) == {OrderClass.OTO: 1, OrderClass.BRACKET: 2}.get(request_.order_class, 0)


def test_an_oco_guards_a_position(wire: Wire, client: Any) -> None:
    _hold(wire, client, AAA=10)
    sent = client.submit_order(
        LimitOrderRequest(
            symbol="AAA",
            qty=10,
            side=SELL,
            time_in_force=GTC,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=150),
            stop_loss=StopLossRequest(stop_price=50),
        )
    )
    assert (sent.order_class, sent.type, len(sent.legs)) == (OrderClass.OCO, OrderType.LIMIT, 1)
    with pytest.raises(APIError, match="insufficient qty available"):
        client.close_position("AAA")


def test_an_order_is_replaced(wire: Wire, client: Any) -> None:
    old = client.submit_order(LimitOrderRequest(symbol="AAA", qty=1, side=BUY, time_in_force=DAY, limit_price=50))
    new = client.replace_order_by_id(old.id, ReplaceOrderRequest(qty=3, limit_price=51))
    assert (new.replaces, new.qty, new.limit_price) == (old.id, "3", "51")
    assert client.get_order_by_id(old.id).status is OrderStatus.REPLACED


def test_orders_are_filtered_by_side(wire: Wire, client: Any) -> None:
    _hold(wire, client, AAA=2)
    client.submit_order(LimitOrderRequest(symbol="BBB", qty=1, side=BUY, time_in_force=DAY, limit_price=50))
    client.submit_order(LimitOrderRequest(symbol="AAA", qty=1, side=SELL, time_in_force=DAY, limit_price=150))
    found = client.get_orders(GetOrdersRequest(side=SELL))
    assert [(one.symbol, one.side) for one in found] == [("AAA", SELL)]


@pytest.mark.parametrize(
    ("asked", "left"),
    [(None, None), (ClosePositionRequest(qty="4"), "6"), (ClosePositionRequest(percentage="25"), "7.5")],
)
def test_a_position_is_closed_whole_or_in_part(wire: Wire, client: Any, asked: Any, left: str | None) -> None:
    _hold(wire, client, AAA=10)
    sent = client.close_position("AAA", asked) if asked else client.close_position("AAA")
    assert (sent.side, sent.type) == (SELL, OrderType.MARKET)
    wire.step(2)
    found = {one.symbol: one.qty for one in client.get_all_positions()}
    assert found == ({} if left is None else {"AAA": left})


@pytest.mark.parametrize(
    ("query", "http_status", "text"),
    [
        ({"qty": "11"}, 403, "insufficient qty available"),
        ({"percentage": "101"}, 422, "percentage must be from 0 to 100"),
        ({"qty": "1", "percentage": "1"}, 422, "only one of qty and percentage"),
        ({"qty": "many"}, 422, "qty is not a valid number"),
        ({"qty": "-1"}, 422, "qty must be above 0"),
    ],
)
def test_a_bad_close_is_refused(wire: Wire, client: Any, query: dict[str, str], http_status: int, text: str) -> None:
    _hold(wire, client, AAA=10)
    refused = wire.ask("DELETE", "/v2/positions/AAA", **query)
    assert refused.status_code == http_status
    assert text in refused.json()["message"]


def test_all_positions_are_closed_with_their_orders(wire: Wire, client: Any) -> None:
    _hold(wire, client, AAA=10, BBB=5)
    client.submit_order(StopOrderRequest(symbol="AAA", qty=10, side=SELL, time_in_force=GTC, stop_price=50))
    rows = client.close_all_positions(cancel_orders=False)
    assert [(row.symbol, row.status) for row in rows] == [("AAA", 403), ("BBB", 200)]
    rows = client.close_all_positions(cancel_orders=True)
    assert [(row.symbol, row.status) for row in rows] == [("AAA", 200), ("BBB", 200)]
    wire.step(2)
    assert client.get_all_positions() == []


def test_configurations_are_read_changed_and_obeyed(wire: Wire, client: Any) -> None:
    configurations = client.get_account_configurations()
    assert (configurations.suspend_trade, configurations.fractional_trading) == (False, True)
    configurations.suspend_trade = True
    assert client.set_account_configurations(configurations).suspend_trade is True
    assert client.get_account().trade_suspended_by_user is True
    with pytest.raises(APIError, match="new orders are rejected by user request"):
        client.submit_order(_market("AAA", 1))
    client.patch("/account/configurations", {"suspend_trade": False, "fractional_trading": False})
    with pytest.raises(APIError, match="fractional trading is disabled"):
        client.submit_order(_market("AAA", 1.5))
    assert client.submit_order(_market("AAA", 1))


@pytest.fixture
def lending() -> Iterator[Wire]:
    """A broker that lends shares."""
    with broker(shorting_enabled=True) as wire:
        wire.step(OPENED)
        yield wire


def test_who_wants_no_shorts_gets_none(lending: Wire) -> None:
    wire = lending
    client: Any = TradingClient("key", "secret", url_override=wire.addresses.rest)
    assert client.get_account().shorting_enabled is True
    client.patch("/account/configurations", {"no_shorting": True})
    assert client.get_account().shorting_enabled is False
    with pytest.raises(APIError, match="account is not allowed to short"):
        client.submit_order(_market("AAA", 1, SELL))
    client.patch("/account/configurations", {"no_shorting": False})
    client.submit_order(_market("AAA", 4, SELL))
    wire.step(2)
    (short,) = client.get_all_positions()
    assert (short.qty, short.side.value, short.qty_available) == ("-4", "short", "-4")
    bought = client.close_position("AAA", ClosePositionRequest(percentage="50"))
    assert (bought.side, bought.qty) == (BUY, "2")
    client._session.close()


@pytest.mark.parametrize("body", [{"suspend": True}, {"suspend_trade": "yes"}, {"max_margin_multiplier": "3"}, [1]])
def test_a_configuration_that_cannot_be_changes_nothing(wire: Wire, client: Any, body: Any) -> None:
    before = client.get("/account/configurations")
    assert wire.ask("PATCH", "/v2/account/configurations", body).status_code == 422
    assert client.get("/account/configurations") == before


def test_activities_are_paged_by_type_date_and_time(wire: Wire, client: Any) -> None:
    _hold(wire, client, AAA=1, BBB=2, CCC=3)
    client.close_position("CCC")
    wire.step(block_of(0).rows)  # Over the close: fees.
    fills = client.get("/account/activities/FILL")
    assert [(row["symbol"], row["side"]) for row in fills] == [
        ("CCC", "sell"),
        ("CCC", "buy"),
        ("BBB", "buy"),
        ("AAA", "buy"),
    ]
    assert {row["activity_type"] for row in client.get("/account/activities")} == {"FILL", "FEE"}
    pages: list[Any] = []
    token = None
    while page := client.get("/account/activities/FILL", {"page_size": 3, "page_token": token}):
        pages.append([row["id"] for row in page])
        token = page[-1]["id"]
    assert pages == [[row["id"] for row in fills[:3]], [fills[3]["id"]]]
    assert client.get("/account/activities/FILL", {"date": "2025-01-03"}) == []
    assert len(client.get("/account/activities/FILL", {"date": "2025-01-02", "direction": "asc"})) == 4
    assert len(client.get("/account/activities/FILL", {"after": fills[1]["transaction_time"]})) == 1
    assert len(client.get("/account/activities/FILL", {"until": fills[0]["transaction_time"]})) == 3


def test_portfolio_history_follows_the_equity(wire: Wire, client: Any) -> None:
    _hold(wire, client, AAA=100)
    wire.step(3)
    history = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="1Min"))
    equity = float(client.get_account().equity)
    assert len(history.timestamp) == len(history.equity) == wire.exchange.session.minutes - 2  # type: ignore[union-attr]
    assert history.timestamp[0] == int(datetime(2025, 1, 2, 14, 30, tzinfo=UTC).timestamp())
    assert (history.base_value, history.equity[0]) == (100_000, 100_000)
    assert history.equity[-1] == pytest.approx(equity)
    assert history.profit_loss[-1] == pytest.approx(equity - 100_000, abs=1e-3)
    daily = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1M", timeframe="1D"))
    assert (daily.timestamp, daily.equity) == (
        [int(datetime(2025, 1, 2, 5, tzinfo=UTC).timestamp())],
        [pytest.approx(equity)],
    )


def test_a_second_day_s_history_counts_from_the_first_day_s_end(wire: Wire, client: Any) -> None:
    _hold(wire, client, AAA=100)
    wire.step(block_of(0).rows)  # Into the second session: its opening and first minute.
    evening, *today = (usd for _, usd in _equities(wire, client))
    history = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="1Min"))
    assert evening != 100_000
    assert (history.base_value, history.equity) == (evening, today)
    assert history.profit_loss == [pytest.approx(usd - evening, abs=1e-3) for usd in today]


def _equities(wire: Wire, client: Any) -> list[tuple[int, float]]:
    """From the first session's last minute on."""
    whole = client.get("/account/portfolio/history", {"period": "1W", "timeframe": "1Min"})
    rows = list(zip(whole["timestamp"], whole["equity"], strict=True))
    return rows[block_of(0).rows - 1 :]


@pytest.mark.parametrize("query", [{"timeframe": "2Min"}, {"period": "1X"}, {"date_end": "soon"}])
def test_a_history_that_cannot_be_is_refused(wire: Wire, query: dict[str, str]) -> None:
    assert wire.ask("GET", "/v2/account/portfolio/history", **query).status_code == 422


def test_assets_are_asked_for_by_status(client: Any) -> None:
    assert len(client.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE))) == 3
    assert client.get_all_assets(GetAssetsRequest(status=AssetStatus.INACTIVE)) == []
    one = client.get_asset("AAA")
    assert client.get_asset(str(one.id)).symbol == "AAA"
    with pytest.raises(APIError, match="asset not found for ZZZ"):
        client.get_asset("ZZZ")


def test_the_calendar_is_the_data_s(client: Any) -> None:
    assert [day.date for day in client.get_calendar()] == [date(2025, 1, 2), date(2025, 1, 3)]
