"""Same decision, same id: an order is named by book, minute, symbol, leg and number."""

from __future__ import annotations

from datetime import UTC, datetime

from ordinis.domain.market import MINUTE_NS

_MINUTES_A_DAY = 24 * 60
CUT, ADD = "cut", "add"  # Legs: part of a position is sold, or more of it bought.
_CLOCK = [f"T{minute // 60:02d}{minute % 60:02d}" for minute in range(_MINUTES_A_DAY)]


class OrderIds:
    """Numbers the orders of each minute. Alpaca takes up to 128 characters."""

    def __init__(self, book: str) -> None:
        self._book = book
        self._day = self._minute = -1
        self._day_prefix = self._prefix = ""
        self._number = 0

    def next(self, at_ns: int, symbol: str, leg: str) -> str:
        minute = at_ns // MINUTE_NS
        if minute != self._minute:
            self._begin(minute)
        self._number += 1
        return f"{self._prefix}-{symbol}-{leg}-{self._number}"

    def recall(self, client_order_id: str) -> None:
        """An id that was given out before: the next one of its minute has a higher number."""
        if not client_order_id.startswith(f"{self._book}-"):
            return  # Of a book that was called otherwise: no id of ours can be the same.
        stamp, _, rest = client_order_id.removeprefix(f"{self._book}-").partition("-")
        at = datetime.strptime(stamp, "%Y%m%dT%H%M").replace(tzinfo=UTC)
        minute = int(at.timestamp()) // 60
        if minute != self._minute:
            self._begin(minute)
        self._number = max(self._number, int(rest.rpartition("-")[2]))

    def _begin(self, minute: int) -> None:
        day, of_day = divmod(minute, _MINUTES_A_DAY)
        if day != self._day:
            self._day = day
            self._day_prefix = f"{self._book}-{datetime.fromtimestamp(minute * 60, UTC):%Y%m%d}"
        self._minute = minute
        self._prefix = self._day_prefix + _CLOCK[of_day]
        self._number = 0


def leg_of(client_order_id: str) -> str:
    """What the order is: entry, add, exit, cut or stop."""
    return client_order_id.rsplit("-", 2)[1]
