"""Additions in random runs: whatever is added, the position, the slots and the book keep their caps."""

from __future__ import annotations

from typing import Any

import pytest

from ordinis.domain.decision import Decision
from ordinis.domain.events import Event
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import OrderIntent, Side
from ordinis.engines.execution.ids import ADD, leg_of
from ordinis.engines.trading import TradingEngine
from simulation import random_runs
from simulation.worlds import play

HAIR = 1 + 1e-9
CHOICES: dict[str, dict[str, Any]] = {
    "fractions": {"leverage": 1.5},
    "whole shares": {"fractionable": False, "participation_max": 0.02},
    "short sales": {"shorts": True},
    "a cash account": {"multiplier": 1},
    "without stops": {"protect": False, "leverage": 1.5, "fixed_percent": 0.35},
}


class Caps:
    """Looks at the book after every minute in which something is added."""

    def __init__(self, engine: TradingEngine) -> None:
        self.additions = 0
        self._engine = engine

    def __call__(self, event: Event, decision: Decision) -> None:
        sent = [one for one in decision.actions if isinstance(one, OrderIntent)]
        added = [one for one in (*decision.held_back, *sent) if leg_of(one.client_order_id) == ADD]
        if not added or not isinstance(event, MarketSlice):
            return
        self.additions += len(added)
        state = self._engine.state
        book, sizing = state.book, state.tier.sizing
        assert book.gross_usd + book.open_usd <= book.equity_usd * sizing.max_portfolio_leverage * 0.9 * HAIR
        for one in added:
            held = state.ledger.held(one.symbol)
            assert (held > 0) == (one.side is Side.BUY)
            usd = float(abs(held) + one.quantity) * book.marks_usd.item(state.universe.column[one.symbol])
            assert usd <= sizing.max_position_pct * book.equity_usd * HAIR
        assert len(state.ledger.holdings) <= sizing.max_positions


@pytest.mark.parametrize("name", CHOICES)
def test_a_position_that_is_added_to_keeps_its_cap_and_the_book_its_buffer(name: str) -> None:
    additions = 0
    for seed in (1, 2, 3):
        chosen = {**random_runs.PLAIN, "adds": True, **CHOICES[name]}
        engine, other_side = random_runs.engine(chosen), random_runs.exchange(chosen)
        caps = Caps(engine)
        play(engine, other_side, random_runs.bars(seed, shorts=chosen["shorts"]), watch=caps)
        assert other_side.violations == []
        additions += caps.additions
    assert additions >= 5
