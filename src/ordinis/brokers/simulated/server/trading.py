"""The trading API: account, orders, positions, activities, clock, calendar, assets."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordinis.brokers.simulated import wire_account
from ordinis.brokers.simulated.order import ZERO, BrokerOrder
from ordinis.brokers.simulated.refusals import NOT_FOUND, Refusal, malformed
from ordinis.brokers.simulated.server.answers import answer, failure, guarded, nothing
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.brokers.simulated.server.streams import TradingStream
from ordinis.brokers.simulated.wire_orders import (
    client_order_id,
    order_body,
    order_request,
    pending_body,
    replace_request,
)
from ordinis.brokers.simulated.wire_values import asset_id, foreign_id, ns_of
from ordinis.domain.errors import OrderRefused

ORDERS_PAGE = 50
ORDERS_PAGE_MAX = 500
ACTIVITIES_PAGE_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFault:
    """What goes wrong with one POST /orders: for tests of what a client does then."""

    accepted: bool  # Whether the order is taken before things go wrong.
    delay_seconds: float = 0.0
    http_status: int = 504


class TradingApi:
    """`turn` is held while the exchange changes and the streams tell of it, so that news keeps its order."""

    def __init__(self, simulation: Simulation, stream: TradingStream, turn: asyncio.Lock) -> None:
        self._simulation = simulation
        self._exchange = simulation.exchange
        self._stream = stream
        self._turn = turn
        self._made_up_ids = 0
        self.faults: deque[OrderFault] = deque()  # The next POSTs', in order.

    def routes(self, keys: Keys) -> list[Route]:
        denied = failure(401, "unauthorized.")
        table = (
            ("GET", "/v2/account", self.account),
            ("GET", "/v2/account/activities", self.activities),
            ("GET", "/v2/account/activities/{kind}", self.activities),
            ("POST", "/v2/orders", self.submit),
            ("GET", "/v2/orders", self.orders),
            ("DELETE", "/v2/orders", self.cancel_all),
            ("GET", "/v2/orders:by_client_order_id", self.order_by_client_id),
            ("GET", "/v2/orders/{id}", self.order),
            ("PATCH", "/v2/orders/{id}", self.replace),
            ("DELETE", "/v2/orders/{id}", self.cancel),
            ("GET", "/v2/positions", self.positions),
            ("GET", "/v2/positions/{name}", self.position),
            ("GET", "/v2/clock", self.clock),
            ("GET", "/v2/calendar", self.calendar),
            ("GET", "/v2/assets", self.assets),
            ("GET", "/v2/assets/{name}", self.asset),
        )
        return [Route(path, guarded(keys, handler, denied=denied), methods=[method]) for method, path, handler in table]

    # Account.

    async def account(self, request: Request) -> Response:
        books = self._exchange.books
        body = wire_account.account_body(
            self._exchange.account(),
            initial_margin_usd=books.initial_margin_usd,
            maintenance_usd=books.maintenance_usd,
            accrued_fees_usd=sum((amount for _, amount in books.fees.accrued()), ZERO),
            created_at_ns=self._simulation.data.sessions[0].open_ns,
        )
        return answer(body)

    async def activities(self, request: Request) -> Response:
        """Newest first unless asked otherwise; a page ends with the id that asks for the next."""
        query = request.query_params
        kinds = request.path_params.get("kind") or query.get("activity_types") or "FILL,FEE,INT,DIV"
        rows = self._activities(frozenset(kinds.upper().split(",")))
        day = query.get("date")
        if day:
            rows = [row for row in rows if _activity_date(row) == day]
        if query.get("direction", "desc") != "asc":
            rows.reverse()
        token = query.get("page_token")
        if token:
            places = [place for place, row in enumerate(rows) if row["id"] == token]
            rows = rows[places[0] + 1 :] if places else []
        return answer(rows[: _whole(query.get("page_size"), ACTIVITIES_PAGE_MAX, ACTIVITIES_PAGE_MAX)])

    def _activities(self, kinds: frozenset[str]) -> list[dict[str, Any]]:
        """Oldest first."""
        known = (*self._simulation.fills, *self._simulation.cash_flows)
        rows = [row for row in known if row["activity_type"] in kinds]
        return sorted(rows, key=lambda row: ns_of(row.get("transaction_time") or row["created_at"]))

    # Orders.

    async def submit(self, request: Request) -> Response:
        fault = self.faults.popleft() if self.faults else None
        if fault is not None and not fault.accepted:
            return await _failed(fault)
        body = await _body(request)
        async with self._turn:
            intent = order_request(body, self._simulation.now_ns, self._made_up_id())
            order = self._exchange.submit(intent)
            await self._tell()
        if fault is not None:
            return await _failed(fault)
        return answer(pending_body(order))

    def _made_up_id(self) -> str:
        self._made_up_ids += 1
        return foreign_id(f"unnamed/{self._made_up_ids}")

    async def orders(self, request: Request) -> Response:
        query = request.query_params
        nested = query.get("nested", "false").lower() == "true"
        rows = [order for order in self._exchange.orders if not (nested and order.parent is not None)]
        rows = [order for order in rows if _asked_for(order, request)]
        if query.get("direction", "desc") != "asc":
            rows.reverse()
        limit = _whole(query.get("limit"), ORDERS_PAGE, ORDERS_PAGE_MAX)
        return answer([order_body(order, nested=nested) for order in rows[:limit]])

    async def order(self, request: Request) -> Response:
        nested = request.query_params.get("nested", "false").lower() == "true"
        return answer(order_body(self._exchange.order(request.path_params["id"]), nested=nested))

    async def order_by_client_id(self, request: Request) -> Response:
        name = request.query_params.get("client_order_id", "")
        leg = next((order for order in self._exchange.orders if client_order_id(order) == name), None)
        return answer(order_body(leg if leg is not None else self._exchange.order_by_client_id(name)))

    async def replace(self, request: Request) -> Response:
        body = await _body(request)
        async with self._turn:
            old = self._exchange.order(request.path_params["id"])
            change = replace_request(body, old, self._simulation.now_ns, self._made_up_id())
            order = self._exchange.replace(old.id, change)
            await self._tell()
        return answer(pending_body(order))

    async def cancel(self, request: Request) -> Response:
        async with self._turn:
            self._exchange.cancel(request.path_params["id"])
            await self._tell()
        return nothing()

    async def cancel_all(self, request: Request) -> Response:
        async with self._turn:
            rows = [self._cancelled(order) for order in self._exchange.orders if order.live]
            await self._tell()
        return answer(rows, 207)

    def _cancelled(self, order: BrokerOrder) -> dict[str, Any]:
        try:
            if order.live:  # Not taken along by its parent meanwhile.
                self._exchange.cancel(order.id)
        except OrderRefused as refusal:
            return {"id": order.id, "status": refusal.http_status, "body": {"message": refusal.text}}
        return {"id": order.id, "status": 200}

    async def _tell(self) -> None:
        updates = self._simulation.news()
        await self._stream.publish(updates)
        self._simulation.totals.trade_updates += len(updates)

    # Positions.

    async def positions(self, request: Request) -> Response:
        return answer(self._positions())

    async def position(self, request: Request) -> Response:
        name = request.path_params["name"]
        for row in self._positions():
            if name in (row["symbol"], row["asset_id"]):
                return answer(row)
        raise Refusal(404, NOT_FOUND, "position does not exist")

    def _positions(self) -> list[dict[str, Any]]:
        return [
            wire_account.position_body(
                one,
                self._exchange.last_price_usd(one.symbol) or one.average_price_usd,
                self._held_for_orders(one.symbol),
            )
            for one in self._exchange.positions
        ]

    def _held_for_orders(self, symbol: str) -> Decimal:
        return self._exchange.books.held_for_sale(self._exchange.universe.column[symbol])

    # Reference.

    async def clock(self, request: Request) -> Response:
        simulation = self._simulation
        return answer(wire_account.clock_body(simulation.now_ns, simulation.is_open, simulation.data.sessions))

    async def calendar(self, request: Request) -> Response:
        first = _date(request.query_params.get("start"), date.min)
        last = _date(request.query_params.get("end"), date.max)
        days = (one for one in self._simulation.data.sessions if first <= one.date <= last)
        return answer([wire_account.calendar_body(one) for one in days])

    async def assets(self, request: Request) -> Response:
        return answer([wire_account.asset_body(symbol) for symbol in self._exchange.universe.symbols])

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        for symbol in self._exchange.universe.symbols:
            if name in (symbol, asset_id(symbol)):
                return answer(wire_account.asset_body(symbol))
        raise Refusal(404, NOT_FOUND, f"asset not found for {name}")


async def _failed(fault: OrderFault) -> Response:
    await asyncio.sleep(fault.delay_seconds)
    return failure(fault.http_status, "gateway timeout")


async def _body(request: Request) -> Any:
    """JSON with its decimals as they were written."""
    try:
        return json.loads(await request.body(), parse_float=Decimal)
    except ValueError:
        raise malformed("request body format is invalid") from None


def _asked_for(order: BrokerOrder, request: Request) -> bool:
    query = request.query_params
    status = query.get("status", "open")
    if status != "all" and order.live is not (status == "open"):
        return False
    symbols = query.get("symbols")
    if symbols and order.symbol not in symbols.split(","):
        return False
    if query.get("side") and order.side.value != query["side"]:
        return False
    after, until = _ns(query.get("after")), _ns(query.get("until"))
    return (after is None or order.submitted_at_ns > after) and (until is None or order.submitted_at_ns < until)


def _activity_date(row: dict[str, Any]) -> str:
    """A trade's id begins with its New York time; a fee names its date."""
    stamp = row["id"]
    return str(row["date"]) if "date" in row else f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"


def _ns(text: str | None) -> int | None:
    try:
        return None if not text else ns_of(text)
    except ValueError:
        raise malformed(f"invalid time {text}") from None


def _date(text: str | None, otherwise: date) -> date:
    try:
        return date.fromisoformat(text[:10]) if text else otherwise
    except ValueError:
        raise malformed(f"invalid date {text}") from None


def _whole(text: str | None, otherwise: int, largest: int) -> int:
    """A page size: what is asked, no more than there may be."""
    if not text:
        return otherwise
    if not text.isdecimal() or int(text) < 1:
        raise malformed(f"invalid limit {text}")
    return min(int(text), largest)
