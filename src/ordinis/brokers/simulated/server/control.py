"""The control port: lets time pass, and says how much has been told. No part of any broker's API."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordinis.brokers.simulated.server.answers import Handler, answer, failure
from ordinis.brokers.simulated.server.simulation import Simulation, Step
from ordinis.brokers.simulated.server.streams import DataStream, TradingStream
from ordinis.domain.errors import OrdinisError
from ordinis.domain.market import Session

ENDED = "ended"
_MINUTE_SECONDS = 60.0


class Conductor:
    """Lets the simulation step, and tells the streams: first what the minute did to orders, then its bars."""

    def __init__(
        self, simulation: Simulation, trading: TradingStream, data: DataStream, turn: asyncio.Lock, token: str
    ) -> None:
        self._simulation = simulation
        self._trading = trading
        self._data = data
        self._turn = turn
        self._token = token

    def routes(self) -> list[Route]:
        return [
            Route("/step", self._guarded(self.step), methods=["POST"]),
            Route("/totals", self._guarded(self.totals), methods=["GET"]),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def respond(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return failure(401, "the control token is missing or wrong")
            try:
                return await handler(request)
            except OrdinisError as error:
                return failure(500, str(error))

        return respond

    async def step(self, request: Request) -> Response:
        """One phase or one minute."""
        step = await self.advance()
        return answer(
            {
                "phase": step.phase,
                "at_ns": step.at_ns,
                "session": _session_body(step.session),
                "totals": self._simulation.totals,
            }
        )

    async def totals(self, request: Request) -> Response:
        """The barrier of a stepping client: what has been published so far."""
        return answer(self._simulation.totals)

    async def advance(self) -> Step:
        async with self._turn:
            step = self._simulation.step()
            await self._trading.publish(step.updates)
            await self._data.publish(step.bars)
            self._simulation.totals.trade_updates += len(step.updates)
            self._simulation.totals.bars += len(step.bars)
            return step

    async def run(self, speed: float) -> None:
        """By itself, at so many times real time (`inf`: as fast as it goes), once somebody listens to the bars."""
        await self._data.heard.wait()
        while (await self.advance()).phase != ENDED:
            await asyncio.sleep(_MINUTE_SECONDS / speed)


def _session_body(session: Session | None) -> dict[str, Any] | None:
    if session is None:
        return None
    return {"date": session.date.isoformat(), "open_ns": session.open_ns, "close_ns": session.close_ns}
