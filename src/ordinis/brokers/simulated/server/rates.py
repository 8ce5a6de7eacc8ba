"""The account's requests a minute, and the headers that tell of them."""

from __future__ import annotations

from collections.abc import Callable

from ordinis.brokers.simulated.wire_values import SECOND_NS
from ordinis.domain.market import MINUTE_NS


class RateLimiter:
    """Counts by the minute of the broker's clock, so that a fast day has as many requests as a slow one."""

    def __init__(self, requests_max: int, now_ns: Callable[[], int]) -> None:
        self._max = requests_max
        self._now_ns = now_ns
        self._minute = 0
        self._used = 0

    @property
    def limits(self) -> bool:
        return self._max > 0

    def admit(self) -> bool:
        """Count a request; False when it is one too many."""
        minute = self._now_ns() // MINUTE_NS
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += 1
        return self._used <= self._max

    def headers(self) -> dict[str, str]:
        reset = (self._minute + 1) * MINUTE_NS // SECOND_NS
        return {
            "X-RateLimit-Limit": str(self._max),
            "X-RateLimit-Remaining": str(max(self._max - self._used, 0)),
            "X-RateLimit-Reset": str(reset),
        }
