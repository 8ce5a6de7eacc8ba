"""Bars that come late, and bars that are put right afterwards."""

from __future__ import annotations

from typing import Any

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.director import fits
from ordinis.brokers.simulated.faults.kinds import CorrectedBar, LateBar
from ordinis.domain.market import MINUTE_NS

_PRICES = ("o", "h", "l", "c")
_TICK_DECIMALS = 4


class BarFaults:
    """Works on a minute's bar messages; what it keeps back follows a later minute's."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._kept: list[tuple[int, dict[str, Any]]] = []  # Due at, message.

    def changed(self, bars: list[dict[str, Any]], at_ns: int) -> list[dict[str, Any]]:
        """The minute's bars as the stream gives them, then what has become due."""
        if not self._faults and not self._kept:
            return bars
        due = [message for due_ns, message in self._kept if due_ns <= at_ns]
        self._kept = [(due_ns, message) for due_ns, message in self._kept if due_ns > at_ns]
        given = [told for bar in bars for told in self._given(bar, at_ns)]
        return [*given, *due]

    def _given(self, bar: dict[str, Any], at_ns: int) -> list[dict[str, Any]]:
        late = self._faults.next(LateBar, lambda one: fits(one.symbol, bar["S"]))
        if late is not None:
            self._kept.append((at_ns + late.minutes * MINUTE_NS, bar))
            return []
        wrong = self._faults.next(CorrectedBar, lambda one: fits(one.symbol, bar["S"]))
        if wrong is None:
            return [bar]
        self._kept.append((at_ns + MINUTE_NS, {**bar, "T": "u"}))
        return [{**bar, **{name: round(bar[name] * wrong.factor, _TICK_DECIMALS) for name in _PRICES}}]
