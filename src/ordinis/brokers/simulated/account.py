"""The exchange's books of one account: cash, holdings, reservations, margin, day trades, violations.

Kept by algorithms of its own, so that "no violation" is judged by someone else than the trader.
Decimals owe; floats only spare the exact sum where the answer is far from the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from msgspec.structs import replace

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.borrowing import Borrowing
from ordinis.brokers.simulated.fees import FeeMeter
from ordinis.brokers.simulated.intraday_margin import IntradayMargin
from ordinis.brokers.simulated.margin import Exposure, Maintenance, buying_power
from ordinis.brokers.simulated.order import ZERO, BrokerOrder, Violation
from ordinis.brokers.simulated.overnight import Night
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
    """Shares of one symbol, signed, and what they cost, or brought, on average."""

    __slots__ = ("average_usd", "quantity")

    def __init__(self, quantity: Decimal, average_usd: Decimal) -> None:
        self.quantity = quantity
        self.average_usd = average_usd


class AccountBooks:
    """Everything the exchange knows of the account. Columns are the universe's."""

    def __init__(self, universe: Universe, settings: ExchangeSettings, night: Night) -> None:
        self._universe = universe
        self._night = night
        self._borrowing = Borrowing(settings.borrow_fee_fraction)
        self._settings = settings
        self._maintenance = Maintenance(universe, settings.fund_leverage)
        self._shares: FloatArray = np.zeros(len(universe))
        self.last_usd: FloatArray = np.zeros(len(universe))  # The last price a symbol; 0.0 before its first.
        self.holdings: dict[int, Holding] = {}
        self._short: set[int] = set()  # Columns that are sold short.
        self._held_for_exit: dict[int, Decimal] = {}
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
        """Charge the night's interest and what borrowed shares cost; count from zero."""
        flows = self._night.interest(session) + self._borrowing.end(session)
        self.cash_usd += sum((flow.amount_usd for flow in flows), ZERO)
        self.regime.open_session(session)
        self.fees.open_session(session.date)
        self.multiplier = self.regime.multiplier()
        return flows

    def close_session(self, session: Session) -> list[CashFlow]:
        """Charge the session's fees, then keep the equity of the close."""
        fees = self.fees.settle(session)
        self.cash_usd += sum((fee.amount_usd for fee in fees), ZERO)
        self.last_equity_usd = self.equity_usd
        self.last_maintenance_usd = self.maintenance_usd
        short_usd = self.short_usd
        self._night.begin(session, self.cash_usd - short_usd)  # Proceeds of shorts are held, they pay for nothing.
        self._borrowing.begin(session, short_usd)
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

    def held_for_exit(self, column: int) -> Decimal:
        """Shares that working orders hold which close a position: sells of a long one, buys of a short one."""
        return self._held_for_exit.get(column, ZERO)

    def free_to_exit(self, column: int) -> Decimal:
        """Shares of the position, unsigned, that no working order holds."""
        return abs(self.quantity(column)) - self.held_for_exit(column)

    def set_quantity(self, column: int, quantity: Decimal) -> None:
        """What a company made of the shares held."""
        self.regime.resized(column, self.holdings[column].quantity, quantity)
        if quantity:
            self.holdings[column].quantity = quantity
        else:
            del self.holdings[column]
            self._short.discard(column)
        self._shares[column] = float(quantity)

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
    def short_usd(self) -> Decimal:
        """What it would take to cover every short, at the last prices."""
        last = self.last_usd
        return sum((-self.holdings[column].quantity * price_usd(last.item(column)) for column in self._short), ZERO)

    @property
    def maintenance_usd(self) -> Decimal:
        return self._exposure(self.values_usd()).maintenance

    @property
    def initial_margin_usd(self) -> Decimal:
        held = self._exposure(self.values_usd())
        return held.long / (1 if self.multiplier == 1 else 2) + held.short_initial

    @property
    def spendable_cash_usd(self) -> Decimal:
        """What is left of the cash when the proceeds and the margin of every short are put aside."""
        held = self._exposure(self.values_usd())
        return max(held.cash - held.short - held.short_initial, ZERO)

    @property
    def accrued_fees_usd(self) -> Decimal:
        """Of the session, charged at its close."""
        return sum((amount for _, amount in self.fees.accrued()), ZERO)

    @property
    def short(self) -> bool:
        """Anything is sold short."""
        return bool(self._short)

    def requirement_usd(self, column: int, buys: bool, shares: Decimal, price: Decimal) -> Decimal:
        """What maintenance asks of so many more shares, long or short, at that price."""
        if not buys:
            return self._maintenance.short(column, shares, price)
        last = self.last_usd.copy()
        last[column] = float(price)
        rates = self._maintenance.rates(self._long_values(), last, float(self.cash_usd))
        return shares * price * price_usd(rates.item(column))

    def symbol(self, column: int) -> str:
        return self._universe.symbols[column]

    @property
    def buying_power_usd(self) -> Decimal:
        """Exact, and not below zero."""
        return self._buying_power(self.values_usd())

    def positions(self) -> tuple[Position, ...]:
        symbols = self._universe.symbols
        views = [
            Position(symbol=symbols[column], quantity=held.quantity, average_price_usd=held.average_usd)
            for column, held in self.holdings.items()
        ]
        return tuple(sorted(views, key=lambda position: position.symbol))

    def view(self, at_ns: int) -> AccountView:
        values = self.values_usd()
        held, initial = self._exposure(values), self.initial_margin_usd
        plain = AccountView(
            at_ns=at_ns,
            equity_usd=held.equity,
            cash_usd=self.cash_usd,
            buying_power_usd=self._buying_power(values),
            last_equity_usd=self.last_equity_usd,
            multiplier=self.multiplier,
            positions=self.positions(),
            status="ACTIVE",
            initial_margin_usd=initial,
            maintenance_margin_usd=held.maintenance,
            last_maintenance_margin_usd=self.last_maintenance_usd,
            regt_buying_power_usd=max(held.equity - initial, ZERO) * 2,
            non_marginable_buying_power_usd=self.spendable_cash_usd,
            shorting_enabled=self._settings.shorting_enabled and self.multiplier > 1,
            account_blocked=False,
            trading_blocked=False,
            trade_suspended_by_user=False,
        )
        return replace(plain, **self.regime.shown())

    def _buying_power(self, values: dict[int, Decimal]) -> Decimal:
        own = self.regime.buying_power_usd()
        if own is not None:
            return max(own, ZERO)
        return max(buying_power(self.multiplier, self._exposure(values), self.reserved_usd), ZERO)

    def _exposure(self, values: dict[int, Decimal]) -> Exposure[Decimal]:
        """Exact, of market values by column."""
        rates = self._maintenance.rates(self._long_values(), self.last_usd, float(self.cash_usd))
        longs = {column: value for column, value in values.items() if column not in self._short}
        required = sum((value * price_usd(rates.item(column)) for column, value in longs.items()), ZERO)
        return self._with_shorts(self.cash_usd, sum(longs.values(), ZERO), required)

    def _with_shorts(self, cash_usd: Decimal, long_usd: Decimal, required_usd: Decimal) -> Exposure[Decimal]:
        short = initial = ZERO
        for column in self._short:
            shares, price = -self.holdings[column].quantity, price_usd(self.last_usd.item(column))
            short += shares * price
            initial += self._maintenance.short_initial(column, shares, price)
            required_usd += self._maintenance.short(column, shares, price)
        return Exposure(cash_usd, long_usd, short, initial, required_usd)

    def _long_values(self) -> FloatArray:
        values = self._shares * self.last_usd
        return np.maximum(values, 0.0) if self._short else values

    def _estimated_exposure(self) -> Exposure[float]:
        """Without a Decimal for each long."""
        values, cash = self._long_values(), float(self.cash_usd)
        required = float(values @ self._maintenance.rates(values, self.last_usd, cash))
        if not self._short:
            return Exposure(cash, float(values.sum()), 0.0, 0.0, required)
        shorts = self._with_shorts(ZERO, ZERO, ZERO)
        return Exposure(
            cash,
            float(values.sum()),
            float(shorts.short),
            float(shorts.short_initial),
            required + float(shorts.maintenance),
        )

    # Before an order.

    def check_opening(self, cost_usd: Decimal) -> None:
        """Refuse what there is no buying power for."""
        own = self.regime.buying_power_usd()
        if own is not None:
            if cost_usd > own:
                raise refusals.buying_power(max(own, ZERO), cost_usd)
            return
        cost = float(cost_usd)
        if not self._short:  # Longs can only add to what the cash is good for, so they need not be valued.
            free = float(self.cash_usd) * self.multiplier - float(self.reserved_usd)
            if free > cost + _NEAR_USD:
                return
        if buying_power(self.multiplier, self._estimated_exposure(), float(self.reserved_usd)) > cost + _NEAR_USD:
            return
        available = self.buying_power_usd
        if cost_usd > available:
            raise refusals.buying_power(available, cost_usd)

    def check_exit(self, column: int, requested: Decimal, working: Sequence[BrokerOrder]) -> None:
        """Refuse to close more than is there, so that no order goes through zero. `working` are the symbol's orders."""
        if requested <= self.free_to_exit(column):
            return
        existing, held = abs(self.quantity(column)), self.held_for_exit(column)
        related = [order.id for order in working if not order.opens]
        raise refusals.insufficient_quantity(self._universe.symbols[column], requested, existing, held, related)

    def check_short(self, column: int, whole: bool) -> None:
        """Refuse a short sale that the account, or the share, is not made for."""
        settings = self._settings
        if not whole:
            raise refusals.unprocessable("fractional orders cannot be sold short")
        rich_enough = self.multiplier > 1 and self.equity_usd >= settings.margin_equity_min_usd
        if not (rich_enough and settings.shorting_enabled):
            raise refusals.short_sale(rich_enough, settings.margin_equity_min_usd)
        symbol = self._universe.symbols[column]
        if not settings.borrowable(symbol):
            raise refusals.hard_to_borrow(symbol)

    def short_reserve_usd(self, column: int, price: Decimal) -> Decimal:
        """What a share sold short at that price takes of the buying power: its price, or twice its margin."""
        return 2 * self._maintenance.short_initial(column, Decimal(1), price)

    # While an order works.

    def hold(self, order: BrokerOrder) -> None:
        """Set aside what the order may need."""
        if order.opens:
            self.reserved_usd += order.reserve_price_usd * order.remaining
        else:
            self._held_for_exit[order.column] = self.held_for_exit(order.column) + order.remaining

    def release(self, order: BrokerOrder, quantity: Decimal) -> None:
        """Give back what `quantity` shares of the order held."""
        if order.opens:
            self.reserved_usd -= order.reserve_price_usd * quantity
        else:
            self._held_for_exit[order.column] -= quantity

    # After a fill. Quantities are unsigned, as the order's.

    def opened(self, order: BrokerOrder, quantity: Decimal, price: Decimal, value: Decimal, at_ns: int) -> None:
        """A long or a short position has come to be, or has grown."""
        column, signed = order.column, quantity if order.buys else -quantity
        fill = Filled(order, signed, value, self.quantity(column), self.cash_usd, at_ns)
        holding = self.holdings.get(column)
        if holding is None:
            self.holdings[column] = holding = Holding(signed, price)
            if not order.buys:
                self._short.add(column)
        else:
            total = abs(holding.quantity) + quantity
            holding.average_usd = (holding.average_usd * abs(holding.quantity) + value) / total
            holding.quantity += signed
        self._booked(order, quantity, price, value)
        self.regime.filled(fill)
        if self.cash_usd < 0 or self._short:  # Without a debit or a short no limit of the account can be broken.
            self._check_margin(order.symbol, at_ns)

    def closed(self, order: BrokerOrder, quantity: Decimal, price: Decimal, value: Decimal, at_ns: int) -> None:
        """A position has become smaller, or is over."""
        column, signed = order.column, quantity if order.buys else -quantity
        before = self.quantity(column)
        fill = Filled(order, signed, value, before, self.cash_usd, at_ns)
        left = before + signed
        if left and left * signed > 0:
            kind = "cover_without_position" if order.buys else "sell_without_position"
            self.violation(at_ns, kind, order.symbol, f"{quantity} to be closed, {abs(before)} held")
        if left:
            self.holdings.setdefault(column, Holding(left, price)).quantity = left
        else:
            del self.holdings[column]
        (self._short.add if left < 0 else self._short.discard)(column)
        self._booked(order, quantity, price, value)
        self.regime.filled(fill)

    def _booked(self, order: BrokerOrder, quantity: Decimal, price: Decimal, value: Decimal) -> None:
        self.cash_usd += -value if order.buys else value
        self._shares[order.column] = float(self.quantity(order.column))
        self.last_usd[order.column] = float(price)
        self.fees.add(order.buys, quantity, value)

    def _check_margin(self, symbol: str, at_ns: int) -> None:
        if self.multiplier == 1:
            if self.cash_usd < 0:
                self.violation(at_ns, "negative_cash", symbol, f"cash is {self.cash_usd:.2f} USD")
            return
        if self._room_usd(self._estimated_exposure()) > _NEAR_USD:
            return
        held = self._exposure(self.values_usd())
        gross = held.long + held.short
        if gross / self.multiplier - held.equity > self._settings.small_usd(held.equity):
            text = f"positions of {gross:.2f} USD on equity of {held.equity:.2f} USD at multiplier {self.multiplier}"
            self.violation(at_ns, "leverage", symbol, text)

    def _room_usd(self, held: Exposure[float]) -> float:
        """How far the account is from its leverage."""
        return self.multiplier * held.equity - held.long - held.short

    def violation(self, at_ns: int, kind: str, symbol: str, text: str) -> None:
        """Write down that a rule was broken."""
        self.violations.append(Violation(at_ns=at_ns, kind=kind, symbol=symbol, text=text))
