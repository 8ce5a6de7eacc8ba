"""The broker's clock: one for exchange, streams, clock endpoint and rate limit."""

from __future__ import annotations

import asyncio

from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.domain.market import MINUTE_NS


class VirtualClock:
    """Stands still between the steps of a client; runs at a multiple of real time where time passes by itself."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._minute_seconds = 0.0  # Wall seconds that a minute takes; 0: it stands.
        self._since_seconds = 0.0

    def run(self, minute_seconds: float) -> None:
        """From here on time passes by itself."""
        self._minute_seconds = minute_seconds
        self.stepped()

    def stepped(self) -> None:
        """A step has just been made: whoever asks before its news is out must not be told of the minute after it."""
        if self._minute_seconds:
            self._since_seconds = asyncio.get_running_loop().time()

    def now_ns(self) -> int:
        """Never beyond the next step: what is not known yet has not happened."""
        now_ns = self._simulation.now_ns
        if not self._minute_seconds:
            return now_ns
        passed = (asyncio.get_running_loop().time() - self._since_seconds) / self._minute_seconds
        return now_ns + min(int(passed * MINUTE_NS), MINUTE_NS - 1)
