"""What follows from an order's update: the books move first, then the desk says what the symbol needs."""

from __future__ import annotations

from typing import Final

import numpy as np

from ordinis.domain.decision import NOTHING, Decision, Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import Fill, OrderStatus, Purpose
from ordinis.engines.adoption import tier_stop_usd
from ordinis.engines.columns import pack_changes
from ordinis.engines.commands import flattening
from ordinis.engines.performance.tracker import in_units_of_risk
from ordinis.engines.round_trip import RoundTrip
from ordinis.engines.state import State

_REJECTED: Final = OrderStatus.REJECTED
_LAPSED: Final = OrderStatus.LAPSED
_ENTRY: Final = Purpose.ENTRY
_PROTECT: Final = Purpose.PROTECT
_UNFILLED: Final = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


def follow(state: State, update: OrderUpdate) -> Decision:
    """Take an update in; orders may follow from it, a stop for what was filled among them."""
    if not _is_news(state, update):
        return NOTHING
    if update.symbol not in state.universe.column:
        return Decision(notes=tuple(_foreign(state, update)))
    said = _book(state, update)
    actions = state.desk.update(update, state.ledger.held(update.symbol))
    changes = _over(state, update) if update.status.final else b""
    state.refresh(update.symbol)
    notes = (*said, *_notes(state, update))
    return Decision(actions=tuple(actions), changes=changes, notes=notes) if actions or changes or notes else NOTHING


def recall(state: State, update: OrderUpdate) -> None:
    """Take an update in whose answer is recorded: nothing follows from it anew."""
    if not _is_news(state, update):
        return
    if update.symbol not in state.universe.column:
        _foreign(state, update)
        return
    _book(state, update)
    state.desk.follow(update)
    if update.status.final:
        _over(state, update)


def _is_news(state: State, update: OrderUpdate) -> bool:
    if update.fill is not None:
        return not state.ledger.knows(update.fill.execution_id)  # Otherwise it was told twice.
    ours = update.symbol in state.universe.column
    return ours and update.status.final  # Otherwise it stands at the broker: nothing in our books moves.


def _foreign(state: State, update: OrderUpdate) -> list[str]:
    """Somebody trades what we do not know: the rules count the whole account, so entries stop."""
    assert update.fill is not None
    text = f"a fill of {update.fill.quantity} {update.symbol} ({update.client_order_id}), which is not in the universe"
    return state.gate.doubt(text)


def _book(state: State, update: OrderUpdate) -> list[str]:
    """Our books move; what they and the rules say of it."""
    said = [] if update.fill is None else _filled(state, update, update.fill)
    state.book.follow(update)
    return said


def _over(state: State, update: OrderUpdate) -> bytes:
    """Nothing more will happen to the order; the symbol's reason, where it came to nothing."""
    state.gate.order_over(update.client_order_id)
    entered = state.owner.pop(update.client_order_id, None) is not None
    _ended(state, update)
    if update.status is _REJECTED:
        return _refused(state, update)
    if update.status is _LAPSED:
        return _came_to_nothing(state, update, Reason.LAPSED)
    unfilled = entered and update.status in _UNFILLED and not update.filled_quantity
    return _came_to_nothing(state, update, Reason.UNFILLED) if unfilled else b""


def _filled(state: State, update: OrderUpdate, fill: Fill) -> list[str]:
    """What the books and rules say of it."""
    symbol, column = update.symbol, state.universe.column[update.symbol]
    if symbol in state.ledger.holdings:
        trip = state.ledger.apply_fill(fill)
    else:
        strategy = state.owner.get(update.client_order_id, "")
        order = state.desk.working.get(update.client_order_id)
        foreign = order is not None and order.foreign
        if foreign:
            state.desk.of(symbol).stop_usd = tier_stop_usd(state, fill.price_usd, fill.quantity)
        trip = state.ledger.apply_fill(fill, strategy, state.desk.of(symbol).stop_usd)
        state.entries_filled += not foreign
        owner = state.strategies.index(strategy) if strategy else None
        state.columns.opened(column, owner, short=fill.quantity < 0)
    notes = _follow_rules(state, update, fill, column)
    cooldown_minutes = state.cooldown_minutes
    if cooldown_minutes:
        state.columns.cool_down(column, update.at_ns, cooldown_minutes)
    if trip is not None:
        closed(state, trip, column)
        left = state.ledger.held(symbol)
        if left:  # It went through zero: what is there now is nobody's.
            state.columns.opened(column, None, short=left < 0)
    return notes


def _follow_rules(state: State, update: OrderUpdate, fill: Fill, column: int) -> list[str]:
    """The account's rules take the fill in; one that opens or adds may have made a deficit."""
    order = state.desk.working.get(update.client_order_id)
    protective = flattening(state) or (order is not None and order.purpose is _PROTECT)
    notes = state.gate.filled(fill, update.client_order_id, protective=protective)
    quantity = state.ledger.quantity
    owes = state.ledger.cash_float < 0.0 or state.ledger.shorts
    if owes and quantity.item(column) * float(fill.quantity) > 0.0:
        marks = state.book.marks_usd.copy()
        marks[column] = float(fill.price_usd)
        notes += state.gate.reduced_level(quantity, marks, state.ledger.cash_float)
    return notes


def closed(state: State, trip: RoundTrip, column: int) -> None:
    """A position has ended: its result counts."""
    state.columns.closed(column)
    state.trips.append(trip)
    state.halts.trade_closed(float(trip.pnl_usd))
    state.by_strategy.record(trip.strategy, in_units_of_risk(trip))


def _refused(state: State, update: OrderUpdate) -> bytes:
    state.refused += 1
    state.refusals[update.symbol] += 1
    return _came_to_nothing(state, update, Reason.REFUSED_BY_BROKER)


def _came_to_nothing(state: State, update: OrderUpdate, reason: Reason) -> bytes:
    column = state.universe.column[update.symbol]
    state.columns.last[column] = reason
    return pack_changes(np.array([column]), state.columns.last)


def _notes(state: State, update: OrderUpdate) -> tuple[str, ...]:
    """A person hears of what was not sent, and of what was refused."""
    if update.status is not _REJECTED and update.status is not _LAPSED:
        return ()
    if update.status is _LAPSED:
        return (f"{update.symbol}: {update.client_order_id} was not sent in time and lapsed",)
    cause = "no reason given" if update.error_code is None else f"{update.error_code} {update.error_text}"
    said = f"{update.symbol}: {update.client_order_id} refused: {cause}"
    if not state.shut(update.symbol):
        return (said,)
    count = state.refusals[update.symbol]
    return (said, f"{update.symbol}: {count} refusals this session; no entries until the next one, or a person resumes")


def _ended(state: State, update: OrderUpdate) -> None:
    symbol = update.symbol
    orders = state.desk.of(symbol)
    if _ENTRY in orders.backoff:
        state.columns.cool_down(state.universe.column[symbol], update.at_ns, orders.backoff[_ENTRY].minutes)
