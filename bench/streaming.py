"""How much memory a long and wide backtest takes: the peak of `ordinis backtest` in a process of its own.

    python bench/streaming.py [--symbols 500] [--sessions 252] [--report] [--set KEY=VALUE ...] [--json OUT]

Seeded synthetic bars are made and stored a session at a time, so neither the maker nor the run ever holds more than
a few sessions of them. The run is the command that a user types, with $50,000 and, but for --set, at defaults.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np

from ordinis.data.calendar import sessions
from ordinis.data.store import BarStore
from ordinis.domain.market import MINUTE_NS, FloatArray, MarketBlock, Session, Universe

FIRST_DAY, LAST_DAY = date(2023, 1, 3), date(2025, 12, 31)
SEED = 17
LIMIT_MB = 2_000  # What a year of 500 symbols has to stay under.
_KIB_A_MB = 1_000_000 / 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run. Seconds are of the loop; the peak is the whole process, start and report included."""

    symbols: int
    sessions: int
    bars: int
    entries: int
    journal_bytes: int
    report: bool
    changes: list[str]
    peak_mb: float
    seconds: float
    cpu_seconds: float
    bars_per_second: int


def days(count: int) -> tuple[Session, ...]:
    """That many sessions. Raises ValueError where the years do not have so many."""
    found = sessions(FIRST_DAY, LAST_DAY)
    if not 0 < count <= len(found):
        raise ValueError(f"--sessions must be in [1, {len(found)}], was {count}")
    return found[:count]


def blocks(symbols: int, chosen: tuple[Session, ...]) -> Iterator[MarketBlock]:
    """Prices that wander with a common market, a session at a time, each from the close before it."""
    random = np.random.default_rng(SEED)
    universe = Universe(tuple(f"S{number:04d}" for number in range(symbols)))
    price: FloatArray = random.uniform(20, 400, symbols)
    volatility: FloatArray = random.uniform(0.0004, 0.0012, symbols)  # A minute.
    for session in chosen:
        block = _session(random, universe, session, price, volatility)
        price = block.close[-1]
        yield block


def _session(
    random: np.random.Generator, universe: Universe, session: Session, price: FloatArray, volatility: FloatArray
) -> MarketBlock:
    size = (session.minutes, len(universe))
    market = random.standard_normal(session.minutes) * 0.0003
    steps = random.standard_normal(size) * volatility + market[:, None]
    steps[0] += random.standard_normal(len(universe)) * 0.008  # Overnight.
    close = np.round(price * np.exp(np.cumsum(steps, axis=0)), 4)
    opening = np.vstack([np.round(price * np.exp(steps[0]), 4), close[:-1]])
    reach = np.abs(random.standard_normal((2, *size))) * volatility * 0.5
    return MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1),
        open=opening,
        high=np.round(np.maximum(opening, close) * (1 + reach[0]), 4),
        low=np.round(np.minimum(opening, close) * (1 - reach[1]), 4),
        close=close,
        volume=random.integers(100_000, 5_000_000, size).astype(float),
        present=np.ones(size, np.bool_),
    )


def measured(folder: Path, symbols: int, count: int, report: bool, changes: list[str]) -> Measured:
    """Store the bars, run the command, ask the system what it took at most."""
    name = f"wandering-{symbols}x{count}"
    store = BarStore(folder / "bars")
    if name not in store.names():
        chosen = days(count)
        names = tuple(f"S{number:04d}" for number in range(symbols))
        store.write(
            name,
            symbols=names,
            blocks=blocks(symbols, chosen),
            feed="synthetic",
            label="synthetic bars",
            synthetic=True,
        )
    journal, result = folder / "streaming.journal", folder / "result.json"
    _run(folder, name, journal, result, report, changes)
    found = json.loads(result.read_text())
    return Measured(
        symbols=symbols,
        sessions=found["sessions"],
        bars=found["bars"],
        entries=found["entries"],
        journal_bytes=journal.stat().st_size,
        report=report,
        changes=changes,
        peak_mb=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _KIB_A_MB, 1),
        seconds=round(found["seconds"], 1),
        cpu_seconds=round(found["cpu_seconds"], 1),
        bars_per_second=round(found["bars_per_second"]),
    )


def _run(folder: Path, name: str, journal: Path, result: Path, report: bool, changes: list[str]) -> None:
    settings = [f"data.store_dir={folder / 'bars'}", "account.cash_usd=50000", *changes]
    command = [sys.executable, "-c", "from ordinis.ui.cli import main; main()"]
    command += ["backtest", "--data", name, "--journal", str(journal)]
    command += [part for one in settings for part in ("--set", one)]
    command += ["--json", str(result), *(["--report", str(folder / "report")] if report else [])]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the memory of a long and wide backtest.")
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=252)
    parser.add_argument("--report", action="store_true", help="write the report, too")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of the run")
    parser.add_argument("--folder", type=Path, help="keep the bars there, for another run")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ordinis-bench-") as temporary:
        row = measured(given.folder or Path(temporary), given.symbols, given.sessions, given.report, given.set)
    verdict = "under" if row.peak_mb < LIMIT_MB else "ABOVE"
    print(
        f"{row.symbols} symbols x {row.sessions} sessions, {row.bars:,} bars: peak {row.peak_mb:,.0f} MB"
        f" ({verdict} {LIMIT_MB:,} MB), {row.bars_per_second:,} bars/s, {row.cpu_seconds:,} s CPU,"
        f" {row.entries:,} entries, journal {row.journal_bytes:,} B"
    )
    if given.json:
        given.json.write_text(json.dumps(asdict(row), indent=1) + "\n")


if __name__ == "__main__":
    main()
