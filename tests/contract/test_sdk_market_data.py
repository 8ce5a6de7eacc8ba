"""Market data through alpaca-py as it is: history, the newest of everything, and the stream's channels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

from contract.days import block_of, daily_of, session_of
from contract.wire import Wire, broker

MINUTES = 75  # 09:30 to 10:45.
HISTORY, TODAY = block_of(0, MINUTES), block_of(1, MINUTES)
DAILY = daily_of(12)
OVER = 40  # Minutes of today.


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with broker(days=[TODAY], history=[HISTORY], daily=DAILY) as wire:
        wire.step(1 + OVER)
        yield wire


@pytest.fixture
def client(wire: Wire) -> Iterator[Any]:
    client = StockHistoricalDataClient("key", "secret", url_override=wire.addresses.rest)
    yield client
    client._session.close()


def _bars(client: Any, frame: TimeFrame, **more: Any) -> list[Any]:
    request = StockBarsRequest(symbol_or_symbols="AAA", timeframe=frame, **more)
    return list(client.get_stock_bars(request).data["AAA"])


def _rows(first: int, last: int) -> tuple[Any, ...]:
    """Open, high, low, close and volume of today's minutes, straight from the block."""
    here = slice(first, last)
    present = TODAY.present[here, 0]
    opening, high, low, close, volume = (
        one[here, 0][present] for one in (TODAY.open, TODAY.high, TODAY.low, TODAY.close, TODAY.volume)
    )
    return float(opening[0]), float(high.max()), float(low.min()), float(close[-1]), float(volume.sum())


def _figures(bar: Any) -> tuple[Any, ...]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


@pytest.mark.parametrize(
    ("frame", "edges", "rows"),
    [
        (TimeFrame(5, TimeFrameUnit.Minute), ["14:30", "14:35", "14:40"], [(0, 5), (5, 10), (10, 15)]),
        (TimeFrame(7, TimeFrameUnit.Minute), ["14:27", "14:34", "14:41"], [(0, 4), (4, 11), (11, 18)]),
        (TimeFrame.Hour, ["14:00", "15:00"], [(0, 30), (30, OVER)]),
    ],
)
def test_longer_bars_are_made_of_minutes_up_to_now(
    client: Any, frame: TimeFrame, edges: list[str], rows: list[tuple[int, int]]
) -> None:
    found = _bars(client, frame, start=datetime(2025, 1, 3, 5, tzinfo=UTC))
    assert [f"{one.timestamp:%H:%M}" for one in found[: len(edges)]] == edges
    assert [_figures(one) for one in found[: len(rows)]] == [pytest.approx(_rows(*span)) for span in rows]


def test_a_day_that_is_on_is_made_of_its_minutes(client: Any) -> None:
    found = _bars(client, TimeFrame.Day, start=datetime(2024, 12, 30, 5, tzinfo=UTC))
    days = [date(2024, 12, 30), date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 3)]
    assert [one.timestamp.date() for one in found] == days
    assert _figures(found[-1]) == pytest.approx(_rows(0, OVER))


@pytest.mark.parametrize(
    ("frame", "edges"),
    [
        (TimeFrame.Week, [date(2024, 12, 16), date(2024, 12, 23), date(2024, 12, 30)]),
        (TimeFrame.Month, [date(2024, 12, 1), date(2025, 1, 1)]),
        (TimeFrame(3, TimeFrameUnit.Month), [date(2024, 10, 1), date(2025, 1, 1)]),
    ],
)
def test_weeks_and_months_begin_on_their_first_day(client: Any, frame: TimeFrame, edges: list[date]) -> None:
    found = _bars(client, frame)
    assert [one.timestamp.date() for one in found] == edges
    low = np.fmin(DAILY.low[-1, 0], TODAY.low[:OVER, 0][TODAY.present[:OVER, 0]].min())
    assert found[-1].close == float(TODAY.close[:OVER, 0][TODAY.present[:OVER, 0]][-1])
    assert found[-1].low <= low


def test_longer_bars_come_in_pages_and_backwards(client: Any) -> None:
    query = {"symbols": "AAA,BBB", "timeframe": "15Min", "sort": "desc"}
    whole = client.get("/stocks/bars", query)["bars"]
    pages: dict[str, list[Any]] = {"AAA": [], "BBB": []}
    token = None
    while True:
        page = client.get("/stocks/bars", query | {"limit": 3, "page_token": token})
        for symbol, rows in page["bars"].items():
            pages[symbol] += rows
        token = page["next_page_token"]
        if token is None:
            break
    assert pages == whole
    assert [row["t"] for row in whole["AAA"]] == sorted((row["t"] for row in whole["AAA"]), reverse=True)


@pytest.mark.parametrize("adjustment", list(Adjustment))
def test_every_adjustment_is_taken(client: Any, adjustment: Adjustment) -> None:
    assert _bars(client, TimeFrame.Minute, adjustment=adjustment)


def test_another_adjustment_is_refused(client: Any) -> None:
    with pytest.raises(APIError, match="invalid adjustment"):
        client.get("/stocks/bars", {"symbols": "AAA", "timeframe": "1Min", "adjustment": "rounded"})


def _newest() -> int:
    """The row of AAA's newest bar."""
    return int(TODAY.present[:OVER, 0].nonzero()[0][-1])


def test_the_newest_bar_trade_and_quote(client: Any) -> None:
    row = _newest()
    close = float(TODAY.close[row, 0])
    bar = client.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="AAA"))["AAA"]
    trade = client.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=["AAA", "BBB"]))["AAA"]
    quote = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAA"))["AAA"]
    closed = datetime.fromtimestamp(int(TODAY.closed_at_ns[row]) / 1e9, tz=UTC)
    assert (closed - bar.timestamp).total_seconds() == 60
    assert bar.close == trade.price == close
    assert trade.size == float(TODAY.volume[row, 0])
    assert 0 < (closed - trade.timestamp).total_seconds() < 1
    assert quote.bid_price < close < quote.ask_price
    assert quote.ask_price - close == pytest.approx(close * 2e-4, abs=1e-4)  # Half the exchange's spread.


def test_trades_and_quotes_stand_within_their_minutes(client: Any) -> None:
    span: dict[str, Any] = {
        "start": datetime(2025, 1, 3, 14, 30, tzinfo=UTC),
        "end": datetime(2025, 1, 3, 14, 40, tzinfo=UTC),
    }
    trades = client.get_stock_trades(StockTradesRequest(symbol_or_symbols="AAA", **span)).data["AAA"]
    quotes = client.get_stock_quotes(StockQuotesRequest(symbol_or_symbols="AAA", **span)).data["AAA"]
    assert len(trades) == len(quotes) == TODAY.present[:10, 0].sum()
    assert all(span["start"] < one.timestamp < span["end"] for one in (*trades, *quotes))


def test_a_snapshot_has_all_of_them(client: Any) -> None:
    shot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["AAA", "CCC"]))["AAA"]
    assert _figures(shot.daily_bar) == pytest.approx(_rows(0, OVER))
    assert shot.previous_daily_bar.close == float(DAILY.close[-1, 0])
    assert shot.minute_bar.close == shot.latest_trade.price == float(TODAY.close[_newest(), 0])
    assert shot.latest_quote.bid_price < shot.latest_trade.price


@pytest.mark.parametrize("kind", ["bars", "trades", "quotes"])
def test_a_single_symbol_has_addresses_of_its_own(wire: Wire, kind: str) -> None:
    page = wire.get(f"/v2/stocks/AAA/{kind}", timeframe="1Min", limit=2)
    many = wire.get(f"/v2/stocks/{kind}", symbols="AAA", timeframe="1Min", limit=2)
    assert (page["symbol"], page[kind], len(page[kind])) == ("AAA", many[kind]["AAA"], 2)
    assert page["next_page_token"] == many["next_page_token"]
    newest = wire.get(f"/v2/stocks/AAA/{kind}/latest")
    assert newest[kind[:-1]] == wire.get(f"/v2/stocks/{kind}/latest", symbols="AAA")[kind]["AAA"]
    assert wire.get("/v2/stocks/AAA/snapshot")["symbol"] == "AAA"


def test_unknown_symbols_are_left_out(wire: Wire) -> None:
    assert wire.get("/v2/stocks/bars/latest", symbols="AAA,ZZZ")["bars"].keys() == {"AAA"}
    assert wire.get("/v2/stocks/snapshots", symbols="ZZZ") == {}
    assert wire.ask("GET", "/v2/stocks/ZZZ/snapshot").status_code == 400
    assert wire.ask("GET", "/v2/stocks/gossip", symbols="AAA").status_code == 400


@pytest.mark.parametrize("packed", [False, True])
def test_every_channel_tells_its_messages(packed: bool) -> None:
    with broker() as wire:
        channels = ("bars", "updatedBars", "dailyBars", "trades", "quotes", "statuses")
        ears = wire.data(packed=packed, **{name: ["AAA"] for name in channels})
        wire.step(7)
        heard: dict[str, list[Any]] = {}
        for message in ears.rest():
            assert message["S"] == "AAA"
            heard.setdefault(message["T"], []).append(message)
        assert {kind: len(messages) for kind, messages in heard.items()} == {"s": 1, "b": 6, "t": 6, "q": 6, "d": 6}
        block = block_of(0, gaps=False)
        assert heard["s"][0]["sc"] == "T"
        assert [one["p"] for one in heard["t"]] == [one["c"] for one in heard["b"]] == block.close[:6, 0].tolist()
        assert all(one["bp"] < price < one["ap"] for one, price in zip(heard["q"], block.close[:6, 0], strict=True))
        last = heard["d"][-1]
        expected = (block.open[0, 0], block.high[:6, 0].max(), block.low[:6, 0].min(), block.close[5, 0])
        assert (last["o"], last["h"], last["l"], last["c"]) == expected
        assert last["v"] == block.volume[:6, 0].sum()


def test_daily_bars_of_the_stream_begin_anew_each_session() -> None:
    with broker() as wire:
        ears = wire.data(dailyBars=["AAA"])
        wire.step(block_of(0).rows + 2 + 2)
        last = ears.rest()[-1]
        assert last["o"] == float(block_of(1, gaps=False).open[0, 0])
        assert last["t"].startswith(session_of(1, 8).date.isoformat())
