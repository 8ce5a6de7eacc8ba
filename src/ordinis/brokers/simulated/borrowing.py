"""What shares borrowed for short sales cost: a yearly rate / 360 a calendar night, on their value at the close.

Alpaca lends what is easy to borrow free of charge: the rate is a setting, and 0 unless somebody sets it.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_UP, Decimal

from ordinis.brokers.simulated.order import ZERO
from ordinis.domain.events import CashFlow
from ordinis.domain.market import Session
from ordinis.domain.money import CENT

_DAYS_A_YEAR = 360


class Borrowing:
    """From one close to the next open."""

    __slots__ = ("_closed_on", "_rate", "_short_usd")

    def __init__(self, rate: Decimal) -> None:
        self._rate = rate
        self._closed_on: date | None = None
        self._short_usd = ZERO

    def begin(self, session: Session, short_usd: Decimal) -> None:
        """The session has closed with shorts of that value, unsigned."""
        self._closed_on = session.date
        self._short_usd = short_usd

    def end(self, session: Session) -> list[CashFlow]:
        """The fee that is due as the session opens, rounded up to a cent."""
        closed_on, short_usd = self._closed_on, self._short_usd
        if closed_on is None or not (short_usd and self._rate):
            return []
        nights = (session.date - closed_on).days
        amount = (short_usd * self._rate * nights / _DAYS_A_YEAR).quantize(CENT, rounding=ROUND_UP)
        return [
            CashFlow(
                at_ns=session.open_ns,
                id=f"borrow-{session.date.isoformat()}",
                kind="interest",
                amount_usd=-amount,
                note=f"fee for {short_usd:.2f} USD of borrowed shares over {nights} nights",
            )
        ]
