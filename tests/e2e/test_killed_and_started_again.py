"""`ordinis run --sim`, killed in mid-session and started again, as a person would."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from ordinis import app
from ordinis.config import load
from ordinis.domain.events import Reconciliation
from ordinis.journal.entries import open_journal
from ordinis.journal.recorded import recorded

DEADLINE_S = 90.0
DAY = date(2012, 9, 13)


def test_a_run_that_was_killed_goes_on_and_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    journal, whole = tmp_path / "run.journal", tmp_path / "whole.journal"
    given = ["account.cash_usd=50000", f"data.store_dir={tmp_path / 'bars'}"]
    app.run_backtest(load(None, given), data=app.BUNDLED, first=DAY, last=DAY, journal=whole)
    command = [
        *(sys.executable, "-c", "from ordinis.ui.cli import main; main()"),
        *("run", "--sim", "--data", "bundled", "--day", DAY.isoformat(), "--journal", str(journal)),
        *(f"--set={one}" for one in given),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_minutes(journal, 60, process)
        process.send_signal(signal.SIGKILL)
    before = len(list(recorded(journal)))
    again = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert again.returncode == 0, again.stderr
    for what in (
        "at a simulated broker started for this run",
        "events recalled",
        "reconciled:",
        "the session is closed",
    ):
        assert what in again.stderr
    steps = list(recorded(journal))
    assert 60 <= before < len(steps)
    told = [decision for event, decision in steps if not isinstance(event, Reconciliation)]
    with open_journal(whole) as reference:
        assert told == [entry.decision for entry in reference.entries()]


def wait_for_minutes(journal: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Until the run has written down so many."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and minutes_in(journal) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"the run did not get there: {process.communicate()}")


def minutes_in(journal: Path) -> int:
    connection = sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)
    try:
        (count,) = connection.execute("SELECT count(*) FROM slices").fetchone()
        return int(count)
    except sqlite3.OperationalError:
        return 0  # Its tables are being made.
    finally:
        connection.close()
