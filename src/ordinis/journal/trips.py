"""Round trips from fills and what companies did between them: from flat to flat, one symbol at a time."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from ordinis.domain.events import CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.orders import Fill

Booking = CashFlow | CorporateAction  # What moved a position without an order of ours.


class TripFill(msgspec.Struct, frozen=True, kw_only=True):
    """A fill and the order it belongs to."""

    client_order_id: str
    fill: Fill


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A position from its first fill to flat, or to the last that is known while it is open."""

    fills: tuple[TripFill, ...]
    bookings: tuple[Booking, ...]  # While it was held, in order.
    open_quantity: Decimal  # Shares still held, signed.
    closed_at_ns: int | None  # None while it is open.

    @property
    def result_usd(self) -> Decimal | None:
        """Before fees, dividends counted; None while it is open."""
        if self.open_quantity:
            return None
        paid = sum((one.amount_usd for one in self.bookings if isinstance(one, CashFlow)), Decimal(0))
        return paid - sum((one.fill.quantity * one.fill.price_usd for one in self.fills), Decimal(0))

    @property
    def result_fraction(self) -> Decimal | None:
        """The result as a fraction of what was paid to open; None while it is open."""
        result = self.result_usd
        sign = self.fills[0].fill.quantity
        opened = sum(
            (abs(one.fill.quantity) * one.fill.price_usd for one in self.fills if one.fill.quantity * sign > 0),
            Decimal(0),
        )
        return None if result is None else result / opened

    def holds(self, client_order_id: str) -> bool:
        return any(one.client_order_id == client_order_id for one in self.fills)


def trips(events: Iterable[OrderUpdate | Booking]) -> list[Trip]:
    """One symbol's events in order, cut where the position is flat."""
    done: list[Trip] = []
    running = _Running()
    for event in events:
        running.take(event)
        if running.fills and not running.held:
            done.append(running.trip(running.moved_at_ns))
            running = _Running()
    return [*done, running.trip(None)] if running.fills else done


class _Running:
    """A position while it is held."""

    def __init__(self) -> None:
        self.fills: list[TripFill] = []
        self.bookings: list[Booking] = []
        self.held = Decimal(0)
        self.moved_at_ns = 0

    def take(self, event: OrderUpdate | Booking) -> None:
        if isinstance(event, OrderUpdate):
            if event.fill is not None:
                self.fills.append(TripFill(client_order_id=event.client_order_id, fill=event.fill))
                self.held += event.fill.quantity
                self.moved_at_ns = event.fill.filled_at_ns
        elif self.fills:
            self.bookings.append(event)
            if isinstance(event, CorporateAction):
                self.held = event.shares_after(self.held)
                self.moved_at_ns = event.at_ns

    def trip(self, closed_at_ns: int | None) -> Trip:
        return Trip(
            fills=tuple(self.fills),
            bookings=tuple(self.bookings),
            open_quantity=self.held,
            closed_at_ns=closed_at_ns,
        )
