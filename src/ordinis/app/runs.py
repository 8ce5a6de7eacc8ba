"""The runs: a backtest in process, a simulation over the wire, a broker that serves both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from ordinis.app import material as materials
from ordinis.app.build import build_engine, build_exchange
from ordinis.app.material import BUNDLED, Material, journal_path, open_data, store
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.config.settings import Settings
from ordinis.domain.market import MarketBlock
from ordinis.engines.trading import TradingEngine
from ordinis.journal.writer import Durability
from ordinis.ports import History
from ordinis.research.backtest import backtest
from ordinis.research.result import BacktestResult
from ordinis.runtime import clock
from ordinis.runtime.interrupt import stop_on_interrupt

if TYPE_CHECKING:
    from ordinis.brokers.simulated.server.simulation import SimulatedData

__all__ = ["BUNDLED", "Progress", "open_data", "run_backtest", "run_simulation", "serve_broker", "store"]

Progress = Callable[[int, int], None]  # Sessions done, sessions in all.


def run_backtest(
    settings: Settings,
    *,
    data: str,
    first: date | None = None,
    last: date | None = None,
    journal: Path | None = None,
    report: Path | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> tuple[BacktestResult, TradingEngine]:
    """Run the data's sessions through the whole path; the engine is returned as it ended.

    `report` is a folder to write the report into, `command` what a reader would type. Errors: OrdinisError.
    """
    if report is not None:
        _check_report_can_be_made()
    material = materials.gather(settings, data, first, last)
    engine = build_engine(settings, material.universe, material.dataset.feed)
    _warm_up(engine, material)
    exchange = build_exchange(settings, material.universe, material.dataset.feed)
    path = journal_path(settings, journal, "backtest")
    run = material.run(path)
    with stop_on_interrupt() as stopped, closing(material.open_journal(path, Durability.BATCH)) as record:
        market = SimulatedMarket(exchange, run.loaded(_announced(material, progress)))
        result = backtest(engine, market, SimulatedBroker(exchange), record, exchange, run, stopped)
    if report is not None:
        _report(material, result, engine, report, command)
    return result, engine


def run_simulation(
    settings: Settings,
    *,
    data: str,
    day: date | None = None,
    speed: float = 0.0,
    journal: Path | None = None,
) -> BacktestResult:
    """Trade one session over Alpaca's REST and streams, against a simulated broker started for it.

    `speed` is in times of real time; 0 is as fast as it goes. Without a day it is the data's last.
    Errors: OrdinisError.
    """
    from ordinis.brokers.alpaca.control import ControlAddress
    from ordinis.brokers.alpaca.endpoints import Endpoints
    from ordinis.brokers.alpaca.simulation import SimulationLink
    from ordinis.brokers.simulated.server import serve

    day = day or open_data(settings, data).sessions[-1].date
    material = materials.gather(settings, data, day, day)
    engine = build_engine(settings, material.universe, material.dataset.feed)
    exchange = build_exchange(settings, material.universe, material.dataset.feed)
    path = journal_path(settings, journal, "simulation")
    run = material.run(path)
    with serve(exchange, _served(material)) as served:
        at = served.addresses
        endpoints = Endpoints(
            rest=at.rest,
            data=at.data,
            data_stream=at.data_stream,
            trading_stream=at.trading_stream,
            key=at.key,
            secret=at.secret,
        )
        control = ControlAddress(url=at.control, token=at.control_token)
        generator = Random(settings.run.seed)  # Of the waits between attempts.
        with (
            SimulationLink(endpoints, control, material.universe, generator=generator, pace=_pace(speed)) as link,
            stop_on_interrupt() as stopped,
            closing(material.open_journal(path, Durability.FULL, record_slices=True)) as record,
        ):
            history = link.history(
                before=day,
                sessions=settings.run.warm_up_sessions,
                daily_sessions=settings.run.warm_up_daily_sessions,
            )
            _warm_up(engine, history)
            result = backtest(engine, link.market, link.broker, record, exchange, run, stopped)
    return result


def serve_broker(settings: Settings, *, data: str, port: int, speed: float) -> None:
    """Serve the data's sessions as Alpaca would, until interrupted. Prints one JSON line when ready."""
    import sys

    from ordinis.brokers.simulated.server import serve

    material = materials.gather(settings, data)
    exchange = build_exchange(settings, material.universe, material.dataset.feed)
    with (
        serve(exchange, _served(material), port=port, speed=speed or None) as served,
        stop_on_interrupt() as stopped,
    ):
        sys.stdout.write(served.addresses.json() + "\n")
        sys.stdout.flush()
        while served.running and not stopped():
            served.wait(0.2)


def _warm_up(engine: TradingEngine, history: History) -> None:
    """From the store or over the wire: the engine cannot tell."""
    engine.warm_up(history.minutes(), history.daily())


def _served(material: Material) -> SimulatedData:
    from ordinis.brokers.simulated.server.simulation import SimulatedData

    return SimulatedData(days=list(material.blocks()), history=list(material.minutes()), daily=material.daily())


def _check_report_can_be_made() -> None:
    """Before a long run, not after it."""
    from ordinis.research.report import require_plotly

    require_plotly()


def _report(material: Material, result: BacktestResult, engine: TradingEngine, folder: Path, command: str) -> None:
    from ordinis.research.report import MARKET, benchmark_of, gather, write_report

    dataset, days = material.dataset, material.days
    symbols = (MARKET,) if MARKET in dataset.symbols else material.universe.symbols
    benchmark = benchmark_of(dataset.blocks(days[0], days[-1], symbols), result.start_equity)
    write_report(gather(result, engine, benchmark, command), folder)


def _announced(material: Material, progress: Progress | None) -> Iterator[MarketBlock]:
    """The run's blocks; the progress is told as each is asked for."""
    total = len(material.days)
    for done, block in enumerate(material.blocks()):
        if progress is not None:
            progress(done, total)
        yield block
    if progress is not None:
        progress(total, total)


def _pace(speed: float) -> Callable[[], None]:
    """Waits out a minute at this many times real time."""
    if speed <= 0:
        return lambda: None
    return lambda: clock.sleep(60.0 / speed)
