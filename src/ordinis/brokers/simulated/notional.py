"""Orders of an amount of money: shares are what it buys, or takes to sell, at the price it fills at.

Source: Alpaca's notional orders: of the market, of the day, from a dollar on, in cents, never short.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Decimal

import msgspec

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.domain.money import CENT, FRACTION, price_usd
from ordinis.domain.orders import OrderIntent, OrderType, TimeInForce


def estimated(intent: OrderIntent, notional_usd: Decimal, last_usd: Decimal | None, least_usd: Decimal) -> OrderIntent:
    """The order in shares of the last price, so that it can be checked and reserve. Raises OrderRefused."""
    if intent.type is not OrderType.MARKET:
        raise refusals.unprocessable("notional orders must be market orders")
    if intent.time_in_force is not TimeInForce.DAY:
        raise refusals.unprocessable("notional orders must be DAY orders")
    if intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
        raise refusals.unprocessable("notional orders must be simple orders")
    if notional_usd != notional_usd.quantize(CENT):
        raise refusals.malformed("notional must be limited to 2 decimal places")
    if notional_usd < least_usd:
        raise refusals.below_minimum(least_usd)
    if last_usd is None:
        raise refusals.no_price(intent.symbol)
    return msgspec.structs.replace(intent, quantity=(notional_usd / last_usd).quantize(FRACTION, ROUND_UP))


def shares_for(notional_usd: Decimal, price: Decimal) -> Decimal:
    """Rounded down, so that it never takes more than was meant."""
    return (notional_usd / price).quantize(FRACTION, ROUND_DOWN)


def convert(books: AccountBooks, order: BrokerOrder, estimate_usd: float) -> None:
    """Money becomes shares at the price of its first fill; a sale is of no more than is free."""
    if order.notional_usd is None or order.filled_quantity:
        return
    books.release(order, order.quantity)
    shares = shares_for(order.notional_usd, price_usd(estimate_usd))
    order.quantity = shares if order.opens else min(shares, books.free_to_exit(order.column))
    books.hold(order)
