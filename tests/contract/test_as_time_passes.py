"""A broker whose clock runs by itself, many times faster than ours: decisions go by its time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contract.roads import endpoints
from ordinis.brokers.alpaca.backoff import Backoff
from ordinis.brokers.alpaca.feeds import StreamLimits
from ordinis.brokers.alpaca.live import LiveLink
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import FaultPlan
from ordinis.brokers.simulated.faults.kinds import DropSocket, Fault, MissingEvent, MuteSocket
from ordinis.brokers.simulated.server import SimulatedData, serve
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import MarketSlice
from ordinis.engines.trading import TradingEngine
from ordinis.journal.recorded import recorded
from simulation.killing import Death, relived, trade_on
from simulation.scripted import DAYS, exchange, trader

SPEED = 240.0  # A minute in a quarter of a second.
DEADLINE_SECONDS = 25.0  # Of the broker's time: a tenth of ours.
QUICK = StreamLimits(backoff=Backoff(first_seconds=0.01, seconds_max=0.05, attempts_max=20))


@contextmanager
def at_speed(other_side: Exchange, faults: Sequence[Fault] = (), speed: float = SPEED) -> Iterator[LiveLink]:
    data = SimulatedData(days=DAYS[:1])
    with (
        serve(other_side, data, speed=speed, faults=FaultPlan(fault=tuple(faults))) as served,
        LiveLink(
            endpoints(served.addresses),
            DAYS[0].universe,
            feed="iex",
            generator=Random(1),
            wall_seconds=time.monotonic,
            say=said.append,
            speed=speed,
            deadline_seconds=DEADLINE_SECONDS,
            sessions_max=1,
            stream_limits=QUICK,
        ) as link,
    ):
        said.clear()
        yield link


said: list[str] = []


def traded(other_side: Exchange, path: Path, faults: Sequence[Fault] = ()) -> TradingEngine:
    """One day, from the open to the close."""
    engine = trader()
    lived = relived(engine, path)
    with at_speed(other_side, faults) as link:
        market: Any = link.market_since(None if lived is None else lived.reached)
        trade_on(engine, link.broker, market, lived, path, Death())
    return engine


def test_a_day_that_passes_by_itself_is_traded_to_its_close(tmp_path: Path) -> None:
    other_side, path = exchange(), tmp_path / "a.journal"
    engine = traded(other_side, path)
    assert [decision.notes for _, decision in recorded(path) if decision.notes][1:] == []
    assert {one.symbol for one in other_side.orders} == {"AAA", "BBB", "CCC"}
    assert engine.state.ledger.differs_from(other_side.positions) == []
    assert engine.state.ledger.cash_usd == other_side.account().cash_usd
    minutes = [event.at_ns for event, _ in recorded(path) if isinstance(event, MarketSlice)]
    assert minutes == DAYS[0].closed_at_ns.tolist()


@pytest.mark.parametrize(
    "fault",
    [
        MissingEvent(stream="trading", event="fill", count=2),
        DropSocket(stream="trading", event="fill"),
        MuteSocket(stream="trading", event="fill"),
        MissingEvent(stream="data", event="b", symbol="*", count=3, skip=6),
        DropSocket(stream="data", event="b", skip=6),
        MuteSocket(stream="data", event="b", skip=9),
    ],
    ids=lambda fault: f"{type(fault).__name__}-{fault.stream}",
)
def test_what_a_stream_does_not_say_is_asked_for(fault: Fault, tmp_path: Path) -> None:
    """Every fill is in the journal once, and our book ends as the broker's."""
    other_side, path = exchange(), tmp_path / "a.journal"
    engine = traded(other_side, path, [fault])
    told = [event.fill.execution_id for event, _ in recorded(path) if isinstance(event, OrderUpdate) and event.fill]
    assert len(told) == len(set(told)) > 0
    assert engine.state.ledger.differs_from(other_side.positions) == []
    assert engine.state.ledger.cash_usd == other_side.account().cash_usd
