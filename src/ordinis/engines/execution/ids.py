"""Same decision, same id: an order is named by book, minute, symbol, leg and number."""

from __future__ import annotations

from datetime import UTC, datetime

from ordinis.domain.market import MINUTE_NS


class OrderIds:
    """Numbers the orders of each minute. Alpaca takes up to 128 characters."""

    def __init__(self, book: str) -> None:
        self._book = book
        self._minute = -1
        self._prefix = ""
        self._number = 0

    def next(self, at_ns: int, symbol: str, leg: str) -> str:
        minute = at_ns // MINUTE_NS
        if minute != self._minute:
            self._minute = minute
            self._prefix = f"{self._book}-{datetime.fromtimestamp(minute * 60, UTC):%Y%m%dT%H%M}"
            self._number = 0
        self._number += 1
        return f"{self._prefix}-{symbol}-{leg}-{self._number}"
