"""Room that is kept for the last entries of a journal."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ordinis.domain.decision import NOTHING, Decision
from ordinis.domain.errors import JournalError
from ordinis.domain.events import Phase
from ordinis.journal.entries import open_journal
from ordinis.journal.reserve import Reserve
from ordinis.journal.writer import Durability, SqliteJournal

LARGE = Decision(notes=("x" * 20_000,))
SPARE_PAGES = 100


class SmallDisk(Reserve):
    """A disk of which SQLite gets so many pages, and the rest once the reserve is gone: its own SQLITE_FULL."""

    def __init__(self, journal: Path, megabytes: int) -> None:
        super().__init__(journal, megabytes)
        self.journal: SqliteJournal | None = None

    def fill(self, journal: SqliteJournal, spare: int) -> None:
        self.journal = journal
        (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
        journal._connection.execute(f"PRAGMA max_page_count = {pages + spare}")

    def release(self) -> bool:
        released = super().release()
        if released and self.journal is not None:
            self.fill(self.journal, SPARE_PAGES)
        return released


def opened(material: Any, path: Path, disk: Reserve) -> SqliteJournal:
    return SqliteJournal(path, meta=material.meta, durability=Durability.FULL, record_slices=True, reserve=disk)


def test_a_reserve_is_really_on_the_disk_and_stays_when_the_run_ends(material: Any, tmp_path: Path) -> None:
    disk = Reserve(tmp_path / "a.db", 2)
    opened(material, tmp_path / "a.db", disk).close()
    kept = (tmp_path / "a.db.reserve").stat()
    assert kept.st_size == 2 * 2**20
    assert kept.st_blocks * 512 >= kept.st_size, "a sparse file would keep nothing"


def test_a_full_disk_costs_the_reserve_and_not_the_event(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    disk = SmallDisk(path, 1)
    with opened(material, path, disk) as journal:
        journal.append(material.phase(Phase.OPENING), NOTHING)
        disk.fill(journal, 1)
        assert not journal.crowded
        journal.append(material.block().at(0), LARGE)
        assert journal.crowded
        assert not (tmp_path / "a.db.reserve").exists()
        journal.append(material.block().at(1), NOTHING)
    with open_journal(path) as reader:
        assert [(one.seq, len(one.decision.notes)) for one in reader.entries()] == [(1, 0), (2, 1), (3, 0)]
        assert len(list(reader.recorded_slices())) == 2


def test_when_the_reserve_is_used_up_too_the_run_ends_and_what_was_written_is_readable(
    material: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    disk = SmallDisk(path, 1)
    with opened(material, path, disk) as journal:
        journal.append(material.phase(Phase.OPENING), NOTHING)
        disk.fill(journal, 1)
        journal.append(material.phase(Phase.OPENING), LARGE)
        disk.fill(journal, 1)
        with pytest.raises(JournalError, match=r"the disk is full\. Free some space and start again"):
            journal.append(material.phase(Phase.OPENING), LARGE)
    with open_journal(path) as reader:
        assert [one.seq for one in reader.entries()] == [1, 2]


def test_what_is_no_full_disk_leaves_the_reserve_alone(material: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(material, path, Reserve(path, 1)) as journal:
        journal._connection.execute("PRAGMA query_only = 1")
        with pytest.raises(JournalError, match="read-only"):
            journal.append(material.phase(Phase.OPENING), NOTHING)
        assert not journal.crowded
        journal._connection.execute("PRAGMA query_only = 0")


TO_THE_LIMIT = """
import json, resource, sys
from pathlib import Path
from ordinis.domain.decision import NOTHING
from ordinis.domain.errors import JournalError
from ordinis.domain.events import Command, CommandKind
from ordinis.journal.reserve import Reserve
from ordinis.journal.writer import Durability, SqliteJournal

path = Path(sys.argv[1])
with SqliteJournal(path, meta={}, durability=Durability.FULL, reserve=Reserve(path, 1)) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    words = Command(at_ns=1, kind=CommandKind.PAUSE, note="x" * 10_000)
    try:
        for _ in range(1000):
            journal.append(words, NOTHING)
    except JournalError as error:
        print(json.dumps([journal.crowded, str(error)]))
"""


def test_a_quota_counts_as_a_full_disk(tmp_path: Path) -> None:
    """The system refuses the write with another error than a full disk's, and SQLite calls it a failed write."""
    assert hasattr(resource, "RLIMIT_FSIZE")
    command = [sys.executable, "-c", TO_THE_LIMIT, str(tmp_path / "a.db"), str(2**20)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    crowded, error = json.loads(said)
    assert crowded, error
    assert not (tmp_path / "a.db.reserve").exists()
    with open_journal(tmp_path / "a.db") as reader:
        assert len(list(reader.entries())) > 10


def test_a_reserve_that_finds_no_room_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, limits[1]))
    try:
        with pytest.raises(JournalError, match=r"no room for a reserve of 2 MB .*; free some space"):
            Reserve(tmp_path / "a.db", 2).take()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
