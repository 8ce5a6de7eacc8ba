"""Corporate actions in the exchange's books: what holders get, what becomes of shares and last prices.

Source of the order of things: FINRA Rule 5330 and Alpaca's mandatory corporate actions; shares have nine
decimals, and where fractions are not kept they are paid at the last price, in the new terms.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

import msgspec

from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.order import ZERO
from ordinis.domain.events import ActionKind, CashFlow, CorporateAction
from ordinis.domain.market import Session, Universe
from ordinis.domain.money import plain_shares, to_cent

_SHARE = Decimal("1e-9")


class Booked(NamedTuple):
    """What the account is told of one action: what was paid, if anything, and the action as it was carried out."""

    paid: CashFlow | None
    action: CorporateAction


class CorporateDesk:
    """Carries actions out. `removed` are the columns that are traded no more."""

    def __init__(self, universe: Universe, books: AccountBooks, *, keeps_fractions: bool) -> None:
        self.removed: set[int] = set()
        self._universe = universe
        self._books = books
        self._keeps_fractions = keeps_fractions

    def book(self, action: CorporateAction, session: Session) -> Booked | None:
        """None for a symbol that is not traded here, or no more."""
        column = self._universe.column.get(action.symbol)
        if column is None or column in self.removed:
            return None
        if action.kind is ActionKind.DIVIDEND:
            return self._dividend(msgspec.structs.replace(action, at_ns=session.open_ns), column)
        if action.kind is ActionKind.SPLIT:
            kept = self._keeps_fractions
            return self._split(msgspec.structs.replace(action, at_ns=session.open_ns, keeps_fractions=kept), column)
        self.removed.add(column)
        amount = self._books.last_price_usd(column) if action.amount_usd is None else action.amount_usd
        return self._removal(msgspec.structs.replace(action, at_ns=session.open_ns, amount_usd=amount), column)

    def _dividend(self, action: CorporateAction, column: int) -> Booked:
        shares, amount = self._books.quantity(column), action.amount_usd or ZERO
        note = f"{amount} USD a share on {shares} {action.symbol}"
        return Booked(self._pay("dividend", to_cent(shares * amount), action, note), action)

    def _split(self, action: CorporateAction, column: int) -> Booked:
        books = self._books
        last = books.last_usd.item(column) / float(action.ratio)
        books.last_usd[column] = last
        holding = books.holdings.get(column)
        if holding is None:
            return Booked(None, action)
        holding.average_usd /= action.ratio
        shares = (holding.quantity * action.ratio).quantize(_SHARE, rounding=ROUND_HALF_EVEN)
        left_over = ZERO if action.keeps_fractions and shares > 0 else shares % 1  # A short owes whole shares.
        books.set_quantity(column, plain_shares(shares - left_over))
        price = books.last_price_usd(column) or ZERO
        note = f"{left_over} {action.symbol} at {price} USD, less than a share after the split"
        return Booked(self._pay("cash_in_lieu", to_cent(left_over * price), action, note), action)

    def _removal(self, action: CorporateAction, column: int) -> Booked:
        shares, amount = self._books.quantity(column), action.amount_usd or ZERO
        if shares:
            self._books.set_quantity(column, ZERO)
        note = f"{shares} {action.symbol} at {amount} USD, traded no more"
        return Booked(self._pay("removal", to_cent(shares * amount), action, note), action)

    def _pay(self, kind: str, amount_usd: Decimal, action: CorporateAction, note: str) -> CashFlow | None:
        if not amount_usd:
            return None
        self._books.cash_usd += amount_usd
        return CashFlow(
            at_ns=action.at_ns,
            id=f"paid-{action.id}",
            kind=kind,
            amount_usd=amount_usd,
            note=note,
            symbol=action.symbol,
        )
