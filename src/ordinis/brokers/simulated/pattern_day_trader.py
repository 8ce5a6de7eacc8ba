"""The regime `pattern_day_trader`: day trades counted, a flag that sticks, day-trading buying power.

Source: FINRA Rule 4210(f)(8)(B). Working orders count as if they were filled, whatever their order, and so do
the legs that an entry brings: Alpaca's user protection did it so (until 2026).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.lots import DayLots
from ordinis.brokers.simulated.order import ZERO
from ordinis.brokers.simulated.regimes import Asked, Filled, MarginRegime, Working, pending
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import Session

if TYPE_CHECKING:
    from ordinis.brokers.simulated.account import AccountBooks

_DAY_TRADER_MULTIPLIER = 4


class PatternDayTrader(MarginRegime):
    """Day trades by trade date, and whether the account is flagged."""

    def __init__(self, settings: ExchangeSettings, books: AccountBooks) -> None:
        super().__init__(settings, books)
        self.lots = DayLots(settings.day_trade_method)
        self.flagged = False  # For good: only the broker takes it back.
        self._past: dict[date, int] = {}
        self._power_usd = ZERO  # Day-trading buying power, as of the last close.
        self._cost_usd: dict[int, Decimal] = {}  # Of what was opened today and is open still, by column.

    # What there is.

    @property
    def count(self) -> int:
        """Day trades in the window: today and the trading days before it."""
        return sum(self._past.values()) + self.lots.count

    @property
    def throttled(self) -> bool:
        """Below the equity floor, by the equity of the previous close."""
        return self.books.last_equity_usd < self.settings.day_trade_equity_floor_usd

    @property
    def left(self) -> int:
        """Day trades that may still be made, where they are limited."""
        return 0 if self.flagged else max(self.settings.day_trades_max - self.count, 0)

    @property
    def _is_day_trader(self) -> bool:
        return self.flagged and not self.throttled

    def multiplier(self) -> int:
        """Four times is for day traders alone."""
        least = super().multiplier()
        return least if self._is_day_trader else min(least, 2)

    def buying_power_usd(self) -> Decimal | None:
        """Four times the last close's excess; what is opened today uses it up, and selling older holdings adds none."""
        if self.books.multiplier != _DAY_TRADER_MULTIPLIER:
            return None
        return self._power_usd - sum(self._cost_usd.values(), ZERO) - self.books.reserved_usd

    def shown(self) -> dict[str, Any]:
        own = self.buying_power_usd()
        return {
            "daytrade_count": self.count,
            "pattern_day_trader": self.flagged,
            "daytrading_buying_power_usd": ZERO if own is None else max(own, ZERO),
            "pdt_check": self.settings.day_trade_check,
        }

    # Sessions.

    def open_session(self, session: Session) -> None:
        super().open_session(session)
        window = self.settings.day_trade_sessions
        self._past = {day: made for day, made in self._past.items() if self.days.since(day) < window}

    def close_session(self, session: Session) -> None:
        super().close_session(session)
        made = self.lots.count
        if made:
            self._past[session.date] = made
        self.lots.clear()
        self._cost_usd.clear()
        excess = self.books.equity_usd - self.books.maintenance_usd
        self._power_usd = max(excess * _DAY_TRADER_MULTIPLIER, ZERO)

    # Orders.

    def check(self, asked: Asked, working: Working) -> None:
        if not self.throttled or not self._checks(asked):
            return
        added, others = self._would_make(asked, working)
        if added and added + others > self.left:
            raise refusals.day_trade()

    def _checks(self, asked: Asked) -> bool:
        """Whether this broker looks at such an order: one that opens, one that closes, or both."""
        return self.settings.day_trade_check in ("both", "entry" if asked.opens else "exit")

    def _would_make(self, asked: Asked, working: Working) -> tuple[int, int]:
        """Day trades that the order may add, and those that what works already may make."""
        lots = self.lots if asked.today else DayLots(self.settings.day_trade_method)  # Tomorrow has none yet.

        def of(column: int, asked: Asked | None = None) -> int:
            opening, closing = pending(working.of(column), asked)
            return lots.would_make(column, opening, closing)

        before, after = of(asked.column), of(asked.column, asked)
        others = sum(of(column) for column in {order.column for order in working} - {asked.column})
        return after - before, before + others

    # Executions.

    def filled(self, fill: Filled) -> None:
        self._follow_cost(fill)
        if fill.opens and self.books.cash_usd < 0:
            self._check_maintenance(fill)
        made = self.lots.filled(fill.order.column, fill.order.number, fill.quantity, fill.held)
        if not made:
            return
        count, most = self.count, self.settings.day_trades_max
        if self.throttled and (self.flagged or count > most):
            text = f"{count} day trades in {self.settings.day_trade_sessions} sessions, {most} allowed"
            if self.flagged:
                text = "a day trade below the equity floor on an account flagged as a pattern day trader"
            self.books.violation(fill.at_ns, "day_trades", fill.order.symbol, text)
        self.flagged = self.flagged or count > most

    def _check_maintenance(self, fill: Filled) -> None:
        equity, required = self.books.equity_usd, self.books.maintenance_usd
        if required - equity > self.settings.small_usd(equity):
            text = f"equity of {equity:.2f} USD, maintenance of {required:.2f} USD"
            self.books.violation(fill.at_ns, "maintenance_deficit", fill.order.symbol, text)

    def _follow_cost(self, fill: Filled) -> None:
        """What is closed takes its part of the cost with it."""
        column, opens = fill.order.column, fill.opens
        before = self.opened_today(column)
        super().filled(fill)
        kept = self.opened_today(column) - opens
        cost = self._cost_usd.get(column, ZERO)
        cost = cost * kept / before if before else ZERO
        self._cost_usd[column] = cost + fill.value_usd * opens / abs(fill.quantity)
