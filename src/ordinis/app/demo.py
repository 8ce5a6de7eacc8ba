"""`ordinis demo`: two accounts on bundled data, one of their days over the wire, and a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ordinis.app.runs import run_backtest
from ordinis.app.simulations import run_simulation
from ordinis.config.loading import load
from ordinis.config.settings import Settings
from ordinis.journal import reading
from ordinis.research.result import BacktestResult

SMALL_USD, LARGE_USD = 14_999, 50_000
WIRE_DAY = date(2012, 9, 13)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo came to. Digests are of the same day's journals."""

    small: BacktestResult
    large: BacktestResult
    day: BacktestResult
    wire: BacktestResult
    report: Path

    @property
    def equal(self) -> bool:
        return self.day.journal_digest == self.wire.journal_digest


def demo(out: Path, data: str = "bundled", say: Say = lambda line: None) -> DemoResult:
    """Run it all; files go under `out`. Errors: OrdinisError."""
    small, large = (_settings(out, cash) for cash in (SMALL_USD, LARGE_USD))
    say("backtest of a $14,999 account ...")
    first, _ = run_backtest(small, data=data, journal=out / "small.journal")
    say("backtest of a $50,000 account ...")
    report = out / "report"
    command = f"ordinis backtest --data {data} --set account.cash_usd={LARGE_USD}"
    second, _ = run_backtest(large, data=data, journal=out / "large.journal", report=report, command=command)
    say(f"{WIRE_DAY} in process, then over the wire ...")
    day, _ = run_backtest(large, data=data, first=WIRE_DAY, last=WIRE_DAY, journal=out / "day.journal")
    wire = run_simulation(large, data=data, day=WIRE_DAY, journal=out / "wire.journal")
    for name in ("day", "wire"):
        reading.export(out / f"{name}.journal", out / f"{name}.jsonl")
    return DemoResult(small=first, large=second, day=day, wire=wire, report=report / "report.html")


def _settings(out: Path, cash_usd: int) -> Settings:
    return load(None, [f"account.cash_usd={cash_usd}", f"data.store_dir={out / 'bars'}"])
