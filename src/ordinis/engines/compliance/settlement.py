"""Cash accounts: which money has settled, what pays for each lot, and which sale would be a violation.

Sources: Regulation T 220.8; settlement one business day after the trade since 2024-05-28. A good-faith violation:
bought with proceeds that had not settled, and sold before they had. Free-riding: sold what was never paid for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from ordinis.domain.events import CorporateAction
from ordinis.engines.compliance.business_days import BusinessDays

_NONE = Decimal(0)
ViolationKind = Literal["good_faith", "free_riding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRules:
    """Dated, and brokers differ."""

    as_of: date = date(2024, 5, 28)
    settlement_days: int = 1
    buys_unsettled: bool = False  # Entries may be paid with proceeds that settle no later than they do.
    good_faith_max: int = 3  # So many in the period below:
    good_faith_period_days: int = 365
    restricted_days: int = 90  # of settled cash only.


class Lot(msgspec.Struct, kw_only=True):
    """Shares of one purchase. `funded_on` is when the last of their money settles; None: long ago."""

    quantity: Decimal
    funded_on: date | None
    unpaid_usd: Decimal  # More than all the cash there was, settled or not.


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that the rules forbid, and that was made."""

    day: date
    symbol: str
    kind: ViolationKind
    protective: bool


class SettledCash:
    """Folds over fills, flows and days. Money is exact."""

    def __init__(self, rules: SettlementRules, days: BusinessDays) -> None:
        self._rules = rules
        self._days = days
        self.settled_usd = _NONE
        self.pending: list[tuple[date, Decimal]] = []  # (settles on, proceeds), oldest first.
        self.lots: dict[str, deque[Lot]] = {}
        self.violations: list[Violation] = []
        self.restricted_until: date | None = None  # The last day of it.

    def begin(self, cash_usd: Decimal, held: Mapping[str, Decimal], settled_usd: Decimal | None) -> None:
        """The first look at the account: what it holds was paid long ago; cash that is not settled, tomorrow's."""
        self.settled_usd = cash_usd if settled_usd is None else min(cash_usd, settled_usd)
        self.lots = {symbol: deque([_paid(quantity)]) for symbol, quantity in held.items()}

    def waits(self, amount_usd: Decimal, settles_on: date) -> None:
        """Money that will have settled on that day."""
        self.pending.append((settles_on, amount_usd))
        self.pending.sort(key=lambda one: one[0])

    def opens(self, today: date) -> None:
        """What has settled by today is settled cash."""
        self.settled_usd += sum((amount for day, amount in self.pending if day <= today), _NONE)
        self.pending = [one for one in self.pending if one[0] > today]

    def flowed(self, amount_usd: Decimal) -> None:
        """Deposits, fees, dividends: at once."""
        self.settled_usd += amount_usd

    def bought(self, symbol: str, quantity: Decimal, cost_usd: Decimal) -> None:
        """Settled cash pays first, then what settles soonest."""
        from_settled = min(max(self.settled_usd, _NONE), cost_usd)
        self.settled_usd -= from_settled
        left, funded_on = cost_usd - from_settled, None
        while left and self.pending:
            day, amount = self.pending[0]
            used = min(amount, left)
            left, funded_on = left - used, day
            self.pending[0] = (day, amount - used)
            if used == amount:
                del self.pending[0]
        self.settled_usd -= left
        self.lots.setdefault(symbol, deque()).append(Lot(quantity=quantity, funded_on=funded_on, unpaid_usd=left))

    def sold(
        self, symbol: str, quantity: Decimal, proceeds_usd: Decimal, today: date, *, protective: bool
    ) -> list[str]:
        """First in, first out; what a person should know of it."""
        kinds = self._take(symbol, quantity, today)
        self.waits(proceeds_usd, self._days.business_day_after(today, self._rules.settlement_days))
        return [self._violated(Violation(day=today, symbol=symbol, kind=kind, protective=protective)) for kind in kinds]

    def transformed(self, action: CorporateAction) -> None:
        """Shares became more or fewer, or none: lots with nothing left are gone."""
        lots = self.lots.get(action.symbol, deque())
        for lot in lots:
            lot.quantity = action.shares_after(lot.quantity)
        self.lots[action.symbol] = deque(lot for lot in lots if lot.quantity)

    def would_violate(self, symbol: str, today: date) -> bool:
        """Selling all of it today would be a violation."""
        return any(_kind(lot, today) is not None for lot in self.lots.get(symbol, ()))

    def free_on(self, symbol: str, today: date) -> date | None:
        """From which day on it may be sold; None: now."""
        days = [lot.funded_on for lot in self.lots.get(symbol, ()) if lot.funded_on and lot.funded_on > today]
        return max(days, default=None)

    def spendable_usd(self, today: date) -> Decimal:
        """What an entry may be paid with today."""
        if not self._rules.buys_unsettled or self.restricted(today):
            return self.settled_usd
        due = self._days.business_day_after(today, self._rules.settlement_days)
        return self.settled_usd + sum((amount for day, amount in self.pending if day <= due), _NONE)

    def restricted(self, today: date) -> bool:
        return self.restricted_until is not None and today <= self.restricted_until

    def _take(self, symbol: str, quantity: Decimal, today: date) -> list[ViolationKind]:
        """Take shares out of the lots; each kind of violation that makes, once."""
        lots, left, kinds = self.lots.get(symbol, deque()), quantity, dict[ViolationKind, None]()
        while left > 0 and lots:
            lot = lots[0]
            kind = _kind(lot, today)
            if kind is not None:
                kinds[kind] = None
            taken = min(lot.quantity, left)
            lot.quantity -= taken
            left -= taken
            if not lot.quantity:
                lots.popleft()
        return list(kinds)

    def _violated(self, violation: Violation) -> str:
        rules = self._rules
        self.violations.append(violation)
        since = violation.day - timedelta(days=rules.good_faith_period_days)
        count = sum(one.day > since and one.kind == "good_faith" for one in self.violations)
        if violation.kind == "free_riding" or count >= rules.good_faith_max:
            self.restricted_until = violation.day + timedelta(days=rules.restricted_days)
        why = "by its protective order" if violation.protective else "by a sale that was asked for"
        until = f"; settled cash only until {self.restricted_until} is over" if self.restricted(violation.day) else ""
        return f"{violation.symbol}: {violation.kind} violation {why}, {count} good-faith ones in the period{until}"


def _paid(quantity: Decimal) -> Lot:
    return Lot(quantity=quantity, funded_on=None, unpaid_usd=_NONE)


def _kind(lot: Lot, today: date) -> ViolationKind | None:
    if lot.unpaid_usd > 0:
        return "free_riding"
    return "good_faith" if lot.funded_on is not None and lot.funded_on > today else None
