"""Regulatory fees, summed over a session and charged at its close.

Source: SEC section 31, FINRA's trading activity fee (TAF) and the consolidated audit trail (CAT) as
brokers pass them on: each summed daily and rounded up to a cent.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_UP, Decimal

from ordinis.brokers.simulated.order import ZERO
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.events import CashFlow
from ordinis.domain.market import Session
from ordinis.domain.money import CENT

_MILLION = Decimal(1_000_000)


class FeeMeter:
    """One session's fees as they accrue."""

    __slots__ = ("_charges", "_rates", "_sales_usd", "_settings", "_shares", "_taf_usd")

    def __init__(self, settings: ExchangeSettings) -> None:
        self._settings = settings
        self._charges = settings.charges_fees
        self._rates = settings.fee_rates(date.max)
        self._reset()

    def open_session(self, day: date) -> None:
        """That day's rates are charged from now on."""
        self._rates = self._settings.fee_rates(day)

    def _reset(self) -> None:
        self._sales_usd = self._taf_usd = self._shares = ZERO

    def add(self, buys: bool, quantity: Decimal, value_usd: Decimal) -> None:
        """One execution."""
        if not self._charges:
            return
        self._shares += quantity
        if not buys:
            self._sales_usd += value_usd
            self._taf_usd += min(quantity * self._rates.taf_usd_per_share, self._rates.taf_usd_max)

    def accrued(self) -> list[tuple[str, Decimal]]:
        """What would be charged now, by name, in whole cents; zero amounts left out."""
        due = (
            ("SEC", self._sales_usd * self._rates.sec_usd_per_million / _MILLION),
            ("TAF", self._taf_usd),
            ("CAT", self._shares * self._rates.cat_usd_per_share),
        )
        return [(name, amount.quantize(CENT, rounding=ROUND_UP)) for name, amount in due if amount]

    def settle(self, session: Session) -> list[CashFlow]:
        """The session's fees as they leave the account at its close; the next session starts from zero."""
        due = self.accrued()
        self._reset()
        rates = self._rates
        at = {
            "SEC": f"{rates.sec_usd_per_million} USD a million",
            "TAF": f"{rates.taf_usd_per_share} USD a share",
            "CAT": f"{rates.cat_usd_per_share} USD a share",
        }
        day = session.date.isoformat()
        return [
            CashFlow(
                at_ns=session.close_ns,
                id=f"fee-{name.lower()}-{day}",
                kind="fee",
                amount_usd=-amount,
                note=f"{name} fee of {day}: {at[name]}",
            )
            for name, amount in due
        ]
