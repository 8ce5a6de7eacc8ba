"""What follows from an order's update: the books move first, then the desk says what the symbol needs."""

from __future__ import annotations

import numpy as np

from ordinis.domain.decision import NOTHING, Decision, Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import Fill, OrderStatus, Purpose
from ordinis.engines.columns import pack_changes
from ordinis.engines.ledger import RoundTrip
from ordinis.engines.performance.tracker import in_units_of_risk
from ordinis.engines.state import State


def follow(state: State, update: OrderUpdate) -> Decision:
    """Take an update in; orders may follow from it, a stop for what was filled among them."""
    if update.fill is not None:
        _filled(state, update, update.fill)
    state.book.follow(update)
    refused = update.status is OrderStatus.REJECTED
    changes = _refused(state, update) if refused else b""
    actions = state.desk.update(update, state.ledger.held(update.symbol))
    if update.status.final:
        _ended(state, update)
    state.refresh(update.symbol)
    if not (actions or refused):
        return NOTHING
    notes = (f"{update.symbol}: {update.client_order_id} refused: {update.error_code} {update.error_text}",)
    return Decision(actions=tuple(actions), notes=notes if refused else (), changes=changes)


def _filled(state: State, update: OrderUpdate, fill: Fill) -> None:
    symbol, column = update.symbol, state.universe.column[update.symbol]
    strategy = state.owner.get(update.client_order_id, "")
    opens = symbol not in state.ledger.holdings
    trip = state.ledger.apply_fill(fill, strategy, state.desk.of(symbol).stop_usd)
    state.slots.filled(symbol, "buy" if fill.quantity > 0 else "sell", abs(fill.quantity), update.client_order_id)
    if opens:
        state.entries_filled += 1
        state.columns.opened(column, state.strategies.index(strategy) if strategy else None)
    if state.tier.cooldown_minutes:
        state.columns.cool_down(column, update.at_ns + state.tier.cooldown_minutes * MINUTE_NS)
    if trip is not None:
        _closed(state, trip, column)


def _closed(state: State, trip: RoundTrip, column: int) -> None:
    state.columns.closed(column)
    state.slots.entry_over(trip.symbol)
    state.trips.append(trip)
    entry_usd, exit_usd = float(trip.entry_price_usd), float(trip.exit_price_usd)
    state.by_strategy.update_trade_result(trip.strategy, in_units_of_risk(trip), entry_usd, exit_usd)
    state.by_symbol.update_trade_result(trip.symbol, float(trip.pnl_usd), entry_usd, exit_usd)


def _refused(state: State, update: OrderUpdate) -> bytes:
    state.refused += 1
    column = state.universe.column[update.symbol]
    state.columns.last[column] = Reason.REFUSED_BY_BROKER
    return pack_changes(np.array([column]), state.columns.last)


def _ended(state: State, update: OrderUpdate) -> None:
    symbol = update.symbol
    state.owner.pop(update.client_order_id, None)
    orders = state.desk.of(symbol)
    if symbol not in state.ledger.holdings and orders.entry is None:
        state.slots.entry_over(symbol)
    again_at_ns = orders.free_at_ns(Purpose.ENTRY)
    if again_at_ns:
        state.columns.cool_down(state.universe.column[symbol], again_at_ns)
