"""The exchange's own count of day trades, from the lots of the day.

Source: FINRA Rule 4210(f)(8)(B) and its interpretations. What was opened today is closed last in, first
out; shares held overnight are beneath the day's lots and never count. A day trade is an opening order whose
lot was touched by a closing (/01), or a run of openings, uninterrupted by a closing, that was touched (/02).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from ordinis.brokers.simulated.order import ZERO

Method = Literal["opening_order", "direction_change", "max"]


class _Stack:
    """What is left of each lot, the oldest first, and the lots that a closing has touched."""

    __slots__ = ("left", "touched")

    def __init__(self) -> None:
        self.left: dict[int, Decimal] = {}
        self.touched: set[int] = set()

    def put(self, lot: int, quantity: Decimal) -> None:
        """Parts of one lot lie where its first part lies: partial fills are one transaction."""
        self.left[lot] = self.left.get(lot, ZERO) + quantity

    def take(self, quantity: Decimal) -> None:
        for lot in reversed(self.left):
            taken = min(quantity, self.left[lot])
            if taken:
                self.touched.add(lot)
                self.left[lot] -= taken
                quantity -= taken

    def copy(self) -> _Stack:
        other = _Stack()
        other.left, other.touched = dict(self.left), set(self.touched)
        return other


class SymbolDay:
    """One symbol's day. Quantities are unsigned shares: which side opens is the caller's to know."""

    __slots__ = ("_closing", "_orders", "_run", "_runs")

    def __init__(self) -> None:
        self._orders = _Stack()
        self._runs = _Stack()
        self._run = 0
        self._closing = False  # The last execution closed something.

    def opened(self, order_number: int, quantity: Decimal) -> None:
        self._run += self._closing
        self._closing = False
        self._orders.put(order_number, quantity)
        self._runs.put(self._run, quantity)

    def closed(self, quantity: Decimal) -> None:
        self._closing = True
        self._orders.take(quantity)
        self._runs.take(quantity)

    def count(self, method: Method) -> int:
        """Day trades so far."""
        orders, runs = len(self._orders.touched), len(self._runs.touched)
        return orders if method == "opening_order" else runs if method == "direction_change" else max(orders, runs)

    def count_if(self, method: Method, opening: Iterable[tuple[int, Decimal]], closing: Decimal) -> int:
        """Day trades, were those orders filled and that many shares closed afterwards."""
        other = SymbolDay()
        other._orders, other._runs = self._orders.copy(), self._runs.copy()
        other._run, other._closing = self._run, self._closing
        for number, quantity in opening:
            other.opened(number, quantity)
        if closing:
            other.closed(closing)
        return other.count(method)


class DayLots:
    """All symbols of one trade date, by column."""

    __slots__ = ("_days", "_method")

    def __init__(self, method: Method) -> None:
        self._method = method
        self._days: dict[int, SymbolDay] = {}

    def clear(self) -> None:
        self._days.clear()

    @property
    def count(self) -> int:
        return sum(day.count(self._method) for day in self._days.values())

    def filled(self, column: int, order_number: int, quantity: Decimal, held: Decimal) -> int:
        """An execution of `quantity` signed shares on a position of `held`; the day trades that it made."""
        day = self._days.setdefault(column, SymbolDay())
        before = day.count(self._method)
        closes = closing_part(quantity, held)
        if closes:
            day.closed(closes)
        if abs(quantity) > closes:
            day.opened(order_number, abs(quantity) - closes)
        return day.count(self._method) - before

    def would_make(self, column: int, opening: Iterable[tuple[int, Decimal]], closing: Decimal) -> int:
        """How many more day trades there were, if those orders and that closing filled."""
        day = self._days.get(column) or SymbolDay()
        return day.count_if(self._method, opening, closing) - day.count(self._method)


def closing_part(quantity: Decimal, held: Decimal) -> Decimal:
    """The unsigned part of a signed quantity that closes what is held."""
    return min(abs(quantity), abs(held)) if quantity * held < 0 else ZERO
