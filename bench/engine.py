"""How fast the engine is, on the peers' job, through the code of `ordinis backtest`.

    python bench/engine.py [--json OUT] [--jobs NAME ...] [--repeats N]

Every figure is CPU time of the run: signals, sizes, every rule, the exchange, the ledger, decision records, the
journal on disk. Reading the bars is left out, as it is for the peers, and stands beside it. `times_plain_loop` compares
CPU a bar with the plain-Python reference of job.py, measured in the same process before and after: machines and moments
differ, ratios less. What is measured is the build that is installed: `make bench` compiles first.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bars import generate, stored
from job import EXPECTED, FILL_RULES, Yardstick, target_fraction, valued_once
from ordinis import app
from ordinis.config import Settings, load
from ordinis.data.store import BarStore
from ordinis.domain.account import AccountView
from ordinis.domain.events import Phase, SessionPhase
from ordinis.journal import reading
from ordinis.research.result import BacktestResult
from ordinis.runtime.memory import settled_memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. Equity in USD; CPU seconds, `loading_cpu_seconds` not among `cpu_seconds`."""

    job: str
    data: str
    build: str  # "compiled" or "interpreted".
    bars: int
    cpu_seconds: float
    loading_cpu_seconds: float
    bars_per_second: int
    times_plain_loop: float
    final_equity: float | None = None
    fills: int | None = None
    rules_evaluated: int | None = None
    records: int | None = None
    journal_bytes: int | None = None
    note: str = ""


LOOSE = {  # On and evaluated, but out of the job's reach.
    "weekly_loss_fraction_max": 0.99,
    "monthly_loss_fraction_max": 0.99,
    "consecutive_losses_max": 1_000_000,
    "orders_a_session_max": 1_000_000,
    "price_collar_fraction_max": 1_000.0,
    "trade_risk_fraction_max": 0.99,
    "order_volume_fraction_max": 1_000.0,
    "cluster_fraction_max": 10.0,
    "sector_fraction_max": 10.0,
    "beta_min": -10.0,
    "beta_max": 10.0,
    "market_volatility_full": 10.0,
}


NEVER = 1_000_000.0  # Times an average slot's risk: on and evaluated, but out of any book's reach.


def job_settings(folder: Path, symbols: int, fill_model: str, strategy: str = "sma_cross") -> Settings:
    """The peers' job as settings: limits that are evaluated and do not bind."""
    tier = {
        "method": "FIXED_PERCENT",
        "max_position_pct": "1.0",
        "max_portfolio_leverage": "1.0",
        "max_positions": str(symbols),
        "min_confidence": "0.0",
        "cooldown_minutes": "0",
        "hold_sessions": "0",
        "exit_bar": "1Min",
    }
    return load(
        None,
        [
            *(f"tiers.{name}.{key}={value}" for name in ("small", "standard") for key, value in tier.items()),
            f"data.store_dir={folder / 'bars'}",
            f"journal.dir={folder / 'journals'}",
            "account.cash_usd=100000",
            "account.fractional=false",
            f"strategies.enabled={strategy}",
            f"sizing.fixed_percent={target_fraction(symbols)}",
            "sizing.book_volatility_cap=false",  # The peers' job has no target.
            f"sizing.marginal_risk_ratio_max={NEVER}",  # Nor are its sizes scaled.
            "rebalance.enabled=false",  # Nor does it rebalance.
            "execution.entry_order=market",  # As the job says it: at the next open, whatever that is.
            "execution.protection=none",
            "risk.last_entry_minutes_before_close=0",
            "risk.daily_loss_fraction_max=1.0",
            *(f"risk.{rule}={limit}" for rule, limit in LOOSE.items()),
            f"exchange.fill_model={fill_model}",
            "exchange.participation_fraction_max=0",
            "exchange.fees.enabled=false",
        ],
    )


class Bench:
    """A folder of bars and journals, and the yardstick."""

    def __init__(self, folder: Path, repeats: int) -> None:
        self.folder = folder
        self.store = BarStore(folder / "bars")
        self._repeats = repeats
        self._yardstick = Yardstick(generate("small"))

    def run(self, job: str, data: str, *, fill_model: str, strategy: str, sessions: int | None = None) -> Row:
        """The best of some runs, against the yardstick before and after."""
        dataset = self.store.open(stored(self.store, data))
        last = dataset.sessions[sessions - 1].date if sessions else None
        settings = job_settings(self.folder, len(dataset.symbols), fill_model, strategy)
        before = self._yardstick.seconds_per_bar()
        results = [app.run_backtest(settings, data=data, last=last)[0] for _ in range(self._repeats)]
        loop_s = (before + self._yardstick.seconds_per_bar()) / 2
        best = min(results, key=_run_alone_s)
        return self._row(job, data, best, loop_s)

    def crossover(self, data: str, fill: str) -> Row:
        """The peers' job under one fill rule, with what it must come to."""
        row = self.run(f"crossover, {fill}", data, fill_model=fill, strategy="sma_cross")
        bars = generate(data)
        once_usd, once_fills = valued_once(bars, target_fraction(len(bars.symbols)), fill)
        reference_usd, reference_fills = EXPECTED[data, fill]
        note = (
            f"reference {reference_usd:,.2f} USD and {reference_fills:,} fills;"
            f" valued at one moment {once_usd:,.2f} USD and {once_fills:,}"
        )
        return replace(row, note=note)

    def _row(self, job: str, data: str, result: BacktestResult, loop_s: float) -> Row:
        journal = Path(result.journal)
        return Row(
            job=job,
            data=data,
            build=app.BUILD,
            bars=result.bars,
            cpu_seconds=round(_run_alone_s(result), 4),
            loading_cpu_seconds=round(result.loading_cpu_seconds, 4),
            bars_per_second=round(result.bars / _run_alone_s(result)),
            times_plain_loop=round(_run_alone_s(result) / result.bars / loop_s, 2),
            final_equity=round(result.final_equity, 2),
            fills=len(reading.fills(journal)),
            rules_evaluated=result.rules_evaluated,
            records=sum(reading.counts(journal).values()),
            journal_bytes=journal.stat().st_size,
        )

    def wide(self) -> Row:
        """One minute of 10,000 symbols, decided as a live feed gives it: a block of one row at a time."""
        dataset = self.store.open(stored(self.store, "wide"))
        settings = job_settings(self.folder, len(dataset.symbols), "next_open")
        engine = app.build_engine(settings, dataset.universe)
        (block,) = dataset.blocks()
        cash = settings.account.cash_usd
        view = AccountView(
            at_ns=block.session.open_ns,
            equity_usd=cash,
            cash_usd=cash,
            buying_power_usd=cash * 2,
            last_equity_usd=cash,
            multiplier=2,
        )
        engine.handle(SessionPhase(at_ns=block.session.open_ns, phase=Phase.OPENING, session=block.session))
        engine.handle(view)
        spent_s = []
        with settled_memory():  # As every run has it.
            for row in range(120):  # From the 60th on every symbol has a signal.
                minute = block.row_block(row).at(0)
                started = time.process_time()
                engine.handle(minute)
                spent_s.append(time.process_time() - started)
        decided_s = spent_s[65:]
        bars = len(decided_s) * len(dataset.symbols)
        loop_s = self._yardstick.seconds_per_bar()
        return Row(
            job="one minute, live rows",
            data="wide",
            build=app.BUILD,
            bars=bars,
            cpu_seconds=round(sum(decided_s), 4),
            loading_cpu_seconds=0.0,
            bars_per_second=round(bars / sum(decided_s)),
            times_plain_loop=round(sum(decided_s) / bars / loop_s, 2),
            note=f"a minute: mean {1e3 * sum(decided_s) / len(decided_s):.2f} ms, most {1e3 * max(decided_s):.2f} ms; "
            f"the first with signals everywhere {1e3 * spent_s[59]:.1f} ms",
        )


def _run_alone_s(result: BacktestResult) -> float:
    return result.cpu_seconds - result.loading_cpu_seconds


JOBS = ("small", "large", "idle", "every", "growth", "wide")
EVERY_STRATEGY = "atr_rsi,ema_trend,donchian,bollinger,macd,cross_sectional,sma_cross"


def measure(bench: Bench, jobs: Sequence[str]) -> list[Row]:
    rows = []
    for data in ("small", "large"):
        if data in jobs:
            rows += [bench.crossover(data, fill) for fill in FILL_RULES]
    if "idle" in jobs:
        rows.append(bench.run("no-op", "large", fill_model="next_open", strategy="idle"))
    if "every" in jobs:
        rows.append(bench.run("every strategy at once", "large", fill_model="next_open", strategy=EVERY_STRATEGY))
    if "growth" in jobs:
        rows += [
            bench.run(
                f"crossover, {sessions} sessions",
                "large",
                fill_model="next_open",
                strategy="sma_cross",
                sessions=sessions,
            )
            for sessions in (10, 60)
        ]
    if "wide" in jobs:
        rows.append(bench.wide())
    return rows


def shown(row: Row) -> str:
    equity = "" if row.final_equity is None else f"{row.final_equity:12,.2f} USD {row.fills:7,} fills"
    record = (
        ""
        if row.records is None
        else f" {row.rules_evaluated:,} rules, {row.records:,} records, {row.journal_bytes:,} B"
    )
    return (
        f"{row.job:24s} {row.data:6s} {row.bars:9,} bars {row.bars_per_second:10,}/s "
        f"{row.times_plain_loop:6.2f} x loop, loading {row.loading_cpu_seconds:.2f} s {equity}{record} {row.note}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Measure the engine on the peers' job; this build is {app.BUILD}.")
    parser.add_argument("--json", type=Path, help="write the rows there")
    parser.add_argument("--jobs", nargs="*", choices=JOBS, default=list(JOBS))
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs counts (default 3)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ordinis-bench-") as folder:
        rows = measure(Bench(Path(folder), arguments.repeats), arguments.jobs)
    print(f"The {app.BUILD} build.")
    for row in rows:
        print(shown(row))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
