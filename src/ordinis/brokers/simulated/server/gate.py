"""What every request passes on its way in, and every answer on its way out: keys, rate limit, faults."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from http.client import responses

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.director import fits
from ordinis.brokers.simulated.faults.kinds import Delay, HttpError, LostAnswer
from ordinis.brokers.simulated.server.answers import BadRequest, Handler, answer, failure, rate_limited, refused
from ordinis.brokers.simulated.server.bodies import BodyFaults, shares_as_numbers
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.rates import RateLimiter
from ordinis.domain.errors import OrderRefused

Table = tuple[tuple[str, str, Handler], ...]  # Method, path, handler.


class Gate:
    """Makes routes of handlers. `numbers`: shares are written as JSON numbers."""

    def __init__(self, keys: Keys, limiter: RateLimiter, faults: Faults, *, numbers: bool) -> None:
        self._keys = keys
        self._limiter = limiter
        self._faults = faults
        self._bodies = BodyFaults(faults)
        self._numbers = numbers

    def routes(self, table: Table, denied: Response) -> list[Route]:
        """`denied` is said to who has no key."""
        return [Route(path, self._guarded(handler, denied), methods=[method]) for method, path, handler in table]

    def _guarded(self, handler: Handler, denied: Response) -> Handler:
        async def respond(request: Request) -> Response:
            headers = request.headers
            if not self._keys.admit(headers.get("apca-api-key-id"), headers.get("apca-api-secret-key")):
                return denied
            if not self._limiter.limits:
                return await self._answered(handler, request)
            admitted = self._limiter.admit()
            response = await self._answered(handler, request) if admitted else rate_limited()
            response.headers.update(self._limiter.headers())
            return response

        return respond

    async def _answered(self, handler: Handler, request: Request) -> Response:
        if not self._faults:
            return self._written(await _carried_out(handler, request), request)
        for delay in self._faults.all(Delay, lambda one: _about(one, request)):
            await asyncio.sleep(delay.seconds)
        error = self._faults.next(HttpError, lambda one: _about(one, request))
        if error is not None:
            return _failed(error.status)
        lost = self._faults.next(LostAnswer, lambda one: _about(one, request))
        response = await _carried_out(handler, request)
        if lost is not None:
            await asyncio.sleep(lost.seconds)
            return _failed(lost.status)
        return self._written(response, request)

    def _written(self, response: Response, request: Request) -> Response:
        """A body as the settings and the faults want it."""
        changes = self._bodies.waiting()
        if not response.body or not (self._numbers or changes):
            return response
        body = msgspec.json.decode(response.body)
        body = shares_as_numbers(body) if self._numbers else body
        return answer(self._bodies.changed(body, request.url.path), response.status_code)


async def _carried_out(handler: Handler, request: Request) -> Response:
    """Refusals become the broker's error bodies."""
    try:
        return await handler(request)
    except OrderRefused as refusal:
        return refused(refusal)
    except BadRequest as error:
        return failure(400, str(error))


def _about(fault: Delay | HttpError | LostAnswer, request: Request) -> bool:
    return fits(fault.method, request.method) and fits(fault.path, request.url.path)


def _failed(http_status: int) -> Response:
    if http_status == HTTPStatus.TOO_MANY_REQUESTS:
        return rate_limited()
    return failure(http_status, responses.get(http_status, "error").lower())
