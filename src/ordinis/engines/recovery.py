"""Recovery: what was recorded is taken in again, and what the broker has otherwise is put right.

An engine that has recalled its journal stands where the one that wrote it stood, whatever the settings say by now:
recorded decisions are applied, never made anew.
"""

from __future__ import annotations

from decimal import Decimal

from ordinis.domain import money
from ordinis.domain.decision import Assessment, Decision
from ordinis.domain.events import BookCorrection
from ordinis.domain.orders import Fill, OrderIntent, Purpose
from ordinis.engines.columns import read_changes
from ordinis.engines.entries import sent
from ordinis.engines.state import State


def recall(state: State, decision: Decision) -> None:
    """Apply a recorded decision to our own books: what it sent, what it left waiting, what it said of each symbol."""
    by_id = {one.client_order_id: one for one in decision.assessments if one.client_order_id is not None}
    for one in by_id.values():
        if one.purpose is Purpose.EXIT and one.client_order_id is not None:
            state.desk.recall_exit(one.symbol, one.client_order_id)
    for action in decision.actions:
        state.desk.recall(action)
        if isinstance(action, OrderIntent) and action.purpose is Purpose.ENTRY:
            _recall_entry(state, action, by_id[action.client_order_id])
    if decision.changes:
        columns, reasons = read_changes(decision.changes)
        state.columns.last = state.columns.last.copy()
        state.columns.last[columns] = reasons
    for symbol in {action.symbol for action in decision.actions} | {one.symbol for one in by_id.values()}:
        state.refresh(symbol)


def _recall_entry(state: State, intent: OrderIntent, told: Assessment) -> None:
    sent(state, intent, told.strategy, told.confidence, told.price_usd)


def correct(state: State, correction: BookCorrection, at_ns: int) -> str:
    """Shares are booked as the broker has them; a position that this opens is under the tier's stop. In words."""
    symbol, column = correction.symbol, state.universe.column[correction.symbol]
    opens = symbol not in state.ledger.holdings
    if opens and state.desk.protects:
        state.desk.of(symbol).stop_usd = _stop_usd(state, correction)
    fill = Fill(
        execution_id=correction.id,
        symbol=symbol,
        quantity=correction.quantity,
        price_usd=correction.price_usd,
        filled_at_ns=at_ns,
    )
    state.ledger.apply_fill(fill, "", state.desk.of(symbol).stop_usd)
    held = state.ledger.held(symbol)
    if not held:
        state.columns.closed(column)
    elif opens:
        state.columns.opened(column, None, short=held < 0)
    state.desk.unprotected.add(symbol)  # In the next minute its stop fits what is held.
    state.refresh(symbol)
    return f"{symbol}: {correction.quantity:+} shares booked as the broker has them, at {correction.price_usd}"


def _stop_usd(state: State, correction: BookCorrection) -> Decimal | None:
    """Nobody's strategy asked for it, so the tier's own distance holds."""
    distance = state.sizer.stop_distance(None)
    if distance is None:
        return None
    price_usd = float(correction.price_usd)
    if correction.quantity < 0:
        return money.stop_above(price_usd * (1.0 + distance))
    return money.stop_below(price_usd * (1.0 - distance))
