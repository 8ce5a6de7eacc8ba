"""Orders: what we want sent, what became of it, and what was filled."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class OrderType(Enum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(Enum):
    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"  # What the next minute's open gives; the rest is taken back.
    FOK = "fok"  # All of it at the next minute's open, or nothing.
    OPG = "opg"  # The opening auction alone.
    CLS = "cls"  # The closing auction alone.


class Purpose(Enum):
    """Why an order exists. A protective order outranks every policy but the order's own validity."""

    ENTRY = "entry"
    EXIT = "exit"
    PROTECT = "protect"


class OrderStatus(Enum):
    """Ours, fewer than any broker's: the edge translates, and an unknown status becomes UNKNOWN."""

    ACCEPTED = "accepted"
    HELD = "held"  # A leg that waits for its parent to fill.
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"  # Another order stands in its place.
    REJECTED = "rejected"
    LAPSED = "lapsed"  # Ours alone: its time had passed before it was sent, so it never was.
    UNKNOWN = "unknown"

    def __init__(self, value: str) -> None:
        self.final = value in (
            "filled",
            "canceled",
            "expired",
            "replaced",
            "rejected",
            "lapsed",
        )  # Nothing more will happen to it.


class OrderIntent(
    msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True, tag="order", tag_field="action"
):
    """An order to be sent. The id follows from the decision, so the same decision never trades twice."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal  # Shares, positive.
    type: OrderType
    time_in_force: TimeInForce
    purpose: Purpose
    decided_at_ns: int
    valid_until_ns: int  # Unsent by then, it lapses.
    limit_price_usd: Decimal | None = None
    stop_price_usd: Decimal | None = None
    stop_loss_usd: Decimal | None = None  # Given: one-triggers-other, a stop leg that lives once this fills.
    take_profit_usd: Decimal | None = None  # Given: a limit leg; with stop_loss_usd a bracket, or a pair: see `oco`.
    stop_loss_limit_usd: Decimal | None = None  # Given: the stop leg is a stop-limit.
    trail_usd: Decimal | None = None  # A trailing stop has this or the next.
    trail_percent: Decimal | None = None
    position_stop_usd: Decimal | None = None  # An entry's: the stop its position is under, as a leg or sent after it.
    stop_from_ns: int | None = None  # Given: that stop has to wait until then.
    swing: bool = False  # An entry from the last day-trade slots, or without one.

    @property
    def oco(self) -> bool:
        """One cancels the other: an exit by a limit at take_profit_usd, its only price, and a stop_loss_usd."""
        return self.take_profit_usd is not None and self.limit_price_usd is None and self.type is OrderType.LIMIT


class CancelIntent(
    msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True, tag="cancel", tag_field="action"
):
    """An order to be taken back."""

    client_order_id: str
    symbol: str
    decided_at_ns: int


class ReplaceIntent(
    msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True, tag="replace", tag_field="action"
):
    """A working order to be replaced by one under a new id; what is None stays as it is."""

    client_order_id: str  # The new order's.
    replaces: str  # The old order's client_order_id.
    symbol: str
    decided_at_ns: int
    quantity: Decimal | None = None  # None: what the old one has left.
    limit_price_usd: Decimal | None = None
    stop_price_usd: Decimal | None = None
    trail: Decimal | None = None  # USD or percent, as the old order trails.
    time_in_force: TimeInForce | None = None


Action = OrderIntent | CancelIntent | ReplaceIntent


class Fill(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """What the broker says happened. Appended, never edited."""

    execution_id: str
    symbol: str
    quantity: Decimal  # Signed: positive buys, negative sells.
    price_usd: Decimal  # A share; can be finer than a cent.
    filled_at_ns: int


def leg_id(parent_client_order_id: str) -> str:
    """Our name for the stop leg that a broker creates under an id of its own."""
    return f"{parent_client_order_id}.stop"


def target_id(parent_client_order_id: str) -> str:
    """Our name for the take-profit leg, likewise."""
    return f"{parent_client_order_id}.target"
