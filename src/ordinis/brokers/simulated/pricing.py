"""At what price a bar fills an order, and whether at its open or within it.

A bar says where a minute began, ended, and how far it went, not in which order: where that matters the
worse course for the trader is assumed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.brokers.simulated.spreads import half_spread_usd
from ordinis.domain.orders import OrderType

_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT
_TICK_DECIMALS = 4


class Bar(NamedTuple):
    """One symbol's minute, or what is left of it. USD a share."""

    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float


class Pricing:
    """The fill model's prices."""

    __slots__ = ("_at_close", "_by_price", "_half_spread", "_spread")

    def __init__(self, settings: ExchangeSettings) -> None:
        self._spread = settings.fill_model is FillModel.SPREAD
        self._at_close = settings.fill_model is FillModel.NEXT_CLOSE
        self._by_price = settings.half_spread_bps == "by_price"
        self._half_spread = 0.0 if isinstance(settings.half_spread_bps, str) else settings.half_spread_bps * 1e-4

    def taken(self, buys: bool, price_usd: float) -> float:
        """What taking liquidity at that price costs: half the spread worse, where there is one."""
        if not self._spread:
            return price_usd
        if self._by_price:
            half = half_spread_usd(price_usd)
            return round(price_usd + half if buys else price_usd - half, _TICK_DECIMALS)
        factor = 1.0 + self._half_spread if buys else 1.0 - self._half_spread
        return round(price_usd * factor, _TICK_DECIMALS)

    def given_away(self, buys: bool, fill_usd: float) -> float:
        """What `taken` has cost a share, from the price that it came to. USD; to the rounding of that price."""
        if not self._spread:
            return 0.0
        if not self._by_price:
            return fill_usd * self._half_spread / (1.0 + self._half_spread if buys else 1.0 - self._half_spread)
        half = half_spread_usd(fill_usd)
        return half_spread_usd(fill_usd - half if buys else fill_usd + half)

    def marketable(self, order: BrokerOrder, price_usd: float) -> float | None:
        """What a limit that is met by that price pays, as whoever takes liquidity; None where that is past its limit.

        One that rested would have been met at its limit, which is dearer still.
        """
        cost = self.taken(order.buys, price_usd)
        return cost if (cost <= order.trigger_usd if order.buys else cost >= order.trigger_usd) else None

    def at_open(self, order: BrokerOrder, open_usd: float) -> float | None:
        """The price at which the order executes at the bar's open, or None."""
        if order.acts_as is _MARKET:
            return None if self._at_close else self.taken(order.buys, open_usd)
        if order.acts_as is _LIMIT:
            return self.marketable(order, open_usd)
        beyond = open_usd >= order.trigger_usd if order.buys else open_usd <= order.trigger_usd
        return self.taken(order.buys, open_usd) if beyond else None

    def within(self, order: BrokerOrder, bar: Bar) -> float | None:
        """The price at which the order executes after the bar's open, or None."""
        if order.acts_as is _MARKET:
            return bar.close_usd if self._at_close else None
        if order.acts_as is _LIMIT:
            return self._limit_within(order, bar)
        if order.buys:
            reached = bar.high_usd >= order.trigger_usd
            return self.taken(True, max(order.trigger_usd, bar.open_usd)) if reached else None
        reached = bar.low_usd <= order.trigger_usd
        return self.taken(False, min(order.trigger_usd, bar.open_usd)) if reached else None

    def _limit_within(self, order: BrokerOrder, bar: Bar) -> float | None:
        met = self.marketable(order, bar.open_usd)  # A leg may come to life with the price past its limit already.
        if met is not None:
            return met
        reached = self._limit_reached(order, bar.low_usd if order.buys else bar.high_usd)
        return order.trigger_usd if reached else None

    def _limit_reached(self, order: BrokerOrder, price_usd: float) -> bool:
        """With a spread a limit has to be traded through: the last price at it may be the other side's."""
        if self._spread:
            return price_usd < order.trigger_usd if order.buys else price_usd > order.trigger_usd
        return price_usd <= order.trigger_usd if order.buys else price_usd >= order.trigger_usd


def stop_reached(order: BrokerOrder, bar: Bar) -> bool:
    """Whether a stop's price was met at the bar's open or after it."""
    return bar.high_usd >= order.trigger_usd if order.buys else bar.low_usd <= order.trigger_usd


def rest_after(buys: bool, price_usd: float, kind: OrderType, bar: Bar) -> Bar | None:
    """What a bar may still bring after it met the price that an order of that kind waited for; None when nothing.

    A limit was reached on the way there, so the far end of the bar may follow it. After a stop only the
    close is known to come later; after a fill at the close nothing does.
    """
    if kind is _MARKET:
        return None
    low, high = min(price_usd, bar.close_usd), max(price_usd, bar.close_usd)
    if kind is _LIMIT:
        low, high = (bar.low_usd, high) if buys else (low, bar.high_usd)
    return Bar(price_usd, high, low, bar.close_usd)
