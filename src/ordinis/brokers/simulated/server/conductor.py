"""Lets time pass, and tells the streams of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.kinds import SplitBeforeOpen
from ordinis.brokers.simulated.pricing import Pricing
from ordinis.brokers.simulated.server.bar_faults import BarFaults
from ordinis.brokers.simulated.server.data_stream import DataStream
from ordinis.brokers.simulated.server.desk import Desk
from ordinis.brokers.simulated.server.simulation import Step, Totals
from ordinis.brokers.simulated.wire_bars import stream_bars
from ordinis.brokers.simulated.wire_market import Tape
from ordinis.domain.events import Phase
from ordinis.domain.market import MarketSlice

ENDED = "ended"
_MINUTE_SECONDS = 60.0


class Conductor:
    """First what a step did to orders is told, then its bars, then the other channels."""

    def __init__(self, desk: Desk, data: DataStream, faults: Faults) -> None:
        exchange = desk.exchange
        self.paced = False  # Time passes by itself.
        self._desk = desk
        self._simulation = desk.simulation
        self._data = data
        self._faults = faults
        self._bars = BarFaults(faults)
        self._simulation.splits_tonight = self._splits
        self._tape = Tape(exchange.universe, Pricing(exchange.settings))

    @property
    def totals(self) -> Totals:
        totals = self._simulation.totals
        totals.trade_updates_unheard, totals.bars_unheard = self._desk.unheard, self._data.unheard
        return totals

    def _splits(self, session_number: int) -> Iterator[tuple[str, Decimal]]:
        self._faults.set_time(session_number, 0)
        for split in self._faults.all(SplitBeforeOpen):
            yield split.symbol, split.ratio

    async def advance(self, count: int = 1) -> Step:
        """So many steps, or fewer where the data end; the last one."""
        async with self._desk.turn:
            step = await self._advance()
            while step.phase != ENDED and count > 1:
                count -= 1
                step = await self._advance()
            return step

    async def _advance(self) -> Step:
        simulation = self._simulation
        self._desk.positions.remember()
        step = simulation.step()
        self._desk.clock.stepped()
        self._faults.set_time(simulation.session_number, simulation.minutes_over)
        await self._desk.publish(step.updates)
        if step.minute is not None:
            await self._tell_minute(step.minute)
        elif step.session is not None and step.phase == Phase.OPENING.value:
            self._tape.open_session(step.session)
            if "statuses" in self._data.wanted():
                await self._data.publish(self._tape.statuses(step.session))
        return step

    async def _tell_minute(self, minute: MarketSlice) -> None:
        wanted = self._data.wanted()
        self._tape.add(minute)
        bars = self._bars.changed(stream_bars(minute), minute.at_ns)
        said = await self._data.publish([*bars, *self._tape.messages(minute, wanted)])
        totals = self.totals
        for message in said:
            if message["T"] == "b":
                totals.bars += 1
            elif message["T"] == "u":
                totals.updated_bars += 1

    def begin(self) -> None:
        """Time that passes by itself need not wait for a listener to market data."""
        self._data.heard.set()

    async def run(self, speed: float) -> None:
        """By itself, at so many times real time (`inf`: as fast as it goes), once begun.

        A minute is not longer for what it gives to do: clients reckon with the speed.
        """
        minute_seconds = _MINUTE_SECONDS / speed
        self.paced = True
        await self._data.heard.wait()  # Nobody should miss the first minutes.
        now_seconds = asyncio.get_running_loop().time
        due_seconds = now_seconds()
        self._desk.clock.run(minute_seconds)
        while (await self.advance()).phase != ENDED:
            due_seconds = max(due_seconds + minute_seconds, now_seconds())
            await asyncio.sleep(due_seconds - now_seconds())
