"""Our book: fills, cash flows and corporate actions become positions, cash and closed round trips.

Money is Decimal and exact; `quantity` mirrors the positions as floats, a column a symbol, for estimates.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np

from ordinis.domain.account import Position
from ordinis.domain.events import ActionKind, CashFlow, CorporateAction
from ordinis.domain.market import FloatArray, Universe
from ordinis.domain.money import FRACTION
from ordinis.domain.orders import Fill
from ordinis.engines.round_trip import RoundTrip

ZERO: Final = Decimal(0)
DIVIDEND = "dividend"  # The kind of a cash flow.


class Holding:
    """One open position and what it took to get there."""

    __slots__ = (
        "bought",
        "bought_usd",
        "income_usd",
        "opened_at_ns",
        "quantity",
        "sold",
        "sold_usd",
        "stop_usd",
        "strategy",
    )

    def __init__(self, opened_at_ns: int, strategy: str, stop_usd: Decimal | None) -> None:
        self.quantity = ZERO
        self.bought = ZERO
        self.bought_usd = ZERO
        self.sold = ZERO
        self.sold_usd = ZERO
        self.income_usd = ZERO
        self.opened_at_ns = opened_at_ns
        self.strategy = strategy
        self.stop_usd = stop_usd

    @property
    def average_price_usd(self) -> Decimal:
        """Of what opened it and added to it."""
        return self.sold_usd / self.sold if self.quantity < 0 else self.bought_usd / self.bought

    def take(self, quantity: Decimal, notional_usd: Decimal) -> None:
        self.quantity += quantity
        if quantity > 0:
            self.bought += quantity
            self.bought_usd += notional_usd
        else:
            self.sold -= quantity
            self.sold_usd -= notional_usd

    def earn(self, flow: CashFlow) -> None:
        """A dividend is income; anything else is paid for shares that the action after it takes away."""
        if flow.kind == DIVIDEND:
            self.income_usd += flow.amount_usd
        elif self.quantity > 0:
            self.sold_usd += flow.amount_usd
        else:
            self.bought_usd -= flow.amount_usd

    def transform(self, action: CorporateAction) -> None:
        """Shares become what the action makes of them; those it takes away have been paid for."""
        whole = self.quantity
        after = action.shares_after(whole)
        if action.kind is ActionKind.SPLIT:
            whole = (whole * action.ratio).quantize(FRACTION)
            self.bought = (self.bought * action.ratio).quantize(FRACTION)
            self.sold = (self.sold * action.ratio).quantize(FRACTION)
            self.stop_usd = None if self.stop_usd is None else self.stop_usd / action.ratio
        self.take(after - whole, ZERO)
        self.quantity = after

    def closed(self, symbol: str, at_ns: int, *, short: bool) -> RoundTrip:
        """What it came to, now that it is flat; `short`: it was until now."""
        shares, paid_usd = (self.sold, self.sold_usd) if short else (self.bought, self.bought_usd)
        back, back_usd = (self.bought, self.bought_usd) if short else (self.sold, self.sold_usd)
        at_stop_usd = paid_usd if self.stop_usd is None else self.stop_usd * shares
        risk = at_stop_usd - paid_usd if short else paid_usd - at_stop_usd
        return RoundTrip(
            symbol=symbol,
            strategy=self.strategy,
            quantity=shares,
            entry_price_usd=paid_usd / shares,
            exit_price_usd=back_usd / back,
            opened_at_ns=self.opened_at_ns,
            closed_at_ns=at_ns,
            pnl_usd=self.sold_usd - self.bought_usd + self.income_usd,
            risk_usd=max(risk, ZERO),
            short=short,
            income_usd=self.income_usd,
        )


class Ledger:
    """Idempotent: a fill or a flow that was already taken in changes nothing."""

    def __init__(self, universe: Universe, cash_usd: Decimal = ZERO) -> None:
        self.universe = universe
        self.cash_usd = cash_usd
        self.fees_usd = ZERO
        self.holdings: dict[str, Holding] = {}
        self.quantity: FloatArray = np.zeros(len(universe))  # Signed.
        self.shorts = 0  # How many holdings are short.
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

    def short_usd(self, marks: FloatArray) -> float:
        """What is sold short at these prices, USD, unsigned: an estimate."""
        return -float(np.minimum(self.quantity, 0.0) @ marks)

    def knows(self, execution_id: str) -> bool:
        """Whether an execution, or a flow, was taken in before."""
        return execution_id in self._seen

    def apply_fill(self, fill: Fill, strategy: str = "", stop_usd: Decimal | None = None) -> RoundTrip | None:
        """Take a fill in; the round trip, where it closed one.

        A fill that goes through zero closes one position and opens another.
        """
        if fill.execution_id in self._seen:
            return None
        self._seen.add(fill.execution_id)
        self._move_cash(-fill.quantity * fill.price_usd)
        held = self.held(fill.symbol)
        trip, quantity = None, fill.quantity
        if held * quantity < 0:
            reducing = -held if abs(quantity) > abs(held) else quantity
            trip, quantity = self._reduced(fill, reducing), quantity - reducing
        if quantity:
            self._increased(fill, quantity, strategy, stop_usd)
        self.quantity[self.universe.column[fill.symbol]] = float(held + fill.quantity)
        return trip

    def _increased(self, fill: Fill, quantity: Decimal, strategy: str, stop_usd: Decimal | None) -> None:
        holding = self.holdings.get(fill.symbol)
        if holding is None:
            holding = self.holdings[fill.symbol] = Holding(fill.filled_at_ns, strategy, stop_usd)
            self.shorts += quantity < 0
        holding.take(quantity, quantity * fill.price_usd)

    def _reduced(self, fill: Fill, quantity: Decimal) -> RoundTrip | None:
        holding = self.holdings[fill.symbol]
        holding.take(quantity, quantity * fill.price_usd)
        if holding.quantity:
            return None
        del self.holdings[fill.symbol]
        self.shorts -= quantity > 0
        return holding.closed(fill.symbol, fill.filled_at_ns, short=quantity > 0)

    def apply_cash(self, flow: CashFlow) -> None:
        if flow.id in self._seen:
            return
        self._seen.add(flow.id)
        self._move_cash(flow.amount_usd)
        if flow.kind == "fee":
            self.fees_usd -= flow.amount_usd
        holding = self.holdings.get(flow.symbol)
        if holding is not None:
            holding.earn(flow)

    def apply_action(self, action: CorporateAction) -> RoundTrip | None:
        """Take a corporate action in; the round trip, where it left nothing of a position."""
        if action.id in self._seen:
            return None
        self._seen.add(action.id)
        holding = self.holdings.get(action.symbol)
        if holding is None or action.kind is ActionKind.DIVIDEND:
            return None
        short = holding.quantity < 0
        holding.transform(action)
        self.quantity[self.universe.column[action.symbol]] = float(holding.quantity)
        if holding.quantity:
            return None
        del self.holdings[action.symbol]
        self.shorts -= short
        return holding.closed(action.symbol, action.at_ns, short=short)

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
