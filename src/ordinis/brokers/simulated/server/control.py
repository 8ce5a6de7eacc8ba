"""The control port: lets time pass, says how much has been told, and makes things go wrong.

No part of any broker's API.
"""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.plan import parse_faults
from ordinis.brokers.simulated.server.answers import Handler, answer, failure
from ordinis.brokers.simulated.server.conductor import Conductor
from ordinis.brokers.simulated.server.simulation import Step
from ordinis.domain.errors import ConfigError, OrdinisError
from ordinis.domain.market import Session

STEPS_MAX = 100_000


class ControlApi:
    """Behind a token of its own."""

    def __init__(self, conductor: Conductor, faults: Faults, token: str) -> None:
        self._conductor = conductor
        self._faults = faults
        self._token = token

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "/step", self.step),
            ("POST", "/start", self.start),
            ("GET", "/totals", self.totals),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.arm),
            ("DELETE", "/faults", self.clear),
        )
        return [Route(path, self._guarded(handler), methods=[method]) for method, path, handler in table]

    def _guarded(self, handler: Handler) -> Handler:
        async def respond(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return failure(401, "the control token is missing or wrong")
            try:
                return await handler(request)
            except ConfigError as error:
                return failure(422, str(error))
            except OrdinisError as error:
                return failure(500, str(error))

        return respond

    async def step(self, request: Request) -> Response:
        """One phase or one minute; with `count` as many, or fewer where the data end. The last is told."""
        asked = request.query_params.get("count", "1")
        if not asked.isdecimal() or not 1 <= int(asked) <= STEPS_MAX:
            raise ConfigError(f"count must be from 1 to {STEPS_MAX}, was {asked}")
        if self._conductor.paced:
            raise ConfigError("time passes by itself at this speed; start the broker with --speed step to step it")
        return answer(self._told(await self._conductor.advance(int(asked))))

    async def start(self, request: Request) -> Response:
        """Time that passes by itself begins, whoever listens."""
        if not self._conductor.paced:
            raise ConfigError("time is stepped here; start the broker with a speed other than step")
        self._conductor.begin()
        return answer(self._conductor.totals)

    def _told(self, step: Step) -> dict[str, Any]:
        return {
            "phase": step.phase,
            "at_ns": step.at_ns,
            "session": _session_body(step.session),
            "totals": self._conductor.totals,
        }

    async def totals(self, request: Request) -> Response:
        """The barrier of a stepping client: what has been said so far."""
        return answer(self._conductor.totals)

    async def faults(self, request: Request) -> Response:
        """Every fault that is armed, and how often it has happened."""
        return answer(self._faults.listing())

    async def arm(self, request: Request) -> Response:
        """One fault of a plan, or a list of them, beside those that are armed."""
        for fault in parse_faults(await request.body()):
            self._faults.arm(fault)
        return answer(self._faults.listing())

    async def clear(self, request: Request) -> Response:
        """Nothing goes wrong any more."""
        self._faults.clear()
        return answer(self._faults.listing())


def _session_body(session: Session | None) -> dict[str, Any] | None:
    if session is None:
        return None
    return {"date": session.date.isoformat(), "open_ns": session.open_ns, "close_ns": session.close_ns}
