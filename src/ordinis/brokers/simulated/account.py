"""The exchange's books of one account: cash, holdings, reservations, margin, day trades, violations.

Kept by algorithms of its own, so that "no violation" is judged by someone else than the trader.
Decimals owe; floats only spare the exact sum where the answer is far from the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
from msgspec.structs import replace

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.fees import FeeMeter
from ordinis.brokers.simulated.intraday_margin import IntradayMargin
from ordinis.brokers.simulated.margin import Maintenance, buying_power
from ordinis.brokers.simulated.order import ZERO, BrokerOrder, Violation
from ordinis.brokers.simulated.overnight import Dividend, Night
from ordinis.brokers.simulated.pattern_day_trader import PatternDayTrader
from ordinis.brokers.simulated.regimes import Filled, Regime
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.brokers.simulated.settlement import CashAccount
from ordinis.domain.account import AccountView, Position
from ordinis.domain.events import CashFlow
from ordinis.domain.market import FloatArray, Session, Universe
from ordinis.domain.money import price_usd

_REGIMES: dict[str, type[Regime]] = {
    "intraday_margin": IntradayMargin,
    "pattern_day_trader": PatternDayTrader,
    "cash": CashAccount,
}
_NEAR_USD = 0.01  # Nearer to a limit than this, floats do not decide.


class Holding:
    """Shares of one symbol and what they cost on average."""

    __slots__ = ("average_usd", "quantity")

    def __init__(self, quantity: Decimal, average_usd: Decimal) -> None:
        self.quantity = quantity
        self.average_usd = average_usd


class AccountBooks:
    """Everything the exchange knows of the account. Columns are the universe's."""

    def __init__(self, universe: Universe, settings: ExchangeSettings, dividends: Iterable[Dividend] = ()) -> None:
        self._universe = universe
        self._night = Night(settings.margin_interest_fraction, dividends)
        self._settings = settings
        self._maintenance = Maintenance(universe, settings.fund_leverage)
        self._shares: FloatArray = np.zeros(len(universe))
        self.last_usd: FloatArray = np.zeros(len(universe))  # The last price a symbol; 0.0 before its first.
        self.holdings: dict[int, Holding] = {}
        self._held_for_sale: dict[int, Decimal] = {}
        self.cash_usd = settings.cash_usd
        self.reserved_usd = ZERO
        self.last_equity_usd = settings.cash_usd
        self.last_maintenance_usd = ZERO
        self.fees = FeeMeter(settings)
        self.violations: list[Violation] = []
        self.regime = _REGIMES[settings.regime](settings, self)
        self.multiplier = self.regime.multiplier()

    # Sessions.

    def open_session(self, session: Session) -> list[CashFlow]:
        """Book what the night has brought; count from zero."""
        flows = self._night.end(session, self._shares_of)
        self.cash_usd += sum((flow.amount_usd for flow in flows), ZERO)
        self.regime.open_session(session)
        self.multiplier = self.regime.multiplier()
        return flows

    def _shares_of(self, symbol: str) -> Decimal:
        column = self._universe.column.get(symbol)
        return ZERO if column is None else self.quantity(column)

    def close_session(self, session: Session) -> list[CashFlow]:
        """Charge the session's fees, then keep the equity of the close."""
        fees = self.fees.settle(session)
        self.cash_usd += sum((fee.amount_usd for fee in fees), ZERO)
        self.last_equity_usd = self.equity_usd
        self.last_maintenance_usd = self.maintenance_usd
        self._night.begin(session, self.cash_usd)
        self.regime.close_session(session)
        return fees

    def deposit(self, amount_usd: Decimal, at_ns: int) -> None:
        """Money from outside; a withdrawal where the amount is negative."""
        self.cash_usd += amount_usd
        self.regime.deposited(amount_usd, at_ns)

    # What is there.

    def quantity(self, column: int) -> Decimal:
        holding = self.holdings.get(column)
        return ZERO if holding is None else holding.quantity

    def held_for_sale(self, column: int) -> Decimal:
        """Shares that working sells hold."""
        return self._held_for_sale.get(column, ZERO)

    def last_price_usd(self, column: int) -> Decimal | None:
        last = self.last_usd.item(column)
        return price_usd(last) if last else None

    def values_usd(self) -> dict[int, Decimal]:
        """Market value by column, exact."""
        last = self.last_usd
        return {column: held.quantity * price_usd(last.item(column)) for column, held in self.holdings.items()}

    @property
    def equity_usd(self) -> Decimal:
        return self.cash_usd + sum(self.values_usd().values())

    @property
    def maintenance_usd(self) -> Decimal:
        return self._exact_maintenance(self.values_usd())

    @property
    def initial_margin_usd(self) -> Decimal:
        return sum(self.values_usd().values(), ZERO) / (1 if self.multiplier == 1 else 2)

    @property
    def buying_power_usd(self) -> Decimal:
        """Exact, and not below zero."""
        return self._buying_power(self.values_usd())

    @property
    def accrued_fees_usd(self) -> Decimal:
        """Of the session, charged at its close."""
        return sum((amount for _, amount in self.fees.accrued()), ZERO)

    def requirement_usd(self, column: int, shares: Decimal, price: Decimal) -> Decimal:
        """What maintenance asks of so many more shares at that price."""
        last = self.last_usd.copy()
        last[column] = float(price)
        rates = self._maintenance.rates(self._shares * last, last, float(self.cash_usd))
        return shares * price * price_usd(rates.item(column))

    def symbol(self, column: int) -> str:
        return self._universe.symbols[column]

    def positions(self) -> tuple[Position, ...]:
        symbols = self._universe.symbols
        views = [
            Position(symbol=symbols[column], quantity=held.quantity, average_price_usd=held.average_usd)
            for column, held in self.holdings.items()
        ]
        return tuple(sorted(views, key=lambda position: position.symbol))

    def view(self, at_ns: int) -> AccountView:
        values = self.values_usd()
        equity, initial = self.cash_usd + sum(values.values()), self.initial_margin_usd
        plain = AccountView(
            at_ns=at_ns,
            equity_usd=equity,
            cash_usd=self.cash_usd,
            buying_power_usd=self._buying_power(values),
            last_equity_usd=self.last_equity_usd,
            multiplier=self.multiplier,
            positions=self.positions(),
            status="ACTIVE",
            initial_margin_usd=initial,
            maintenance_margin_usd=self._exact_maintenance(values),
            last_maintenance_margin_usd=self.last_maintenance_usd,
            regt_buying_power_usd=max(equity - initial, ZERO) * 2,
            non_marginable_buying_power_usd=max(self.cash_usd, ZERO),
            shorting_enabled=False,
            account_blocked=False,
            trading_blocked=False,
            trade_suspended_by_user=False,
        )
        return replace(plain, **self.regime.shown())

    def _buying_power(self, values: dict[int, Decimal]) -> Decimal:
        own = self.regime.buying_power_usd()
        if own is not None:
            return max(own, ZERO)
        maintenance = self._exact_maintenance(values) if self.multiplier == 4 else ZERO
        value = sum(values.values(), ZERO)
        return max(buying_power(self.multiplier, self.cash_usd, value, maintenance, self.reserved_usd), ZERO)

    def _exact_maintenance(self, values: dict[int, Decimal]) -> Decimal:
        rates = self._maintenance.rates(self._shares * self.last_usd, self.last_usd, float(self.cash_usd))
        return sum((value * price_usd(rates.item(column)) for column, value in values.items()), ZERO)

    # Before an order.

    def check_buy(self, cost_usd: Decimal) -> None:
        """Refuse what cannot be paid for."""
        own = self.regime.buying_power_usd()
        if own is not None:
            if cost_usd > own:
                raise refusals.buying_power(max(own, ZERO), cost_usd)
            return
        free = float(self.cash_usd) * self.multiplier - float(self.reserved_usd)
        cost = float(cost_usd)
        if free > cost + _NEAR_USD:  # Holdings can only add to this, so they need not be valued.
            return
        if self._estimated_buying_power() > cost + _NEAR_USD:
            return
        available = self.buying_power_usd
        if cost_usd > available:
            raise refusals.buying_power(available, cost_usd)

    def _estimated_buying_power(self) -> float:
        values = self._shares * self.last_usd
        cash = float(self.cash_usd)
        maintenance = 0.0
        if self.multiplier == 4:
            maintenance = float(values @ self._maintenance.rates(values, self.last_usd, cash))
        return buying_power(self.multiplier, cash, float(values.sum()), maintenance, float(self.reserved_usd))

    def check_sale(self, column: int, requested: Decimal, whole: bool, working: Sequence[BrokerOrder]) -> None:
        """Refuse to sell what is not there. `working` are the symbol's orders."""
        existing = self.quantity(column)
        held = self.held_for_sale(column)
        if requested <= existing - held:
            return
        if existing:
            symbol = self._universe.symbols[column]
            related = [order.id for order in working if not order.buys]
            raise refusals.insufficient_quantity(symbol, requested, existing, held, related)
        if not whole:
            raise refusals.unprocessable("fractional orders cannot be sold short")
        raise self.short_refusal()

    def short_refusal(self) -> refusals.Refusal:
        return refusals.short_sale(self.multiplier > 1, self._settings.margin_equity_min_usd)

    # While an order works.

    def hold(self, order: BrokerOrder) -> None:
        """Set aside what the order may need."""
        if order.buys:
            self.reserved_usd += order.reserve_price_usd * order.remaining
        else:
            self._held_for_sale[order.column] = self.held_for_sale(order.column) + order.remaining

    def release(self, order: BrokerOrder, quantity: Decimal) -> None:
        """Give back what `quantity` shares of the order held."""
        if order.buys:
            self.reserved_usd -= order.reserve_price_usd * quantity
        else:
            self._held_for_sale[order.column] -= quantity

    # After a fill.

    def bought(self, order: BrokerOrder, quantity: Decimal, price: Decimal, value: Decimal, at_ns: int) -> None:
        column = order.column
        fill = Filled(order, quantity, value, self.quantity(column), self.cash_usd, at_ns)
        self.cash_usd -= value
        holding = self.holdings.get(column)
        if holding is None:
            self.holdings[column] = holding = Holding(quantity, price)
        else:
            total = holding.quantity + quantity
            holding.average_usd = (holding.average_usd * holding.quantity + value) / total
            holding.quantity = total
        self._shares[column] = float(holding.quantity)
        self.last_usd[column] = float(price)
        self.fees.add(True, quantity, value)
        self.regime.filled(fill)
        if self.cash_usd < 0:  # Without a debit no limit of the account can be broken.
            self._check_debit(order.symbol, at_ns)

    def sold(self, order: BrokerOrder, quantity: Decimal, price: Decimal, value: Decimal, at_ns: int) -> None:
        column = order.column
        fill = Filled(order, -quantity, value, self.quantity(column), self.cash_usd, at_ns)
        self.cash_usd += value
        left = self.quantity(column) - quantity
        if left < 0:
            self.violation(at_ns, "sell_without_position", order.symbol, f"{quantity} sold, {left + quantity} held")
        if left:
            self.holdings.setdefault(column, Holding(left, price)).quantity = left
        else:
            del self.holdings[column]
        self._shares[column] = float(left)
        self.last_usd[column] = float(price)
        self.fees.add(False, quantity, value)
        self.regime.filled(fill)

    def _check_debit(self, symbol: str, at_ns: int) -> None:
        if self.multiplier == 1:
            self.violation(at_ns, "negative_cash", symbol, f"cash is {self.cash_usd:.2f} USD")
            return
        if self._clearly_within_leverage():
            return
        values = self.values_usd()
        gross = sum(values.values(), ZERO)
        equity = self.cash_usd + gross
        if gross > self.multiplier * equity:
            text = f"positions of {gross:.2f} USD on equity of {equity:.2f} USD at multiplier {self.multiplier}"
            self.violation(at_ns, "leverage", symbol, text)

    def _clearly_within_leverage(self) -> bool:
        cash, gross = float(self.cash_usd), float(self._shares @ self.last_usd)
        return self.multiplier * (cash + gross) - gross > _NEAR_USD

    def violation(self, at_ns: int, kind: str, symbol: str, text: str) -> None:
        """Write down that a rule was broken."""
        self.violations.append(Violation(at_ns=at_ns, kind=kind, symbol=symbol, text=text))
