"""What a corporate action does to our books, before the session opens.

A split changes shares, prices and stops, and no money. A symbol that is traded no more is out of the book at
what was paid for it. A dividend has come as cash, and belongs to the position's result already.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ordinis.domain.decision import NOTHING, Decision, Reason
from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.domain.orders import Action
from ordinis.engines import aftermath
from ordinis.engines.columns import pack_changes
from ordinis.engines.ledger import ZERO
from ordinis.engines.state import State

_SPLIT, _DIVIDEND = ActionKind.SPLIT, ActionKind.DIVIDEND


def take(state: State, action: CorporateAction) -> Decision:
    """The books in the new terms, the orders that have to follow, and a word to a person about what is held."""
    symbol = action.symbol
    before = state.ledger.held(symbol)
    trip = state.ledger.apply_action(action)
    if action.kind is _DIVIDEND:
        return Decision(notes=(f"{symbol}: {action.text}",)) if before else NOTHING
    column = state.universe.column[symbol]
    if trip is not None:
        aftermath.closed(state, trip, column)
    changes = b"" if action.kind is _SPLIT else _removed(state, symbol, column)
    orders = _orders(state, action)
    state.refresh(symbol)
    notes = _notes(state, action, before) if before or changes else ()
    return Decision(actions=tuple(orders), changes=changes, notes=notes) if orders or changes or notes else NOTHING


def _orders(state: State, action: CorporateAction) -> list[Action]:
    """A position that is gone, by fractions paid or by removal, needs no orders."""
    if action.kind is _SPLIT:
        return state.desk.split(action.symbol, action.ratio, state.ledger.held(action.symbol), action.at_ns)
    return state.desk.forget(action.symbol, action.at_ns)


def _removed(state: State, symbol: str, column: int) -> bytes:
    state.removed.add(symbol)
    state.columns.last[column] = Reason.REMOVED
    return pack_changes(np.array([column]), state.columns.last)


def _notes(state: State, action: CorporateAction, before: Decimal) -> tuple[str, ...]:
    symbol, after = action.symbol, state.ledger.held(action.symbol)
    said = f"{symbol}: {action.text}"
    if before == after == ZERO:
        return (said,)
    stop_usd = state.desk.of(symbol).stop_usd if after else None
    stop = "" if stop_usd is None else f", stop at {stop_usd} USD"
    return (f"{said}; {before:f} shares became {after:f}{stop}",)
