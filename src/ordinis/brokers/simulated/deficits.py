"""Intraday margin deficits and their dates: the call, the freeze, the end.

Source: FINRA Rule 4210(d)(2), 2026. A deficit is the day's lowest level right after a transaction that
lowered it; prices alone make none, and a recovery on the same day heals none. It is satisfied by deposits or
by a rise of the level from one day's end to another's. Every question is answered from the days' figures.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec

from ordinis.brokers.simulated.order import ZERO
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.brokers.simulated.trading_days import TradingDays


class Deficit(msgspec.Struct, kw_only=True):
    """One day's. `counts` is False for one too small to be called."""

    day: date
    amount_usd: Decimal
    counts: bool = False
    call_due: date
    froze_on: date | None = None
    satisfied_on: date | None = None
    expired_on: date | None = None

    @property
    def outstanding(self) -> bool:
        return self.satisfied_on is None and self.expired_on is None


class DeficitBook:
    """All deficits, the level at every close, and every deposit."""

    __slots__ = ("_days", "_deposits", "_levels", "_settings", "deficits", "frozen_until")

    def __init__(self, settings: ExchangeSettings, days: TradingDays) -> None:
        self._settings = settings
        self._days = days
        self._levels: dict[date, Decimal] = {}
        self._deposits: dict[date, Decimal] = {}
        self.deficits: list[Deficit] = []
        self.frozen_until: date | None = None  # The first day on which debits are allowed again.

    @property
    def frozen(self) -> bool:
        return self.frozen_until is not None and self._days.today < self.frozen_until

    def lowered(self, level_usd: Decimal, equity_usd: Decimal) -> Deficit | None:
        """The level right after a transaction that lowered it; a deficit that counts from now on."""
        if level_usd >= 0:
            return None
        today = self._days.today
        if not self.deficits or self.deficits[-1].day != today:
            due = self._days.after(today, self._settings.deficit_call_days)
            self.deficits.append(Deficit(day=today, amount_usd=ZERO, call_due=due))
        deficit = self.deficits[-1]
        deficit.amount_usd = max(deficit.amount_usd, -level_usd)
        if deficit.counts or deficit.amount_usd <= self._settings.small_usd(equity_usd):
            return None
        deficit.counts = True
        return deficit

    def deposited(self, amount_usd: Decimal) -> None:
        today = self._days.today
        self._deposits[today] = self._deposits.get(today, ZERO) + amount_usd

    def close(self, level_usd: Decimal) -> list[Deficit]:
        """The day ends at that level; the deficits that freeze the account with this close."""
        today = self._days.today
        self._levels[today] = level_usd
        freezing = [one for one in self.deficits if one.outstanding and one.day < today and self._ages(one)]
        if freezing:
            self.frozen_until = today + timedelta(self._settings.freeze_days)
        return freezing

    def _ages(self, deficit: Deficit) -> bool:
        """It is a day older: satisfied, or over, or from now on the reason for a freeze."""
        today, settings = self._days.today, self._settings
        paid = sum((amount for day, amount in self._deposits.items() if day > deficit.day), ZERO)
        if max(paid, self._levels[today] - self._levels[deficit.day]) >= deficit.amount_usd:
            deficit.satisfied_on = today
            return False
        age = self._days.since(deficit.day)
        if age >= settings.deficit_expiry_days:
            deficit.expired_on = today
        if age < settings.deficit_freeze_days or not deficit.counts or deficit.froze_on is not None:
            return False
        deficit.froze_on = today
        return True
