"""Positions that lag behind the orders, on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.director import fits
from ordinis.brokers.simulated.faults.kinds import StalePositions
from ordinis.brokers.simulated.wire_values import SECOND_NS
from ordinis.domain.account import Position


class OldPositions:
    """What the positions were before fills that they do not show yet."""

    def __init__(self, exchange: Exchange, faults: Faults, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._faults = faults
        self._now_ns = now_ns
        self._before: dict[str, Position] = {}
        self._lagging: dict[str, tuple[Position | None, int]] = {}  # By symbol: as it was, until when, ns.

    def remember(self) -> None:
        """Before anything may fill."""
        if self._faults and self._faults.has(StalePositions):
            self._before = {one.symbol: one for one in self._exchange.positions}

    def notice(self, updates: list[dict[str, Any]]) -> None:
        """Fills among the updates make their symbols' positions lag, where a fault says so."""
        if not self._faults:
            return
        for update in updates:
            if "execution_id" in update:
                self._fill(update["order"]["symbol"], update["order"]["side"])

    def _fill(self, symbol: str, side: str) -> None:
        stale = self._faults.next(StalePositions, lambda one: fits(one.symbol, symbol) and fits(one.side, side))
        if stale is not None and symbol not in self._lagging:
            until_ns = self._now_ns() + int(stale.seconds * SECOND_NS)
            self._lagging[symbol] = (self._before.get(symbol), until_ns)

    def shown(self) -> list[Position]:
        """The positions as they are told, sorted by symbol."""
        now_ns = self._now_ns()
        self._lagging = {symbol: old for symbol, old in self._lagging.items() if old[1] > now_ns}
        known: dict[str, Position | None] = {one.symbol: one for one in self._exchange.positions}
        known |= {symbol: old for symbol, (old, _) in self._lagging.items()}
        return [one for _, one in sorted(known.items()) if one is not None]
