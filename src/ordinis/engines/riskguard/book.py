"""What the rules see of the account: running totals that move with every order approved.

Orders of one minute are judged as a batch: the second sees what the first has taken.
"""

from __future__ import annotations

from ordinis.domain.account import AccountView


class Book:
    """Estimates in USD, kept by the engine. Open buys hold buying power until they fill."""

    __slots__ = (
        "account",
        "cash_usd",
        "collared_buys_usd",
        "equity_usd",
        "long_usd",
        "open_buys_usd",
        "positions",
    )

    def __init__(self) -> None:
        self.account: AccountView | None = None
        self.equity_usd = 0.0
        self.cash_usd = 0.0
        self.long_usd = 0.0
        self.open_buys_usd = 0.0  # At the price they were sized at.
        self.collared_buys_usd = 0.0  # The same, as the broker will reckon them.
        self.positions = 0  # Held, or with an entry working.

    def commit(self, notional_usd: float, collared_usd: float) -> None:
        """An entry goes out."""
        self.open_buys_usd += notional_usd
        self.collared_buys_usd += collared_usd
        self.positions += 1

    def release(self, notional_usd: float, collared_usd: float) -> None:
        """An entry, or a part of it, is no longer open: filled, cancelled, refused or expired."""
        self.open_buys_usd = max(0.0, self.open_buys_usd - notional_usd)
        self.collared_buys_usd = max(0.0, self.collared_buys_usd - collared_usd)
