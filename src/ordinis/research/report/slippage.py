"""Slippage: what an order filled at, against the price that it was decided on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ordinis.domain.decision import Assessment
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import OrderIntent, OrderType, leg_id
from ordinis.research.report.source import Slip

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def slips(
    updates: Iterable[OrderUpdate], intents: Iterable[OrderIntent], assessments: Iterable[Assessment]
) -> tuple[Slip, ...]:
    """One an order that filled, in order of its first fill; a partial fill counts with what it got.

    A stop was decided on its own price, a market or limit order on the last price that its decision knew.
    """
    decided = _decided(intents, assessments)
    filled: dict[str, list[float]] = {}
    for update in updates:
        if update.fill is not None and update.client_order_id in decided:
            quantity, price_usd = float(update.fill.quantity), float(update.fill.price_usd)
            sums = filled.setdefault(update.client_order_id, [0.0, 0.0])
            sums[0] += quantity
            sums[1] += quantity * price_usd
    return tuple(
        _slip(*decided[name], shares=shares, paid_usd=paid_usd) for name, (shares, paid_usd) in filled.items() if shares
    )


def _decided(
    intents: Iterable[OrderIntent], assessments: Iterable[Assessment]
) -> Mapping[str, tuple[OrderType, float]]:
    """Order -> its type and the price it was decided on, USD; a stop leg goes by its own name."""
    known = {one.client_order_id: one.price_usd for one in assessments if one.client_order_id is not None}
    found: dict[str, tuple[OrderType, float]] = {}
    for intent in intents:
        price_usd = known.get(intent.client_order_id)
        if intent.type in _STOPS and intent.stop_price_usd is not None:
            price_usd = float(intent.stop_price_usd)
        if price_usd:
            found[intent.client_order_id] = (intent.type, price_usd)
        if intent.stop_loss_usd is not None:
            found[leg_id(intent.client_order_id)] = (OrderType.STOP, float(intent.stop_loss_usd))
    return found


def _slip(kind: OrderType, decided_usd: float, *, shares: float, paid_usd: float) -> Slip:
    """`shares` and `paid_usd` are above 0 for a purchase, below for a sale."""
    cost_usd = paid_usd - shares * decided_usd
    notional_usd = abs(shares) * decided_usd
    return Slip(order_type=kind.value, notional_usd=notional_usd, cost_usd=cost_usd)
