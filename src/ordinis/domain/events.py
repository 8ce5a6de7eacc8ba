"""Everything that can happen to the engine, one class each. Each carries when it happened, in UTC nanoseconds.

Order within a minute, everywhere: updates caused by minute t's bar, in order of execution; then the
slice of minute t; then its decision. What is decided at t can fill from t+1 on.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from ordinis.domain.account import AccountView, Position
from ordinis.domain.market import MarketSlice, Session
from ordinis.domain.orders import Fill, OrderStatus


class OrderUpdate(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True, tag="update"):
    """What became of an order. `filled_quantity` is cumulative and only grows."""

    at_ns: int
    client_order_id: str
    broker_order_id: str
    symbol: str
    status: OrderStatus
    filled_quantity: Decimal  # Shares so far, unsigned.
    fill: Fill | None = None  # What this update added.
    error_code: int | None = None  # The broker's, when it refused.
    error_text: str | None = None


class CashFlow(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="cash"):
    """Money that moved without a trade: fees now, dividends and deposits by the same road."""

    at_ns: int
    id: str
    kind: str
    amount_usd: Decimal  # Signed: negative leaves the account.
    note: str = ""


class BookCorrection(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """Shares that the broker has and our book has not, or the other way round, without a fill that says why."""

    id: str
    symbol: str
    quantity: Decimal  # Shares, signed: what our book lacks.
    price_usd: Decimal  # At which they are booked: the broker's average, or ours.


class Reconciliation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="reconciliation"):
    """Our book was held against the broker's, after all its news. Nothing but what it changes or must be seen."""

    at_ns: int
    corrections: tuple[BookCorrection, ...] = ()  # The broker wins on quantity.
    differences: tuple[str, ...] = ()  # Unexplained, a line each: entries stay halted while there are any.
    foreign: tuple[Position, ...] = ()  # Left alone, because the settings say so.


class Phase(Enum):
    OPENING = "opening"
    CLOSED = "closed"


class SessionPhase(msgspec.Struct, frozen=True, kw_only=True, tag="phase"):
    """The exchange opened or closed."""

    at_ns: int
    phase: Phase
    session: Session


class CommandKind(Enum):
    """What a person may ask for. Each holds until the next one; only RESUME lifts it, and every latched limit."""

    PAUSE = "pause"  # No new entries; those that work go on.
    REDUCE = "reduce"  # Only reducing orders: entries that work are taken back.
    FLATTEN = "flatten"  # As REDUCE, and every position is closed.
    RESUME = "resume"


class Command(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="command"):
    """A person's word."""

    at_ns: int
    kind: CommandKind
    note: str = ""  # Why, in the person's own words.


BrokerEvent = OrderUpdate | CashFlow
Event = MarketSlice | OrderUpdate | CashFlow | AccountView | SessionPhase | Command | Reconciliation
