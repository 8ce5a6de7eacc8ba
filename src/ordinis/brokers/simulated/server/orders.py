"""Orders: sent, found, listed, replaced, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.server.answers import answer, nothing
from ordinis.brokers.simulated.server.desk import Desk
from ordinis.brokers.simulated.server.gate import Table
from ordinis.brokers.simulated.server.queries import body_of, is_true, size_of, time_of
from ordinis.brokers.simulated.wire_orders import (
    client_order_id,
    in_extended_hours,
    notional_usd,
    order_body,
    order_request,
    pending_body,
    replace_request,
)
from ordinis.domain.errors import OrderRefused
from ordinis.domain.money import FRACTION

ORDERS_PAGE = 50
ORDERS_PAGE_MAX = 500


class OrdersApi:
    """`/v2/orders`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._exchange = desk.exchange

    def table(self) -> Table:
        return (
            ("POST", "/v2/orders", self.submit),
            ("GET", "/v2/orders", self.orders),
            ("DELETE", "/v2/orders", self.cancel_all),
            ("GET", "/v2/orders:by_client_order_id", self.order_by_client_id),
            ("GET", "/v2/orders/{id}", self.order),
            ("PATCH", "/v2/orders/{id}", self.replace),
            ("DELETE", "/v2/orders/{id}", self.cancel),
        )

    async def submit(self, request: Request) -> Response:
        body = await body_of(request)
        desk = self._desk
        async with desk.turn:
            desk.positions.remember()
            intent = order_request(body, desk.simulation.now_ns, desk.made_up_id(body))
            money = notional_usd(body)
            desk.check_submit(intent.symbol, intent.side.value, FRACTION if money is not None else intent.quantity)
            order = self._exchange.submit(intent, money)
            order.extended_hours = in_extended_hours(body)
            desk.after_submit(order)
            await desk.tell()
        return answer(pending_body(order))

    async def orders(self, request: Request) -> Response:
        """Newest first unless asked otherwise; nested, a leg is shown under its parent only."""
        query = request.query_params
        nested = is_true(query.get("nested"))
        wanted = _Filter(query)
        rows = [one for one in self._exchange.orders if wanted.admits(one) and not (nested and one.parent is not None)]
        if query.get("direction", "desc") != "asc":
            rows.reverse()
        limit = size_of(query.get("limit"), ORDERS_PAGE, ORDERS_PAGE_MAX)
        return answer([order_body(order, nested=nested) for order in rows[:limit]])

    async def order(self, request: Request) -> Response:
        nested = is_true(request.query_params.get("nested"))
        return answer(order_body(self._exchange.order(request.path_params["id"]), nested=nested))

    async def order_by_client_id(self, request: Request) -> Response:
        """A leg goes by the name that the broker made up for it."""
        name = request.query_params.get("client_order_id", "")
        for leg in self._exchange.orders:
            if leg.parent is not None and client_order_id(leg) == name:
                return answer(order_body(leg))
        return answer(order_body(self._exchange.order_by_client_id(name)))

    async def replace(self, request: Request) -> Response:
        body = await body_of(request)
        desk = self._desk
        async with desk.turn:
            old = self._exchange.order(request.path_params["id"])
            desk.check_account()
            change = replace_request(body, old, desk.simulation.now_ns, desk.made_up_id(body))
            order = self._exchange.replace(old.id, change)
            order.extended_hours = old.extended_hours
            await desk.tell()
        return answer(pending_body(order))

    async def cancel(self, request: Request) -> Response:
        async with self._desk.turn:
            self._exchange.cancel(request.path_params["id"])
            await self._desk.tell()
        return nothing()

    async def cancel_all(self, request: Request) -> Response:
        async with self._desk.turn:
            rows = self.cancelled([order for order in self._exchange.orders if order.live])
            await self._desk.tell()
        return answer(rows, 207)

    def cancelled(self, orders: list[BrokerOrder]) -> list[dict[str, Any]]:
        """Take them back; a row for each says how that went."""
        return [self._cancelled(order) for order in orders]

    def _cancelled(self, order: BrokerOrder) -> dict[str, Any]:
        try:
            if order.live:  # Not taken along by its parent meanwhile.
                self._exchange.cancel(order.id)
        except OrderRefused as refusal:
            return {"id": order.id, "status": refusal.http_status, "body": {"message": refusal.text}}
        return {"id": order.id, "status": 200}


class _Filter:
    """Which orders a list is about: `after` and `until` are exclusive."""

    def __init__(self, query: Mapping[str, str]) -> None:
        symbols = query.get("symbols")
        self._status = query.get("status", "open")
        self._symbols = frozenset(symbols.split(",")) if symbols else None
        self._side = query.get("side")
        self._after_ns = time_of(query.get("after"))
        self._until_ns = time_of(query.get("until"))

    def admits(self, order: BrokerOrder) -> bool:
        if self._status != "all" and order.live is not (self._status == "open"):
            return False
        if self._symbols is not None and order.symbol not in self._symbols:
            return False
        if self._side and order.side.value != self._side:
            return False
        at_ns = order.submitted_at_ns
        late_enough = self._after_ns is None or at_ns > self._after_ns
        return late_enough and (self._until_ns is None or at_ns < self._until_ns)
