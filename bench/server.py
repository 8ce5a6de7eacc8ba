"""How much the simulated broker's wire carries.

    python bench/server.py [--json OUT] [--only orders bars session] [--repeats N]

Three figures. `orders`: limit orders a second through POST /v2/orders, over a few kept connections that each wait for
their answer, with a listener on the trade_updates stream that reads every update. `bars`: bars a second through the
market-data stream, msgpack, everything subscribed, at speed `max`. `session`: a session of 16 symbols through REST and
streams with the engine attached, as `ordinis run --sim` trades it. Server and client are processes of their own. Wall
time is what is asked for; the CPU time of the server stands beside it, because other work may run on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from websockets.asyncio.client import connect

from bars import stored
from ordinis import app
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.config import load
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe

ORDERS = 20_000
CONNECTIONS = 8
BAR_SYMBOLS, BAR_MINUTES = 500, 390
SESSION_SYMBOLS = 16
OPEN_NS = 1_735_828_200 * 10**9
SAID = b'{"stream":"trade_updates"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: so many of something in so many seconds of wall time."""

    job: str
    amount: int
    seconds: float
    per_second: int
    server_cpu_seconds: float
    target: str


def made_up(symbols: int, minutes: int) -> MarketBlock:
    """Random walks near 100 USD, every minute present."""
    shape = (minutes, symbols)
    random = np.random.default_rng(1)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.001, shape), axis=0)), 2)
    session = Session(date=date(2025, 1, 2), open_ns=OPEN_NS, close_ns=OPEN_NS + minutes * MINUTE_NS)
    return MarketBlock(
        universe=Universe(tuple(f"S{number:04d}" for number in range(symbols))),
        session=session,
        closed_at_ns=OPEN_NS + MINUTE_NS * np.arange(1, minutes + 1, dtype=np.int64),
        open=close,
        high=close + 0.01,
        low=close - 0.01,
        close=close,
        volume=np.full(shape, 1e6),
        present=np.ones(shape, dtype=np.bool_),
    )


def _serving(line: Connection, symbols: int, minutes: int, speed: float | None) -> None:
    """The server's process: says its addresses, then on every word its CPU seconds; ends with the line."""
    block = made_up(symbols, minutes)
    exchange = Exchange(block.universe, ExchangeSettings(cash_usd=Decimal(10**9)))
    with serve(exchange, SimulatedData(days=[block]), speed=speed) as served:
        line.send(msgspec.structs.asdict(served.addresses))
        while line.recv():
            used = resource.getrusage(resource.RUSAGE_SELF)
            line.send(used.ru_utime + used.ru_stime)


@contextmanager
def server(symbols: int, minutes: int, speed: float | None = None) -> Iterator[tuple[Addresses, Callable[[], float]]]:
    """A server in a process of its own, and its CPU seconds so far."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serving, args=(there, symbols, minutes, speed), daemon=True)
    process.start()
    addresses = Addresses(**here.recv())

    def cpu_seconds() -> float:
        here.send(True)
        return float(here.recv())

    try:
        yield addresses, cpu_seconds
    finally:
        here.send(False)
        process.join(10)


# Orders.


def _post(addresses: Addresses, number: int) -> bytes:
    """A limit order far below the market, so that it works and never fills."""
    body = json.dumps(
        {
            "symbol": f"S{number % BAR_SYMBOLS:04d}",
            "qty": "1",
            "side": "buy",
            "type": "limit",
            "limit_price": "10",
            "time_in_force": "day",
            "client_order_id": f"bench-{number}",
        }
    )
    head = (
        "POST /v2/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"APCA-API-KEY-ID: {addresses.key}\r\nAPCA-API-SECRET-KEY: {addresses.secret}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def _post_all(addresses: Addresses, numbers: range) -> None:
    port = int(addresses.rest.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        writer.write(_post(addresses, number))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"order {number}: {head.decode()}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()


async def _orders(addresses: Addresses, orders: int) -> float:
    """Seconds until every order is answered and both its updates are read."""
    async with connect(addresses.trading_stream, proxy=None, compression=None) as socket:
        keys = {"key_id": addresses.key, "secret_key": addresses.secret}
        await socket.send(json.dumps({"action": "authenticate", "data": keys}))
        await socket.recv()
        await socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        await socket.recv()

        async def read() -> None:
            for _ in range(2 * orders):
                frame = await socket.recv(decode=False)
                if not frame.startswith(SAID):
                    raise SystemExit(f"the stream said {frame!r}")

        began = time.perf_counter()
        each = orders // CONNECTIONS
        await asyncio.gather(
            read(), *(_post_all(addresses, range(n * each, (n + 1) * each)) for n in range(CONNECTIONS))
        )
        return time.perf_counter() - began


def orders_a_second(orders: int = ORDERS) -> Row:
    with server(BAR_SYMBOLS, 5) as (addresses, cpu_seconds):
        _step(addresses, 2)
        before = cpu_seconds()
        seconds = asyncio.run(_orders(addresses, orders))
        return _row("orders", orders, seconds, cpu_seconds() - before, "2,000 orders/s")


def _step(addresses: Addresses, count: int) -> None:
    from ordinis.brokers.alpaca.control import Control, ControlAddress

    control = Control(ControlAddress(url=addresses.control, token=addresses.control_token))
    for _ in range(count):
        control.step()
    control.close()


# Bars.


async def _bars(addresses: Addresses, bars: int) -> float:
    """Seconds from the first bar to the last."""
    headers = {"Content-Type": "application/msgpack"}
    decoder = msgspec.msgpack.Decoder()
    async with connect(
        addresses.data_stream, additional_headers=headers, proxy=None, compression=None, max_size=None
    ) as socket:
        await socket.recv()
        await socket.send(msgspec.msgpack.encode({"action": "auth", "key": addresses.key, "secret": addresses.secret}))
        await socket.recv()
        await socket.send(msgspec.msgpack.encode({"action": "subscribe", "bars": ["*"]}))
        await socket.recv()
        began = time.perf_counter()
        heard = 0
        while heard < bars:
            heard += len(decoder.decode(await socket.recv(decode=False)))
        return time.perf_counter() - began


def bars_a_second() -> Row:
    with server(BAR_SYMBOLS, BAR_MINUTES, math.inf) as (addresses, cpu_seconds):
        before = cpu_seconds()
        bars = BAR_SYMBOLS * BAR_MINUTES
        seconds = asyncio.run(_bars(addresses, bars))
        return _row("bars", bars, seconds, cpu_seconds() - before, "20,000 bars/s")


# A session with the engine attached.


def session_seconds() -> Row:
    with tempfile.TemporaryDirectory() as folder:
        given = load(None, [f"data.store_dir={folder}/bars", "account.cash_usd=50000"])
        data = stored(app.store(given), "small")
        before = os.times()
        began = time.perf_counter()
        app.run_simulation(given, data=data, journal=Path(folder) / "run.journal")
        seconds = time.perf_counter() - began
        after = os.times()
        cpu = after.user + after.system - before.user - before.system
        return _row("session", SESSION_SYMBOLS * 390, seconds, cpu, "under 20 s; one process, warm-up included")


def _row(job: str, amount: int, seconds: float, cpu_seconds: float, target: str) -> Row:
    return Row(
        job=job,
        amount=amount,
        seconds=round(seconds, 2),
        per_second=round(amount / seconds),
        server_cpu_seconds=round(cpu_seconds, 2),
        target=target,
    )


JOBS: dict[str, Callable[[], Row]] = {"orders": orders_a_second, "bars": bars_a_second, "session": session_seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--only", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in given.only:
        for _ in range(given.repeats):
            row = JOBS[name]()
            rows.append(asdict(row))
            print(
                f"{row.job:8} {row.amount:>9,} in {row.seconds:7.2f} s = {row.per_second:>9,}/s, "
                f"server CPU {row.server_cpu_seconds:.2f} s (target: {row.target})",
                flush=True,
            )
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
