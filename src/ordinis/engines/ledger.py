"""Our book: fills and cash flows become positions, cash and closed round trips.

Money is Decimal and exact; `quantity` mirrors the positions as floats, a column a symbol, for estimates.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np

from ordinis.domain.account import Position
from ordinis.domain.events import CashFlow
from ordinis.domain.market import FloatArray, Universe
from ordinis.domain.orders import Fill

ZERO = Decimal(0)


class RoundTrip(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position from flat to flat. `pnl_usd` is before fees, which the broker charges by the day."""

    symbol: str
    strategy: str
    quantity: Decimal  # The most shares bought, unsigned.
    entry_price_usd: Decimal  # Average.
    exit_price_usd: Decimal  # Average.
    opened_at_ns: int
    closed_at_ns: int
    pnl_usd: Decimal
    risk_usd: Decimal  # What the stop would have cost when the position was opened; 0 without a stop.


class Holding:
    """One open position and what it took to get there."""

    __slots__ = ("bought", "bought_usd", "opened_at_ns", "quantity", "sold", "sold_usd", "stop_usd", "strategy")

    def __init__(self, opened_at_ns: int, strategy: str, stop_usd: Decimal | None) -> None:
        self.quantity = ZERO
        self.bought = ZERO
        self.bought_usd = ZERO
        self.sold = ZERO
        self.sold_usd = ZERO
        self.opened_at_ns = opened_at_ns
        self.strategy = strategy
        self.stop_usd = stop_usd

    @property
    def average_price_usd(self) -> Decimal:
        return self.bought_usd / self.bought

    def take(self, quantity: Decimal, notional_usd: Decimal) -> None:
        self.quantity += quantity
        if quantity > 0:
            self.bought += quantity
            self.bought_usd += notional_usd
        else:
            self.sold -= quantity
            self.sold_usd -= notional_usd

    def closed(self, symbol: str, at_ns: int) -> RoundTrip:
        risk = ZERO if self.stop_usd is None else self.bought_usd - self.stop_usd * self.bought
        return RoundTrip(
            symbol=symbol,
            strategy=self.strategy,
            quantity=self.bought,
            entry_price_usd=self.average_price_usd,
            exit_price_usd=self.sold_usd / self.sold,
            opened_at_ns=self.opened_at_ns,
            closed_at_ns=at_ns,
            pnl_usd=self.sold_usd - self.bought_usd,
            risk_usd=max(risk, ZERO),
        )


class Ledger:
    """Idempotent: a fill or a flow that was already taken in changes nothing."""

    def __init__(self, universe: Universe, cash_usd: Decimal = ZERO) -> None:
        self.universe = universe
        self.cash_usd = cash_usd
        self.fees_usd = ZERO
        self.holdings: dict[str, Holding] = {}
        self.quantity: FloatArray = np.zeros(len(universe))
        self.cash_float = float(cash_usd)
        self._seen: set[str] = set()
        self.foreign: dict[str, Decimal] = {}  # Shares at the broker that are not this book's, by the settings.

    def begin(self, cash_usd: Decimal) -> None:
        """The account's cash at the first look."""
        self.cash_usd = cash_usd
        self.cash_float = float(cash_usd)

    def equity(self, marks: FloatArray) -> float:
        """Cash and positions at these prices, USD: an estimate."""
        return self.cash_float + float(self.quantity @ marks)

    def knows(self, execution_id: str) -> bool:
        """Whether an execution, or a flow, was taken in before."""
        return execution_id in self._seen

    def apply_fill(self, fill: Fill, strategy: str = "", stop_usd: Decimal | None = None) -> RoundTrip | None:
        """Take a fill in; the round trip, where it closed one."""
        if fill.execution_id in self._seen:
            return None
        self._seen.add(fill.execution_id)
        notional_usd = fill.quantity * fill.price_usd
        self._move_cash(-notional_usd)
        holding = self.holdings.get(fill.symbol)
        if holding is None:
            holding = self.holdings[fill.symbol] = Holding(fill.filled_at_ns, strategy, stop_usd)
        holding.take(fill.quantity, notional_usd)
        self.quantity[self.universe.column[fill.symbol]] = float(holding.quantity)
        if holding.quantity:
            return None
        del self.holdings[fill.symbol]
        return holding.closed(fill.symbol, fill.filled_at_ns)

    def apply_cash(self, flow: CashFlow) -> None:
        if flow.id in self._seen:
            return
        self._seen.add(flow.id)
        self._move_cash(flow.amount_usd)
        if flow.kind == "fee":
            self.fees_usd -= flow.amount_usd

    def held(self, symbol: str) -> Decimal:
        holding = self.holdings.get(symbol)
        return ZERO if holding is None else holding.quantity

    def leave_alone(self, positions: tuple[Position, ...]) -> None:
        """Positions at the broker that are none of this book's business, all of them."""
        self.foreign = {one.symbol: one.quantity for one in positions}

    def differs_from(self, positions: tuple[Position, ...]) -> list[str]:
        """What a broker's list of positions says otherwise, a line each; empty when it agrees."""
        theirs = {one.symbol: one.quantity - self.foreign.get(one.symbol, ZERO) for one in positions}
        symbols = sorted(theirs.keys() | self.holdings.keys())
        return [
            f"{symbol}: our book holds {self.held(symbol)}, the broker {theirs.get(symbol, ZERO)}"
            for symbol in symbols
            if self.held(symbol) != theirs.get(symbol, ZERO)
        ]

    def _move_cash(self, amount_usd: Decimal) -> None:
        self.cash_usd += amount_usd
        self.cash_float = float(self.cash_usd)
