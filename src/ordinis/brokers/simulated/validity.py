"""What an order must look like, whatever the account. Source: the broker's order rules and its words."""

from __future__ import annotations

from decimal import Decimal

from ordinis.brokers.simulated import refusals
from ordinis.domain.money import CENT, tick_usd
from ordinis.domain.orders import OrderIntent, OrderType, TimeInForce

_DAY = TimeInForce.DAY
_DECIMALS_MAX = 9
_ID_LENGTH_MAX = 128
_MARKET, _LIMIT, _STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP


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


def check_stop_loss(stop_loss_usd: Decimal, base_usd: Decimal) -> None:
    """The leg of a buy: on the tick, and at least a cent under the price that the entry is based on."""
    _check_tick("stop_loss.stop_price", stop_loss_usd)
    if stop_loss_usd > base_usd - CENT:
        raise refusals.unprocessable(f"stop_loss.stop_price must be <= base_price - 0.01 (base_price: {base_usd})")


def _check_fraction(intent: OrderIntent) -> None:
    exponent = intent.quantity.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _DECIMALS_MAX:
        raise refusals.malformed(f"qty must be limited to {_DECIMALS_MAX} decimal places")
    if intent.time_in_force is not _DAY:
        raise refusals.unprocessable("fractional orders must be DAY orders")
    if intent.stop_loss_usd is not None:
        raise refusals.unprocessable("fractional orders must be simple orders")


def _check_prices(intent: OrderIntent) -> None:
    wants_limit, wants_stop = intent.type is _LIMIT, intent.type is _STOP
    name = intent.type.value
    for field, price, wanted in (
        ("limit_price", intent.limit_price_usd, wants_limit),
        ("stop_price", intent.stop_price_usd, wants_stop),
    ):
        if wanted and price is None:
            raise refusals.malformed(f"{name} orders require {field}")
        if not wanted and price is not None:
            raise refusals.malformed(f"{name} orders require no {field.replace('_', ' ')}")
        if price is not None:
            _check_tick(field, price)


def _check_tick(field: str, price_usd: Decimal) -> None:
    if price_usd <= 0:
        raise refusals.malformed(f"{field} must be > 0")
    if price_usd % tick_usd(price_usd):
        raise refusals.sub_penny(field, price_usd)
