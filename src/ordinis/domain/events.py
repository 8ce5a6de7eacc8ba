"""Everything that can happen to the engine, one class each. Each carries when it happened, in UTC nanoseconds.

Order within a minute, everywhere: updates caused by minute t's bar, in order of execution; then the
slice of minute t; then its decision. What is decided at t can fill from t+1 on.

Before a session comes what the night brought, all of it before the OPENING phase: cash, then corporate
actions, then the orders that they ended. The account's figures follow the phase.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from enum import Enum

import msgspec

from ordinis.domain.account import AccountView, Position
from ordinis.domain.market import MarketSlice, Session
from ordinis.domain.money import FRACTION, plain_shares
from ordinis.domain.orders import Fill, OrderStatus
from ordinis.domain.standing import StandingOrder


class OrderUpdate(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True, tag="update"):
    """What became of an order. `filled_quantity` is cumulative and only grows."""

    at_ns: int
    client_order_id: str
    broker_order_id: str
    symbol: str
    status: OrderStatus
    filled_quantity: Decimal  # Shares so far, unsigned.
    fill: Fill | None = None  # What this update added.
    error_code: int | None = None  # The broker's, when it refused.
    error_text: str | None = None


class CashFlow(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="cash"):
    """Money that moved without a trade: fees, interest, and what corporate actions pay or cost."""

    at_ns: int
    id: str
    kind: str
    amount_usd: Decimal  # Signed: negative leaves the account.
    note: str = ""
    symbol: str = ""  # Given: it belongs to the result of the position in that symbol.


class ActionKind(Enum):
    """What a company did to its shares."""

    SPLIT = "split"  # More shares at a lower price, or fewer at a higher one.
    DIVIDEND = "dividend"  # Cash a share.
    REMOVAL = "removal"  # The symbol is traded no more: bought for cash, or worthless, or nobody says.


class CorporateAction(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="corporate"):
    """What changed about a symbol as a session opened. Its cash came before it, as a CashFlow of that symbol."""

    at_ns: int
    id: str
    symbol: str
    kind: ActionKind
    ex_date: date  # The first session that trades on the new terms.
    ratio: Decimal = Decimal(1)  # A split: new shares for an old one, at most 15 digits.
    amount_usd: Decimal | None = None  # A dividend or a removal: cash a share; None where nobody says.
    keeps_fractions: bool = True  # A split: False where a broker pays cash for what is less than a share held long.

    def shares_after(self, quantity: Decimal) -> Decimal:
        """What becomes of a position, signed shares; exact to a broker's nine decimals of a share.

        A short position is of whole shares always: no broker lends a part of one.
        """
        if self.kind is ActionKind.REMOVAL:
            return quantity * 0
        exact = (quantity * self.ratio).quantize(FRACTION, rounding=ROUND_HALF_EVEN)
        kept = self.keeps_fractions and exact > 0
        return plain_shares(exact if kept else exact.to_integral_value(rounding=ROUND_DOWN))

    @property
    def text(self) -> str:
        """In words, the symbol left out."""
        if self.kind is ActionKind.SPLIT:
            return f"split, {self.ratio:f} new shares for an old one"
        if self.kind is ActionKind.DIVIDEND:
            return f"dividend of {self.amount_usd} USD a share"
        return f"traded no more, {'at no price known' if self.amount_usd is None else f'{self.amount_usd} USD a share'}"


class BookCorrection(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """Shares that the broker has and our book has not, or the other way round, without a fill that says why."""

    id: str
    symbol: str
    quantity: Decimal  # Shares, signed: what our book lacks.
    price_usd: Decimal  # At which they are booked: the broker's average, or ours.

    def as_fill(self, at_ns: int) -> Fill:
        """As our books take it in."""
        return Fill(
            execution_id=self.id,
            symbol=self.symbol,
            quantity=self.quantity,
            price_usd=self.price_usd,
            filled_at_ns=at_ns,
        )


class Reconciliation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="reconciliation"):
    """Our book was held against the broker's, after all its news. Nothing but what it changes or must be seen."""

    at_ns: int
    corrections: tuple[BookCorrection, ...] = ()  # The broker wins on quantity.
    differences: tuple[str, ...] = ()  # Unexplained, a line each: entries stay halted while there are any.
    foreign: tuple[Position, ...] | None = None  # Left alone, because the settings say so; None: as before.
    cash_usd: Decimal | None = None  # The broker's, as of the corrections; None: they move cash as trades would.
    adopted: tuple[StandingOrder, ...] = ()  # Orders of other hands that our book goes by from here on.


class Phase(Enum):
    OPENING = "opening"
    CLOSED = "closed"


class SessionPhase(msgspec.Struct, frozen=True, kw_only=True, tag="phase"):
    """The exchange opened or closed."""

    at_ns: int
    phase: Phase
    session: Session


class CommandKind(Enum):
    """What a person may ask for. Each holds until the next one; only RESUME lifts it, and every latched limit."""

    PAUSE = "pause"  # No new entries; those that work go on.
    REDUCE = "reduce"  # Only reducing orders: entries that work are taken back.
    FLATTEN = "flatten"  # As REDUCE, and every position is closed.
    RESUME = "resume"


class Command(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag="command"):
    """A person's word."""

    at_ns: int
    kind: CommandKind
    note: str = ""  # Why, in the person's own words.


BrokerEvent = OrderUpdate | CashFlow | CorporateAction
Event = MarketSlice | OrderUpdate | CashFlow | CorporateAction | AccountView | SessionPhase | Command | Reconciliation
