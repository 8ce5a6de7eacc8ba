"""What a night brings an account: interest on what it owes, dividends on what it holds. Booked at the open.

Source: Alpaca's margin interest (a yearly rate / 360, a calendar night, on the debit of the close). A
dividend is paid at the open of its ex-date, on the shares held at the close before; a real one comes weeks later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_UP, Decimal

import msgspec

from ordinis.brokers.simulated.order import ZERO
from ordinis.domain.events import CashFlow
from ordinis.domain.market import Session
from ordinis.domain.money import CENT, to_cent

_DAYS_A_YEAR = 360


class Dividend(msgspec.Struct, frozen=True, kw_only=True):
    """A cash dividend as the table of corporate actions has it."""

    symbol: str
    ex_date: date
    amount_usd: Decimal  # A share, in the shares of that day.


class Night:
    """From one close to the next open."""

    __slots__ = ("_closed_on", "_debit_usd", "_dividends", "_rate")

    def __init__(self, interest_rate: Decimal, dividends: Iterable[Dividend]) -> None:
        self._rate = interest_rate
        self._dividends: dict[date, list[Dividend]] = defaultdict(list)
        for one in dividends:
            self._dividends[one.ex_date].append(one)
        self._closed_on: date | None = None
        self._debit_usd = ZERO

    def begin(self, session: Session, cash_usd: Decimal) -> None:
        """The session has closed with that much cash."""
        self._closed_on = session.date
        self._debit_usd = max(-cash_usd, ZERO)

    def end(self, session: Session, held: Callable[[str], Decimal]) -> list[CashFlow]:
        """The flows that are due as the session opens; `held` tells the shares of a symbol."""
        closed_on, self._closed_on = self._closed_on, None
        if closed_on is None:  # Before the first session nothing is owed and nothing held.
            return []
        flows = self._interest(session, (session.date - closed_on).days) if self._debit_usd else []
        for day in sorted(day for day in self._dividends if closed_on < day <= session.date):
            flows += [_paid(one, session, held(one.symbol)) for one in self._dividends[day] if held(one.symbol)]
        return flows

    def _interest(self, session: Session, nights: int) -> list[CashFlow]:
        amount = (self._debit_usd * self._rate * nights / _DAYS_A_YEAR).quantize(CENT, rounding=ROUND_UP)
        if not amount:
            return []
        note = f"interest on {self._debit_usd:.2f} USD over {nights} nights"
        return [
            CashFlow(
                at_ns=session.open_ns,
                id=f"interest-{session.date.isoformat()}",
                kind="interest",
                amount_usd=-amount,
                note=note,
            )
        ]


def _paid(dividend: Dividend, session: Session, shares: Decimal) -> CashFlow:
    return CashFlow(
        at_ns=session.open_ns,
        id=f"dividend-{dividend.symbol}-{dividend.ex_date.isoformat()}",
        kind="dividend",
        amount_usd=to_cent(shares * dividend.amount_usd),
        note=f"{dividend.amount_usd} USD a share on {shares} {dividend.symbol}",
    )
