"""The compiled build decides what the interpreted one does, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIRST, LAST = "2012-09-04", "2012-10-26"
SOURCES = Path(__file__).parents[2] / "src"
RUN = """
from datetime import date
from ordinis import app
from ordinis.config import load
result, _ = app.run_backtest(
    load(None, {overrides!r}), data=app.BUNDLED, first=date.fromisoformat({first!r}), last=date.fromisoformat({last!r})
)
print(app.BUILD, result.entries, result.journal_digest)
"""


def lived(build: str, folder: Path, *overrides: str) -> tuple[int, str]:
    """Entries and the journal's digest of some weeks on the bars that come along."""
    code = RUN.format(overrides=[f"journal.dir={folder / build}", *overrides], first=FIRST, last=LAST)
    path = {"PYTHONPATH": str(SOURCES)} if build == "interpreted" else {}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | path, cwd=folder, capture_output=True, text=True, check=True
    )
    ran, entries, digest = done.stdout.split()
    assert ran == build
    return int(entries), digest


@pytest.mark.parametrize(
    "overrides",
    [
        ("account.cash_usd=50000",),
        ("account.cash_usd=14999", "compliance.regime=pattern_day_trader"),
        (
            "account.cash_usd=120000",
            "risk.shorting_allowed=true",
            "exchange.fill_model=spread",
            "strategies.enabled=macd",
        ),
    ],
)
def test_both_builds_keep_the_same_journal(overrides: tuple[str, ...], tmp_path: Path) -> None:
    entries, digest = lived("compiled", tmp_path, *overrides)
    assert entries > 10
    assert (entries, digest) == lived("interpreted", tmp_path, *overrides)
