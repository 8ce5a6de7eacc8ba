"""HTTP answers in the broker's form, and the check of the keys before any of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated.refusals import Refusal
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.domain.errors import OrderRefused

Handler = Callable[[Request], Awaitable[Response]]
_JSON = "application/json"


class BadRequest(Exception):
    """The market-data API's refusal: a text without a code."""


def answer(body: Any, http_status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), http_status, media_type=_JSON)


def nothing() -> Response:
    return Response(status_code=204)


def failure(http_status: int, text: str) -> Response:
    """Without a code, as for 401, 403 and server errors."""
    return answer({"message": text}, http_status)


def refused(refusal: OrderRefused) -> Response:
    details = refusal.details if isinstance(refusal, Refusal) else {}
    return answer({"code": refusal.code, "message": refusal.text, **details}, refusal.http_status)


def guarded(keys: Keys, handler: Handler, *, denied: Response) -> Handler:
    """The handler behind the keys, its refusals turned into the broker's error bodies."""

    async def respond(request: Request) -> Response:
        headers = request.headers
        if not keys.admit(headers.get("apca-api-key-id"), headers.get("apca-api-secret-key")):
            return denied
        try:
            return await handler(request)
        except OrderRefused as refusal:
            return refused(refusal)
        except BadRequest as error:
            return failure(400, str(error))

    return respond
