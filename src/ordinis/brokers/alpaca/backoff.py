"""How long to wait before trying again: doubling, capped, with jitter from a passed-in generator."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Equal jitter: between half of the capped delay and all of it, so that clients do not return together."""

    first_seconds: float = 0.2
    seconds_max: float = 30.0
    attempts_max: int = 5

    def delay_seconds(self, attempt: int, generator: Random) -> float:
        """The wait after the attempt of this number, counted from 1."""
        capped = min(self.seconds_max, self.first_seconds * 2.0 ** (attempt - 1))
        return capped / 2 + generator.uniform(0.0, capped / 2)
