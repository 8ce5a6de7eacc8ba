"""Leaving: whose owner wants out, and whether it may go now. Limits never stand in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from ordinis.domain.decision import Assessment, Reason
from ordinis.domain.market import MINUTE_NS, BoolArray
from ordinis.domain.orders import Purpose
from ordinis.engines.compliance.overnight import Closable, to_close
from ordinis.engines.state import Draft, State

_EXIT: Final = Purpose.EXIT
_SENT: Final = Reason.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class DayVotes:
    """Whose owner wanted out at the last close, as columns. Before the first there are none."""

    leavers: Sequence[int]
    of_their_own: Sequence[int]  # Those among them whose owner leaves on daily bars in every tier.
    by_minute: BoolArray | None  # [strategies x 1]: who else has a say each minute; None where all have.
    given: bool  # Somebody looks at daily bars: swings leave by that.

    @classmethod
    def of(cls, state: State, votes: BoolArray, always: BoolArray, *, given: bool) -> Self:
        """`votes` is [strategies x symbols], `always` [strategies x 1]; `given`: somebody looks at daily bars."""
        return cls(
            leavers=state.columns.leavers(votes),
            of_their_own=state.columns.leavers(votes & always),
            by_minute=~always if always.any() else None,
            given=given,
        )


def exits(state: State, draft: Draft, day: DayVotes) -> None:
    """Send the exits of this minute. The day's votes replace the minute's where the tier or the strategy says so."""
    if state.tier.exits_on_daily_bars:
        leavers: Sequence[int] = _held_overnight(state, day.leavers)
    else:
        leavers = _leavers_now(state, draft, day.by_minute)
        if day.of_their_own:
            leavers = sorted([*leavers, *_held_overnight(state, day.of_their_own)])
        if day.given and state.columns.swing.any():
            leavers = _swings_by_day(state, leavers, day.leavers)
    for column in leavers:
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


def _swings_by_day(state: State, leavers: Sequence[int], by_day: Sequence[int]) -> list[int]:
    """Swings leave on daily bars, whatever the tier says."""
    swing = state.columns.swing
    others = {column for column in leavers if not swing[column]}
    return sorted(others | {column for column in _held_overnight(state, by_day) if swing[column]})


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
    waiting_usd = state.book.open_usd
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


def _leavers_now(state: State, draft: Draft, by_minute: BoolArray | None) -> list[int]:
    if not draft.minutes.has_exit[draft.row]:
        return []
    signals, row = draft.minutes.signals, draft.row
    exits, covers = signals.exits[:, row], None if signals.covers is signals.exits else signals.covers[:, row]
    if by_minute is not None:
        exits, covers = exits & by_minute, None if covers is None else covers & by_minute
    leavers = state.columns.leavers(exits, covers)
    return [column for column in leavers if not _opened_since(state, draft, column)] if state.exit_minutes else leavers


def _opened_since(state: State, draft: Draft, column: int) -> bool:
    """A slow bar's vote holds until the next one is complete; it is not about a position opened in between."""
    holding = state.ledger.holdings[state.universe.symbols[column]]
    step_ns = state.exit_minutes.get(holding.strategy, 0) * MINUTE_NS
    if not step_ns:
        return False
    open_ns = draft.minutes.block.session.open_ns
    return holding.opened_at_ns >= open_ns + (draft.at_ns - open_ns) // step_ns * step_ns


def _held_overnight(state: State, columns: Sequence[int]) -> list[int]:
    """The last close's vote was about the position of that close, not about one opened since."""
    return [one for one in columns if state.ledger.quantity[one] and state.columns.sessions_held(one) > 0]


def leave(state: State, draft: Draft, column: int, symbol: str, quantity: Decimal | None = None) -> None:
    """Close the position, or cut it by so many shares, unsigned; and say so."""
    holding = state.ledger.holdings[symbol]
    client_order_id, sent = state.desk.leave(symbol, holding.quantity, draft.at_ns, quantity)
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
            verdict=state.guard.reduce(abs(holding.quantity) if quantity is None else quantity),
            client_order_id=client_order_id,
        )
    )
    draft.reasons[column] = _SENT
    state.refresh(symbol)
