"""Where Alpaca is and who we are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses as alpaca-py's url_override wants them: REST scheme and host only, streams the full URL.

    The key and the secret never show in a repr, a log or an error.
    """

    rest: str
    data: str
    data_stream: str
    trading_stream: str
    key: str = field(repr=False)
    secret: str = field(repr=False)


def is_loopback(address: str) -> bool:
    """Our own machine: a proxy from the environment must not stand in between."""
    return urlsplit(address).hostname in _LOOPBACK
