"""Reading a journal: one read-only connection, rows back into domain objects."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from ordinis.domain.decision import Decision
from ordinis.domain.errors import JournalError
from ordinis.domain.events import SessionPhase
from ordinis.domain.market import MarketSlice, Session, Universe
from ordinis.journal.coding import Kind, RecordedEvent, decode_decision, decode_event
from ordinis.journal.pages import Row, rows_of
from ordinis.journal.schema import check_readable, read_meta, translated
from ordinis.journal.slices import unpack_bars

_NO_DECISION = (-1).to_bytes(8, "little", signed=True)


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event and the answer to it. `seq` counts from 1 without a gap."""

    seq: int
    at_ns: int
    kind: Kind
    event: RecordedEvent
    decision: Decision


class JournalReader:
    """Looks on, and can do nothing else: the connection is read-only, also beside a running writer."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        with translated(path):
            self.meta = read_meta(connection)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The universe, in the order of the columns."""
        if "symbols" not in self.meta:
            raise JournalError(f"{self.path} does not name its symbols (meta 'symbols'): changes cannot be read")
        return tuple(json.loads(self.meta["symbols"]))

    def entries(self, kind: Kind | None = None) -> Iterator[JournalEntry]:
        """All events in order, or those of one kind."""
        for row in self.recorded():
            if kind is None or row[2] == kind:
                yield self._entry(*row)

    def recorded_slices(self) -> Iterator[MarketSlice]:
        """The minutes as they were decided on, where the run recorded them (`record_slices`)."""
        universe, session = Universe(self.symbols), None
        bars = iter(self._rows("SELECT seq, bars FROM slices ORDER BY seq"))
        next_bars = next(bars, None)
        for seq, at_ns, kind, payload, _ in self.recorded():
            if kind == Kind.PHASE:
                session = self._session(at_ns, payload)
            elif next_bars is not None and next_bars[0] == seq:
                if session is None:
                    raise JournalError(f"{self.path}: the minute at {at_ns} ns comes before any session has opened")
                yield unpack_bars(next_bars[1], at_ns, universe, session)
                next_bars = next(bars, None)

    def recorded(self) -> Iterator[Row]:
        """All events in order as they are kept: for a view that needs less than whole entries."""
        for first_seq, packed in self._rows("SELECT first_seq, events FROM pages ORDER BY first_seq"):
            yield from self._page(first_seq, packed)
        yield from self._rows("SELECT seq, at_ns, kind, payload, decision FROM events ORDER BY seq")

    def last(self) -> tuple[int, int] | None:
        """Number and time of the newest event, without reading the others; None where there is none."""
        newest = "SELECT seq, at_ns FROM events ORDER BY seq DESC LIMIT 1"
        found = next(self._rows(newest), None)
        return None if found is None else (int(found[0]), int(found[1]))

    def _page(self, first_seq: int, packed: bytes) -> Iterator[Row]:
        try:
            yield from rows_of(first_seq, packed)
        except msgspec.MsgspecError as error:
            raise not_understood(self.path, f"the page of event {first_seq}", error) from error

    def _rows(self, query: str) -> Iterator[Any]:
        """Who stops halfway may do so after the connection was closed: `chain` has no `close`; a cursor's raises."""
        with translated(self.path):
            yield from chain(self._connection.execute(query))

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _entry(self, seq: int, at_ns: int, kind: int, payload: bytes, decision: bytes | None) -> JournalEntry:
        try:
            return JournalEntry(
                seq=seq,
                at_ns=at_ns,
                kind=Kind(kind),
                event=decode_event(kind, at_ns, payload),
                decision=decode_decision(decision),
            )
        except (ValueError, msgspec.MsgspecError) as error:
            raise not_understood(self.path, f"event {seq}", error) from error

    def _session(self, at_ns: int, payload: bytes) -> Session:
        event = decode_event(Kind.PHASE, at_ns, payload)
        assert isinstance(event, SessionPhase)
        return event.session


def open_journal(path: str | Path) -> JournalReader:
    """A reader, to be closed or used in `with`. `JournalError` when there is no journal to read."""
    path = Path(path)
    if path.is_dir():
        raise JournalError(f"{path} is a folder, not a journal. Name the journal's file")
    if not path.is_file():
        raise JournalError(f"{path}: there is no such journal. Check the name, or run with --journal {path} first")
    with translated(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            check_readable(connection, path)
            return JournalReader(path, connection)
        except BaseException:
            connection.close()
            raise


def not_understood(path: Path, what: str, error: Exception) -> JournalError:
    return JournalError(
        f"{path}: {what} cannot be understood ({error}). Use the program version that wrote it, or a newer one"
    )


def digest(path: str | Path) -> str:
    """SHA-256 over kind, time, payload and decision of all events in order. Equal digests: the same journal."""
    total = hashlib.sha256()
    with open_journal(path) as journal:
        for _, at_ns, kind, payload, decision in journal.recorded():
            total.update(_framed(kind, at_ns, payload, decision))
    return total.hexdigest()


def _framed(kind: int, at_ns: int, payload: bytes, decision: bytes | None) -> bytes:
    """Each part behind its length, so that no two different rows read the same."""
    head = kind.to_bytes(8, "little") + at_ns.to_bytes(8, "little", signed=True)
    body = len(payload).to_bytes(8, "little") + payload
    tail = _NO_DECISION if decision is None else len(decision).to_bytes(8, "little") + decision
    return head + body + tail


def counts(path: str | Path) -> dict[str, int]:
    """How many events of each kind, by the kind's name; kinds without any are left out."""
    with open_journal(path) as journal:
        found = Counter(row[2] for row in journal.recorded())
    return {Kind(kind).name.lower(): found[kind] for kind in sorted(found)}
