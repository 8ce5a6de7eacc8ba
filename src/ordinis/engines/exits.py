"""Leaving: whose owner wants out, and whether it may go now. Limits never stand in the way."""

from __future__ import annotations

from collections.abc import Sequence

from ordinis.domain.decision import Assessment, Reason
from ordinis.domain.orders import Purpose
from ordinis.engines.state import Draft, State

_EXIT = Purpose.EXIT
_SENT = Reason.SENT


def exits(state: State, draft: Draft, daily_leavers: Sequence[int] | None) -> None:
    """Send the exits of this minute. `daily_leavers` replaces the minute's votes where the tier says so."""
    if daily_leavers is not None:
        leavers: Sequence[int] = [column for column in daily_leavers if _held_overnight(state, column)]
    elif draft.minutes.has_exit[draft.row]:
        signals, row = draft.minutes.signals, draft.row
        covers = None if signals.covers is signals.exits else signals.covers[:, row]
        leavers = state.columns.leavers(signals.exits[:, row], covers)
    else:
        return
    for column in leavers:
        symbol = state.universe.symbols[column]
        if not state.desk.may_exit(symbol, draft.at_ns):
            continue
        if state.columns.sessions_held(column) < state.tier.hold_sessions:
            draft.reasons[column] = Reason.HOLD
        else:
            leave(state, draft, column, symbol)


def close_all(state: State, draft: Draft) -> None:
    """A person's word outranks a strategy's: every position that is not leaving yet leaves now."""
    for symbol in sorted(state.ledger.holdings):
        if state.desk.may_exit(symbol, draft.at_ns):
            leave(state, draft, state.universe.column[symbol], symbol)


def _held_overnight(state: State, column: int) -> bool:
    """The last close's vote was about the position of that close, not about one opened since."""
    return bool(state.ledger.quantity[column]) and state.columns.sessions_held(column) > 0


def leave(state: State, draft: Draft, column: int, symbol: str) -> None:
    """Close the position, and say so."""
    holding = state.ledger.holdings[symbol]
    client_order_id, sent = state.desk.leave(symbol, holding.quantity, draft.at_ns)
    draft.actions += sent
    draft.assessments.append(
        Assessment(
            symbol=symbol,
            purpose=_EXIT,
            strategy=holding.strategy,
            score=None,
            confidence=None,
            price_usd=draft.minutes.marks.item(draft.row, column),
            size=None,
            verdict=state.guard.reduce(abs(holding.quantity)),
            client_order_id=client_order_id,
        )
    )
    draft.reasons[column] = _SENT
    state.refresh(symbol)
