"""Our ledger equals the exchange's own books at every minute, whatever is traded."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import ActionKind, CashFlow, CorporateAction, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.domain.money import price_usd
from ordinis.engines.trading import TradingEngine
from ordinis.runtime.loop import trade
from simulation import random_runs
from simulation.worlds import Tale

worlds = st.fixed_dictionaries(
    {
        "cash_usd": st.sampled_from([900, 14_999, 50_000, 400_000]),
        "multiplier": st.sampled_from([1, 2, 4]),
        "fill_model": st.sampled_from(FillModel),
        "participation_max": st.sampled_from([0.0, 0.1]),
        "fractionable": st.booleans(),
        "protect": st.booleans(),
        "throttled": st.booleans(),
        "leverage": st.sampled_from([1.0, 1.5]),
        "fixed_percent": st.sampled_from([0.05, 0.25, 0.6]),
        "shorts": st.booleans(),
    }
)


class Auditor:
    """Compares both books after every event that finds nothing under way between them."""

    def __init__(self, engine: TradingEngine, exchange: Exchange) -> None:
        self.engine, self.exchange = engine, exchange
        self.marks = dict.fromkeys(engine.state.universe.symbols, Decimal(0))
        self.audits = 0
        self.overnight_usd = Decimal(0)  # What the equity of the close becomes by itself.
        self.held: dict[str, Decimal] = {}
        self.rounded = 0  # Payments to the cent for what was worth more digits.

    def __call__(self, event: Event, decision: Decision) -> None:
        if isinstance(event, CashFlow):
            self.paid(event)
        if isinstance(event, CorporateAction):
            self.acted(event)
        if isinstance(event, SessionPhase) and event.phase is Phase.CLOSED:
            self.overnight_usd, self.rounded = Decimal(0), 0
            self.held = {symbol: one.quantity for symbol, one in self.engine.state.ledger.holdings.items()}
        if isinstance(event, OrderUpdate | CashFlow | CorporateAction):
            return  # The exchange is ahead of what we have been told.
        if isinstance(event, AccountView) and self.engine.state.ledger.cash_usd:
            assert event.last_equity_usd is not None
            change_usd = event.equity_usd - event.last_equity_usd - self.overnight_usd
            shares_usd = sum(self.marks.values(), Decimal(0)) / 10**9  # A share has nine decimals.
            assert abs(change_usd) <= Decimal("0.005") * self.rounded + shares_usd
        if isinstance(event, MarketSlice):
            for column, symbol in enumerate(event.universe.symbols):
                if event.present[column]:
                    self.marks[symbol] = price_usd(event.close[column])
        if not self.engine.state.ledger.cash_usd:
            return  # Before the first look at the account.
        self.compare(self.exchange.account().equity_usd)
        if isinstance(event, MarketSlice):
            assert self.engine.state.book.equity_usd == pytest.approx(
                float(self.exchange.account().equity_usd), abs=1e-6
            )

    def paid(self, flow: CashFlow) -> None:
        """Cash for shares changes equity by what is rounded alone; any other does in full."""
        self.rounded += bool(flow.symbol)
        if flow.kind not in ("cash_in_lieu", "removal"):
            self.overnight_usd += flow.amount_usd

    def acted(self, action: CorporateAction) -> None:
        """A removal changes equity as far as it pays another price than the last one."""
        mark = self.marks[action.symbol] = price_usd(float(self.marks[action.symbol]) / float(action.ratio))
        held = self.held.get(action.symbol, Decimal(0))
        self.held[action.symbol] = action.shares_after(held)
        if action.kind is ActionKind.REMOVAL and held:
            self.overnight_usd += held * ((action.amount_usd or Decimal(0)) - mark)

    def compare(self, equity_usd: Decimal) -> None:
        ledger, account = self.engine.state.ledger, self.exchange.account()
        held = {symbol: holding.quantity for symbol, holding in ledger.holdings.items()}
        assert ledger.cash_usd == account.cash_usd
        assert held == {position.symbol: position.quantity for position in account.positions}
        assert ledger.cash_usd + sum(shares * self.marks[symbol] for symbol, shares in held.items()) == equity_usd
        self.audits += 1


def audited(seed: int, chosen: dict[str, Any]) -> tuple[Tale, Exchange, Auditor]:
    told = random_runs.actions(seed)
    engine, exchange = random_runs.engine(chosen), random_runs.exchange(chosen, told)
    auditor = Auditor(engine, exchange)
    tale = Tale(random_runs.UNIVERSE, auditor)
    blocks = random_runs.traded(random_runs.bars(seed, shorts=chosen["shorts"]), told)
    market = SimulatedMarket(exchange, blocks)
    trade(engine, market, SimulatedBroker(exchange), tale, lambda: False)
    return tale, exchange, auditor


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), chosen=worlds)
def test_our_ledger_equals_the_exchange_s_books_at_every_minute(seed: int, chosen: dict[str, Any]) -> None:
    _, exchange, auditor = audited(seed, chosen)
    assert auditor.audits >= random_runs.SESSIONS * random_runs.MINUTES
    assert exchange.violations == []


def test_such_runs_trade_in_every_way_that_matters() -> None:
    """Otherwise the property above would prove little."""
    seen: Counter[str] = Counter()
    for seed in range(5):
        for whole in (True, False):
            tale, exchange, _ = audited(seed, {**random_runs.PLAIN, "fractionable": not whole, "shorts": True})
            for event, decision in tale.steps:
                if isinstance(event, CashFlow):
                    seen[event.kind] += 1
                elif isinstance(event, CorporateAction):
                    seen[f"{event.kind.value} with orders to follow"] += bool(decision.actions)
                elif isinstance(event, OrderUpdate):
                    seen[event.status.value] += 1
                    if event.fill is not None:
                        seen["fill"] += 1
                        seen["stop"] += "stop" in event.client_order_id
                        seen["fraction"] += event.fill.quantity % 1 != 0
            seen["short"] += sum(order.opens and not order.buys for order in exchange.orders)
            seen["cover"] += sum(
                order.buys and not order.opens and order.filled_quantity > 0 for order in exchange.orders
            )
            assert exchange.violations == []
    assert not seen["rejected"]
    night = ("dividend", "cash_in_lieu", "removal", "split with orders to follow")
    orders = ("fill", "stop", "fraction", "partially_filled", "filled", "canceled", "expired", "held", "short", "cover")
    assert {name: seen[name] for name in night if seen[name] < 2} == {}
    expected = ("fee", *orders)
    assert {name: seen[name] for name in expected if seen[name] < 5} == {}
