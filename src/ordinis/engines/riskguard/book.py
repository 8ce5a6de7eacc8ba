"""What the rules see of the account: running totals that move with every order approved.

Orders of one minute are judged as a batch: the second sees what the first has taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ordinis.domain.account import AccountView
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.comovement import Comovement

Companions = tuple[IntArray | None, ...]  # A symbol each: the columns of its group; None where it is alone.


class OpenEntry:
    """What an entry that works still holds."""

    __slots__ = ("column", "direction", "filled", "quantity", "usd")

    def __init__(self, column: int, quantity: float, usd: float, direction: int) -> None:
        self.column = column
        self.direction = direction
        self.quantity = quantity
        self.usd = usd
        self.filled = 0.0


class Book:
    """Estimates in USD, kept by the engine. Open entries hold buying power until they fill."""

    __slots__ = (
        "_open",
        "_quantity",
        "account",
        "beta_usd",
        "cash_usd",
        "equity_usd",
        "intraday_power_usd",
        "long_usd",
        "marks_usd",
        "moves",
        "open_buys_usd",
        "open_by_column_usd",
        "open_shorts_usd",
        "orders",
        "positions",
        "reserve_usd",
        "sectors",
        "short_usd",
    )

    def __init__(self, sectors: Companions = (None,)) -> None:
        self.account: AccountView | None = None
        self.equity_usd = 0.0
        self.cash_usd = 0.0
        self.reserve_usd = 0.0  # Of the account, that is not traded with: in neither of them.
        self.long_usd = 0.0  # Shorts count against it.
        self.short_usd = 0.0  # Unsigned.
        self.intraday_power_usd: float | None = None  # What a 4x account may buy by day; None: overnight margin rules.
        self.open_buys_usd = 0.0  # At the prices they were sized at.
        self.open_shorts_usd = 0.0  # Likewise, unsigned.
        self.positions = 0  # Held, or with an entry working.
        self.orders = 0  # Sent this session.
        self.sectors = sectors
        self.moves: Comovement | None = None
        self.beta_usd = 0.0  # What is held and open entries, times their betas.
        self._quantity: FloatArray = np.zeros(len(sectors))
        self.marks_usd: FloatArray = np.zeros(len(sectors))
        self._open: dict[str, OpenEntry] = {}
        self.open_by_column_usd: FloatArray = np.zeros(len(sectors))  # Signed.

    def look(self, quantity: FloatArray, marks_usd: FloatArray, moves: Comovement, orders: int) -> None:
        """What is held and what it is worth, a column a symbol: once in a minute that has candidates."""
        self._quantity, self.marks_usd = quantity, marks_usd
        self.moves = moves
        self.orders = orders
        if moves.warm:
            self.beta_usd = float((quantity * marks_usd + self.open_by_column_usd) @ moves.held_beta)

    @property
    def gross_usd(self) -> float:
        """Longs and shorts held, each at its worth."""
        return self.long_usd + 2.0 * self.short_usd

    @property
    def open_usd(self) -> float:
        """All entries that work, whichever way."""
        return self.open_buys_usd + self.open_shorts_usd

    def weighs_usd(self, columns: IntArray) -> float:
        """What these symbols come to, longs and shorts alike, open entries included."""
        held_usd = np.abs(self._quantity.take(columns)) @ self.marks_usd.take(columns)
        return float(held_usd + np.abs(self.open_by_column_usd.take(columns)).sum())

    def commit(
        self,
        client_order_id: str,
        quantity: float,
        price_usd: float,
        column: int = 0,
        direction: int = 1,
        *,
        slots: int = 1,
    ) -> None:
        """An entry goes out: `direction` 1 buys, -1 sells short. What adds to a position takes no slot."""
        usd = quantity * price_usd
        self._open[client_order_id] = OpenEntry(column, quantity, usd, direction)
        self._add_open(column, usd, direction)
        self.positions += slots
        self.orders += 1
        if self.moves is not None and self.moves.warm:
            self.beta_usd += direction * usd * self.moves.held_beta.item(column)

    def follow(self, update: OrderUpdate) -> None:
        """What filled is exposure now; what ended is free again."""
        entry = self._open.get(update.client_order_id)
        if entry is None:
            return
        if update.status.final:
            self.release(update.client_order_id)
            return
        filled = float(update.filled_quantity)
        left = (filled - entry.filled) / entry.quantity
        entry.filled = filled
        self._add_open(entry.column, -left * entry.usd, entry.direction)

    def release(self, client_order_id: str) -> None:
        """The entry is over, or will never be sent: what it still held is free again."""
        entry = self._open.pop(client_order_id)
        left = 1.0 - entry.filled / entry.quantity
        self._add_open(entry.column, -left * entry.usd, entry.direction)
        self.open_by_column_usd[entry.column] = 0.0
        if not self._open:  # With nothing open the totals are zero, whatever rounding left.
            self.open_buys_usd = self.open_shorts_usd = 0.0

    def _add_open(self, column: int, usd: float, direction: int) -> None:
        self.open_by_column_usd[column] += direction * usd
        if direction > 0:
            self.open_buys_usd = max(0.0, self.open_buys_usd + usd)
        else:
            self.open_shorts_usd = max(0.0, self.open_shorts_usd + usd)


def companions(labels: Sequence[str]) -> Companions:
    """Who shares a label with each, itself included; None for those who are alone."""
    columns: dict[str, list[int]] = {}
    for column, label in enumerate(labels):
        columns.setdefault(label, []).append(column)
    groups = {label: np.array(members, np.int64) for label, members in columns.items() if len(members) > 1}
    return tuple(groups.get(label) for label in labels)
