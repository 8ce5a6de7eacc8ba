"""Recovery: what was recorded is taken in again.

An engine that has recalled its journal stands where the one that wrote it stood, whatever the settings say by now:
recorded decisions are applied, never made anew.
"""

from __future__ import annotations

from ordinis.domain.decision import Assessment, Decision
from ordinis.domain.orders import OrderIntent, Purpose
from ordinis.engines.additions import added
from ordinis.engines.columns import read_changes
from ordinis.engines.entries import sent
from ordinis.engines.execution.ids import ADD, leg_of
from ordinis.engines.state import State


def recall(state: State, decision: Decision) -> None:
    """Apply a recorded decision to our own books: what it sent, what it left waiting, what it said of each symbol."""
    by_id = {one.client_order_id: one for one in decision.assessments if one.client_order_id is not None}
    for intent in decision.held_back:
        state.desk.hold_back(intent, state.ledger.held(intent.symbol))
        _recall_entry(state, intent, by_id[intent.client_order_id])
    for one in by_id.values():
        if one.purpose is Purpose.EXIT and one.client_order_id is not None:
            state.desk.recall_exit(one.symbol, one.client_order_id, one.verdict.quantity)
    for action in decision.actions:
        state.desk.recall(action)
        if isinstance(action, OrderIntent) and action.client_order_id in by_id:
            _recall_entry(state, action, by_id[action.client_order_id])
    if decision.changes:
        columns, reasons = read_changes(decision.changes)
        state.columns.last = state.columns.last.copy()
        state.columns.last[columns] = reasons
    for symbol in {action.symbol for action in decision.actions} | {one.symbol for one in by_id.values()}:
        state.refresh(symbol)


def _recall_entry(state: State, intent: OrderIntent, told: Assessment) -> None:
    if intent.purpose is not Purpose.ENTRY:
        return
    if leg_of(intent.client_order_id) == ADD:
        added(state, intent, told.strategy, told.price_usd)
    else:
        sent(state, intent, told.strategy, told.confidence, told.price_usd)
