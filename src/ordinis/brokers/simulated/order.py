"""An order as the exchange keeps it, from submission to its end."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ordinis.domain.orders import OrderIntent, OrderStatus, OrderType, Side, TimeInForce, leg_id, target_id

ZERO: Final = Decimal(0)
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_LIMIT: Final = OrderType.LIMIT
_STOP: Final = OrderType.STOP
_STOP_LIMIT: Final = OrderType.STOP_LIMIT
_HELD: Final = OrderStatus.HELD
_TENTH_OF_A_MILL: Final = Decimal("0.0001")
_HUNDRED: Final = Decimal(100)


@dataclass(slots=True, kw_only=True, eq=False)
class BrokerOrder:
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
    notional_usd: Decimal | None = None  # Given: the quantity is an estimate until the first fill's price sets it.
    priority: int  # Of two that a bar could fill, the smaller goes first: its number, or that of whom it replaced.
    limit_price_usd: Decimal | None = None
    stop_price_usd: Decimal | None = None
    trail_usd: Decimal | None = None
    trail_percent: Decimal | None = None
    mark_usd: Decimal | None = None  # The best price that a trailing stop has seen.
    trigger_usd: float = 0.0  # The price it waits for, for matching; 0.0 for a market order.
    acts_as: OrderType  # Its type; once its stop is reached, what it has become.
    opens: bool  # A position, or more of one: it reserves buying power. Otherwise it holds shares of one.
    reserve_price_usd: Decimal = ZERO  # What an opening order reserves a share.
    extended_hours: bool = False  # Its sender's wish: beside the regular session there are no bars to fill it on.
    order_class: str = "simple"  # Or "oto", "bracket", "oco": a parent or its legs.
    parent: BrokerOrder | None = None
    leg: BrokerOrder | None = None  # The stop-loss.
    target: BrokerOrder | None = None  # The take-profit.
    sibling: BrokerOrder | None = None  # The other of a pair of which one ends the other.
    holds: bool = True  # False for the stop of a pair: its sibling holds the shares for both.
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
    replaced_at_ns: int | None = None
    replaced_by: str | None = None  # The broker's id, as the next.
    replaces: str | None = None

    @property
    def legs(self) -> tuple[BrokerOrder, ...]:
        """The stop first: it is matched first, too."""
        return tuple(one for one in (self.leg, self.target) if one is not None)

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
    intent: OrderIntent, *, number: int, column: int, whole: bool, opens: bool, reserve_price_usd: Decimal, at_ns: int
) -> BrokerOrder:
    """An order that has just been accepted."""
    limit = intent.take_profit_usd if intent.oco else intent.limit_price_usd
    waits_for = intent.stop_price_usd or limit
    return BrokerOrder(
        number=number,
        priority=number,
        id=order_id(number),
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        column=column,
        side=intent.side,
        buys=intent.side is _BUY,
        type=intent.type,
        acts_as=intent.type,
        time_in_force=intent.time_in_force,
        quantity=intent.quantity,
        whole=whole,
        opens=opens,
        limit_price_usd=limit,
        stop_price_usd=intent.stop_price_usd,
        trail_usd=intent.trail_usd,
        trail_percent=intent.trail_percent,
        trigger_usd=0.0 if waits_for is None else float(waits_for),
        reserve_price_usd=reserve_price_usd,
        created_at_ns=at_ns,
        submitted_at_ns=at_ns,
        updated_at_ns=at_ns,
    )


def add_legs(order: BrokerOrder, intent: OrderIntent, number: int) -> None:
    """The legs that the intent asks for, held for now: numbers from `number` on, the stop's first."""
    if intent.stop_loss_usd is not None:
        kind = _STOP if intent.stop_loss_limit_usd is None else _STOP_LIMIT
        order.leg = _leg(order, number, leg_id(order.client_order_id), kind, exits=intent.oco)
        order.leg.stop_price_usd = intent.stop_loss_usd
        order.leg.limit_price_usd = intent.stop_loss_limit_usd
        order.leg.trigger_usd = float(intent.stop_loss_usd)
        number += 1
    if intent.take_profit_usd is not None and not intent.oco:
        order.target = _leg(order, number, target_id(order.client_order_id), _LIMIT, exits=False)
        order.target.limit_price_usd = intent.take_profit_usd
        order.target.trigger_usd = float(intent.take_profit_usd)
    if order.leg is not None:
        _pair(order.leg, order if intent.oco else order.target)
    for one in (order, *order.legs):
        one.order_class = _class_of(order, intent.oco)


def _pair(stop: BrokerOrder, target: BrokerOrder | None) -> None:
    if target is not None:
        stop.sibling, target.sibling = target, stop
        stop.holds = False


def _class_of(order: BrokerOrder, oco: bool) -> str:
    if oco:
        return "oco"
    return "oto" if order.leg is None or order.target is None else "bracket"


def _leg(parent: BrokerOrder, number: int, name: str, kind: OrderType, *, exits: bool) -> BrokerOrder:
    """Of the other side than an entry, of the same as a parent that exits itself."""
    buys = parent.buys if exits else not parent.buys
    return BrokerOrder(
        number=number,
        priority=number,
        id=order_id(number),
        client_order_id=name,
        symbol=parent.symbol,
        column=parent.column,
        side=_BUY if buys else _SELL,
        buys=buys,
        type=kind,
        acts_as=kind,
        time_in_force=parent.time_in_force,
        quantity=parent.quantity,
        whole=parent.whole,
        opens=False,
        parent=parent,
        status=_HELD,
        created_at_ns=parent.created_at_ns,
        submitted_at_ns=parent.submitted_at_ns,
        updated_at_ns=parent.updated_at_ns,
        expires_at_ns=parent.expires_at_ns,
    )


def move_trail(order: BrokerOrder, seen_usd: Decimal) -> bool:
    """A trailing stop has seen a price; True when its mark, and its stop with it, moved.

    Source: Alpaca's trailing stops: the mark is the best price since submission, the stop trails it.
    """
    mark = order.mark_usd
    if mark is not None and (seen_usd >= mark if order.buys else seen_usd <= mark):
        return False
    order.mark_usd = seen_usd
    stop = trailed_usd(order.buys, seen_usd, order.trail_usd, order.trail_percent)
    order.stop_price_usd = stop
    order.trigger_usd = float(stop)
    return True


def trailed_usd(buys: bool, mark_usd: Decimal, trail_usd: Decimal | None, trail_percent: Decimal | None) -> Decimal:
    """The stop at a mark: under it for a sale, over it for a buy."""
    distance = trail_usd if trail_usd is not None else mark_usd * (trail_percent or ZERO) / _HUNDRED
    return (mark_usd + distance if buys else mark_usd - distance).quantize(_TENTH_OF_A_MILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule of the account that a fill broke, by the exchange's own books."""

    at_ns: int
    kind: str
    symbol: str
    text: str
