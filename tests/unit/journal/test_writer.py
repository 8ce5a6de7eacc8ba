from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ordinis.domain.decision import NOTHING, Decision, Reason
from ordinis.domain.errors import JournalError
from ordinis.domain.events import Phase
from ordinis.journal import writer
from ordinis.journal.reading import counts, digest, open_journal
from ordinis.journal.schema import MIGRATIONS
from ordinis.journal.writer import Durability, SqliteJournal, discard

CRASHING_WRITER = """
import sys
from ordinis.domain.decision import NOTHING
from ordinis.domain.events import CashFlow
from ordinis.journal.writer import Durability, SqliteJournal

journal = SqliteJournal(sys.argv[1], meta={"symbols": '["A"]'}, durability=Durability(sys.argv[2]))
for number in range(100):
    journal.append(CashFlow(at_ns=number, id=str(number), kind="fee", amount_usd=0), NOTHING)
    if number == 49 and sys.argv[2] == "batch":
        journal.flush()
print("ready", flush=True)
sys.stdin.read()
"""


def _rows_on_disk(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        single: int = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        paged: int = connection.execute("SELECT coalesce(sum(count), 0) FROM pages").fetchone()[0]
        return single + paged


@pytest.mark.parametrize("durability", list(Durability))
def test_what_is_appended_is_read_back_in_order(material: Any, record: Any, durability: Durability) -> None:
    day = material.day()
    with open_journal(record(day, durability=durability)) as journal:
        entries = list(journal.entries())
    assert [entry.seq for entry in entries] == list(range(1, len(day) + 1))
    assert [entry.at_ns for entry in entries] == [event.at_ns for event, _ in day]
    assert [entry.decision for entry in entries] == [decision for _, decision in day]
    kept = [(entry.event, event) for entry, (event, _) in zip(entries, day, strict=True) if entry.kind != 0]
    assert all(read == written for read, written in kept)
    assert len(kept) == 5


def test_both_durabilities_write_the_same_journal(material: Any, record: Any) -> None:
    paths = [record(material.day(), f"{durability.value}.db", durability=durability) for durability in Durability]
    assert digest(paths[0]) == digest(paths[1])


def test_full_is_on_the_disk_when_append_returns(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with SqliteJournal(path, meta=material.meta, durability=Durability.FULL) as journal:
        for count, (event, decision) in enumerate(material.day(), start=1):
            journal.append(event, decision)
            assert _rows_on_disk(path) == count


def test_batch_writes_when_the_session_closes(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "backtest.db"
    day = material.day()
    with SqliteJournal(path, meta=material.meta, durability=Durability.BATCH) as journal:
        for event, decision in day[:-1]:
            journal.append(event, decision)
        assert _rows_on_disk(path) == 0
        journal.append(*day[-1])
        assert _rows_on_disk(path) == len(day)


def test_batch_never_holds_more_than_its_limit(material: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "EVENTS_BUFFERED_MAX", 7)
    event = material.block().at(0)
    with SqliteJournal(tmp_path / "a.db", meta={}, durability=Durability.BATCH) as journal:
        for _ in range(20):
            journal.append(event, NOTHING)
        assert _rows_on_disk(journal.path) == 14
    assert _rows_on_disk(journal.path) == 20


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 600])
def test_a_flush_of_any_size_writes_every_row_once(material: Any, record: Any, rows: int) -> None:
    block = material.block(rows=rows)
    path = record([(block.at(row), NOTHING) for row in range(rows)])
    with open_journal(path) as journal:
        assert [entry.at_ns for entry in journal.entries()] == block.closed_at_ns.tolist()


@pytest.mark.parametrize("durability", list(Durability))
def test_a_decision_that_says_nothing_is_stored_as_null(material: Any, record: Any, durability: Durability) -> None:
    with open_journal(record([(material.block().at(0), Decision())], durability=durability)) as journal:
        assert [decision for *_, decision in journal.recorded()] == [None]


def test_a_live_journal_goes_on_behind_the_pages_of_a_batch(material: Any, record: Any) -> None:
    day = material.day()
    path = record(day)
    with open_journal(path) as reader:
        meta = reader.meta
    with SqliteJournal(path, meta=meta, durability=Durability.FULL) as journal:
        journal.append(*day[0])
    with open_journal(path) as reader:
        assert [entry.seq for entry in reader.entries()] == list(range(1, len(day) + 2))


def test_bars_are_kept_where_asked_and_change_no_digest(material: Any, record: Any) -> None:
    day = material.day()
    with_bars = record(day, "with.db", record_slices=True)
    without = record(day, "without.db")
    assert digest(with_bars) == digest(without)
    with open_journal(with_bars) as journal:
        recorded = list(journal.recorded_slices())
    slices = [event for event, _ in day if hasattr(event, "block")]
    assert [one.at_ns for one in recorded] == [one.at_ns for one in slices]
    assert [one.close.tobytes() for one in recorded] == [one.close.tobytes() for one in slices]
    with open_journal(without) as journal:
        assert list(journal.recorded_slices()) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE events SET at_ns = 0", "DELETE FROM events", "UPDATE pages SET count = 0", "DELETE FROM pages"],
)
def test_events_are_never_changed_or_removed(material: Any, record: Any, statement: str) -> None:
    durability = Durability.FULL if "events" in statement else Durability.BATCH
    path = record(material.day(), durability=durability)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


def test_a_second_writer_is_refused_and_told_who_writes(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    writing = SqliteJournal(path, meta=material.meta, durability=Durability.FULL)
    with writing, pytest.raises(JournalError, match=rf"one.db is being written by process {os.getpid()} on "):
        SqliteJournal(path, meta=material.meta, durability=Durability.FULL)
    SqliteJournal(path, meta=material.meta, durability=Durability.FULL).close()


def test_a_writer_that_could_not_start_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("this is no database, whatever its name may say" * 50)
    errors = []  # An error keeps what it was raised in alive, a forgotten lock too.
    for _ in range(2):
        with pytest.raises(JournalError, match=r"notes.txt: it is not a journal") as error:
            SqliteJournal(path, meta={}, durability=Durability.FULL)
        errors.append(error.value)


def _crash(path: Path, durability: Durability) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CRASHING_WRITER, str(path), durability.value],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize(("durability", "kept"), [(Durability.FULL, 100), (Durability.BATCH, 50)])
def test_a_killed_writer_leaves_a_readable_journal(tmp_path: Path, durability: Durability, kept: int) -> None:
    path = tmp_path / "killed.db"
    _crash(path, durability)
    assert counts(path) == {"cash": kept}
    with open_journal(path) as journal:
        assert [entry.at_ns for entry in journal.entries()] == list(range(kept))


def test_a_killed_writer_is_followed_by_another_that_goes_on_counting(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "killed.db"
    _crash(path, Durability.FULL)
    with SqliteJournal(path, meta={"symbols": '["A"]'}, durability=Durability.FULL) as journal:
        journal.append(material.phase(Phase.OPENING), NOTHING)
    with open_journal(path) as reader:
        assert [entry.seq for entry in reader.entries()] == list(range(1, 102))


def test_a_journal_of_other_symbols_is_not_continued(material: Any, record: Any) -> None:
    path = record(material.day(), durability=Durability.FULL)
    with pytest.raises(JournalError, match="its columns would change their meaning"):
        SqliteJournal(path, meta={"symbols": '["AAPL"]'}, durability=Durability.FULL)


def test_a_backtest_does_not_write_into_another_run(material: Any, record: Any) -> None:
    path = record(material.day())
    with pytest.raises(JournalError, match="already holds 10 events of another run"):
        SqliteJournal(path, meta=material.meta, durability=Durability.BATCH)
    discard(path)
    assert not path.exists()
    record(material.day())


def test_only_journals_are_discarded(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (value)")
    with pytest.raises(JournalError, match="something else"):
        discard(path)
    assert path.exists()
    discard(tmp_path / "missing.db")


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (mine)")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="a database of something else"):
        SqliteJournal(path, meta={}, durability=Durability.FULL)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["missing/run.db", "file/run.db"])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"run.db: its folder does not exist. Make the folder"):
        SqliteJournal(tmp_path / name, meta={}, durability=Durability.FULL)
    assert not (tmp_path / "missing").exists()


def test_a_folder_in_the_file_s_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run.db").mkdir()
    with pytest.raises(JournalError, match=r"run.db: it cannot be opened"):
        SqliteJournal(tmp_path / "run.db", meta={}, durability=Durability.FULL)


def _limit_pages(journal: SqliteJournal, spare: int) -> None:
    """SQLite's own way to a full disk."""
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages + spare}")


def test_on_a_full_disk_the_event_can_be_appended_again_once_there_is_room(material: Any, tmp_path: Path) -> None:
    event = material.phase(Phase.OPENING)
    large = Decision(notes=("x" * 20_000,))
    with SqliteJournal(tmp_path / "full.db", meta=material.meta, durability=Durability.FULL) as journal:
        journal.append(event, NOTHING)
        _limit_pages(journal, 1)
        with pytest.raises(JournalError, match=r"full.db: the disk is full. Free some space"):
            journal.append(event, large)
        journal.append(event, Decision(changes=material.changes((0, Reason.HALTED))))
        _limit_pages(journal, 1000)
        journal.append(event, large)
    with open_journal(journal.path) as reader:
        assert [(entry.seq, len(entry.decision.notes)) for entry in reader.entries()] == [(1, 0), (2, 0), (3, 1)]


def test_on_a_full_disk_the_bars_wait_with_their_event(material: Any, tmp_path: Path) -> None:
    event = material.block().at(0)
    large = Decision(notes=("x" * 20_000,))
    path = tmp_path / "full.db"
    with SqliteJournal(path, meta=material.meta, durability=Durability.FULL, record_slices=True) as journal:
        journal.append(material.phase(Phase.OPENING), NOTHING)
        _limit_pages(journal, 1)
        with pytest.raises(JournalError, match="the disk is full"):
            journal.append(event, large)
        _limit_pages(journal, 1000)
        journal.append(event, large)
    with open_journal(path) as reader:
        assert [one.at_ns for one in reader.recorded_slices()] == [event.at_ns]


def test_a_backtest_on_a_full_disk_says_so_and_lets_go(material: Any, tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "full.db", meta=material.meta, durability=Durability.BATCH)
    journal.append(material.phase(Phase.OPENING), Decision(notes=("x" * 200_000,)))
    _limit_pages(journal, 1)
    with pytest.raises(JournalError, match="the disk is full"):
        journal.close()
    journal.close()
    assert counts(journal.path) == {}
    SqliteJournal(journal.path, meta=material.meta, durability=Durability.BATCH).close()


def test_an_event_that_cannot_be_encoded_leaves_no_gap(material: Any, tmp_path: Path) -> None:
    wrong: Any = Decision(notes=(object(),))  # type: ignore[arg-type]
    with SqliteJournal(tmp_path / "a.db", meta={}, durability=Durability.FULL) as journal:
        with pytest.raises(TypeError):
            journal.append(material.phase(Phase.OPENING), wrong)
        journal.append(material.phase(Phase.OPENING), NOTHING)
    with open_journal(journal.path) as reader:
        assert [entry.seq for entry in reader.entries()] == [1]


def test_meta_says_what_the_run_was(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    SqliteJournal(path, meta=material.meta | {"label": "real"}, durability=Durability.FULL).close()
    with open_journal(path) as journal:
        assert journal.symbols == material.symbols
        assert journal.meta["label"] == "real"
        assert journal.meta["schema_version"] == str(len(MIGRATIONS))
