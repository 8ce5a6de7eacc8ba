"""The broker's refusals: its HTTP status, its code, its words.

Source: replies of Alpaca's trading API. `details` are the further fields of its error body.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.domain.errors import OrderRefused

MALFORMED = 40010001
UNPROCESSABLE = 42210000
FORBIDDEN = 40310000
DAY_TRADE = 40310100
NOT_FOUND = 40410000


class Refusal(OrderRefused):
    """An OrderRefused with the further fields that the broker's error body carries."""

    def __init__(self, http_status: int, code: int, text: str, **details: object) -> None:
        super().__init__(code, text, http_status)
        self.details = details


def malformed(text: str) -> Refusal:
    return Refusal(422, MALFORMED, text)


def unprocessable(text: str) -> Refusal:
    return Refusal(422, UNPROCESSABLE, text)


def duplicate_id() -> Refusal:
    return malformed("client_order_id must be unique")


def below_minimum(least_usd: Decimal) -> Refusal:
    return malformed(f"notional must be >= {least_usd:.2f}")


def unknown_asset(symbol: str) -> Refusal:
    return unprocessable(f'asset "{symbol}" not found')


def inactive_asset(symbol: str) -> Refusal:
    return unprocessable(f'asset "{symbol}" is not active')


def not_fractionable(symbol: str) -> Refusal:
    return unprocessable(f'asset "{symbol}" is not fractionable')


def no_price(symbol: str) -> Refusal:
    return unprocessable(f'asset "{symbol}" has not traded yet')


def sub_penny(field: str, price_usd: Decimal) -> Refusal:
    return unprocessable(f"invalid {field} {price_usd}. sub-penny increment does not fulfill minimum pricing criteria")


def order_not_found(order_id: str) -> Refusal:
    return Refusal(404, NOT_FOUND, f"order not found for {order_id}")


def order_is_final(order: BrokerOrder) -> Refusal:
    return unprocessable(f'order is already in "{order.status.value}" state')


def buying_power(available_usd: Decimal, cost_usd: Decimal) -> Refusal:
    return Refusal(
        403,
        FORBIDDEN,
        "insufficient buying power",
        buying_power=f"{available_usd:.2f}",
        cost_basis=f"{cost_usd:.2f}",
    )


def insufficient_quantity(
    symbol: str, requested: Decimal, existing: Decimal, held: Decimal, related: list[str]
) -> Refusal:
    available = existing - held
    return Refusal(
        403,
        FORBIDDEN,
        f"insufficient qty available for order (requested: {requested:f}, available: {available:f})",
        symbol=symbol,
        available=f"{available:f}",
        existing_qty=f"{existing:f}",
        held_for_orders=f"{held:f}",
        related_orders=related,
    )


def wash_trade(existing: BrokerOrder, reason: str) -> Refusal:
    return Refusal(
        403,
        FORBIDDEN,
        "potential wash trade detected. use complex orders",
        existing_order_id=existing.id,
        reject_reason=reason,
    )


def short_sale(margin_account: bool, equity_min_usd: Decimal) -> Refusal:
    if margin_account:
        return Refusal(403, FORBIDDEN, "account is not allowed to short")
    return Refusal(403, FORBIDDEN, f"short selling needs a margin account with at least ${equity_min_usd} of equity")


def hard_to_borrow(symbol: str) -> Refusal:
    return unprocessable(f'asset "{symbol}" cannot be sold short')


def opposite_opening(buys: bool) -> Refusal:
    """An account is never long and short of a symbol, so no two orders may try to make it so."""
    mine, theirs = ("long buy", "short sell") if buys else ("short sell", "long buy")
    return Refusal(403, FORBIDDEN, f"cannot open a {mine} while a {theirs} order is open")


def not_an_entry(order_class: str) -> Refusal:
    return unprocessable(f"{order_class} orders must be entry orders")


def day_trade() -> Refusal:
    return Refusal(403, DAY_TRADE, "trade denied due to pattern day trading protection")


def intraday_margin(level_usd: Decimal) -> Refusal:
    """The broker's words for this are not known; its code is the one of every order that an account cannot carry."""
    return Refusal(403, FORBIDDEN, "order would create an intraday margin deficit", intraday_margin=f"{level_usd:.2f}")


def frozen(until: date) -> Refusal:
    return Refusal(
        403, FORBIDDEN, f"account is restricted after an unmet intraday margin call until {until.isoformat()}"
    )
