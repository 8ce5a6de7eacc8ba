"""What the broker has and our book has not: shares are booked as it has them, orders of other hands are gone by.

Nothing here decides what is adopted: a reconciliation says so, and is an event like any other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ordinis.domain import money
from ordinis.domain.events import BookCorrection, Reconciliation
from ordinis.domain.orders import Purpose
from ordinis.domain.standing import StandingOrder
from ordinis.engines.state import State

_ENTRY: Final = Purpose.ENTRY


def reconciled(state: State, event: Reconciliation) -> list[str]:
    """Take its findings in: shares first, then cash, then orders. In words."""
    if event.foreign is not None:
        state.ledger.leave_alone(event.foreign)
    notes = [note for one in event.corrections for note in _correct(state, one, event.at_ns)]
    if event.cash_usd is not None:
        notes += _settle_cash(state, event.cash_usd)
    notes += [_adopt(state, one) for one in event.adopted]
    return notes + state.gate.books.reconciled(event.differences, corrected=bool(event.corrections))


def tier_stop_usd(state: State, price_usd: Decimal, quantity: Decimal) -> Decimal | None:
    """Of a position that nobody's strategy asked for: the tier's own distance holds. `quantity` is signed."""
    distance = state.sizer.stop_distance(None) if state.desk.protects else None
    if distance is None:
        return None
    if quantity < 0:
        return money.stop_above(float(price_usd) * (1.0 + distance))
    return money.stop_below(float(price_usd) * (1.0 - distance))


def _correct(state: State, correction: BookCorrection, at_ns: int) -> list[str]:
    """Shares are booked as the broker has them; a position that this opens is under the tier's stop.

    To the account's rules it is a trade of other hands.
    """
    symbol, column = correction.symbol, state.universe.column[correction.symbol]
    opens = symbol not in state.ledger.holdings
    if opens:
        state.desk.of(symbol).stop_usd = tier_stop_usd(state, correction.price_usd, correction.quantity)
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


def _settle_cash(state: State, cash_usd: Decimal) -> list[str]:
    """Shares that were there before us have cost nothing of the cash that we began with."""
    difference = cash_usd - state.ledger.cash_usd
    if not difference:
        return []
    state.ledger.begin(cash_usd)
    state.gate.cash_found(difference)
    return [f"cash is {cash_usd} USD, as the broker has it"]


def _adopt(state: State, order: StandingOrder) -> str:
    """One that opens takes a slot, buying power and what it may cost in day trades, as an entry of ours does."""
    symbol, column = order.symbol, state.universe.column[order.symbol]
    working = state.desk.adopt(order, state.ledger.held(symbol))
    if working.purpose is _ENTRY:
        price_usd = state.book.marks_usd.item(column) if order.price_usd is None else float(order.price_usd)
        name, quantity = order.client_order_id, float(order.quantity)
        state.book.commit(name, quantity, price_usd, column, working.direction)
        state.gate.slots.entry_sent(name, symbol, order.signed)
    state.refresh(symbol)
    assert order.side is not None, "a reconciliation adopts no order of an unknown side"
    assert order.type is not None, "nor one of an unknown kind"
    at = "" if order.price_usd is None else f" at {order.price_usd}"
    what = f"{order.side.value} {order.quantity:f} {order.type.value}{at}"
    return f"{symbol}: order {order.client_order_id} of other hands is gone by: {what}"
