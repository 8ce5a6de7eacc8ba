"""Ctrl-C, as a person presses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from ordinis.journal import reading

DEADLINE_S = 60.0


def test_ctrl_c_ends_a_backtest_with_partial_results_and_a_readable_journal(tmp_path: Path) -> None:
    journal, out = tmp_path / "run.journal", tmp_path / "result.json"
    command = [
        *(sys.executable, "-c", "from ordinis.ui.cli import main; main()"),
        *("backtest", "--data", "bundled"),
        *("--set", f"data.store_dir={tmp_path / 'bars'}", "--set", "account.cash_usd=50000"),
        *("--journal", str(journal), "--json", str(out)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_events(journal, process)
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, complained
    assert "PARTIAL" in said
    result = json.loads(out.read_text())
    assert result["partial"] is True
    assert 0 < result["sessions"] < 186
    assert result["journal_digest"] == reading.digest(journal)


def wait_for_events(journal: Path, process: subprocess.Popen[str]) -> None:
    """Until the run has written something."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and journal.with_name(f"{journal.name}-wal").exists():
            time.sleep(0.3)
            return
        time.sleep(0.02)
    raise AssertionError(f"the run wrote nothing: {process.communicate()}")
