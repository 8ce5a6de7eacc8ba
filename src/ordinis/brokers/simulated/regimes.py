"""What kind of account this is: the base of every regime, and what a regime is asked and told.

A regime reads the books and keeps what its own rules need. `check` refuses with the broker's code and text and
changes nothing; `filled` and `close_session` write violations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ordinis.brokers.simulated.order import ZERO, BrokerOrder
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.brokers.simulated.trading_days import TradingDays
from ordinis.domain.market import Session
from ordinis.domain.orders import OrderStatus

if TYPE_CHECKING:
    from ordinis.brokers.simulated.account import AccountBooks

_HELD: Final = OrderStatus.HELD
BY_DAY = 4  # The multiplier that is lent for the day.
CANDIDATE = 0  # The order number of an order that has none yet.


class Asked(NamedTuple):
    """An order that is asked for and has passed the checks of its form and of the books. Shares unsigned."""

    column: int
    buys: bool
    opens: bool
    quantity: Decimal
    price_usd: Decimal  # What a share of an opening order is reckoned at.
    legs: bool  # It brings exits of its own.
    today: bool  # It may execute in the session that is open; otherwise in the next.


class Filled(NamedTuple):
    """An execution."""

    order: BrokerOrder
    quantity: Decimal  # Signed.
    value_usd: Decimal  # Unsigned.
    held: Decimal  # The position before it, signed.
    cash_usd: Decimal  # Before it.
    at_ns: int

    @property
    def opens(self) -> Decimal:
        """The unsigned part that opened or added to a position."""
        return abs(self.quantity) if self.order.opens else ZERO


class Working(Protocol):
    """The orders that may execute."""

    def of(self, column: int) -> Sequence[BrokerOrder]: ...

    def __iter__(self) -> Iterator[BrokerOrder]: ...


class Pending(NamedTuple):
    """What a symbol's working orders would open, in order, and what they would close after that."""

    opening: list[tuple[int, Decimal]]  # Order number and unsigned shares.
    closing: Decimal


def pending(orders: Sequence[BrokerOrder], asked: Asked | None = None) -> Pending:
    """All working orders of a symbol as if each filled, whatever their order: so a broker reckons.

    Held legs close what their parent opens; of a pair only one can fill.
    """
    opening = [(order.number, order.remaining) for order in orders if order.opens]
    closing = sum((order.remaining for order in orders if not order.opens and order.holds), ZERO)
    closing += sum((order.quantity for order in orders if any(leg.status is _HELD for leg in order.legs)), ZERO)
    if asked is not None and asked.opens:
        opening.append((CANDIDATE, asked.quantity))
        closing += asked.quantity if asked.legs else ZERO
    elif asked is not None:
        closing += asked.quantity
    return Pending(opening, closing)


class Regime:
    """The rules that every account is under. A regime adds its own."""

    def __init__(self, settings: ExchangeSettings, books: AccountBooks) -> None:
        self.settings = settings
        self.books = books
        self.days = TradingDays()

    def multiplier(self) -> int:
        """For the session: no margin below its least equity."""
        settings = self.settings
        return settings.multiplier if self.books.last_equity_usd >= settings.margin_equity_min_usd else 1

    def buying_power_usd(self) -> Decimal | None:
        """What can still be bought where the regime has a figure of its own; None: by the multiplier."""
        return None

    def shown(self) -> dict[str, Any]:
        """What the account's view says of this regime beside what it says of any."""
        return {}

    def open_session(self, session: Session) -> None:
        """Before the session's first order."""
        self.days.open(session.date)

    def close_session(self, session: Session) -> None:
        """After the session's last execution and its fees."""

    def check(self, asked: Asked, working: Working) -> None:
        """Refuse what the rules forbid."""

    def filled(self, fill: Filled) -> None:
        """Keep count, and write down what the execution broke."""

    def resized(self, column: int, before: Decimal, after: Decimal) -> None:
        """A company made other shares of those that were held over night; signed."""

    def deposited(self, amount_usd: Decimal, at_ns: int) -> None:
        """Money came in, or went out where the amount is negative."""


class MarginRegime(Regime):
    """What both margin regimes share: what was lent for the day alone is given back before the close.

    Source: Regulation T's initial margin, half of what is held. Below a multiplier of 4 every order has met it
    already, and prices alone call for nothing.
    """

    def __init__(self, settings: ExchangeSettings, books: AccountBooks) -> None:
        super().__init__(settings, books)
        self._opened: dict[int, Decimal] = {}  # Shares opened today and held still, signed.

    def open_session(self, session: Session) -> None:
        super().open_session(session)
        self._opened.clear()

    def filled(self, fill: Filled) -> None:
        column, after = fill.order.column, fill.held + fill.quantity
        opened = self._opened.get(column, ZERO) + fill.quantity
        # No more can be of today than is held, and none on the other side of it.
        self._opened[column] = max(min(opened, after), ZERO) if after > 0 else min(max(opened, after), ZERO)

    def opened_today(self, column: int) -> Decimal:
        """Shares opened today and held still, unsigned."""
        return abs(self._opened.get(column, ZERO))

    def close_session(self, session: Session) -> None:
        new = [column for column, quantity in self._opened.items() if quantity]
        if not new or self.books.multiplier != BY_DAY:
            return
        values = self.books.values_usd()
        gross = sum((abs(value) for value in values.values()), ZERO)
        equity = self.books.cash_usd + sum(values.values(), ZERO)
        if gross > 2 * equity:
            text = f"positions of {gross:.2f} USD overnight on equity of {equity:.2f} USD"
            self.books.violation(session.close_ns, "overnight_margin", self.books.symbol(new[0]), text)
