"""An order as the exchange keeps it, from submission to its end."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ordinis.domain.orders import OrderIntent, OrderStatus, OrderType, Side, TimeInForce, leg_id

ZERO = Decimal(0)
_BUY = Side.BUY


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


def order_id(number: int) -> str:
    """The broker's id of the n-th order: a UUID by form, the same in every run."""
    return f"00000000-0000-4000-8000-{number:012x}"


def new_order(
    intent: OrderIntent, *, number: int, column: int, whole: bool, reserve_price_usd: Decimal, at_ns: int
) -> BrokerOrder:
    """An order that has just been accepted."""
    price = intent.limit_price_usd or intent.stop_price_usd
    return BrokerOrder(
        number=number,
        id=order_id(number),
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        column=column,
        side=intent.side,
        buys=intent.side is _BUY,
        type=intent.type,
        time_in_force=intent.time_in_force,
        quantity=intent.quantity,
        whole=whole,
        limit_price_usd=intent.limit_price_usd,
        stop_price_usd=intent.stop_price_usd,
        trigger_usd=0.0 if price is None else float(price),
        reserve_price_usd=reserve_price_usd,
        created_at_ns=at_ns,
        submitted_at_ns=at_ns,
        updated_at_ns=at_ns,
    )


def add_leg(parent: BrokerOrder, stop_usd: Decimal) -> BrokerOrder:
    """The parent's stop-loss: of the other side, held until the parent is filled."""
    leg = BrokerOrder(
        number=parent.number + 1,
        id=order_id(parent.number + 1),
        client_order_id=leg_id(parent.client_order_id),
        symbol=parent.symbol,
        column=parent.column,
        side=Side.SELL,
        buys=False,
        type=OrderType.STOP,
        time_in_force=parent.time_in_force,
        quantity=parent.quantity,
        whole=parent.whole,
        stop_price_usd=stop_usd,
        trigger_usd=float(stop_usd),
        order_class="oto",
        parent=parent,
        status=OrderStatus.HELD,
        created_at_ns=parent.created_at_ns,
        submitted_at_ns=parent.submitted_at_ns,
        updated_at_ns=parent.updated_at_ns,
        expires_at_ns=parent.expires_at_ns,
    )
    parent.leg = leg
    parent.order_class = "oto"
    return leg


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the account that a fill broke, by the exchange's own books."""

    at_ns: int
    kind: str
    symbol: str
    text: str
