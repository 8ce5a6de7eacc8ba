"""A finished position."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class RoundTrip(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position from flat to flat, in the terms of its last day: splits change quantity and prices, not money.

    `pnl_usd` counts dividends, and is before fees, which the broker charges by the day.
    """

    symbol: str
    strategy: str
    quantity: Decimal  # All shares bought, or sold short, unsigned.
    entry_price_usd: Decimal  # Average.
    exit_price_usd: Decimal  # Average.
    opened_at_ns: int
    closed_at_ns: int
    pnl_usd: Decimal
    risk_usd: Decimal  # What the stop would have cost when the position was opened; 0 without a stop.
    short: bool = False  # It was sold first and bought back.
    income_usd: Decimal = Decimal(0)  # Dividends, signed: who is short pays them.
