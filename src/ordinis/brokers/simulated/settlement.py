"""The regime `cash`: what a sale brings is money on the next trading day, and what it bought shall wait for that.

Source: Regulation T 220.8; settlement on the next day that exchange and banks are open (since 2024-05-28). Good-faith
violation: sold before the proceeds that paid for it settled. Free-riding: sold while it was not paid for at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from ordinis.brokers.simulated.order import ZERO
from ordinis.brokers.simulated.regimes import Filled, Regime
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import Session

if TYPE_CHECKING:
    from ordinis.brokers.simulated.account import AccountBooks

_YEAR = timedelta(days=365)


class _Paid:
    """Shares of one execution, and what they were paid with."""

    __slots__ = ("quantity", "settles_on", "unpaid")

    def __init__(self, quantity: Decimal, *, settles_on: date | None, unpaid: bool) -> None:
        self.quantity = quantity
        self.settles_on = settles_on  # The last of the money that paid for it; None: it was settled.
        self.unpaid = unpaid  # All the cash there was did not pay for it.


class CashAccount(Regime):
    """Settled cash, what is to come, and what each lot was paid with. The oldest shares are sold first."""

    def __init__(self, settings: ExchangeSettings, books: AccountBooks) -> None:
        super().__init__(settings, books)
        self._sales: list[tuple[date, Decimal]] = []  # When they settle, and the proceeds.
        self._lots: dict[int, list[_Paid]] = {}
        self.good_faith: list[date] = []
        self.settled_only_until: date | None = None
        self._told: set[int] = set()  # Orders whose violation is written: their parts are one transaction.

    def multiplier(self) -> int:
        return 1

    @property
    def unsettled_usd(self) -> Decimal:
        return sum((proceeds for _, proceeds in self._sales), ZERO)

    @property
    def settled_usd(self) -> Decimal:
        """What is settled and not spent."""
        return max(self.books.cash_usd - self.unsettled_usd, ZERO)

    def buying_power_usd(self) -> Decimal | None:
        """All cash; settled cash alone after too many violations."""
        if self.settled_only_until is None or self.days.today >= self.settled_only_until:
            return None
        return self.settled_usd - self.books.reserved_usd

    def shown(self) -> dict[str, Any]:
        return {"account_type": "cash", "non_marginable_buying_power_usd": self.settled_usd}

    def open_session(self, session: Session) -> None:
        """What falls due by today settles."""
        super().open_session(session)
        self._sales = [(due, proceeds) for due, proceeds in self._sales if due > session.date]

    def deposited(self, amount_usd: Decimal, at_ns: int) -> None:
        """Money from outside pays for what was bought with money that is still to come."""
        if self.books.cash_usd < self.unsettled_usd:
            return
        for lot in chain.from_iterable(self._lots.values()):
            lot.settles_on, lot.unpaid = None, False

    def resized(self, column: int, before: Decimal, after: Decimal) -> None:
        """Every lot in proportion; what rounding leaves is the newest's."""
        lots = self._lots.pop(column, []) if not after else self._lots.get(column, [])
        for lot in lots:
            lot.quantity = lot.quantity * after / before
        if lots:
            lots[-1].quantity += after - sum((lot.quantity for lot in lots), ZERO)

    def filled(self, fill: Filled) -> None:
        if fill.quantity > 0:
            self._bought(fill)
        else:
            self._sold(fill)

    def _bought(self, fill: Filled) -> None:
        settled = fill.cash_usd - self.unsettled_usd
        late = fill.value_usd > settled
        lot = _Paid(
            fill.quantity,
            settles_on=max((due for due, _ in self._sales), default=None) if late else None,
            unpaid=fill.value_usd > fill.cash_usd,
        )
        self._lots.setdefault(fill.order.column, []).append(lot)

    def _sold(self, fill: Filled) -> None:
        today, symbol = self.days.today, fill.order.symbol
        sold = list(self._take(fill.order.column, -fill.quantity))
        self._sales.append((self.days.settles_on(today), fill.value_usd))
        if fill.order.number in self._told:
            return
        if fill.cash_usd < 0 and any(lot.unpaid for lot in sold):
            self._restrict()
            self._told.add(fill.order.number)
            self.books.violation(fill.at_ns, "free_riding", symbol, "sold, and never paid for")
        elif any(lot.settles_on is not None and lot.settles_on > today for lot in sold):
            self._broke_faith(today)
            self._told.add(fill.order.number)
            text = f"{len(self.good_faith)} in a year: sold before the proceeds that paid for it settled"
            self.books.violation(fill.at_ns, "good_faith", symbol, text)

    def _take(self, column: int, quantity: Decimal) -> Iterator[_Paid]:
        """The lots that so many shares come from."""
        lots = self._lots.get(column, [])
        while quantity > 0 and lots:
            lot = lots[0]
            taken = min(quantity, lot.quantity)
            lot.quantity -= taken
            quantity -= taken
            if not lot.quantity:
                del lots[0]
            yield lot

    def _broke_faith(self, today: date) -> None:
        self.good_faith = [day for day in self.good_faith if today - day < _YEAR] + [today]
        if len(self.good_faith) >= self.settings.good_faith_max:
            self._restrict()

    def _restrict(self) -> None:
        self.settled_only_until = self.days.today + timedelta(self.settings.settled_only_days)
