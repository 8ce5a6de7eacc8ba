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
    buying_power_usd: Decimal | None
    last_equity_usd: Decimal | None  # At the previous session's close.
    multiplier: int | None  # 1 limited margin, 2 overnight margin, 4 intraday margin.
    positions: tuple[Position, ...] = ()  # Sorted by symbol.
    account_type: str | None = None  # "margin" or "cash".
    status: str | None = None  # "ACTIVE" where the account may trade.
    initial_margin_usd: Decimal | None = None  # What the positions ask for overnight.
    maintenance_margin_usd: Decimal | None = None  # What they ask for now, by the broker's house table.
    last_maintenance_margin_usd: Decimal | None = None  # At the previous session's close.
    regt_buying_power_usd: Decimal | None = None  # What may be bought and held overnight.
    non_marginable_buying_power_usd: Decimal | None = None  # In a cash account its settled cash.
    daytrading_buying_power_usd: Decimal | None = None  # None under a regime that knows no day trades, as the next two.
    daytrade_count: int | None = None  # In the last five sessions, as the broker counts.
    pattern_day_trader: bool | None = None  # Flagged.
    pdt_check: str | None = None  # Where the broker refuses the day trade that is one too many: entry, exit or both.
    shorting_enabled: bool | None = None
    account_blocked: bool | None = None
    trading_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None
