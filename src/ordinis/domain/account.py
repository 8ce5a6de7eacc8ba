"""The account as the broker reports it. Obligations are Decimal USD."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A holding as the broker reports it."""

    symbol: str
    quantity: Decimal  # Shares, signed.
    average_price_usd: Decimal


class AccountView(msgspec.Struct, frozen=True, kw_only=True, tag="account"):
    """The broker's own figures at one moment. What it does not report is None, never zero."""

    at_ns: int
    equity_usd: Decimal
    cash_usd: Decimal
    buying_power_usd: Decimal
    last_equity_usd: Decimal  # At the previous session's close.
    multiplier: int  # 1 limited margin, 2 overnight margin, 4 intraday margin.
    positions: tuple[Position, ...] = ()  # Sorted by symbol.
