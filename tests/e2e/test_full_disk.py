"""A disk that fills up while an account is traded: a real one, small, mounted for the trader alone."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.trading import NUMBER, TRADES_EVERY_MINUTE, Paper, paper_account
from ordinis import app
from ordinis.domain.events import Command, CommandKind, OrderUpdate, SessionPhase
from ordinis.domain.orders import OrderIntent, Purpose
from ordinis.journal.recorded import Step, recorded
from ordinis.journal.writer import SqliteJournal

DEADLINE_S = 90.0
SMALL_DISK_KB = 1024 + 420  # The reserve, and what some minutes take.
ORDINIS = f"{sys.executable} -c 'from ordinis.ui.cli import main; main()'"
RUN = "run --paper --sessions 1"
TWICE = ("doctor", RUN, 'head -c 9999999 /dev/zero > "$DISK/ballast"', RUN)
UNSHARE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")))


def mounts() -> bool:
    """Whether a disk of our own can be had here."""
    if shutil.which("unshare") is None:
        return False
    tried = [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


def on_a_small_disk(script: str, folder: Path, kept: Path, environment: dict[str, str]) -> str:
    """Run it with `folder` on a small disk of its own; what stood there at the end goes to `kept`. What it said."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={SMALL_DISK_KB}k tmpfs {shlex.quote(str(folder))}"
    copy = f"cp -r {shlex.quote(str(folder))} {shlex.quote(str(kept))}"
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", f"{mount} && {{ {script} ; }} 2>&1; {copy}"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env={**os.environ, **environment, "DISK": str(folder)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ordinis(command: str, paper: Paper, folder: Path) -> str:
    options = " ".join(f"--set={shlex.quote(one)}" for one in paper.given(folder, *TRADES_EVERY_MINUTE))
    return f"{{ {ORDINIS} {command} {options}; echo {command.partition(' ')[0]} left with $?; }}"


def sent(steps: list[Step]) -> list[Purpose]:
    return [one.purpose for _, decision in steps for one in decision.actions if isinstance(one, OrderIntent)]


class ShortJournal(SqliteJournal):
    """SQLite gives it so many pages, and more once the reserve is gone: where no disk can be mounted."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.limit(5)

    def limit(self, spare: int) -> None:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        self._connection.execute(f"PRAGMA max_page_count = {pages + spare}")

    def _insert(self, *row: Any) -> None:
        if self.crowded:
            self.limit(1000)
        super()._insert(*row)


def test_when_sqlite_has_no_room_entries_stop_exits_go_on_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordinis.app.live.SqliteJournal", ShortJournal)
    said: list[str] = []
    with paper_account(minutes=34) as paper:
        for name, value in paper.keys.items():
            monkeypatch.setenv(name, value)
        settings = paper.settings(tmp_path, *TRADES_EVERY_MINUTE)
        app.run_account(settings, "paper", ask=lambda question: "", say=said.append, sessions_max=1)
    assert any("reduce ordered: nothing is opened until a person resumes (the disk is full" in line for line in said)
    check_degraded(list(recorded(tmp_path / "journals" / f"paper-{NUMBER}.journal")))
    assert not list(tmp_path.glob("journals/*.reserve"))


if mounts():  # Elsewhere the test above stands alone.

    def test_on_a_full_disk_the_doctor_sees_it_coming_and_the_trader_degrades_in_order(tmp_path: Path) -> None:
        """And started anew on a full disk it says what to do."""
        disk, kept = tmp_path / "disk", tmp_path / "kept"
        with paper_account(minutes=34) as paper:
            commands = (one if "ballast" in one else ordinis(one, paper, disk) for one in TWICE)
            said = on_a_small_disk("; ".join(commands), disk, kept, paper.keys)
        doctor, _, rest = said.partition("doctor left with 5")
        assert "wanted: free some, or set journal.dir" in doctor
        traded, _, again = rest.partition("run left with 0")
        assert "reduce ordered: nothing is opened until a person resumes (the disk is full: free some space" in traded
        assert "the disk is full" in again
        assert "free some space, and start again\nrun left with 5" in again
        check_degraded(list(recorded(kept / "journals" / f"paper-{NUMBER}.journal")))
        assert not list(kept.glob("journals/*.reserve"))
        assert paper.exchange.positions == ()


def check_degraded(steps: list[Step]) -> None:
    """Nothing is opened from the alarm on, and what was held then is sold."""
    commands = [(place, event) for place, (event, _) in enumerate(steps) if isinstance(event, Command)]
    ((alarm, command),) = commands
    assert command.kind is CommandKind.REDUCE
    assert Purpose.ENTRY in sent(steps[:alarm])
    assert sent(steps[alarm:]) == [Purpose.EXIT] * len(sent(steps[alarm:]))
    filled = [event for event, _ in steps[alarm:] if isinstance(event, OrderUpdate) and event.fill]
    assert filled, "exits are written down and sent"
    assert isinstance(steps[-1][0], SessionPhase), "it goes on to the close"
