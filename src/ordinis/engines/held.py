"""A holding looked at as if it were asked for now: how sure of it one is, and what its size would be."""

from __future__ import annotations

import numpy as np

from ordinis.engines.entries import known
from ordinis.engines.portfolio.candidate import Candidate
from ordinis.engines.prospects import Prospects
from ordinis.engines.state import Draft, State


def held_confidence(state: State, draft: Draft, column: int) -> float:
    """As sure as its strategy was when it was opened, or is now where it would be opened again; NaN: neither."""
    opened: float = state.entry_confidence.item(column)
    signals, row = draft.minutes.signals, draft.row
    again = signals.direction.item(row, column) * state.ledger.quantity.item(column) > 0
    return float(np.fmax(opened, signals.confidence.item(row, column))) if again else opened


def as_candidate(state: State, draft: Draft, column: int, prospects: Prospects | None) -> Candidate:
    """What sizing may look at of a symbol that is held, or asked for by a signal."""
    minutes, row = draft.minutes, draft.row
    signals, symbol = minutes.signals, state.universe.symbols[column]
    direction: int = signals.direction.item(row, column)
    holding = state.ledger.holdings.get(symbol)
    if holding is None:
        sure: float = signals.confidence.item(row, column)
        strategy = signals.strategies[signals.strategy.item(row, column)]
    else:
        direction, sure = 1 if holding.quantity > 0 else -1, held_confidence(state, draft, column)
        strategy = holding.strategy
    evidence = state.by_strategy.evidence(strategy)
    volatility: float = minutes.volatility.item(column)
    distance: float = signals.stop_distance.item(row, column)
    return Candidate(
        symbol,
        minutes.marks.item(row, column),
        known(sure),
        evidence.win_rate,
        evidence.payoff,
        evidence.trades,
        known(volatility),
        minutes.correlation,
        state.sizer.stop_distance(known(distance)),
        1.0,
        True,  # Weights, not shares, are asked for.
        None if prospects is None else prospects.optimal_weight(column, direction),
    )
