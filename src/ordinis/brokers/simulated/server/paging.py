"""Requests for rows of many symbols, a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ordinis.brokers.simulated.server.answers import BadRequest
from ordinis.brokers.simulated.wire_values import SECOND_NS, ns_of

PAGE = 1_000
PAGE_MAX = 10_000
_LAST_NS = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Times are the rows' own, both ends included."""

    symbols: list[str]  # Sorted: Alpaca pages by symbol, then by time.
    start_ns: int
    end_ns: int
    limit: int
    descending: bool
    after: tuple[str, int] | None  # The last row of the page before.

    def past(self, symbol: str) -> bool:
        """Whether earlier pages have had the whole symbol."""
        return self.after is not None and symbol < self.after[0]

    def rest_of(self, symbol: str) -> tuple[int, int]:
        """The span that is left of a symbol after the page before."""
        if self.after is None or symbol != self.after[0]:
            return self.start_ns, self.end_ns
        if self.descending:
            return self.start_ns, min(self.end_ns, self.after[1] - 1)
        return max(self.start_ns, self.after[1] + 1), self.end_ns


def asked_of(query: Mapping[str, str], symbol: str | None = None) -> Asked:
    """Errors: BadRequest."""
    return Asked(
        symbols=symbols_of(query, symbol),
        start_ns=_time(query.get("start"), 0),
        end_ns=_time(query.get("end"), _LAST_NS),
        limit=_limit(query.get("limit")),
        descending=query.get("sort") == "desc",
        after=_read_token(query.get("page_token")),
    )


def symbols_of(query: Mapping[str, str], symbol: str | None = None) -> list[str]:
    """Of the address, or else of the query; sorted, each once. Errors: BadRequest."""
    symbols = [symbol] if symbol else sorted(set(query.get("symbols", "").split(",")) - {""})
    if not symbols:
        raise BadRequest("symbols is required")
    return symbols


def token_of(symbol: str, row: dict[str, Any]) -> str:
    """Names the last row of a page."""
    stamp = row["t"]
    at_ns = int(stamp.timestamp()) * SECOND_NS + stamp.microsecond * 1000
    return base64.urlsafe_b64encode(f"{symbol}|{at_ns}".encode()).decode()


def _time(text: str | None, otherwise: int) -> int:
    try:
        return ns_of(text) if text else otherwise
    except ValueError:
        raise BadRequest(f"invalid time: {text}") from None


def _limit(text: str | None) -> int:
    if not text:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text) <= PAGE_MAX:
        raise BadRequest(f"limit must be from 1 to {PAGE_MAX}, was {text}")
    return int(text)


def _read_token(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    try:
        symbol, at_ns = base64.urlsafe_b64decode(text).decode().split("|")
        return symbol, int(at_ns)
    except (ValueError, binascii.Error):
        raise BadRequest(f"invalid page_token: {text}") from None
