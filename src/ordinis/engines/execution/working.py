"""What works for one symbol, as far as we know: its orders, the stop its position is under, and what waits."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from ordinis.domain.orders import OrderIntent, Purpose

ZERO: Final = Decimal(0)


class WorkingOrder:
    """An order of ours that is not final."""

    __slots__ = (
        "adds",
        "at_ns",
        "cancelling",
        "client_order_id",
        "direction",
        "filled",
        "purpose",
        "quantity",
        "stop_usd",
        "symbol",
    )

    def __init__(
        self, client_order_id: str, symbol: str, purpose: Purpose, quantity: Decimal, direction: int = 1
    ) -> None:
        self.client_order_id = client_order_id
        self.symbol = symbol
        self.purpose = purpose
        self.quantity = quantity
        self.direction = direction  # Of the position that it is about: -1 is a short.
        self.at_ns = 0  # When it was decided.
        self.filled = ZERO
        self.cancelling = False
        self.adds = False  # To a position that is held.
        self.stop_usd: Decimal | None = None  # Of one that adds: the position's from its first fill on.


class Addition(NamedTuple):
    """More of a position, decided and held back until its stop has been taken back."""

    intent: OrderIntent
    held: Decimal


class Backoff(NamedTuple):
    """After a refusal: nothing of the kind before `until_ns`."""

    minutes: int
    until_ns: int


class SymbolOrders:
    """What works for one symbol, and the stop price its position is under."""

    __slots__ = ("adding", "backoff", "cut", "entry", "exit", "leaving", "stop", "stop_usd")

    def __init__(self) -> None:
        self.entry: WorkingOrder | None = None
        self.exit: WorkingOrder | None = None
        self.stop: WorkingOrder | None = None
        self.stop_usd: Decimal | None = None
        self.adding: Addition | None = None
        self.leaving: str | None = None  # The id of an exit that waits for the stop to be taken back.
        self.cut: Decimal | None = None  # How many shares that exit is of; None: of all.
        self.backoff: dict[Purpose, Backoff] = {}

    def drop(self, order: WorkingOrder) -> None:
        if self.entry is order:
            self.entry = None
        elif self.exit is order:
            self.exit = None
        elif self.stop is order:
            self.stop = None

    def free_at_ns(self, purpose: Purpose) -> int:
        backoff = self.backoff.get(purpose)
        return 0 if backoff is None else backoff.until_ns
