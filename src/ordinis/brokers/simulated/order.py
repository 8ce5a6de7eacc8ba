"""An order as the exchange keeps it, from submission to its end."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ordinis.domain.orders import OrderStatus, OrderType, Side, TimeInForce

ZERO = Decimal(0)


class BrokerOrder(msgspec.Struct, kw_only=True, eq=False):
    """One order. Times are UTC nanoseconds and None until they happen; only the exchange writes to it."""

    number: int  # Counts submissions, so it also orders them.
    id: str
    client_order_id: str
    symbol: str
    column: int
    side: Side
    buys: bool
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal  # Shares, unsigned.
    whole: bool  # A fractional order may fill in fractions, a whole one may not.
    limit_price_usd: Decimal | None = None
    stop_price_usd: Decimal | None = None
    trigger_usd: float = 0.0  # The limit or stop price, for matching; 0.0 for a market order.
    triggered: bool = False  # A stop whose price was reached: a market order from then on.
    reserve_price_usd: Decimal = ZERO  # What an open buy reserves a share.
    order_class: str = "simple"  # Or "oto": a parent or its leg.
    parent: BrokerOrder | None = None
    leg: BrokerOrder | None = None
    status: OrderStatus = OrderStatus.ACCEPTED
    live: bool = True  # Not final.
    filled_quantity: Decimal = ZERO
    filled_value_usd: Decimal = ZERO
    created_at_ns: int
    submitted_at_ns: int
    updated_at_ns: int
    expires_at_ns: int | None = None  # None while a day order waits for its session.
    filled_at_ns: int | None = None
    canceled_at_ns: int | None = None
    expired_at_ns: int | None = None

    @property
    def legs(self) -> tuple[BrokerOrder, ...]:
        return () if self.leg is None else (self.leg,)

    @property
    def remaining(self) -> Decimal:
        """Shares not filled yet."""
        return self.quantity - self.filled_quantity

    @property
    def filled_average_price_usd(self) -> Decimal | None:
        """None until something filled."""
        return self.filled_value_usd / self.filled_quantity if self.filled_quantity else None


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the account that a fill broke, by the exchange's own books."""

    at_ns: int
    kind: str
    symbol: str
    text: str
