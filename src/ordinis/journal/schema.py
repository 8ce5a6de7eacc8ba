"""The tables, how they came to be, and what SQLite's errors mean to a person.

`MIGRATIONS[n]` takes a journal from version n to n + 1; a new file is at version 0. A journal that
somebody has written is never edited by hand: append a migration, never change one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ordinis.domain.errors import JournalError

Migration = tuple[str, ...]

APPLICATION_ID = 0x4F52444E  # "ORDN", in the file's header: tells a journal from any other database.
VERSION_KEY = "schema_version"
WRITER_KEY = "writer"

_VERSION_1: Migration = (
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " payload BLOB NOT NULL, decision BLOB) STRICT",
    "CREATE TABLE slices (seq INTEGER PRIMARY KEY, bars BLOB NOT NULL) STRICT",
    "CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events"
    " BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END",
    "CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events"
    " BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END",
)
_VERSION_2: Migration = (
    "CREATE TABLE pages (first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, events BLOB NOT NULL) STRICT",
    "CREATE TRIGGER pages_are_never_changed BEFORE UPDATE ON pages"
    " BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END",
    "CREATE TRIGGER pages_are_never_removed BEFORE DELETE ON pages"
    " BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END",
)
MIGRATIONS: tuple[Migration, ...] = (_VERSION_1, _VERSION_2)


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a journal to the newest version, wholly or not at all. Inside the caller's transaction."""
    connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    version = _version(connection)
    if version > len(migrations):
        raise _too_new(path, version, len(migrations))
    for statements in migrations[version:]:
        for statement in statements:
            connection.execute(statement)
    set_meta(connection, VERSION_KEY, str(len(migrations)))


def check_readable(connection: sqlite3.Connection, path: Path, version_known: int = len(MIGRATIONS)) -> None:
    """A reader changes nothing, so it reads its own version only."""
    if not _is_journal(connection):
        raise JournalError(f"{path} is not a journal: it has none of a journal's tables. Name the journal's file")
    version = _version(connection)
    if version > version_known:
        raise _too_new(path, version, version_known)
    if version < version_known:
        raise JournalError(
            f"{path} has schema version {version}, this program reads {version_known}."
            " Open it once for writing (start a run on it), which brings it up to date"
        )


def check_writable(connection: sqlite3.Connection, path: Path) -> None:
    """Our tables go into a new file or into a journal, never into somebody else's database."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and not _is_journal(connection):
        raise JournalError(f"{path} is a database of something else, not a journal. Name another file")


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM meta ORDER BY key"))


def _is_journal(connection: sqlite3.Connection) -> bool:
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(found == APPLICATION_ID)


def _version(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (VERSION_KEY,)).fetchone()
    return 0 if row is None else int(row[0])


def _too_new(path: Path, version: int, version_known: int) -> JournalError:
    return JournalError(
        f"{path} has schema version {version}, this program knows {version_known} at most."
        " Use the program version that wrote it, or a newer one"
    )


_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full. Free some space and start again: what was recorded before is kept",
    sqlite3.SQLITE_READONLY: "the file is read-only. Make it and its folder writable, or name another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Check that its folder exists and that you may read and write there",
    sqlite3.SQLITE_NOTADB: "it is not a journal: not an SQLite file. Name the journal's file",
    sqlite3.SQLITE_CORRUPT: "it is damaged. Copy it, then save what is left: sqlite3 FILE .recover | sqlite3 NEW",
    sqlite3.SQLITE_BUSY: "another program has locked it. Close the program that has it open and try again",
    sqlite3.SQLITE_IOERR: "the disk does not read or write. Check its space and its health, then start again",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: which file, what is wrong, what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise journal_error(path, error) from error


def is_full(error: BaseException | None) -> bool:
    """Whether SQLite says that there is no room: to it a quota that is used up is a write that failed."""
    code = getattr(error, "sqlite_errorcode", 0) if isinstance(error, sqlite3.Error) else 0
    return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE


def journal_error(path: Path, error: sqlite3.Error) -> JournalError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # The primary code; the rest is SQLite's detail.
    return JournalError(f"{path}: {_REMEDIES.get(code, 'SQLite says')} ({error})")
