"""What an order must look like, whatever the account. Source: the broker's order rules and its words."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from ordinis.brokers.simulated import refusals
from ordinis.domain.money import CENT, tick_usd
from ordinis.domain.orders import OrderIntent, OrderType, TimeInForce

_DAY: Final = TimeInForce.DAY
_GTC: Final = TimeInForce.GTC
_DECIMALS_MAX = 9
_ID_LENGTH_MAX = 128
_PERCENT_MAX = 100
_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT
_STOP: Final = OrderType.STOP
_STOP_LIMIT: Final = OrderType.STOP_LIMIT
_TRAILING_STOP: Final = OrderType.TRAILING_STOP


def check_form(intent: OrderIntent, whole: bool) -> None:
    """Refuse what no account may send."""
    if len(intent.client_order_id) > _ID_LENGTH_MAX:
        raise refusals.malformed(f"client_order_id must be no more than {_ID_LENGTH_MAX} characters")
    if intent.quantity <= 0:
        raise refusals.malformed("qty must be > 0")
    if not whole:
        _check_fraction(intent)
    if intent.type is not _MARKET or intent.limit_price_usd is not None or intent.stop_price_usd is not None:
        _check_prices(intent)
    if intent.trail_usd is not None or intent.trail_percent is not None or intent.type is _TRAILING_STOP:
        _check_trail(intent)
    if intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
        _check_class(intent)


def check_legs(intent: OrderIntent, base_usd: Decimal, entry_buys: bool) -> None:
    """Legs on the tick, each at least a cent on its side of the price that the position is based on."""
    stop, limit, target = intent.stop_loss_usd, intent.stop_loss_limit_usd, intent.take_profit_usd
    if limit is not None:
        check_tick("stop_loss.limit_price", limit)
    if stop is not None:
        check_tick("stop_loss.stop_price", stop)
        _check_beyond("stop_loss.stop_price", stop, base_usd, below=entry_buys)
    if target is not None:
        check_tick("take_profit.limit_price", target)
        _check_beyond("take_profit.limit_price", target, base_usd, below=not entry_buys)


def check_pair(intent: OrderIntent, exit_sells: bool) -> None:
    """The stop of a one-cancels-other pair is at least a cent beyond its target."""
    stop, target = intent.stop_loss_usd, intent.take_profit_usd
    assert stop is not None
    assert target is not None
    check_legs(msgspec.structs.replace(intent, take_profit_usd=None), target, exit_sells)
    check_tick("take_profit.limit_price", target)


def _check_beyond(field: str, price_usd: Decimal, base_usd: Decimal, *, below: bool) -> None:
    if below and price_usd > base_usd - CENT:
        raise refusals.unprocessable(f"{field} must be <= base_price - 0.01 (base_price: {base_usd})")
    if not below and price_usd < base_usd + CENT:
        raise refusals.unprocessable(f"{field} must be >= base_price + 0.01 (base_price: {base_usd})")


def _check_class(intent: OrderIntent) -> None:
    """What an order with legs may be."""
    if not _lasts(intent):
        raise refusals.unprocessable("orders with legs must be DAY or GTC orders")
    if intent.type is _TRAILING_STOP:
        raise refusals.unprocessable("trailing stop orders must be simple orders")
    if intent.oco and intent.stop_loss_usd is None:
        raise refusals.malformed("oco orders require stop_loss.stop_price")


def _check_trail(intent: OrderIntent) -> None:
    if intent.type is not _TRAILING_STOP:
        raise refusals.malformed(f"{intent.type.value} orders require no trail_price or trail_percent")
    given = [one for one in (intent.trail_usd, intent.trail_percent) if one is not None]
    if len(given) != 1:
        raise refusals.malformed("trailing_stop orders require either trail_price or trail_percent")
    if given[0] <= 0 or (intent.trail_percent is not None and intent.trail_percent >= _PERCENT_MAX):
        raise refusals.malformed("trail_price must be > 0, trail_percent in (0, 100)")


def _check_fraction(intent: OrderIntent) -> None:
    exponent = intent.quantity.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _DECIMALS_MAX:
        raise refusals.malformed(f"qty must be limited to {_DECIMALS_MAX} decimal places")
    if intent.time_in_force is not _DAY:
        raise refusals.unprocessable("fractional orders must be DAY orders")
    if intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
        raise refusals.unprocessable("fractional orders must be simple orders")
    if intent.type is _TRAILING_STOP:
        raise refusals.unprocessable("fractional orders must be market, limit, stop or stop_limit orders")


def _check_prices(intent: OrderIntent) -> None:
    kind = intent.type
    wants_limit = (kind is _LIMIT or kind is _STOP_LIMIT) and not intent.oco
    wants_stop = kind is _STOP or kind is _STOP_LIMIT
    name = intent.type.value
    if (wants_stop or kind is _TRAILING_STOP) and not _lasts(intent):
        raise refusals.unprocessable(f"{name} orders must be DAY or GTC orders")
    for field, price, wanted in (
        ("limit_price", intent.limit_price_usd, wants_limit),
        ("stop_price", intent.stop_price_usd, wants_stop),
    ):
        if wanted and price is None:
            raise refusals.malformed(f"{name} orders require {field}")
        if not wanted and price is not None:
            raise refusals.malformed(f"{name} orders require no {field.replace('_', ' ')}")
        if price is not None:
            check_tick(field, price)


def _lasts(intent: OrderIntent) -> bool:
    return intent.time_in_force is _DAY or intent.time_in_force is _GTC


def check_tick(field: str, price_usd: Decimal) -> None:
    if price_usd <= 0:
        raise refusals.malformed(f"{field} must be > 0")
    if price_usd % tick_usd(price_usd):
        raise refusals.sub_penny(field, price_usd)
