"""What a night brings an account: interest on what it owes, and what companies did to their shares.

Booked at the open. Sources: Alpaca's margin interest (a yearly rate / 360, a calendar night, on the debit of
the close). A dividend is paid at the open of its ex-date, on the shares held at the close before, and owed by
who is short; a real one comes weeks later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_UP, Decimal

from ordinis.brokers.simulated.order import ZERO
from ordinis.domain.events import ActionKind, CashFlow, CorporateAction
from ordinis.domain.market import Session
from ordinis.domain.money import CENT

_DAYS_A_YEAR = 360
_ORDER = (ActionKind.DIVIDEND, ActionKind.SPLIT, ActionKind.REMOVAL)  # A dividend is paid on the shares of the night.


def _in_order(action: CorporateAction) -> tuple[date, int, str]:
    return action.ex_date, _ORDER.index(action.kind), action.symbol


class Night:
    """From one close to the next open."""

    __slots__ = ("_actions", "_closed_on", "_debit_usd", "_rate")

    def __init__(self, interest_rate: Decimal, actions: Iterable[CorporateAction]) -> None:
        self._rate = interest_rate
        self._actions = sorted(actions, key=_in_order)
        self._closed_on: date | None = None
        self._debit_usd = ZERO

    def announce(self, action: CorporateAction) -> None:
        """One more that is to come."""
        self._actions.append(action)
        self._actions.sort(key=_in_order)

    def begin(self, session: Session, cash_usd: Decimal) -> None:
        """The session has closed with that much cash."""
        self._closed_on = session.date
        self._debit_usd = max(-cash_usd, ZERO)

    def interest(self, session: Session) -> list[CashFlow]:
        """What the debit of the last close costs until this open."""
        if self._closed_on is None or not self._debit_usd:
            return []
        nights = (session.date - self._closed_on).days
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

    def actions(self, session: Session) -> list[CorporateAction]:
        """What takes effect as this session opens. Before the first session nothing does: its prices know of it."""
        closed_on, day = self._closed_on, session.date
        return [] if closed_on is None else [one for one in self._actions if closed_on < one.ex_date <= day]
