"""Round trips from fills: from flat to flat, one symbol at a time."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import Fill


class TripFill(msgspec.Struct, frozen=True, kw_only=True):
    """A fill and the order it belongs to."""

    client_order_id: str
    fill: Fill


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A position from its first fill to flat, or to the last fill known while it is open."""

    fills: tuple[TripFill, ...]

    @property
    def open_quantity(self) -> Decimal:
        """Shares still held, signed."""
        return sum((one.fill.quantity for one in self.fills), Decimal(0))

    @property
    def result_usd(self) -> Decimal | None:
        """Before fees; None while it is open."""
        if self.open_quantity:
            return None
        return -sum((one.fill.quantity * one.fill.price_usd for one in self.fills), Decimal(0))

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


def trips(updates: Iterable[OrderUpdate]) -> list[Trip]:
    """One symbol's updates in order of execution, cut where the position is flat."""
    done: list[Trip] = []
    running: list[TripFill] = []
    held = Decimal(0)
    for update in updates:
        if update.fill is None:
            continue
        running.append(TripFill(client_order_id=update.client_order_id, fill=update.fill))
        held += update.fill.quantity
        if not held:
            done.append(Trip(fills=tuple(running)))
            running = []
    return [*done, Trip(fills=tuple(running))] if running else done
