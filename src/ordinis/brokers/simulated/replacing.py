"""A new order in the place of a working one. Source: Alpaca's rules of PATCH /orders."""

from __future__ import annotations

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.domain.orders import OrderIntent, Purpose, ReplaceIntent


def check_replaceable(order: BrokerOrder, exchange_is_open: bool) -> None:
    """Refuse what cannot be replaced: what is over, not at the venue yet, of money, or triggers one other."""
    if not order.live:
        raise refusals.order_is_final(order)
    if not exchange_is_open:
        raise refusals.unprocessable('cannot replace order in "accepted" state')
    if order.notional_usd is not None:
        raise refusals.unprocessable("replace is not supported for notional orders")
    if order.order_class == "oto":
        raise refusals.unprocessable(f"replace is not supported for {order.order_class} orders")


def successor(order: BrokerOrder, change: ReplaceIntent) -> OrderIntent:
    """The order that is to stand in its place. Errors: Refusal when it would be the same."""
    percent, usd = order.trail_percent, order.trail_usd
    trails = percent is not None or usd is not None
    if change.trail is not None and not trails:
        raise refusals.malformed(f"{order.type.value} orders require no trail")
    if trails and change.stop_price_usd is not None:
        raise refusals.malformed("trailing_stop orders require no stop price")
    intent = OrderIntent(
        client_order_id=change.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.remaining if change.quantity is None else change.quantity,
        type=order.type,
        time_in_force=change.time_in_force or order.time_in_force,
        purpose=Purpose.ENTRY,  # The exchange does not know why, and does not ask.
        decided_at_ns=change.decided_at_ns,
        valid_until_ns=change.decided_at_ns,
        limit_price_usd=change.limit_price_usd or order.limit_price_usd,
        stop_price_usd=None if trails else change.stop_price_usd or order.stop_price_usd,
        trail_usd=None if usd is None else change.trail or usd,
        trail_percent=None if percent is None else change.trail or percent,
    )
    if _same(order, intent):
        raise refusals.unprocessable("order parameters are not changed")
    return intent


def _same(order: BrokerOrder, intent: OrderIntent) -> bool:
    return (
        intent.quantity == order.remaining
        and intent.time_in_force is order.time_in_force
        and intent.limit_price_usd == order.limit_price_usd
        and intent.stop_price_usd in (None, order.stop_price_usd)
        and (intent.trail_usd, intent.trail_percent) == (order.trail_usd, order.trail_percent)
    )
