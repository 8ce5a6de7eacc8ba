"""What the rules see of the account: running totals that move with every order approved.

Orders of one minute are judged as a batch: the second sees what the first has taken.
"""

from __future__ import annotations

from ordinis.domain.account import AccountView
from ordinis.domain.events import OrderUpdate


class OpenBuy:
    """What an entry that works still holds."""

    __slots__ = ("filled", "quantity", "usd")

    def __init__(self, quantity: float, usd: float) -> None:
        self.quantity = quantity
        self.usd = usd
        self.filled = 0.0


class Book:
    """Estimates in USD, kept by the engine. Open buys hold buying power until they fill."""

    __slots__ = ("_open", "account", "cash_usd", "equity_usd", "long_usd", "open_buys_usd", "positions")

    def __init__(self) -> None:
        self.account: AccountView | None = None
        self.equity_usd = 0.0
        self.cash_usd = 0.0
        self.long_usd = 0.0
        self.open_buys_usd = 0.0  # At the prices they were sized at.
        self.positions = 0  # Held, or with an entry working.
        self._open: dict[str, OpenBuy] = {}

    def commit(self, client_order_id: str, quantity: float, price_usd: float) -> None:
        """An entry goes out."""
        usd = quantity * price_usd
        self._open[client_order_id] = OpenBuy(quantity, usd)
        self.open_buys_usd += usd
        self.positions += 1

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
