"""Recovery: what was recorded is taken in again, and what the broker has otherwise is put right.

An engine that has recalled its journal stands where the one that wrote it stood, whatever the settings say by now:
recorded decisions are applied, never made anew.
"""

from __future__ import annotations

from decimal import Decimal

from ordinis.domain import money
from ordinis.domain.decision import Assessment, Decision
from ordinis.domain.events import BookCorrection
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


def correct(state: State, correction: BookCorrection, at_ns: int) -> list[str]:
    """Shares are booked as the broker has them; a position that this opens is under the tier's stop. In words.

    To the account's rules it is a trade of other hands.
    """
    symbol, column = correction.symbol, state.universe.column[correction.symbol]
    opens = symbol not in state.ledger.holdings
    if opens and state.desk.protects:
        state.desk.of(symbol).stop_usd = _stop_usd(state, correction)
    fill = correction.as_fill(at_ns)
    state.ledger.apply_fill(fill, "", state.desk.of(symbol).stop_usd)
    notes = state.gate.filled(fill, correction.id, protective=False)
    held = state.ledger.held(symbol)
    if not held:
        state.columns.closed(column)
    elif opens:
        state.columns.opened(column, None, short=held < 0)
    state.desk.unprotected.add(symbol)  # In the next minute its stop fits what is held.
    state.refresh(symbol)
    return [
        f"{symbol}: {correction.quantity:+} shares booked as the broker has them, at {correction.price_usd}",
        *notes,
    ]


def _stop_usd(state: State, correction: BookCorrection) -> Decimal | None:
    """Nobody's strategy asked for it, so the tier's own distance holds."""
    distance = state.sizer.stop_distance(None)
    if distance is None:
        return None
    price_usd = float(correction.price_usd)
    if correction.quantity < 0:
        return money.stop_above(price_usd * (1.0 + distance))
    return money.stop_below(price_usd * (1.0 - distance))
