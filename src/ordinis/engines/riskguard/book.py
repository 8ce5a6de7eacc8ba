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


class OpenBuy:
    """What an entry that works still holds."""

    __slots__ = ("column", "filled", "quantity", "usd")

    def __init__(self, column: int, quantity: float, usd: float) -> None:
        self.column = column
        self.quantity = quantity
        self.usd = usd
        self.filled = 0.0


class Book:
    """Estimates in USD, kept by the engine. Open buys hold buying power until they fill."""

    __slots__ = (
        "_open",
        "_open_usd",
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
        "orders",
        "positions",
        "sectors",
    )

    def __init__(self, sectors: Companions = (None,)) -> None:
        self.account: AccountView | None = None
        self.equity_usd = 0.0
        self.cash_usd = 0.0
        self.long_usd = 0.0  # Shorts count against it.
        self.intraday_power_usd: float | None = None  # What a 4x account may buy by day; None: overnight margin rules.
        self.open_buys_usd = 0.0  # At the prices they were sized at.
        self.positions = 0  # Held, or with an entry working.
        self.orders = 0  # Sent this session.
        self.sectors = sectors
        self.moves: Comovement | None = None
        self.beta_usd = 0.0  # What is held and open entries, times their betas.
        self._quantity: FloatArray = np.zeros(len(sectors))
        self.marks_usd: FloatArray = np.zeros(len(sectors))
        self._open: dict[str, OpenBuy] = {}
        self._open_usd: FloatArray = np.zeros(len(sectors))

    def look(self, quantity: FloatArray, marks_usd: FloatArray, moves: Comovement, orders: int) -> None:
        """What is held and what it is worth, a column a symbol: once in a minute that has candidates."""
        self._quantity, self.marks_usd = quantity, marks_usd
        self.moves = moves
        self.orders = orders
        if moves.warm:
            self.beta_usd = float((quantity * marks_usd + self._open_usd) @ moves.held_beta)

    @property
    def open_usd(self) -> FloatArray:
        """Of open entries, a column a symbol."""
        return self._open_usd

    @property
    def gross_usd(self) -> float:
        """Longs and shorts held, each at its worth."""
        return float(np.abs(self._quantity) @ self.marks_usd)

    def weighs_usd(self, columns: IntArray) -> float:
        """What these symbols come to, open entries included."""
        held_usd = self._quantity.take(columns) @ self.marks_usd.take(columns)
        return float(held_usd + self._open_usd.take(columns).sum())

    def commit(self, client_order_id: str, quantity: float, price_usd: float, column: int = 0) -> None:
        """An entry goes out."""
        usd = quantity * price_usd
        self._open[client_order_id] = OpenBuy(column, quantity, usd)
        self.open_buys_usd += usd
        self._open_usd[column] += usd
        self.positions += 1
        self.orders += 1
        if self.moves is not None and self.moves.warm:
            self.beta_usd += usd * self.moves.held_beta.item(column)

    def follow(self, update: OrderUpdate) -> None:
        """What filled is exposure now; what ended is free again."""
        buy = self._open.get(update.client_order_id)
        if buy is None:
            return
        if update.status.final:
            del self._open[update.client_order_id]
            left = 1.0 - buy.filled / buy.quantity
        else:
            filled = float(update.filled_quantity)
            left = (filled - buy.filled) / buy.quantity
            buy.filled = filled
        # With nothing open the total is zero, whatever rounding left.
        self.open_buys_usd = max(0.0, self.open_buys_usd - left * buy.usd) if self._open else 0.0
        self._open_usd[buy.column] = 0.0 if update.status.final else self._open_usd[buy.column] - left * buy.usd


def companions(labels: Sequence[str]) -> Companions:
    """Who shares a label with each, itself included; None for those who are alone."""
    columns: dict[str, list[int]] = {}
    for column, label in enumerate(labels):
        columns.setdefault(label, []).append(column)
    groups = {label: np.array(members, np.int64) for label, members in columns.items() if len(members) > 1}
    return tuple(groups.get(label) for label in labels)
