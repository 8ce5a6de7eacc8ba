"""The market-data API: bars up to the exchange's now, never beyond."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordinis.brokers.simulated.server.answers import BadRequest, answer, failure, guarded
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.brokers.simulated.wire_bars import daily_bar, minute_bar
from ordinis.brokers.simulated.wire_values import SECOND_NS, midnight_ns, new_york, ns_of
from ordinis.domain.market import MINUTE_NS, MarketBlock

BARS_PAGE = 1_000
BARS_PAGE_MAX = 10_000
_LAST_NS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request for bars; times are left edges, both ends included."""

    symbols: list[str]  # Sorted: Alpaca pages by symbol, then by time.
    daily: bool
    start_ns: int
    end_ns: int
    limit: int
    descending: bool
    after: tuple[str, int] | None  # The last bar of the page before.


class DataApi:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self, keys: Keys) -> list[Route]:
        return [Route("/v2/stocks/bars", guarded(keys, self.bars, denied=failure(403, "forbidden.")), methods=["GET"])]

    async def bars(self, request: Request) -> Response:
        asked = _asked(request.query_params)
        found = list(islice(self._bars(asked), asked.limit + 1))
        page = found[: asked.limit]
        bars: dict[str, list[dict[str, Any]]] = {}
        for symbol, bar in page:
            bars.setdefault(symbol, []).append(bar)
        token = _token(*page[-1]) if len(found) > asked.limit else None
        return answer({"bars": bars, "next_page_token": token})

    def _bars(self, asked: _Asked) -> Iterator[tuple[str, dict[str, Any]]]:
        column = self._simulation.exchange.universe.column
        for symbol in asked.symbols:
            if symbol not in column or (asked.after is not None and symbol < asked.after[0]):
                continue
            start_ns, end_ns = _rest_of(asked, symbol)
            rows = self._daily if asked.daily else self._minutes
            for bar in rows(column[symbol], start_ns, end_ns, asked.descending):
                yield symbol, bar

    def _minutes(self, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[dict[str, Any]]:
        data = self._simulation.data
        newest_ns = min(end_ns, self._simulation.now_ns - MINUTE_NS)
        blocks = [*data.history, *data.days]
        for block in reversed(blocks) if descending else blocks:
            rows = _rows(block, column, start_ns, newest_ns)
            for row in reversed(rows) if descending else rows:
                yield minute_bar(block, row, column)

    def _daily(self, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[dict[str, Any]]:
        daily = self._simulation.data.daily
        if daily is None:
            return
        today = new_york(self._simulation.now_ns).date()
        closed = not self._simulation.is_open and self._simulation.exchange.now_ns > 0
        rows = range(len(daily.dates))
        for row in reversed(rows) if descending else rows:
            day, edge_ns = daily.dates[row], midnight_ns(daily.dates[row])
            over = day < today or (day == today and closed)
            if over and start_ns <= edge_ns <= end_ns and not np.isnan(daily.close[row, column]):
                yield daily_bar(daily, row, column, edge_ns)


def _rows(block: MarketBlock, column: int, start_ns: int, end_ns: int) -> list[int]:
    """The rows with a bar whose left edge is in the span."""
    edges = block.closed_at_ns - MINUTE_NS
    wanted = (edges >= start_ns) & (edges <= end_ns) & block.present[:, column]
    rows: list[int] = wanted.nonzero()[0].tolist()
    return rows


def _rest_of(asked: _Asked, symbol: str) -> tuple[int, int]:
    """The span that is left of a symbol after the page before."""
    if asked.after is None or symbol != asked.after[0]:
        return asked.start_ns, asked.end_ns
    if asked.descending:
        return asked.start_ns, min(asked.end_ns, asked.after[1] - 1)
    return max(asked.start_ns, asked.after[1] + 1), asked.end_ns


def _asked(query: QueryParams) -> _Asked:
    timeframe = query.get("timeframe", "")
    if timeframe not in {"1Min", "1T", "1Day", "1D"}:
        raise BadRequest(f"invalid timeframe: {timeframe}; this simulated broker has 1Min and 1Day")
    symbols = sorted(set(query.get("symbols", "").split(",")) - {""})
    if not symbols:
        raise BadRequest("symbols is required")
    return _Asked(
        symbols=symbols,
        daily=timeframe in {"1Day", "1D"},
        start_ns=_time(query.get("start"), 0),
        end_ns=_time(query.get("end"), _LAST_NS),
        limit=_limit(query.get("limit")),
        descending=query.get("sort") == "desc",
        after=_read_token(query.get("page_token")),
    )


def _time(text: str | None, otherwise: int) -> int:
    try:
        return ns_of(text) if text else otherwise
    except ValueError:
        raise BadRequest(f"invalid time: {text}") from None


def _limit(text: str | None) -> int:
    if not text:
        return BARS_PAGE
    if not text.isdecimal() or not 1 <= int(text) <= BARS_PAGE_MAX:
        raise BadRequest(f"limit must be from 1 to {BARS_PAGE_MAX}, was {text}")
    return int(text)


def _token(symbol: str, bar: dict[str, Any]) -> str:
    edge_ns = int(bar["t"].timestamp()) * SECOND_NS
    return base64.urlsafe_b64encode(f"{symbol}|{edge_ns}".encode()).decode()


def _read_token(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    try:
        symbol, edge_ns = base64.urlsafe_b64decode(text).decode().split("|")
        return symbol, int(edge_ns)
    except (ValueError, binascii.Error):
        raise BadRequest(f"invalid page_token: {text}") from None
