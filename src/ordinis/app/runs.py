"""A backtest in process, and a simulated broker that serves others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from ordinis.app import material as materials
from ordinis.app.build import build_engine, build_exchange, sector_table
from ordinis.app.material import BUNDLED, Material, journal_path, open_data, store
from ordinis.app.wire import served
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.pricing import Pricing
from ordinis.config.settings import Settings
from ordinis.data.adjusting import adjusted_minutes
from ordinis.domain.market import MarketBlock
from ordinis.engines.trading import TradingEngine
from ordinis.journal.writer import Durability
from ordinis.ports import History
from ordinis.research.backtest import backtest
from ordinis.research.result import BacktestResult
from ordinis.runtime.interrupt import stop_on_interrupt

__all__ = ["BUNDLED", "Progress", "open_data", "run_backtest", "serve_broker", "store"]

Progress = Callable[[int, int], None]  # Sessions done, sessions in all.


def run_backtest(
    settings: Settings,
    *,
    data: str,
    first: date | None = None,
    last: date | None = None,
    journal: Path | None = None,
    report: Path | None = None,
    png: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> tuple[BacktestResult, TradingEngine]:
    """Run the data's sessions through the whole path; the engine is returned as it ended.

    `report` is a folder to write the report into, with `png` its pictures as files, too; `command` is what a reader
    would type. Errors: OrdinisError.
    """
    if report is not None:
        _check_report_can_be_made(png)
    material = materials.gather(settings, data, first, last)
    engine = build_engine(settings, material.universe, material.dataset.feed)
    _warm_up(engine, material)
    exchange = build_exchange(settings, material.universe, material.dataset.feed, material.actions())
    path = journal_path(settings, journal, "backtest")
    run = material.run(path)
    with stop_on_interrupt() as stopped, closing(material.open_journal(path, Durability.BATCH)) as record:
        market = SimulatedMarket(exchange, run.loaded(_announced(material, progress)))
        result = backtest(engine, market, SimulatedBroker(exchange), record, exchange, run, stopped)
    if report is not None:
        _report(material, result, engine, exchange, report, command, png)
    return result, engine


def serve_broker(
    settings: Settings,
    *,
    data: str,
    port: int,
    speed: float,
    first: date | None = None,
    last: date | None = None,
    faults: Path | None = None,
    seed: int | None = None,
    limits: tuple[int, int, int] = (0, 0, 0),
    numbers: bool = False,
) -> None:
    """Serve the data's sessions as Alpaca would, until interrupted. Prints one JSON line when ready.

    `speed` is in times of real time; 0 is stepped by a client. `seed` goes before the plan's own. `limits` are requests
    a minute, market-data connections, symbols on each; 0 is none. Errors: OrdinisError.
    """
    import sys

    from msgspec.structs import replace

    from ordinis.brokers.simulated.faults import FaultPlan, read_plan
    from ordinis.brokers.simulated.server import ServerSettings, serve

    plan = FaultPlan(seed=settings.run.seed) if faults is None else read_plan(faults)
    requests, connections, symbols = limits
    material = materials.gather(settings, data, first, last)
    exchange = build_exchange(settings, material.universe, material.dataset.feed, material.actions())
    with (
        serve(
            exchange,
            served(material),
            port=port,
            speed=speed or None,
            settings=ServerSettings(
                requests_a_minute_max=requests,
                data_connections_max=connections,
                data_symbols_max=symbols,
                quantities="numbers" if numbers else "strings",
            ),
            faults=plan if seed is None else replace(plan, seed=seed),
        ) as running,
        stop_on_interrupt() as stopped,
    ):
        sys.stdout.write(running.addresses.json() + "\n")
        sys.stdout.flush()
        while running.running and not stopped():
            running.wait(0.2)


def _warm_up(engine: TradingEngine, history: History) -> None:
    """From the store or over the wire: the engine cannot tell."""
    engine.warm_up(history.minutes(), history.daily())


def _check_report_can_be_made(png: bool) -> None:
    """Before a long run, not after it."""
    from ordinis.research.report import require_matplotlib, require_plotly

    require_plotly()
    if png:
        require_matplotlib()


def _report(
    material: Material,
    result: BacktestResult,
    engine: TradingEngine,
    exchange: Exchange,
    folder: Path,
    command: str,
    png: bool,
) -> None:
    from ordinis.research.report import MARKET, Surroundings, benchmark_of, gather, write_report

    dataset, days = material.dataset, material.days
    symbols = (MARKET,) if MARKET in dataset.symbols else material.universe.symbols
    actions = material.actions()

    def bars(traded: Sequence[str]) -> Iterator[MarketBlock]:
        """In the terms of the last day, so that a split is no loss and no gain."""
        return adjusted_minutes(dataset.blocks(days[0], days[-1], traded), actions, days[-1])

    around = Surroundings(
        command=command,
        benchmark=benchmark_of(bars(symbols), result.start_equity),
        given_away=Pricing(exchange.settings).given_away,
        bars=bars,
        sector_of=sector_table(material.settings),
    )
    write_report(gather(result, engine, around), folder, png=png)


def _announced(material: Material, progress: Progress | None) -> Iterator[MarketBlock]:
    """The run's blocks; the progress is told as each is asked for."""
    total = len(material.days)
    for done, block in enumerate(material.blocks()):
        if progress is not None:
            progress(done, total)
        yield block
    if progress is not None:
        progress(total, total)
