"""What follows from an order's update: the books move first, then the desk says what the symbol needs."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ordinis.domain.decision import NOTHING, Decision, Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import Fill, OrderStatus, Purpose
from ordinis.engines.columns import pack_changes
from ordinis.engines.ledger import RoundTrip
from ordinis.engines.performance.tracker import in_units_of_risk
from ordinis.engines.state import State

_REJECTED, _LAPSED = OrderStatus.REJECTED, OrderStatus.LAPSED
_ENTRY = Purpose.ENTRY


def follow(state: State, update: OrderUpdate) -> Decision:
    """Take an update in; orders may follow from it, a stop for what was filled among them."""
    if not _is_news(state, update):
        return NOTHING
    _book(state, update)
    actions = state.desk.update(update, state.ledger.held(update.symbol))
    changes = _over(state, update) if update.status.final else b""
    state.refresh(update.symbol)
    if not (actions or changes):
        return NOTHING
    return Decision(actions=tuple(actions), changes=changes, notes=_notes(state, update) if changes else ())


def recall(state: State, update: OrderUpdate) -> None:
    """Take an update in whose answer is recorded: nothing follows from it anew."""
    if _is_news(state, update):
        _book(state, update)
        state.desk.follow(update)
        if update.status.final:
            _over(state, update)


def _is_news(state: State, update: OrderUpdate) -> bool:
    if update.fill is None:
        return update.status.final  # Otherwise it stands at the broker: nothing in our books moves.
    return not state.ledger.knows(update.fill.execution_id)  # Otherwise it was told twice.


def _book(state: State, update: OrderUpdate) -> None:
    if update.fill is not None:
        _filled(state, update, update.fill)
    state.book.follow(update)


def _over(state: State, update: OrderUpdate) -> bytes:
    """Nothing more will happen to the order; the symbol's reason, where it came to nothing."""
    _ended(state, update, state.ledger.held(update.symbol))
    if update.status is _REJECTED:
        return _refused(state, update)
    return _came_to_nothing(state, update, Reason.LAPSED) if update.status is _LAPSED else b""


def _filled(state: State, update: OrderUpdate, fill: Fill) -> None:
    symbol, column = update.symbol, state.universe.column[update.symbol]
    if symbol in state.ledger.holdings:
        trip = state.ledger.apply_fill(fill)
    else:
        strategy = state.owner.get(update.client_order_id, "")
        trip = state.ledger.apply_fill(fill, strategy, state.desk.of(symbol).stop_usd)
        state.entries_filled += 1
        owner = state.strategies.index(strategy) if strategy else None
        state.columns.opened(column, owner, short=fill.quantity < 0)
    state.slots.filled(symbol, fill.quantity, update.client_order_id)
    if state.tier.cooldown_minutes:
        state.columns.cool_down(column, update.at_ns, state.tier.cooldown_minutes)
    if trip is not None:
        closed(state, trip, column)
        left = state.ledger.held(symbol)
        if left:  # It went through zero: what is there now is nobody's.
            state.columns.opened(column, None, short=left < 0)


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
    if update.status is _LAPSED:
        return (f"{update.symbol}: {update.client_order_id} was not sent in time and lapsed",)
    cause = "no reason given" if update.error_code is None else f"{update.error_code} {update.error_text}"
    said = f"{update.symbol}: {update.client_order_id} refused: {cause}"
    if not state.shut(update.symbol):
        return (said,)
    count = state.refusals[update.symbol]
    return (said, f"{update.symbol}: {count} refusals this session; no entries until the next one, or a person resumes")


def _ended(state: State, update: OrderUpdate, held: Decimal) -> None:
    symbol = update.symbol
    state.owner.pop(update.client_order_id, None)
    orders = state.desk.of(symbol)
    if not held and orders.entry is None:
        state.slots.entry_over(symbol)
    if _ENTRY in orders.backoff:
        state.columns.cool_down(state.universe.column[symbol], update.at_ns, orders.backoff[_ENTRY].minutes)
