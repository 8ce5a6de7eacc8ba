"""The market-data API: bars, trades, quotes and snapshots up to the exchange's now, never beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated.server.answers import BadRequest, answer
from ordinis.brokers.simulated.server.gate import Table
from ordinis.brokers.simulated.server.history import History, Row
from ordinis.brokers.simulated.server.paging import Asked, asked_of, symbols_of, token_of
from ordinis.brokers.simulated.server.queries import date_of
from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.brokers.simulated.server.timeframes import timeframe_of
from ordinis.brokers.simulated.wire_corporate import corporate_actions_body
from ordinis.brokers.simulated.wire_values import new_york

KINDS = ("bars", "trades", "quotes")
ADJUSTMENTS = frozenset({"raw", "split", "dividend", "all"})
_FOR_SPLITS = ("split", "all")
_SINGULAR = {"bars": "bar", "trades": "trade", "quotes": "quote"}
_Reader = Callable[[int, int, int, bool], Iterator[Row]]  # Column, first and last edge, newest first.


class DataApi:
    """`/v2/stocks`, for one symbol or many, and `/v1/corporate-actions`."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._history = History(simulation)

    def table(self) -> Table:
        return (
            ("GET", "/v2/stocks/snapshots", self.snapshots),
            ("GET", "/v2/stocks/{kind}/latest", self.latest),
            ("GET", "/v2/stocks/{kind}", self.pages),
            ("GET", "/v2/stocks/{symbol}/snapshot", self.snapshot),
            ("GET", "/v2/stocks/{symbol}/{kind}/latest", self.latest),
            ("GET", "/v2/stocks/{symbol}/{kind}", self.pages),
            ("GET", "/v1/corporate-actions", self.corporate_actions),
        )

    async def corporate_actions(self, request: Request) -> Response:
        """What has taken effect here, by ex-date, both ends included."""
        query, today = request.query_params, new_york(self._simulation.now_ns).date()
        first, last = date_of(query.get("start"), today), date_of(query.get("end"), today)
        known = self._simulation.corporate_actions
        body = corporate_actions_body(one for one in known if first <= one.ex_date <= last)
        return answer({"corporate_actions": body, "next_page_token": None})

    async def pages(self, request: Request) -> Response:
        """Sorted by symbol, then by time; the page's size is over all symbols."""
        kind, one = _kind(request), request.path_params.get("symbol")
        asked = asked_of(request.query_params, one)
        found = list(islice(self._rows(self._reader(kind, request), asked), asked.limit + 1))
        page = found[: asked.limit]
        rows: dict[str, list[Row]] = {}
        for symbol, row in page:
            rows.setdefault(symbol, []).append(row)
        token = token_of(*page[-1]) if len(found) > asked.limit else None
        if one is None:
            return answer({kind: rows, "next_page_token": token})
        return answer({kind: rows.get(one), "symbol": one, "next_page_token": token})

    def _reader(self, kind: str, request: Request) -> _Reader:
        history = self._history
        if kind != "bars":
            return history.trades if kind == "trades" else history.quotes
        query = request.query_params
        timeframe = timeframe_of(query.get("timeframe", ""))
        adjustment = query.get("adjustment", "raw")
        if adjustment not in ADJUSTMENTS:
            raise BadRequest(f"invalid adjustment: {adjustment}; there are {', '.join(sorted(ADJUSTMENTS))}")
        adjusted = adjustment in _FOR_SPLITS
        return lambda column, start_ns, end_ns, descending: history.bars(
            column, timeframe, start_ns, end_ns, descending, split_adjusted=adjusted
        )

    def _rows(self, read: _Reader, asked: Asked) -> Iterator[tuple[str, Row]]:
        columns = self._simulation.exchange.universe.column
        for symbol in asked.symbols:
            if symbol in columns and not asked.past(symbol):
                start_ns, end_ns = asked.rest_of(symbol)
                for row in read(columns[symbol], start_ns, end_ns, asked.descending):
                    yield symbol, row

    async def latest(self, request: Request) -> Response:
        kind, one = _kind(request), request.path_params.get("symbol")
        found: dict[str, Any] = {}
        for symbol, column in self._columns(request):
            row = self._history.latest(column, kind)
            if row is not None:
                found[symbol] = row
        if one is None:
            return answer({kind: found})
        return answer({"symbol": one, _SINGULAR[kind]: found.get(one)})

    async def snapshots(self, request: Request) -> Response:
        return answer({symbol: self._history.snapshot(column) for symbol, column in self._columns(request)})

    async def snapshot(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        for _, column in self._columns(request):
            return answer({"symbol": symbol, **self._history.snapshot(column)})
        raise BadRequest(f"invalid symbol: {symbol}")

    def _columns(self, request: Request) -> Iterator[tuple[str, int]]:
        """The symbols asked for that there are, sorted, with their columns."""
        columns = self._simulation.exchange.universe.column
        for symbol in symbols_of(request.query_params, request.path_params.get("symbol")):
            if symbol in columns:
                yield symbol, columns[symbol]


def _kind(request: Request) -> str:
    kind = str(request.path_params["kind"])
    if kind not in KINDS:
        raise BadRequest(f"{request.url.path} is not part of this simulated broker; there are {', '.join(KINDS)}")
    return kind
