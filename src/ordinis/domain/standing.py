"""How things stand at the broker: what a reconciliation holds our own book against."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ordinis.domain.account import Position
from ordinis.domain.market import Session
from ordinis.domain.orders import OrderType, Side


class StandingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is not final, as the broker reports it. Its name is ours where we know the order."""

    client_order_id: str
    symbol: str
    quantity: Decimal  # Shares, unsigned; 0 for an order of an amount of money.
    filled_quantity: Decimal
    side: Side | None = None
    type: OrderType | None = None  # None: a kind that we do not know.
    price_usd: Decimal | None = None  # Its limit, or its stop where it has no limit.
    waits: bool = False  # A leg whose parent has not filled.

    @property
    def signed(self) -> Decimal:
        """Shares, negative for a sale."""
        return self.quantity if self.side is Side.BUY else -self.quantity

    def closes(self, held: Decimal) -> bool:
        """It reduces a position of so many signed shares, or one that its parent is to open."""
        return self.waits or held * self.signed < 0


class BrokerBooks(msgspec.Struct, frozen=True, kw_only=True):
    """Positions and open orders at one moment."""

    at_ns: int
    positions: tuple[Position, ...]
    orders: tuple[StandingOrder, ...]


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come in the market's time."""

    session: Session
    closed: bool  # Its CLOSED phase was taken in.
    at_ns: int  # The end of the last minute taken in, or the session's open.


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account it is, and what keeps it from trading."""

    number: str
    equity_usd: Decimal
    multiplier: int
    shorting: bool
    problems: tuple[str, ...] = ()  # Each a reason not to trade, with its remedy.
    account_type: str | None = None  # "margin" or "cash", where the broker says so.
    counts_day_trades: bool = False  # The broker still reports a number of them.


class SymbolStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a symbol can be traded. Empty: the broker does not know it."""

    symbol: str
    tradable: bool
    fractionable: bool = False
