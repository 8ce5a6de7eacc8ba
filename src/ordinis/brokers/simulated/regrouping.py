"""A new price for an order of a group: the order that takes it over stands in all its places.

Source: Alpaca replaces limit_price and stop_price of brackets and of one-cancels-other pairs, and nothing of an order
that triggers one other.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.order import ZERO, BrokerOrder, order_id
from ordinis.brokers.simulated.validity import check_legs, check_pair, check_tick
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose, ReplaceIntent

_PARTIALLY_FILLED = OrderStatus.PARTIALLY_FILLED


def is_entry(order: BrokerOrder) -> bool:
    """Of a bracket: an order that opens a position, and not a leg or a pair's target."""
    return order.parent is None and order.sibling is None


def check_change(order: BrokerOrder, change: ReplaceIntent) -> None:
    """Prices that the order has, and nothing else. Raises OrderRefused."""
    kind = order.type.value
    keeps = change.quantity in (None, order.remaining) and change.time_in_force in (None, order.time_in_force)
    if not keeps or change.trail is not None:
        raise refusals.unprocessable(f"{order.order_class} orders can be replaced in limit_price and stop_price only")
    if is_entry(order) and order.status is _PARTIALLY_FILLED:
        raise refusals.unprocessable('cannot replace order in "partially_filled" state')
    if change.limit_price_usd is not None and order.limit_price_usd is None:
        raise refusals.malformed(f"{kind} orders require no limit price")
    if change.stop_price_usd is not None and order.stop_price_usd is None:
        raise refusals.malformed(f"{kind} orders require no stop price")
    if _prices(order, change) == (order.limit_price_usd, order.stop_price_usd):
        raise refusals.unprocessable("order parameters are not changed")


def entry_of(order: BrokerOrder, change: ReplaceIntent) -> OrderIntent:
    """The bracket as it would be sent with the new price, for the checks of a new order."""
    stop, target = order.leg, order.target
    assert stop is not None
    assert target is not None
    limit_usd, stop_usd = _prices(order, change)
    return _outline(order, change, stop, target.limit_price_usd, limit_usd=limit_usd, stop_usd=stop_usd)


def check_exit(order: BrokerOrder, change: ReplaceIntent, last_usd: Decimal | None) -> None:
    """A leg's, or a pair's, new price: on the tick, and on its side of the other and of an entry that still works."""
    limit_usd, stop_usd = _prices(order, change)
    for field, price in (("limit_price", limit_usd), ("stop_price", stop_usd)):
        if price is not None:
            check_tick(field, price)
    parent = order if order.parent is None else order.parent
    stop, target = _both(parent)
    new = replace(order, limit_price_usd=limit_usd, stop_price_usd=stop_usd)
    stop, target = (new, target) if order is stop else (stop, new)
    outline = _outline(parent, change, stop, target.limit_price_usd, limit_usd=None, stop_usd=None)
    if parent.live and is_entry(parent):
        base = parent.limit_price_usd or parent.stop_price_usd or last_usd
        if base is not None:
            check_legs(outline, base, entry_buys=parent.buys)
    else:
        check_pair(outline, exit_sells=not stop.buys)


def exit_of(order: BrokerOrder, change: ReplaceIntent, *, number: int, at_ns: int) -> BrokerOrder:
    """The order with its new price; a stop goes before its target as the old one did."""
    limit_usd, stop_usd = _prices(order, change)
    waits_for = stop_usd or limit_usd
    return replace(
        order,
        number=number,
        id=order_id(number),
        client_order_id=change.client_order_id,
        quantity=order.remaining,
        filled_quantity=ZERO,
        filled_value_usd=ZERO,
        limit_price_usd=limit_usd,
        stop_price_usd=stop_usd,
        trigger_usd=0.0 if waits_for is None else float(waits_for),
        acts_as=order.type,
        created_at_ns=at_ns,
        submitted_at_ns=at_ns,
        updated_at_ns=at_ns,
    )


def take_place(old: BrokerOrder, new: BrokerOrder) -> None:
    """Whoever knew the old order knows the new one."""
    parent, sibling = old.parent, old.sibling
    new.order_class, new.parent, new.sibling = old.order_class, parent, sibling
    new.leg, new.target, new.holds = old.leg, old.target, old.holds
    old.leg = old.target = old.sibling = None
    for leg in new.legs:
        leg.parent = new
    if sibling is not None:
        sibling.sibling = new
    if parent is not None and parent.leg is old:
        parent.leg = new
    elif parent is not None:
        parent.target = new


def _prices(order: BrokerOrder, change: ReplaceIntent) -> tuple[Decimal | None, Decimal | None]:
    """Limit and stop as they would be."""
    return change.limit_price_usd or order.limit_price_usd, change.stop_price_usd or order.stop_price_usd


def _both(parent: BrokerOrder) -> tuple[BrokerOrder, BrokerOrder]:
    """Stop and target of a bracket, or of a pair, whose target is its parent."""
    stop, target = parent.leg, parent.target or parent
    assert stop is not None
    return stop, target


def _outline(
    parent: BrokerOrder,
    change: ReplaceIntent,
    stop: BrokerOrder,
    target_usd: Decimal | None,
    *,
    limit_usd: Decimal | None,
    stop_usd: Decimal | None,
) -> OrderIntent:
    return OrderIntent(
        client_order_id=change.client_order_id,
        symbol=parent.symbol,
        side=parent.side,
        quantity=parent.remaining,
        type=parent.type,
        time_in_force=parent.time_in_force,
        purpose=Purpose.ENTRY,  # The exchange does not know why, and does not ask.
        decided_at_ns=change.decided_at_ns,
        valid_until_ns=change.decided_at_ns,
        limit_price_usd=limit_usd,
        stop_price_usd=stop_usd,
        stop_loss_usd=stop.stop_price_usd,
        stop_loss_limit_usd=stop.limit_price_usd,
        take_profit_usd=target_usd,
    )
