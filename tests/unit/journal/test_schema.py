from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ordinis.domain.errors import JournalError
from ordinis.journal.reading import open_journal
from ordinis.journal.schema import MIGRATIONS, check_readable, migrate, read_meta, set_meta, translated
from ordinis.journal.writer import Durability, SqliteJournal

VERSION = len(MIGRATIONS)
ADDS_A_TABLE = ("CREATE TABLE later (value)", "INSERT INTO later VALUES (7)")
BREAKS = ("CREATE TABLE never (value)", "INSERT INTO nowhere VALUES (1)")


@pytest.fixture
def old(material: Any, record: Any) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """A journal of this version with a day in it, a row an event."""
    path = record(material.day(), durability=Durability.FULL)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield path, connection


def _migrate(connection: sqlite3.Connection, path: Path, *added: tuple[str, ...]) -> None:
    connection.execute("BEGIN")
    migrate(connection, path, [*MIGRATIONS, *added])
    connection.execute("COMMIT")


def test_an_older_journal_is_brought_up_to_date_with_its_events(old: tuple[Path, sqlite3.Connection]) -> None:
    path, connection = old
    _migrate(connection, path, ADDS_A_TABLE)
    assert connection.execute("SELECT value FROM later").fetchall() == [(7,)]
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (10,)
    assert read_meta(connection)["schema_version"] == str(len(MIGRATIONS) + 1)


def test_a_migration_runs_once(old: tuple[Path, sqlite3.Connection]) -> None:
    path, connection = old
    _migrate(connection, path, ADDS_A_TABLE)
    _migrate(connection, path, ADDS_A_TABLE)
    assert connection.execute("SELECT value FROM later").fetchall() == [(7,)]


def test_a_migration_that_fails_changes_nothing(old: tuple[Path, sqlite3.Connection]) -> None:
    path, connection = old
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        _migrate(connection, path, ADDS_A_TABLE, BREAKS)
    connection.execute("ROLLBACK")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert tables == {"events", "slices", "pages", "meta"}
    check_readable(connection, path)


def test_a_reader_of_a_newer_program_asks_for_the_older_journal_to_be_opened_once(
    old: tuple[Path, sqlite3.Connection],
) -> None:
    path, connection = old
    with pytest.raises(JournalError, match=rf"version {VERSION}, this program reads {VERSION + 1}. Open it once"):
        check_readable(connection, path, len(MIGRATIONS) + 1)


def _write(path: Path) -> None:
    SqliteJournal(path, meta={}, durability=Durability.FULL)


@pytest.mark.parametrize("use", [open_journal, _write])
def test_a_newer_journal_is_refused_by_readers_and_writers(
    old: tuple[Path, sqlite3.Connection], use: Callable[[Path], object]
) -> None:
    path, connection = old
    set_meta(connection, "schema_version", "99")
    with pytest.raises(JournalError, match=rf"has schema version 99, this program knows {VERSION} at most. Use the"):
        use(path)


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"none.db: there is no such journal"):
        open_journal(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_a_foreign_database_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    with pytest.raises(JournalError, match="is not a journal"):
        open_journal(path)


def _read_only(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")


def _damaged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    content = bytearray(path.read_bytes())
    content[16384:] = b"\xff" * (len(content) - 16384)  # The pages behind the header.
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM events").fetchall()


def _not_a_database(path: Path) -> None:
    path.write_bytes(b"ordinary text " * 100)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM events")


def _cannot_open(path: Path) -> None:
    with closing(sqlite3.connect(path.parent)):
        pass


def _locked(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as one, closing(sqlite3.connect(path, timeout=0)) as two:
        one.execute("BEGIN IMMEDIATE")
        two.execute("BEGIN IMMEDIATE")


def _unforeseen(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT missing FROM events")


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        (_read_only, "the file is read-only. Make it and its folder writable"),
        (_damaged, "it is damaged. Copy it, then save what is left"),
        (_not_a_database, "it is not a journal: not an SQLite file"),
        (_cannot_open, "it cannot be opened. Check that its folder exists"),
        (_locked, "another program has locked it. Close the program"),
        (_unforeseen, r"SQLite says \(no such column: missing\)"),
    ],
)
def test_each_trouble_with_the_file_has_its_remedy(
    material: Any, record: Any, cause: Callable[[Path], None], remedy: str
) -> None:
    path = record(material.day())
    with pytest.raises(JournalError, match=rf"run.db: {remedy}"), translated(path):
        cause(path)
