"""Asking what became of orders: after a crash, a lost connection, or a silence.

The streams replay nothing. What they would have said is asked for by REST and told as the same updates, once: an
execution that was heard of before is no news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.memory import OrderMemory
from ordinis.brokers.alpaca.rest import NOT_FOUND, Refusal
from ordinis.brokers.alpaca.times import date_in_new_york
from ordinis.brokers.alpaca.wire import WireFillActivity, WireOrder, WirePosition
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import OrderStatus, leg_id, target_id
from ordinis.domain.standing import BrokerBooks

Get = Callable[[str, dict[str, Any] | None], Any]
Tell = Callable[[OrderUpdate], None]

_PAGE = 100  # Alpaca's largest, of activities.
_PAGES_MAX = 1_000
_ORDERS_PAGE = 500  # Alpaca's largest.
_LEGS = (leg_id(""), target_id(""))


class Inquiries:
    """Reads only. `tell` passes on what is news."""

    def __init__(self, get: Get, memory: OrderMemory, tell: Tell) -> None:
        self._get = get
        self._memory = memory
        self._tell = tell

    def books(self, at_ns: int) -> BrokerBooks:
        """Positions and open orders. Errors: BrokerError; more open orders than one answer holds."""
        positions = wire.read(self._get("/positions", None), list[WirePosition], "positions")
        query = {"status": "open", "limit": _ORDERS_PAGE, "nested": "false"}
        orders = wire.read(self._get("/orders", query), list[WireOrder], "orders")
        if len(orders) >= _ORDERS_PAGE:
            raise BrokerError(f"the account has {_ORDERS_PAGE} open orders or more: too many to hold books against")
        return BrokerBooks(
            at_ns=at_ns,
            positions=wire.positions_of(positions),
            orders=tuple(
                wire.standing_order(order, self._memory.our_id(order.id, order.client_order_id)) for order in orders
            ),
        )

    def ask(self, client_order_id: str) -> bool:
        """Tell what is news of an order and its legs; False where the broker has never heard of it."""
        parent = client_order_id
        for leg in _LEGS:
            parent = parent.removesuffix(leg)
        order = self._found(parent)
        if order is None:
            return False
        self._follow(order, parent)
        for leg_order in order.legs or ():
            self._follow(leg_order, wire.leg_name(leg_order, parent))
        return True

    def _found(self, client_order_id: str) -> WireOrder | None:
        """With its legs."""
        known = self._memory.broker_id(client_order_id)
        try:
            if known is None:
                answer = self._get("/orders:by_client_order_id", {"client_order_id": client_order_id})
                known = wire.read(answer, WireOrder, "order").id
            return wire.read(self._get(f"/orders/{known}", {"nested": "true"}), WireOrder, "order")
        except Refusal as refusal:
            if refusal.http_status == NOT_FOUND:
                return None
            raise

    def _follow(self, order: WireOrder, name: str) -> None:
        """Its acceptance, its fills, its end: as the stream would have told them."""
        self._memory.link(name, order.id)
        status = wire.status(order.status)
        ended = status.final and status is not OrderStatus.FILLED
        if not ended:
            self._tell(wire.acknowledgement(order, name))
        filled = order.filled_qty or Decimal(0)
        if filled > self._memory.filled_quantity(name):
            for activity in self._fills(order):
                self._tell(wire.fill_update(activity, name, order.qty or filled))
        untold = filled > self._memory.filled_quantity(name)  # Activities can lag: then it is asked about again.
        if ended and not untold:
            self._tell(wire.end_update(order, name, status))

    def _fills(self, order: WireOrder) -> Iterator[WireFillActivity]:
        """Of this order, oldest first."""
        query: dict[str, Any] = {
            "direction": "asc",
            "page_size": _PAGE,
            "after": date_in_new_york(wire.submitted_at_ns(order)).isoformat(),
        }
        for _ in range(_PAGES_MAX):
            answer = self._get("/account/activities/FILL", query)
            page = wire.read(answer, list[WireFillActivity], "FILL activities")
            yield from (row for row in page if row.order_id == order.id)
            if len(page) < _PAGE:
                return
            query = {**query, "page_token": page[-1].id}
