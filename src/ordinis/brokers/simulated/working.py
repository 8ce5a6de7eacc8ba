"""The orders that may execute, with an index of the prices that could wake them.

A minute asks two whole-column questions; Python loops run only over orders that may act.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

import numpy as np

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.domain.market import BoolArray, FloatArray, MarketBlock
from ordinis.domain.orders import OrderType, TimeInForce

_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT
_STOP_LIMIT: Final = OrderType.STOP_LIMIT
_TRAILING_STOP: Final = OrderType.TRAILING_STOP
_OPG: Final = TimeInForce.OPG
_CLS: Final = TimeInForce.CLS
_by_priority = attrgetter("priority")
_NONE: tuple[BrokerOrder, ...] = ()


class WorkingOrders:
    """Working orders: some wait for any price, some for an auction, and some rest until a price is reached."""

    __slots__ = (
        "_at_market",
        "_by_column",
        "_high_hit",
        "_high_trigger",
        "_low_hit",
        "_low_trigger",
        "_resting",
        "auctions",
    )

    def __init__(self, width: int) -> None:
        self._by_column: dict[int, list[BrokerOrder]] = {}
        self._at_market: dict[int, BrokerOrder] = {}
        self.auctions: dict[int, BrokerOrder] = {}
        self._resting = 0
        self._low_trigger: FloatArray = np.full(width, -np.inf)  # A low at or under it may wake an order.
        self._high_trigger: FloatArray = np.full(width, np.inf)
        self._low_hit: BoolArray = np.zeros(width, dtype=np.bool_)
        self._high_hit: BoolArray = np.zeros(width, dtype=np.bool_)

    def __bool__(self) -> bool:
        return bool(self._at_market) or self._resting > 0 or bool(self.auctions)

    def of(self, column: int) -> list[BrokerOrder] | tuple[BrokerOrder, ...]:
        """The symbol's working orders, by order of becoming so."""
        return self._by_column.get(column, _NONE)

    def __iter__(self) -> Iterator[BrokerOrder]:
        for orders in self._by_column.values():
            yield from orders

    def add(self, order: BrokerOrder) -> None:
        self._by_column.setdefault(order.column, []).append(order)
        if order.time_in_force is _OPG or order.time_in_force is _CLS:
            self.auctions[order.number] = order
        elif order.acts_as is _MARKET:
            self._at_market[order.number] = order
        else:
            self._resting += 1
            self._index(order.column)

    def remove(self, order: BrokerOrder) -> None:
        self._by_column[order.column].remove(order)
        number = order.number
        if self._at_market.pop(number, None) is None and self.auctions.pop(number, None) is None:
            self._resting -= 1
            self._index(order.column)

    def trigger(self, order: BrokerOrder) -> None:
        """Its stop was reached: a stop-limit is a limit from now on, any other takes any price."""
        if order.type is _STOP_LIMIT:
            order.acts_as = _LIMIT
            order.trigger_usd = float(order.limit_price_usd or 0)
        else:
            order.acts_as = _MARKET
            self._resting -= 1
            self._at_market[order.number] = order
        self._index(order.column)

    def moved(self, order: BrokerOrder) -> None:
        """It waits for another price than before."""
        self._index(order.column)

    def acting(self, block: MarketBlock, row: int) -> list[BrokerOrder]:
        """The orders that this minute may fill, by order of submission: an exit with a new price keeps its place."""
        acting = list(self._at_market.values())
        if self._resting:
            for column in self._touched(block, row):
                acting += [order for order in self._by_column[column] if self._rests(order)]
        if len(acting) > 1:
            acting.sort(key=_by_priority)
        return acting

    def _rests(self, order: BrokerOrder) -> bool:
        return order.number not in self._at_market and order.number not in self.auctions

    def _touched(self, block: MarketBlock, row: int) -> list[int]:
        np.less_equal(block.low[row], self._low_trigger, out=self._low_hit)
        np.greater_equal(block.high[row], self._high_trigger, out=self._high_hit)
        hit = np.logical_or(self._low_hit, self._high_hit, out=self._low_hit)
        if not np.count_nonzero(hit):
            return []
        touched: list[int] = hit.nonzero()[0].tolist()
        return touched

    def _index(self, column: int) -> None:
        """Buy limits and sell stops wait for a low, sell limits and buy stops for a high; what trails for both."""
        low, high = -np.inf, np.inf
        for order in self._by_column[column]:
            if not self._rests(order):
                continue
            lows = order.buys is (order.acts_as is _LIMIT)
            if lows:
                low = max(low, order.trigger_usd)
            else:
                high = min(high, order.trigger_usd)
            if order.acts_as is _TRAILING_STOP:
                mark = float(order.mark_usd or 0)
                low, high = (low, min(high, mark)) if lows else (max(low, mark), high)
        self._low_trigger[column] = low
        self._high_trigger[column] = high
