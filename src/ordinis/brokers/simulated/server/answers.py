"""HTTP answers in the broker's form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated.refusals import Refusal
from ordinis.domain.errors import OrderRefused

Handler = Callable[[Request], Awaitable[Response]]
RATE_LIMITED = 42910000
_JSON = "application/json"
_encode = msgspec.json.Encoder().encode


class BadRequest(Exception):
    """The market-data API's refusal: a text without a code."""


def answer(body: Any, http_status: int = 200) -> Response:
    return Response(_encode(body), http_status, media_type=_JSON)


def nothing() -> Response:
    return Response(status_code=204)


def failure(http_status: int, text: str) -> Response:
    """Without a code, as for 401, 403 and server errors."""
    return answer({"message": text}, http_status)


def rate_limited() -> Response:
    return answer({"code": RATE_LIMITED, "message": "rate limit exceeded"}, 429)


def refused(refusal: OrderRefused) -> Response:
    details = refusal.details if isinstance(refusal, Refusal) else {}
    return answer({"code": refusal.code, "message": refusal.text, **details}, refusal.http_status)
