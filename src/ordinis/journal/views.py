"""Small views of a journal, for reports and pages: each opens it, reads what it needs, and closes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Assessment, Decision, Reason
from ordinis.domain.events import CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.orders import Fill, OrderIntent
from ordinis.journal.coding import Kind, RecordedEvent, decode_decision, decode_event
from ordinis.journal.entries import JournalReader, not_understood, open_journal

_Event = TypeVar("_Event", bound=RecordedEvent)


class Assessed(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that reached sizing, and when."""

    seq: int
    at_ns: int
    assessment: Assessment


class ReasonChange(msgspec.Struct, frozen=True, kw_only=True):
    """From then on this was what kept the symbol from an order, or that nothing did."""

    seq: int
    at_ns: int
    symbol: str
    reason: Reason


class _ChangesOnly(msgspec.Struct):
    """A decision, of which only the packed changes are decoded."""

    changes: bytes = b""


_CHANGES_ONLY = msgspec.msgpack.Decoder(_ChangesOnly)


def unpack_changes(changes: bytes) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Columns and reasons, one of each a change, as `Decision.changes` packs them."""
    count = len(changes) // 3
    columns: NDArray[np.uint16] = np.frombuffer(changes, dtype="<u2", count=count)
    return columns, np.frombuffer(changes, dtype=np.uint8, offset=2 * count)


def decode_changes(decision: bytes) -> bytes:
    """The changes of a recorded decision, without decoding the rest."""
    return _CHANGES_ONLY.decode(decision).changes


def decisions_by_reason(path: str | Path) -> dict[str, int]:
    """How often a candidate came to each reason, by the reason's name, in order of precedence."""
    total = np.zeros(256, dtype=np.int64)
    with open_journal(path) as journal:
        for _, _, _, _, decision in journal.recorded():
            changes = decode_changes(decision) if decision is not None else b""
            if changes:
                total += np.bincount(unpack_changes(changes)[1], minlength=256)
    return {reason_of(path, number).name: int(total[number]) for number in np.flatnonzero(total).tolist()}


def reason_changes(path: str | Path, symbol: str | None = None) -> list[ReasonChange]:
    """Every change of a candidate's reason, in order."""
    found = []
    with open_journal(path) as journal:
        symbols = journal.symbols
        for seq, at_ns, decision in _answered(journal):
            columns, reasons = unpack_changes(decision.changes)
            for column, number in zip(columns.tolist(), reasons.tolist(), strict=True):
                if symbol in (None, symbols[column]):
                    reason = reason_of(path, number)
                    found.append(ReasonChange(seq=seq, at_ns=at_ns, symbol=symbols[column], reason=reason))
    return found


def assessments(path: str | Path, symbol: str | None = None) -> Iterator[Assessed]:
    """Every candidate that reached sizing, in order, one at a time: a long run has very many."""
    with open_journal(path) as journal:
        for seq, at_ns, decision in _answered(journal):
            for one in decision.assessments:
                if symbol in (None, one.symbol):
                    yield Assessed(seq=seq, at_ns=at_ns, assessment=one)


def orders(path: str | Path, symbol: str | None = None) -> list[OrderIntent]:
    """Every order that was decided, in order."""
    with open_journal(path) as journal:
        return [
            action
            for _, _, decision in _answered(journal)
            for action in decision.actions
            if isinstance(action, OrderIntent) and symbol in (None, action.symbol)
        ]


def updates(path: str | Path, symbol: str | None = None) -> list[OrderUpdate]:
    """All that the broker said of orders, in order."""
    return [update for update in _events(path, Kind.UPDATE, OrderUpdate) if symbol in (None, update.symbol)]


def fills(path: str | Path, symbol: str | None = None) -> list[Fill]:
    """All fills, in order of execution. For the order of each, see `updates`."""
    return [update.fill for update in updates(path, symbol) if update.fill is not None]


def fills_by_minute(path: str | Path) -> list[tuple[int, Fill]]:
    """All fills in order, each with the number of the first minute, from 0, that was decided with it in the book."""
    found: list[tuple[int, Fill]] = []
    minute = 0
    with open_journal(path) as journal:
        for entry in journal.entries():
            if entry.kind is Kind.SLICE:
                minute += 1
            elif isinstance(entry.event, OrderUpdate) and entry.event.fill is not None:
                found.append((minute, entry.event.fill))
    return found


def account_views(path: str | Path) -> list[AccountView]:
    """The broker's own figures, each time they were asked."""
    return _events(path, Kind.ACCOUNT, AccountView)


def cash_flows(path: str | Path) -> list[CashFlow]:
    """Money that moved without a trade."""
    return _events(path, Kind.CASH, CashFlow)


def position_events(path: str | Path) -> list[OrderUpdate | CashFlow | CorporateAction]:
    """All that can move a position, in order: what the broker said of orders, of symbols' money and of companies."""
    kinds = (Kind.UPDATE, Kind.CASH, Kind.CORPORATE)
    found: list[OrderUpdate | CashFlow | CorporateAction] = []
    with open_journal(path) as journal:
        for _, at_ns, kind, payload, _ in journal.recorded():
            event = decode_event(kind, at_ns, payload) if kind in kinds else None
            if isinstance(event, OrderUpdate | CashFlow | CorporateAction):
                found.append(event)
    return found


def notes(path: str | Path) -> list[tuple[int, str]]:
    """What a person should have seen: the time in UTC nanoseconds and the text."""
    with open_journal(path) as journal:
        return [(at_ns, note) for _, at_ns, decision in _answered(journal) for note in decision.notes]


def reason_of(path: str | Path, number: int) -> Reason:
    try:
        return Reason(number)
    except ValueError as error:
        raise not_understood(Path(path), f"reason {number}", error) from error


def _events(path: str | Path, kind: Kind, wanted: type[_Event]) -> list[_Event]:
    with open_journal(path) as journal:
        return [entry.event for entry in journal.entries(kind) if isinstance(entry.event, wanted)]


def _answered(journal: JournalReader) -> Iterator[tuple[int, int, Decision]]:
    for seq, at_ns, _, _, packed in journal.recorded():
        if packed is None:
            continue
        try:
            yield seq, at_ns, decode_decision(packed)
        except msgspec.MsgspecError as error:
            raise not_understood(journal.path, f"event {seq}", error) from error
