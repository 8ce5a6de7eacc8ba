"""A broker whose time passes by itself: what its clock says while a minute is being told, and how long a minute is."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median

import pytest

from contract.days import block_of
from contract.wire import broker
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import FaultPlan
from ordinis.brokers.simulated.server import Keys, ServerSettings, SimulatedData
from ordinis.brokers.simulated.server.conductor import Conductor
from ordinis.brokers.simulated.server.parts import Parts
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import MINUTE_NS

SPEED = 600.0  # A minute in 100 ms.
MINUTE_SECONDS = 60.0 / SPEED


def parts() -> Parts:
    day = block_of(0, 8, gaps=False)
    exchange = Exchange(day.universe, ExchangeSettings(cash_usd=Decimal(1_000)))
    return Parts(exchange, SimulatedData(days=[day]), Keys.made_up(), ServerSettings(), FaultPlan())


def test_whoever_asks_while_a_minute_is_told_hears_of_that_minute_and_not_of_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that sets its clock in that moment would be nearly a minute ahead until it asks again."""
    seen: list[int] = []
    tell = Conductor._tell_minute

    async def slow(self: Conductor, minute: object) -> None:
        await asyncio.sleep(MINUTE_SECONDS / 2)
        seen.append(self._desk.clock.now_ns() - self._desk.exchange.now_ns)
        await tell(self, minute)  # type: ignore[arg-type]

    monkeypatch.setattr(Conductor, "_tell_minute", slow)
    conductor = parts().conductor
    conductor.begin()
    asyncio.run(conductor.run(SPEED))
    assert len(seen) == 8
    assert MINUTE_NS * 0.3 < median(seen) < MINUTE_NS * 0.95, seen


def test_a_minute_is_no_longer_for_what_it_gives_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[float] = []
    tell = Conductor._tell_minute

    async def slow(self: Conductor, minute: object) -> None:
        took.append(asyncio.get_running_loop().time())
        await asyncio.sleep(MINUTE_SECONDS * 0.8)
        await tell(self, minute)  # type: ignore[arg-type]

    monkeypatch.setattr(Conductor, "_tell_minute", slow)
    conductor = parts().conductor
    conductor.begin()
    asyncio.run(conductor.run(SPEED))
    assert took[-1] - took[0] == pytest.approx(7 * MINUTE_SECONDS, rel=0.25)


def test_the_clock_runs_within_a_minute() -> None:
    """To the fraction of a second: at 600 times real time a second of its time is little of ours."""
    with broker(days=[block_of(0, 20, gaps=False)], speed=30.0) as wire:
        ears = wire.data(bars=["AAA"])
        texts = [wire.get("/v2/clock")["timestamp"] for _ in range(5)]
        ears.close()
    moments = [datetime.fromisoformat(text) for text in texts]
    assert all(earlier < later for earlier, later in pairwise(moments))
    assert any(moment.microsecond for moment in moments)
