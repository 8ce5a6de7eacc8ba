"""The exchange's own count of day trades: opening orders closed on the day they were filled.

Source: FINRA Rule 4210(f)(8)(B), interpretation /01: last in, first out over the day's lots, one day
trade an opening order however many executions open or close it. Shares held overnight open nothing today.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from ordinis.brokers.simulated.order import ZERO


class _Lot:
    """What one order bought today."""

    __slots__ = ("counted", "order_number", "remaining")

    def __init__(self, order_number: int, quantity: Decimal) -> None:
        self.order_number = order_number
        self.remaining = quantity
        self.counted = False


class DayTradeBook:
    """Today's lots by column, and the day trades of the last sessions."""

    __slots__ = ("_lots", "_sessions")

    def __init__(self, sessions: int) -> None:
        self._lots: dict[int, list[_Lot]] = {}
        self._sessions: deque[int] = deque([0], maxlen=sessions)

    @property
    def count(self) -> int:
        """Day trades in the window: this session and those before it."""
        return sum(self._sessions)

    def open_session(self) -> None:
        self._lots.clear()
        self._sessions.append(0)

    def bought(self, column: int, order_number: int, quantity: Decimal) -> None:
        lots = self._lots.setdefault(column, [])
        for lot in lots:
            if lot.order_number == order_number:  # Another part of the same transaction.
                lot.remaining += quantity
                return
        lots.append(_Lot(order_number, quantity))

    def sold(self, column: int, quantity: Decimal) -> int:
        """Take the shares out of today's lots; how many day trades that made."""
        made = 0
        for lot in reversed(self._lots.get(column, ())):
            taken = min(quantity, lot.remaining)
            if taken and not lot.counted:
                lot.counted = True
                made += 1
            lot.remaining -= taken
            quantity -= taken
        self._sessions[-1] += made
        return made

    def would_make(self, column: int, quantity: Decimal) -> int:
        """How many day trades a sale of that many shares would make, were it filled now."""
        made = 0
        for lot in reversed(self._lots.get(column, ())):
            taken = min(quantity, lot.remaining)
            made += taken > ZERO and not lot.counted
            quantity -= taken
        return made
