"""The regime `intraday_margin`: no order may take the intraday margin level below zero.

Source: FINRA Rule 4210(a)(17)-(19) and (d)(2), effective 2026-06-04. The level is equity less the maintenance
requirement, here with all open opening orders, summed anew from every position and order each time it is asked.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.deficits import DeficitBook
from ordinis.brokers.simulated.order import ZERO, BrokerOrder
from ordinis.brokers.simulated.regimes import BY_DAY, Asked, Filled, MarginRegime, Working
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import Session

if TYPE_CHECKING:
    from ordinis.brokers.simulated.account import AccountBooks


class IntradayMargin(MarginRegime):
    """The level, and the deficits that executions have left."""

    def __init__(self, settings: ExchangeSettings, books: AccountBooks) -> None:
        super().__init__(settings, books)
        self.deficits = DeficitBook(settings, self.days)

    def level_usd(self, working: Working | None = None, asked: Asked | None = None) -> Decimal:
        """Equity less what maintenance asks of positions, open opening orders and the order asked for."""
        books = self.books
        level = books.equity_usd - books.maintenance_usd
        for order in working or ():
            if order.opens:
                price = self._price_usd(order)
                level -= books.requirement_usd(order.column, order.buys, order.remaining, price)
        if asked is not None:
            level -= books.requirement_usd(asked.column, asked.buys, asked.quantity, asked.price_usd)
        return level

    def _price_usd(self, order: BrokerOrder) -> Decimal:
        """What a share of a working opening order is reckoned at, as when it was taken."""
        if order.buys:
            return order.reserve_price_usd
        last = self.books.last_price_usd(order.column) or ZERO
        return max(order.limit_price_usd or ZERO, last * (1 + Decimal(str(self.settings.short_sale_collar))))

    def check(self, asked: Asked, working: Working) -> None:
        books = self.books
        if not asked.opens:  # What closes lowers nothing.
            return
        free, cost = books.cash_usd - books.reserved_usd, asked.price_usd * asked.quantity
        if asked.buys and free >= cost and not books.short:
            return  # Paid for in full: no debit, and no level below zero.
        if books.equity_usd < self.settings.margin_equity_min_usd and (free < cost or not asked.buys):
            raise refusals.buying_power(max(free, ZERO), cost)
        until = self.deficits.frozen_until
        if self.deficits.frozen and until is not None and (free < cost or not asked.buys):
            raise refusals.frozen(until)
        level = self.level_usd(working, asked)
        if level < 0:
            raise refusals.intraday_margin(level)

    def filled(self, fill: Filled) -> None:
        if self.books.multiplier == BY_DAY:
            super().filled(fill)
        if not fill.opens or (self.books.cash_usd >= 0 and not self.books.short):
            return
        self._lowered(fill.order.symbol, fill.at_ns)

    def _lowered(self, symbol: str, at_ns: int) -> None:
        deficit = self.deficits.lowered(self.level_usd(), self.books.equity_usd)
        if deficit is not None:
            text = f"deficit of {deficit.amount_usd:.2f} USD, the call is due on {deficit.call_due.isoformat()}"
            self.books.violation(at_ns, "intraday_deficit", symbol, text)

    def deposited(self, amount_usd: Decimal, at_ns: int) -> None:
        """A withdrawal lowers the level, too."""
        self.deficits.deposited(amount_usd)
        if amount_usd < 0:
            self._lowered("", at_ns)

    def close_session(self, session: Session) -> None:
        super().close_session(session)
        if not self.deficits.deficits:
            return
        for deficit in self.deficits.close(self.level_usd()):
            text = f"the deficit of {deficit.day.isoformat()}, {deficit.amount_usd:.2f} USD, was not paid"
            self.books.violation(session.close_ns, "margin_freeze", "", text)
