"""What stands in a request: its JSON body, and the times, dates and numbers of its query."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request

from ordinis.brokers.simulated.refusals import malformed
from ordinis.brokers.simulated.wire_values import ns_of

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


async def body_of(request: Request) -> Any:
    """JSON with its decimals as they were written."""
    try:
        return _decode(await request.body())
    except msgspec.DecodeError:
        raise malformed("request body format is invalid") from None


def is_true(text: str | None) -> bool:
    """alpaca-py writes `True`, others `true`."""
    return (text or "").lower() == "true"


def time_of(text: str | None) -> int | None:
    """UTC nanoseconds."""
    try:
        return None if not text else ns_of(text)
    except ValueError:
        raise malformed(f"invalid time {text}") from None


def date_of(text: str | None, otherwise: date) -> date:
    try:
        return date.fromisoformat(text[:10]) if text else otherwise
    except ValueError:
        raise malformed(f"invalid date {text}") from None


def size_of(text: str | None, otherwise: int, largest: int) -> int:
    """A page size: what is asked, no more than there may be."""
    if not text:
        return otherwise
    if not text.isdecimal() or int(text) < 1:
        raise malformed(f"invalid limit {text}")
    return min(int(text), largest)
