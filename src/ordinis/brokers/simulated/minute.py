"""One minute while it is matched: its bars, and how many shares of it are left to trade."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordinis.brokers.simulated.order import ZERO, BrokerOrder
from ordinis.brokers.simulated.pricing import Bar
from ordinis.domain.market import MINUTE_NS, MarketSlice
from ordinis.domain.money import FRACTION, WHOLE, shares
from ordinis.domain.orders import TimeInForce

_FOK: Final = TimeInForce.FOK


class Minute:
    """A slice as the exchange reads it: single numbers, and only of symbols with orders."""

    __slots__ = ("_block", "_left", "_row", "_share", "end_ns", "start_ns")

    def __init__(self, minute: MarketSlice, participation: float) -> None:
        """`participation`: the part of a shown volume that may be taken; 0 for any size."""
        self._block = minute.block
        self._row = minute.row
        self._share = participation
        self._left: dict[int, float] = {}  # Shares by column, over all orders.
        self.end_ns = minute.at_ns
        self.start_ns = minute.at_ns - MINUTE_NS

    def open_usd(self, column: int) -> float:
        """NaN without a bar."""
        return self._block.open.item(self._row, column)

    def bar(self, column: int) -> Bar:
        block, row = self._block, self._row
        return Bar(
            open_usd=block.open.item(row, column),
            high_usd=block.high.item(row, column),
            low_usd=block.low.item(row, column),
            close_usd=block.close.item(row, column),
        )

    def take(self, order: BrokerOrder) -> Decimal:
        """Shares that the order gets of what this minute's volume allows; they are gone for the next."""
        wanted = order.remaining
        if not self._share:
            return wanted
        column = order.column
        left = self._left.get(column)
        if left is None:
            left = self._block.volume.item(self._row, column) * self._share
        if wanted > left:
            all_or_none = order.time_in_force is _FOK
            wanted = ZERO if all_or_none else shares(left, WHOLE if order.whole else FRACTION)
        self._left[column] = left - float(wanted)
        return wanted
