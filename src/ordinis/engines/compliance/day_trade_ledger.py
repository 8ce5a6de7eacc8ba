"""The record of day trades: fills by trade date and symbol, and what the broker reports beside it.

Source: FINRA Rule 4210(f)(8)(B). The window is the day itself and the trading days before it on the exchange's
calendar, so that a session nobody traded in counts, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from ordinis.domain.events import CorporateAction
from ordinis.engines.compliance.business_days import BusinessDays
from ordinis.engines.compliance.day_trades import Order, day_trades

_NONE: Final = Decimal(0)
_CLOSING = "closing"  # The sale that may yet come.
_Part = tuple[int, Decimal, str]  # (filled at, signed quantity, order id)


class SymbolDay:
    """One symbol on one trade date."""

    __slots__ = ("_parts", "start")

    def __init__(self, start: Decimal) -> None:
        self.start = start  # Shares at the start of the day, signed.
        self._parts: list[_Part] = []

    def add(self, at_ns: int, signed: Decimal, order_id: str) -> None:
        """A fill, in order or late."""
        late = bool(self._parts) and at_ns < self._parts[-1][0]
        self._parts.append((at_ns, signed, order_id))
        if late:
            self._parts.sort(key=lambda part: part[0])  # Stable: fills of one moment stay as they came.

    @property
    def orders(self) -> list[Order]:
        """Consecutive fills of one order are one transaction."""
        return joined([(order_id, signed) for _, signed, order_id in self._parts])

    def count(self) -> int:
        return day_trades(self.orders, self.start)

    def count_if(self, pending: list[Order]) -> int:
        """If these orders filled and everything opened today were closed today, too."""
        orders = joined([*self.orders, *pending])
        position = self.start + sum((signed for _, signed in orders), _NONE)
        return day_trades([*orders, (_CLOSING, -position)], self.start)


def joined(parts: Sequence[Order]) -> list[Order]:
    """Parts of one order that follow each other, as one."""
    orders: list[Order] = []
    for order_id, signed in parts:
        if orders and orders[-1][0] == order_id:
            orders[-1] = (order_id, orders[-1][1] + signed)
        else:
            orders.append((order_id, signed))
    return orders


class DayTradeLedger:
    """Counts what was filled. `excess` is what the broker counted beyond our own record."""

    def __init__(self, window_sessions: int, days: BusinessDays) -> None:
        self._window = window_sessions
        self._calendar = days
        self._days: dict[date, dict[str, SymbolDay]] = {}
        self._counts: dict[date, dict[str, int]] = {}
        self._newest = date.min  # Of the days with fills.
        self._changed: set[tuple[date, str]] = set()  # To be counted.
        self.asked = False  # Somebody goes by the count: it is kept up to date, otherwise reckoned when it is shown.
        self._held: dict[str, Decimal] = {}
        self._first: date | None = None  # Nothing is known of the days before.
        self._excess = 0
        self._reported_on: date | None = None

    def opens(self, today: date, held: Mapping[str, Decimal]) -> None:
        """A session begins with these positions; what has left the window is forgotten."""
        self._held = dict(held)
        self._first = self._first or today
        begin = self._calendar.window(today, self._window)
        for day in [day for day in self._days if day < begin]:
            del self._days[day]
            self._counts.pop(day, None)
            self._changed = {changed for changed in self._changed if changed[0] != day}

    def filled(self, symbol: str, signed: Decimal, order_id: str, at_ns: int, day: date) -> None:
        """`signed` shares: positive bought. A fill of an earlier day that comes late mends the days since."""
        held = self._held.get(symbol, _NONE)
        symbols = self._days.setdefault(day, {})
        record = symbols.get(symbol)
        later = [] if day >= self._newest else self._days_since(day, symbol)
        self._newest = max(self._newest, day)
        since = [self._days[on][symbol] for on in later]
        if record is None:
            record = symbols[symbol] = SymbolDay(since[0].start if since else held)
        record.add(at_ns, signed, order_id)
        for one in since:
            one.start += signed
        self._held[symbol] = held + signed
        self._changed.add((day, symbol))
        self._changed.update((changed, symbol) for changed in later)
        if self.asked:
            self._count()

    def _days_since(self, day: date, symbol: str) -> list[date]:
        return sorted(on for on in self._days if on > day and symbol in self._days[on])

    def transformed(self, action: CorporateAction) -> None:
        """A split or a removal, between two sessions: it opens and closes nothing."""
        if action.symbol in self._held:
            self._held[action.symbol] = action.shares_after(self._held[action.symbol])

    def reported(self, today: date, count: int | None) -> None:
        """The broker's own count for the window that ends today; None: it says nothing."""
        if count is None:
            return
        self._excess = max(0, count - self.own(today))
        self._reported_on = today

    def covers(self, today: date) -> bool:
        """Our record holds the whole window, so the broker should not know of more."""
        return self._first is not None and self._first <= self._calendar.window(today, self._window)

    def used(self, today: date) -> int:
        """Day trades in the window that ends today."""
        return self.own(today) + self._excess_on(today)

    def symbol(self, symbol: str, today: date) -> SymbolDay | None:
        return self._days.get(today, {}).get(symbol)

    def untraded(self, symbol: str) -> SymbolDay:
        """What stands for a symbol that has not traded today."""
        return SymbolDay(self.held(symbol))

    def count_of(self, symbol: str, today: date) -> int:
        self._count()
        return self._counts.get(today, {}).get(symbol, 0)

    def held(self, symbol: str) -> Decimal:
        return self._held.get(symbol, _NONE)

    def by_day(self, today: date) -> list[tuple[date, int]]:
        """Days of the window that have any, oldest first, with what the broker counted beyond them."""
        self._count()
        begin = self._calendar.window(today, self._window)
        counts = {day: sum(one.values()) for day, one in self._counts.items() if begin <= day <= today}
        if self._excess_on(today):
            assert self._reported_on is not None
            counts[self._reported_on] = counts.get(self._reported_on, 0) + self._excess
        return sorted((day, count) for day, count in counts.items() if count)

    def orders_in_window(self, today: date) -> int:
        begin = self._calendar.window(today, self._window)
        return sum(
            len(one.orders) for day, symbols in self._days.items() if begin <= day <= today for one in symbols.values()
        )

    def traded_today(self, today: date) -> list[str]:
        return list(self._days.get(today, ()))

    def own(self, today: date) -> int:
        """As our fills make it, without what the broker counted beyond them."""
        self._count()
        begin = self._calendar.window(today, self._window)
        return sum(sum(one.values()) for day, one in self._counts.items() if begin <= day <= today)

    def _count(self) -> None:
        for day, symbol in self._changed:
            self._counts.setdefault(day, {})[symbol] = self._days[day][symbol].count()
        self._changed.clear()

    def _excess_on(self, today: date) -> int:
        """Which of the days before it was is not known, so it stays as if it had been the day of the report."""
        on = self._reported_on
        return self._excess if on is not None and self._calendar.window(today, self._window) <= on else 0
