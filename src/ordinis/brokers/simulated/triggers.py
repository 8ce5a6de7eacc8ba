"""Orders that wait for more than one price: stop-limits, and stops that trail."""

from __future__ import annotations

from typing import Final

from ordinis.brokers.simulated.order import BrokerOrder, move_trail
from ordinis.brokers.simulated.pricing import Bar, Pricing, rest_after, stop_reached
from ordinis.brokers.simulated.working import WorkingOrders
from ordinis.domain.money import price_usd
from ordinis.domain.orders import OrderType

_STOP_LIMIT: Final = OrderType.STOP_LIMIT


class Triggers:
    """The prices of such an order, as Pricing gives them for the others; what it waits for moves meanwhile."""

    __slots__ = ("_pricing", "_working")

    def __init__(self, pricing: Pricing, working: WorkingOrders) -> None:
        self._pricing = pricing
        self._working = working

    def at_open(self, order: BrokerOrder, open_usd: float) -> float | None:
        """The price at which it executes at the bar's open, or None."""
        if order.acts_as is not _STOP_LIMIT:
            self._trail(order, open_usd)
            return self._pricing.at_open(order, open_usd)
        if not stop_reached(order, Bar(open_usd, open_usd, open_usd, open_usd)):
            return None
        self._working.trigger(order)
        return self._pricing.marketable(order, open_usd)

    def within(self, order: BrokerOrder, bar: Bar) -> float | None:
        """The price at which it executes after the bar's open, or None."""
        if order.acts_as is _STOP_LIMIT:
            return self._stop_limit_within(order, bar)
        price = self._pricing.within(order, bar)
        if price is not None:
            return price
        self._trail(order, bar.low_usd if order.buys else bar.high_usd)
        close = bar.close_usd  # Of the rest of the bar only the close is known to follow the far end.
        reached = stop_reached(order, Bar(close, close, close, close))
        return self._pricing.taken(order.buys, order.trigger_usd) if reached else None

    def _stop_limit_within(self, order: BrokerOrder, bar: Bar) -> float | None:
        if not stop_reached(order, bar):
            return None
        rest = rest_after(order.buys, order.trigger_usd, _STOP_LIMIT, bar)
        assert rest is not None
        met_usd = max(bar.open_usd, rest.open_usd) if order.buys else min(bar.open_usd, rest.open_usd)
        self._working.trigger(order)
        price = self._pricing.marketable(order, met_usd)
        return price if price is not None else self._pricing.within(order, rest)

    def _trail(self, order: BrokerOrder, seen_usd: float) -> None:
        if move_trail(order, price_usd(seen_usd)):
            self._working.moved(order)
