"""Which rules an account is under. A regime belongs to the account, never to the date of the bars.

Sources: SEC 34-105226 (SR-FINRA-2025-017), effective 2026-06-04, phase-in until 2027-10-20; Alpaca enforces it since
its first day; FINRA Rule 4210(f)(8)(B) before that. A cash account is always said so by a setting.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

RegimeName = Literal["intraday_margin", "pattern_day_trader", "cash"]
AskedRegime = Literal["auto", "intraday_margin", "pattern_day_trader", "cash"]

INTRADAY_MARGIN: RegimeName = "intraday_margin"
PATTERN_DAY_TRADER: RegimeName = "pattern_day_trader"
CASH: RegimeName = "cash"
EFFECTIVE = date(2026, 6, 4)
PHASED_IN = date(2027, 10, 20)
LOOKED_UP = date(2026, 11, 22)  # When Alpaca's documents were last read.


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """The rules, where we have that from, and when it was confirmed for this account; None: it was not."""

    regime: RegimeName
    source: str
    confirmed_on: date | None = None

    @property
    def counts_day_trades(self) -> bool:
        """By law: so it is, or may be."""
        return self.regime == PATTERN_DAY_TRADER or self._either

    @property
    def limits_intraday_margin(self) -> bool:
        return self.regime == INTRADAY_MARGIN or self._either

    @property
    def settles_in_cash(self) -> bool:
        return self.regime == CASH

    @property
    def _either(self) -> bool:
        """Not confirmed: the stricter of both margin regimes is enforced, which is both."""
        return self.confirmed_on is None and self.regime != CASH

    @property
    def text(self) -> str:
        """For a person, and for the journal."""
        if self.regime == CASH or self.confirmed_on is not None:
            when = "as set" if self.confirmed_on is None else f"confirmed on {self.confirmed_on}"
            return f"regime {self.regime}: {self.source}; {when}"
        return (
            f"regime {self.regime}: {self.source}; not confirmed, so day trades and intraday margin are both held to; "
            "when the broker has confirmed it, set compliance.confirmed_on"
        )


def resolve(asked: AskedRegime, *, broker: str, on: date, confirmed_on: date | None = None) -> Regime:
    """The account's regime. `on` is the day whose rules it is under; `confirmed_on` a person's word for either."""
    if asked != "auto":
        return Regime(regime=asked, source="compliance.regime", confirmed_on=confirmed_on)
    if on < EFFECTIVE:
        return Regime(regime=PATTERN_DAY_TRADER, source="FINRA Rule 4210(f)(8)(B)", confirmed_on=confirmed_on or on)
    if broker == "alpaca":
        source = f"Alpaca's documents: SR-FINRA-2025-017 is enforced since {EFFECTIVE}"
        return Regime(regime=INTRADAY_MARGIN, source=source, confirmed_on=confirmed_on or LOOKED_UP)
    if on >= PHASED_IN:
        return Regime(regime=INTRADAY_MARGIN, source="SR-FINRA-2025-017, phased in", confirmed_on=confirmed_on or on)
    source = f"SR-FINRA-2025-017; brokers may phase it in until {PHASED_IN}"
    return Regime(regime=INTRADAY_MARGIN, source=source, confirmed_on=confirmed_on)
