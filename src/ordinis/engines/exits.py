"""Leaving: whose owner wants out, and whether it may go now. Limits never stand in the way."""

from __future__ import annotations

from collections.abc import Sequence

from ordinis.domain.decision import Assessment, Reason
from ordinis.domain.orders import Purpose
from ordinis.engines.compliance.overnight import Closable, to_close
from ordinis.engines.state import Draft, State

_EXIT = Purpose.EXIT
_SENT = Reason.SENT


def exits(state: State, draft: Draft, daily_leavers: Sequence[int] | None, *, by_day: bool) -> None:
    """Send the exits of this minute.

    Daily votes replace the minute's where the tier says so (`by_day`), and for positions entered as swings; without
    them (None) everybody goes by the minute.
    """
    for column in _leavers(state, draft, daily_leavers, by_day):
        symbol = state.universe.symbols[column]
        if not state.desk.may_exit(symbol, draft.at_ns):
            continue
        waits = state.gate.exit_objection(symbol)
        if state.columns.sessions_held(column) < state.hold_sessions(column):
            draft.reasons[column] = Reason.HOLD
        elif waits is not None:
            draft.reasons[column] = waits
        else:
            leave(state, draft, column, symbol)


def _leavers(state: State, draft: Draft, daily_leavers: Sequence[int] | None, by_day: bool) -> Sequence[int]:
    daily = [column for column in daily_leavers or () if _held_overnight(state, column)]
    if by_day:
        return daily
    votes = draft.minutes.has_exit[draft.row]
    now = state.columns.leavers(draft.minutes.signals.exits[:, draft.row]) if votes else []
    if daily_leavers is None or not state.columns.swing.any():
        return now
    swing = state.columns.swing
    return sorted([column for column in now if not swing[column]] + [column for column in daily if swing[column]])


def close_all(state: State, draft: Draft) -> None:
    """A person's word outranks a strategy's: every position that is not leaving yet leaves now.

    One without a day-trade slot leaves at the next open: the broker would refuse the sale.
    """
    for symbol in sorted(state.ledger.holdings):
        if symbol not in state.gate.slots.unprotected and state.desk.may_exit(symbol, draft.at_ns):
            leave(state, draft, state.universe.column[symbol], symbol)


def bring_down(state: State, draft: Draft) -> None:
    """Before the close: no more is held than overnight margin carries; what works and adds to it is taken back."""
    state.look_at_account(draft.at_ns)
    waiting_usd = state.book.open_buys_usd
    excess = state.gate.gross_usd + waiting_usd - state.gate.overnight_usd
    if excess <= 0.0:
        return
    draft.actions += state.desk.withdraw_entries(draft.at_ns)
    columns = to_close(_closable(state, draft), excess - waiting_usd)
    for column in columns:
        leave(state, draft, column, state.universe.symbols[column])
    if columns:
        names = ", ".join(state.universe.symbols[column] for column in columns)
        draft.notes.append(f"more is held than overnight margin carries, by {excess:,.2f} USD: {names} closed")


def _closable(state: State, draft: Draft) -> list[Closable]:
    return [
        Closable(
            column,
            abs(state.ledger.quantity.item(column)) * draft.minutes.marks.item(draft.row, column),
            state.entry_confidence.item(column),
            symbol in state.gate.opened,
            not state.desk.may_exit(symbol, draft.at_ns),
        )
        for symbol in state.ledger.holdings
        for column in [state.universe.column[symbol]]
    ]


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
            verdict=state.guard.reduce(holding.quantity),
            client_order_id=client_order_id,
        )
    )
    draft.reasons[column] = _SENT
    state.refresh(symbol)
