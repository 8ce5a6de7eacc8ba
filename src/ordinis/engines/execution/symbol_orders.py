"""What works for one symbol: orders of ours, a place for each purpose, and those of other hands that we go by."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from ordinis.domain.orders import OrderIntent, OrderType, Purpose, Side
from ordinis.domain.standing import StandingOrder

ZERO: Final = Decimal(0)
_ENTRY: Final = Purpose.ENTRY
_EXIT: Final = Purpose.EXIT
_PROTECT: Final = Purpose.PROTECT
_STOPS: Final = (OrderType.STOP, OrderType.TRAILING_STOP)  # A stop-limit may be passed by without a trade.


class WorkingOrder:
    """An order that is not final."""

    __slots__ = (
        "adds",
        "at_ns",
        "cancelling",
        "client_order_id",
        "direction",
        "filled",
        "foreign",
        "opens",
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
        self.opens = False  # A position of its own, as soon as it fills.
        self.foreign = False  # Other hands have sent it.
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

    __slots__ = ("adding", "backoff", "cut", "entry", "exit", "foreign", "leaving", "stop", "stop_usd")

    def __init__(self) -> None:
        self.entry: WorkingOrder | None = None
        self.exit: WorkingOrder | None = None
        self.stop: WorkingOrder | None = None
        self.foreign: list[WorkingOrder] = []  # Of other hands, adopted.
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
        elif order.foreign:
            self.foreign.remove(order)

    def free_at_ns(self, purpose: Purpose) -> int:
        backoff = self.backoff.get(purpose)
        return 0 if backoff is None else backoff.until_ns

    def in_the_way(self) -> list[WorkingOrder]:
        """What holds the position's shares: an entry, which takes its leg with it, or a stop; and other hands'."""
        first = self.entry or self.stop
        return self.foreign if first is None else [first, *self.foreign]

    def may_add(self, held: Decimal) -> bool:
        """The position has its stop, or is to have none, and nothing else works for it."""
        if self.entry or self.exit or self.leaving or self.adding or self.foreign:
            return False
        stop = self.stop
        if stop is None:
            return self.stop_usd is None
        return not stop.cancelling and stop.quantity - stop.filled == abs(held)

    def covered(self, held: Decimal) -> bool:
        """Stops of other hands are for exactly what is held."""
        if not self.foreign:
            return False
        direction = 1 if held > 0 else -1
        stops = [one for one in self.foreign if one.purpose is _PROTECT and not one.cancelling]
        return sum(((one.quantity - one.filled) * one.direction for one in stops), ZERO) * direction == abs(held)


def adopted(order: StandingOrder, held: Decimal) -> WorkingOrder:
    """An order of other hands, with what it is about: the position of so many signed shares, or one to come."""
    closes = order.closes(held)
    stops = order.type in _STOPS
    purpose = (_PROTECT if stops else _EXIT) if closes else _ENTRY
    direction = 1 if (order.side is Side.BUY) is (purpose is _ENTRY) else -1
    working = WorkingOrder(order.client_order_id, order.symbol, purpose, order.quantity, direction)
    working.foreign = True
    working.opens = purpose is _ENTRY and not held
    return working
