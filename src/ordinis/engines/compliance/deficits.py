"""Intraday margin deficits: how large, when the call is due, when the account freezes, when they are history.

Source: FINRA Rule 4210(d)(2) as of 2026-06-04. A deficit is the largest negative level right after a transaction that
reduces the level; it survives a recovery during the day. Prices alone make none. It is satisfied when, from the end of
its day to the end of a later one, deposits or other gains of the level equal it: one deposit can satisfy several.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import msgspec

from ordinis.engines.compliance.business_days import BusinessDays
from ordinis.engines.compliance.intraday_margin import MarginRules

DeficitState = Literal["outstanding", "satisfied", "expired", "small"]


class Deficit(msgspec.Struct, kw_only=True):
    """One day's. Levels and deposits are those of the close."""

    day: date
    amount_usd: float
    call_due: date
    freezes_on: date  # Unsatisfied at its close, the account is frozen.
    expires_on: date
    level_usd: float = 0.0
    deposits_usd: float = 0.0  # All deposits up to that close.
    state: DeficitState = "outstanding"


class DeficitLedger:
    """Folds over fills, deposits and closes. We cannot see a practice of it: the first unsatisfied one freezes."""

    def __init__(self, rules: MarginRules, days: BusinessDays) -> None:
        self._rules = rules
        self._days = days
        self.deficits: list[Deficit] = []
        self.frozen_until: date | None = None  # The last day of it.
        self._deposits_usd = 0.0  # Since the start; withdrawals count against it.

    def reduced(self, today: date, level_usd: float) -> str | None:
        """A transaction has reduced the level to this; what to tell a person, where it made or deepened a deficit."""
        if level_usd >= 0.0:
            return None
        known = self.deficits[-1] if self.deficits and self.deficits[-1].day == today else None
        if known is None:
            known = self._new(today)
            self.deficits.append(known)
        if -level_usd <= known.amount_usd:
            return None
        known.amount_usd = -level_usd
        return f"intraday margin deficit of {known.amount_usd:,.2f} USD; the call is due on {known.call_due}"

    def deposited(self, amount_usd: float) -> None:
        """Signed: negative was withdrawn."""
        self._deposits_usd += amount_usd

    def day_ends(self, today: date, level_usd: float, equity_usd: float) -> list[str]:
        """The close: what is satisfied, what freezes the account, what is history."""
        notes = []
        for one in self.deficits:
            if one.state != "outstanding":
                continue
            if one.day == today:
                self._first_close(one, level_usd, equity_usd)
            elif self._satisfied(one, level_usd):
                one.state = "satisfied"
                notes.append(f"the intraday margin deficit of {one.day} is satisfied")
            else:
                notes += self._still_outstanding(one, today)
        return notes

    def frozen(self, today: date) -> bool:
        """Nothing that creates or increases a short or a debit."""
        return self.frozen_until is not None and today <= self.frozen_until

    @property
    def outstanding_usd(self) -> float:
        """The largest call that is open."""
        return max((one.amount_usd for one in self.deficits if one.state == "outstanding"), default=0.0)

    def _new(self, today: date) -> Deficit:
        days, rules = self._days, self._rules
        return Deficit(
            day=today,
            amount_usd=0.0,
            call_due=days.business_day_after(today, rules.call_days),
            freezes_on=days.business_day_after(today, rules.freeze_after_days),
            expires_on=days.business_day_after(today, rules.expires_after_days),
        )

    def _first_close(self, one: Deficit, level_usd: float, equity_usd: float) -> None:
        one.level_usd, one.deposits_usd = level_usd, self._deposits_usd
        if one.amount_usd <= min(self._rules.small_usd, self._rules.small_fraction * equity_usd):
            one.state = "small"

    def _satisfied(self, one: Deficit, level_usd: float) -> bool:
        gained_usd = max(self._deposits_usd - one.deposits_usd, level_usd - one.level_usd)
        return gained_usd >= one.amount_usd

    def _still_outstanding(self, one: Deficit, today: date) -> list[str]:
        notes = []
        before = self.frozen_until
        if today >= one.freezes_on:
            until = one.freezes_on + timedelta(days=self._rules.freeze_days)
            if before is None or until > before:
                self.frozen_until = until
                notes.append(f"the deficit of {one.day} was not met: no new debit or short until {until} is over")
        if today >= one.expires_on:
            one.state = "expired"
        return notes
