"""What the executor knows of the orders it sent: names, and what is no longer news.

Alpaca says most things twice: the answer to a POST and the stream both report an order as accepted.
The engine hears everything once, in the same order as from the exchange in process.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import Fill, OrderStatus


class _Known(msgspec.Struct, frozen=True):
    status: OrderStatus
    filled_quantity: Decimal = Decimal(0)  # The most that was said.
    booked: Decimal = Decimal(0)  # The sum of the fills passed on.


_UNHEARD = _Known(OrderStatus.UNKNOWN)


def _is_booked(known: _Known | None, update: OrderUpdate, fill: Fill) -> bool:
    """More was passed on already than the order has filled: the same execution under another name."""
    if known is None:
        return False
    return known.booked + abs(fill.quantity) > max(known.filled_quantity, update.filled_quantity)


class OrderMemory:
    """Bounded by `forget_final`, called once a session."""

    def __init__(self) -> None:
        self._broker_id: dict[str, str] = {}  # By our id.
        self._our_id: dict[str, str] = {}  # By the broker's.
        self._known: dict[str, _Known] = {}  # By our id.
        self._executions: set[str] = set()

    def link(self, client_order_id: str, broker_order_id: str) -> None:
        """For a leg the two sides have different names."""
        self._broker_id[client_order_id] = broker_order_id
        self._our_id[broker_order_id] = client_order_id

    def broker_id(self, client_order_id: str) -> str | None:
        return self._broker_id.get(client_order_id)

    def our_id(self, broker_order_id: str, fallback: str) -> str:
        """Our name for an order; somebody else's order keeps the name that he gave it."""
        return self._our_id.get(broker_order_id, fallback)

    def filled_quantity(self, client_order_id: str) -> Decimal:
        """Shares so far, as far as we have heard."""
        known = self._known.get(client_order_id)
        return Decimal(0) if known is None else known.filled_quantity

    def learn(self, update: OrderUpdate) -> bool:
        """Remember it. False when it is no news."""
        if not self._is_news(update):
            return False
        known = self._known.get(update.client_order_id, _UNHEARD)
        booked = known.booked
        if update.fill is not None:
            self._executions.add(update.fill.execution_id)
            booked += abs(update.fill.quantity)
        status = known.status if known.status.final else update.status  # Messages can overtake each other.
        filled = max(known.filled_quantity, update.filled_quantity)
        self._known[update.client_order_id] = _Known(status, filled, booked)
        return True

    def _is_news(self, update: OrderUpdate) -> bool:
        known = self._known.get(update.client_order_id)
        if update.fill is not None:
            return update.fill.execution_id not in self._executions and not _is_booked(known, update, update.fill)
        if known is None:
            return True
        said = (known.status, known.filled_quantity)
        if known.status.final or said == (update.status, update.filled_quantity):
            return False
        # An order that has begun to fill is not merely accepted again.
        return not (update.status is OrderStatus.ACCEPTED and known.status is OrderStatus.PARTIALLY_FILLED)

    def forget_final(self) -> None:
        """At a session's end: what is over will not be spoken of again."""
        over = [name for name, known in self._known.items() if known.status.final]
        for name in over:
            del self._known[name]
            broker_order_id = self._broker_id.pop(name, None)
            if broker_order_id is not None:
                self._our_id.pop(broker_order_id, None)
        self._executions.clear()
