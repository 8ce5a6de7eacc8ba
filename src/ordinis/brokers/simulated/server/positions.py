"""Positions: shown, and closed one by one or all."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated import wire_account
from ordinis.brokers.simulated.refusals import NOT_FOUND, Refusal, malformed, unprocessable
from ordinis.brokers.simulated.server.answers import answer
from ordinis.brokers.simulated.server.desk import Desk
from ordinis.brokers.simulated.server.gate import Table
from ordinis.brokers.simulated.server.orders import OrdersApi
from ordinis.brokers.simulated.server.queries import is_true
from ordinis.brokers.simulated.wire_orders import order_request, pending_body
from ordinis.brokers.simulated.wire_values import asset_id, plain
from ordinis.domain.account import Position
from ordinis.domain.errors import OrderRefused
from ordinis.domain.money import FRACTION

_HUNDRED = Decimal(100)


class PositionsApi:
    """`/v2/positions`."""

    def __init__(self, desk: Desk, orders: OrdersApi) -> None:
        self._desk = desk
        self._exchange = desk.exchange
        self._orders = orders

    def table(self) -> Table:
        return (
            ("GET", "/v2/positions", self.positions),
            ("DELETE", "/v2/positions", self.close_all),
            ("GET", "/v2/positions/{name}", self.position),
            ("DELETE", "/v2/positions/{name}", self.close),
        )

    async def positions(self, request: Request) -> Response:
        return answer([self._body(one) for one in self._desk.positions.shown()])

    async def position(self, request: Request) -> Response:
        return answer(self._body(_named(self._desk.positions.shown(), request.path_params["name"])))

    def _body(self, one: Position) -> dict[str, Any]:
        price_usd = self._exchange.last_price_usd(one.symbol) or one.average_price_usd
        held = self._exchange.books.held_for_exit(self._exchange.universe.column[one.symbol])
        return wire_account.position_body(one, price_usd, held)

    async def close(self, request: Request) -> Response:
        """By a market order: all of it, or the `qty` or `percentage` of the query."""
        query = request.query_params
        async with self._desk.turn:
            one = _named(list(self._exchange.positions), request.path_params["name"])
            body = self._closed(one, _part(one, query.get("qty"), query.get("percentage")))
            await self._desk.tell()
        return answer(body)

    async def close_all(self, request: Request) -> Response:
        """With `cancel_orders` the working orders go first: what they hold cannot be sold."""
        async with self._desk.turn:
            if is_true(request.query_params.get("cancel_orders")):
                self._orders.cancelled([order for order in self._exchange.orders if order.live])
            rows = [self._row(one) for one in self._exchange.positions]
            await self._desk.tell()
        return answer(rows, 207)

    def _row(self, one: Position) -> dict[str, Any]:
        try:
            return {"symbol": one.symbol, "status": 200, "body": self._closed(one, abs(one.quantity))}
        except OrderRefused as refusal:
            body = {"code": refusal.code, "message": refusal.text}
            return {"symbol": one.symbol, "status": refusal.http_status, "body": body}

    def _closed(self, one: Position, quantity: Decimal) -> dict[str, Any]:
        side = "sell" if one.quantity > 0 else "buy"
        request = {
            "symbol": one.symbol,
            "qty": plain(quantity),
            "side": side,
            "type": "market",
            "time_in_force": "day",
        }
        desk = self._desk
        desk.positions.remember()
        desk.check_submit(one.symbol, side, quantity)
        order = self._exchange.submit(order_request(request, desk.simulation.now_ns, desk.made_up_id()))
        desk.after_submit(order)
        return pending_body(order)


def _named(positions: list[Position], name: str) -> Position:
    """By symbol or asset id. Raises Refusal (404)."""
    for one in positions:
        if name in (one.symbol, asset_id(one.symbol)):
            return one
    raise Refusal(404, NOT_FOUND, "position does not exist")


def _part(one: Position, quantity: str | None, percentage: str | None) -> Decimal:
    """The shares to close."""
    held = abs(one.quantity)
    if quantity and percentage:
        raise malformed("only one of qty and percentage is allowed")
    if quantity:
        return _amount(quantity, "qty")
    if not percentage:
        return held
    share = _amount(percentage, "percentage")
    if share > _HUNDRED:
        raise unprocessable("percentage must be from 0 to 100")
    return (held * share / _HUNDRED).quantize(FRACTION, rounding=ROUND_DOWN).normalize()


def _amount(text: str, field: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise malformed(f"{field} is not a valid number") from None
    if not amount.is_finite() or amount <= 0:
        raise malformed(f"{field} must be above 0")
    return amount
