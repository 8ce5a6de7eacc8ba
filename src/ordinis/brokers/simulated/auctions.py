"""The opening and the closing auction: when their orders may come, and what they get.

Source: Alpaca's rules of `opg` and `cls` orders; its cut-off before the close is a setting.
"""

from __future__ import annotations

from math import isnan

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.minute import Minute
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import MINUTE_NS, Session
from ordinis.domain.orders import OrderType, TimeInForce

_LIMIT = OrderType.LIMIT
_OPG, _CLS = TimeInForce.OPG, TimeInForce.CLS


def check_auction_time(kind: TimeInForce, session: Session | None, now_ns: int, settings: ExchangeSettings) -> None:
    """Refuse an auction's order that comes too late for it. Before the open, and from the close on, all may come."""
    if session is None or now_ns >= session.close_ns:
        return
    if kind is _OPG:
        raise refusals.unprocessable("opg orders must be submitted before the open")
    last_ns = session.close_ns - settings.close_auction_minutes_before * MINUTE_NS
    if kind is _CLS and now_ns > last_ns:
        minutes = settings.close_auction_minutes_before
        raise refusals.unprocessable(f"cls orders must be submitted at least {minutes} minutes before the close")


def auction_price(order: BrokerOrder, minute: Minute) -> float | None:
    """The open of the first minute or the close of the last, without a spread; None where it does not trade."""
    price = minute.open_usd(order.column)
    if isnan(price):
        return None
    if order.time_in_force is _CLS:
        price = minute.bar(order.column).close_usd
    if order.type is not _LIMIT:
        return price
    return price if (price <= order.trigger_usd if order.buys else price >= order.trigger_usd) else None
