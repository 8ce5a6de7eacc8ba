"""How long an order takes: from the last bar of a minute on the wire to the order on the wire.

    python bench/latency.py [--json OUT] [--symbols 16 500 10000] [--minutes N]

Both moments are stamped by the simulated broker, in a process of its own: when it has written the minute's last bar to
the stream's socket, and when POST /v2/orders has come in. In between lie both ways over the loopback, the decoding of
the bars, the whole engine with two of its strategies and one that wants an entry every minute, the journal, and the
official SDK. The two strategies are computed as on any day and want nothing themselves: the book is one that an account
could hold, and there is one order a minute. Without the disk's flush the journal is written, not waited for; with it
every event is on the disk before its order is sent, as in paper and live trading.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np

from ordinis import app
from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.live import LiveLink
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.server.data_stream import DataStream
from ordinis.brokers.simulated.server.orders import OrdersApi
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.config import load
from ordinis.domain.market import DailyBlock
from ordinis.engines.trading import TradingEngine
from ordinis.journal import writer
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.runtime.loop import trade
from ordinis.runtime.memory import settled_memory
from server import made_up

SPEED = {16: 240.0, 500: 240.0, 10_000: 60.0}  # A minute must be long enough for all of it.
WARM_UP_MINUTES = 5
SECONDS_MAX = 20.0
TARGET_MS = {16: 5.0, 500: None, 10_000: 50.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Milliseconds over the orders of so many minutes."""

    symbols: int
    flushed: bool
    orders: int
    p50_ms: float
    p99_ms: float
    target_p99_ms: float | None


def _serving(line: Connection, symbols: int, minutes: int, speed: float) -> None:
    """The server's process: says its addresses, then, when asked, its stamps."""
    told_ns: list[int] = []
    came_ns: list[tuple[int, int]] = []  # How many minutes were told before, and when.
    publish, submit = DataStream.publish, OrdersApi.submit

    async def stamped_publish(self: DataStream, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        said = await publish(self, messages)
        if any(message["T"] == "b" for message in said):
            told_ns.append(time.perf_counter_ns())
        return said

    async def stamped_submit(self: OrdersApi, request: Any) -> Any:
        came_ns.append((len(told_ns), time.perf_counter_ns()))
        return await submit(self, request)

    DataStream.publish, OrdersApi.submit = stamped_publish, stamped_submit  # type: ignore[method-assign]
    block = made_up(symbols, minutes)
    exchange = Exchange(block.universe, ExchangeSettings(cash_usd=Decimal(10**9)))
    with serve(exchange, SimulatedData(days=[block]), speed=speed) as served:
        line.send(msgspec.structs.asdict(served.addresses))
        line.recv()
        first: dict[int, int] = {}
        for minute, at_ns in came_ns:
            first.setdefault(minute, at_ns)
        line.send([first[minute] - told_ns[minute - 1] for minute in sorted(first) if minute > WARM_UP_MINUTES])


@contextmanager
def server(symbols: int, minutes: int, speed: float) -> Iterator[tuple[Addresses, Connection]]:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serving, args=(there, symbols, minutes, speed), daemon=True)
    process.start()
    try:
        yield Addresses(**here.recv()), here
    finally:
        process.join(SECONDS_MAX)


def engine(symbols: int, minutes: int) -> TradingEngine:
    """As `ordinis run` builds it: all that is wanted is one small entry a minute, and limits let it pass."""
    universe = made_up(symbols, 1).universe
    settings = load(
        None,
        [
            'strategies.enabled=["atr_rsi","ema_trend","metronome"]',
            f'strategies.files=["{Path(__file__).with_name("metronome.py")}"]',
            "strategies.parameters.atr_rsi.oversold=1e-9",
            "strategies.parameters.atr_rsi.smoothing=wilder",
            "strategies.parameters.ema_trend.band_atr=1e9",
            "account.fractional=false",
            "compliance.day_trade_throttle=off",
            "execution.protection=none",
            "tiers.standard.method=FIXED_PERCENT",
            "tiers.standard.min_confidence=0",
            "tiers.standard.max_positions=20",
            "sizing.fixed_percent=0.00001",
            "sizing.book_volatility_cap=false",
            "sizing.marginal_risk_ratio_max=0",
            "risk.orders_a_session_max=0",
            "risk.order_volume_fraction_max=0",
            "risk.sector_fraction_max=0",
            "risk.cluster_fraction_max=0",
            "risk.beta_rule=off",
            "risk.market_volatility_full=0",
        ],
    )
    made = app.build_engine(settings, universe)
    empty = np.empty((0, symbols))
    made.warm_up(
        [], DailyBlock(universe=universe, dates=(), open=empty, high=empty, low=empty, close=empty, volume=empty)
    )
    return made


def measured(symbols: int, minutes: int, flushed: bool, folder: Path) -> Row:
    """One day of so many minutes."""
    speed = SPEED.get(symbols, 60.0)
    meta = {"symbols": json.dumps(made_up(symbols, 1).universe.symbols)}
    writer._PRAGMAS[Durability.FULL] = ("journal_mode = WAL", f"synchronous = {'FULL' if flushed else 'OFF'}")
    trader = engine(symbols, minutes)
    with server(symbols, minutes, speed) as (at, line):
        endpoints = Endpoints(
            rest=at.rest,
            data=at.data,
            data_stream=at.data_stream,
            trading_stream=at.trading_stream,
            key=at.key,
            secret=at.secret,
        )
        with (
            LiveLink(
                endpoints,
                trader.state.universe,
                feed="iex",
                generator=Random(1),
                wall_seconds=time.monotonic,
                say=lambda text: None,
                speed=speed,
                deadline_seconds=55.0,
                sessions_max=1,
            ) as link,
            SqliteJournal(
                folder / f"{symbols}-{flushed}.journal", meta=meta, durability=Durability.FULL, record_slices=True
            ) as journal,
        ):
            with settled_memory():  # As every run has it.
                trade(trader, link.market_since(None), link.broker, journal, lambda: False)
            line.send(True)
            spans_ms = np.array(line.recv()) / 1e6
    return Row(
        symbols=symbols,
        flushed=flushed,
        orders=len(spans_ms),
        p50_ms=round(float(np.percentile(spans_ms, 50)), 2),
        p99_ms=round(float(np.percentile(spans_ms, 99)), 2),
        target_p99_ms=None if flushed else TARGET_MS.get(symbols),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--symbols", type=int, nargs="+", default=[16, 500, 10_000])
    parser.add_argument("--minutes", type=int, default=200)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for symbols in given.symbols:
            for flushed in (False, True):
                row = measured(symbols, given.minutes, flushed, Path(folder))
                rows.append(row)
                target = "" if row.target_p99_ms is None else f", aimed at {row.target_p99_ms:g}"
                print(
                    f"{row.symbols:>6} symbols, {'flushed' if flushed else 'not flushed'}: "
                    f"p50 {row.p50_ms:.2f} ms, p99 {row.p99_ms:.2f} ms{target} ({row.orders} orders)",
                    flush=True,
                )
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
