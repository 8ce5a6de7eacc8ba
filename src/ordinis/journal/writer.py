"""The one writer: every event with its decision, a row each, in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from ordinis.domain.decision import NOTHING, Decision
from ordinis.domain.errors import JournalError
from ordinis.domain.events import Event, Phase, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.journal.coding import KIND_OF, Kind, encode
from ordinis.journal.lock import take_writer_lock, this_process
from ordinis.journal.pages import PageEvent, Row, insert_pages
from ordinis.journal.reserve import Reserve
from ordinis.journal.schema import (
    WRITER_KEY,
    check_writable,
    is_full,
    migrate,
    read_meta,
    set_meta,
    translated,
)
from ordinis.journal.slices import SliceMarks, pack_bars

EVENTS_BUFFERED_MAX = 4096
_PHASE = int(Kind.PHASE)
_INSERT_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?)"
_INSERT_BARS = "INSERT INTO slices VALUES (?, ?)"


class Durability(Enum):
    """What `append` promises when it returns."""

    BATCH = "batch"  # A backtest: in memory until the session closes. A crash loses a session at most.
    FULL = "full"  # Real orders: on the disk.


_PRAGMAS = {
    # Many rows a commit: large pages are cheaper. NORMAL survives a crash of the program, and the file
    # stays readable after one of the machine. The page size takes effect in a new file only.
    Durability.BATCH: ("page_size = 16384", "journal_mode = WAL", "synchronous = NORMAL"),
    Durability.FULL: ("journal_mode = WAL", "synchronous = FULL"),
}


class SqliteJournal:
    """Implements `ports.Journal`. Readers may look on at any time; a second writer is refused.

    `meta` says what the run was: `symbols`, a JSON list in the order of the columns, is needed by the
    readers that name symbols. A FULL journal that holds events is continued; a BATCH journal starts
    empty. With `record_slices` the bars of every minute are kept beside the events.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        meta: Mapping[str, str],
        durability: Durability,
        record_slices: bool = False,
        reserve: Reserve | None = None,
    ) -> None:
        self.path = Path(path)
        self.record_slices = record_slices
        self._commit_each = durability is Durability.FULL
        self._marks = SliceMarks()
        self._reserve = reserve
        self._events: list[PageEvent] = []  # Of a batch, not written yet.
        self._bars: list[tuple[int, bytes]] = []
        self._lock = take_writer_lock(self.path)
        try:
            with translated(self.path):
                self._connection = _connect(self.path, durability)
                self._seq = _prepare(self._connection, self.path, meta, durability)
            if reserve is not None:
                reserve.take()
        except BaseException:
            self._release()
            raise

    def append(self, event: Event, decision: Decision) -> None:
        """Record one event and its answer. FULL: on the disk when this returns, or `JournalError`.

        After an error in FULL nothing of this event is kept, so the same call may be made again. In
        BATCH the error can be about earlier events too: the run is over.
        """
        kind = KIND_OF[type(event)]
        payload = self._marks.payload(event) if isinstance(event, MarketSlice) else event
        answer = None if decision is NOTHING or decision.empty else decision
        if self._commit_each:
            self._write(event, kind, payload, answer)
            return
        self._seq += 1
        if self.record_slices and isinstance(event, MarketSlice):
            self._bars.append((self._seq, pack_bars(event)))
        self._events.append((event.at_ns, kind, payload, answer))
        if len(self._events) >= EVENTS_BUFFERED_MAX or (kind == _PHASE and _ends_session(event)):
            self.flush()

    def _write(self, event: Event, kind: int, payload: object, decision: Decision | None) -> None:
        """One event, on the disk."""
        seq = self._seq + 1
        body = payload if isinstance(payload, bytes) else encode(payload)
        row: Row = (seq, event.at_ns, kind, body, None if decision is None else encode(decision))
        bars = pack_bars(event) if self.record_slices and isinstance(event, MarketSlice) else None
        try:
            self._insert(row, bars)
        except JournalError as error:
            if not is_full(error.__cause__) or self._reserve is None or not self._reserve.release():
                raise
            self._insert(row, bars)  # What the reserve is for: exits are written down to the end.
        self._seq = seq

    def _insert(self, row: Row, bars: bytes | None) -> None:
        with translated(self.path), _transaction(self._connection):
            self._connection.execute(_INSERT_EVENT, row)
            if bars is not None:
                self._connection.execute(_INSERT_BARS, (row[0], bars))

    @property
    def crowded(self) -> bool:
        """The disk was full and the reserve is given back: nothing may be opened any more."""
        return self._reserve is not None and self._reserve.released

    def flush(self) -> None:
        """Write what is buffered, all of it or, with a `JournalError`, none of it."""
        if not self._events:
            return
        with translated(self.path), _transaction(self._connection):
            insert_pages(self._connection, self._seq - len(self._events) + 1, self._events)
            self._connection.executemany(_INSERT_BARS, self._bars)
        self._events.clear()
        self._bars.clear()

    def close(self) -> None:
        """Write what is buffered and let others write. Closing twice is closing once."""
        if not self._lock.is_locked:
            return
        try:
            self.flush()
        finally:
            self._release()

    def _release(self) -> None:
        try:
            if hasattr(self, "_connection"):
                self._connection.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def make_folder(path: Path) -> None:
    """The folder that a journal is to stand in. Errors: JournalError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(
            f"{path}: its folder cannot be made ({error}). "
            "Name another file (--journal), or another folder (journal.dir)"
        ) from error


def discard(path: str | Path) -> None:
    """Remove a finished journal, for a run that takes its place. Refuses anything that is not a journal."""
    path = Path(path)
    if not path.exists():
        return
    lock = take_writer_lock(path)
    try:
        with translated(path):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                check_writable(connection, path)
            finally:
                connection.close()
        for name in (f"{path}-wal", f"{path}-shm", path):
            Path(name).unlink(missing_ok=True)
    finally:
        lock.release()


def _connect(path: Path, durability: Durability) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        check_writable(connection, path)
        for pragma in _PRAGMAS[durability]:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite takes some failures back by itself.
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, path: Path, meta: Mapping[str, str], durability: Durability) -> int:
    """Tables, version and meta in one transaction; returns the last seq."""
    with _transaction(connection):
        migrate(connection, path)
        last = _last_seq(connection)
        _check_continues(read_meta(connection), path, meta, durability, last)
        for key, value in meta.items():
            set_meta(connection, key, value)
        set_meta(connection, WRITER_KEY, this_process())
    return last


def _last_seq(connection: sqlite3.Connection) -> int:
    """Of the newest event, whether it stands in a row of its own or on a page; 0 for none."""
    (last,) = connection.execute(
        "SELECT max(coalesce((SELECT max(seq) FROM events), 0),"
        " coalesce((SELECT max(first_seq + count - 1) FROM pages), 0))"
    ).fetchone()
    return int(last)


def _check_continues(
    recorded: Mapping[str, str], path: Path, meta: Mapping[str, str], durability: Durability, last: int
) -> None:
    if not last:
        return
    if durability is Durability.BATCH:
        raise JournalError(f"{path} already holds {last} events of another run. Remove it, or name another file")
    if recorded.get("symbols") != meta.get("symbols"):
        raise JournalError(
            f"{path} was written for the symbols {recorded.get('symbols')}, this run has {meta.get('symbols')}:"
            " its columns would change their meaning. Name another file"
        )


def _ends_session(event: Event) -> bool:
    return isinstance(event, SessionPhase) and event.phase is Phase.CLOSED
