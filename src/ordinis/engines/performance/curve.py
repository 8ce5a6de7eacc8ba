"""The equity curve as the engine saw it, minute by minute."""

from __future__ import annotations

from array import array
from datetime import date

import numpy as np

from ordinis.domain.market import FloatArray, IntArray


class EquityCurve:
    """Equity and exposure a minute, with the row at which each session ended."""

    def __init__(self) -> None:
        self._at_ns = array("q")
        self._equity_usd = array("d")
        self._long_usd = array("d")
        self._short_usd = array("d")
        self._positions = array("q")
        self.sessions: list[tuple[date, int]] = []  # The date, and how many rows there were at its end.

    def append(self, at_ns: int, equity_usd: float, long_usd: float, positions: int, short_usd: float = 0.0) -> None:
        """What is long and what is short, both unsigned."""
        self._at_ns.append(at_ns)
        self._equity_usd.append(equity_usd)
        self._long_usd.append(long_usd)
        self._short_usd.append(short_usd)
        self._positions.append(positions)

    def session_closes(self, day: date) -> None:
        self.sessions.append((day, len(self._at_ns)))

    @property
    def started(self) -> bool:
        return bool(self._at_ns)

    @property
    def at_ns(self) -> IntArray:
        return np.array(self._at_ns, np.int64)

    @property
    def equity_usd(self) -> FloatArray:
        return np.array(self._equity_usd)

    @property
    def long_usd(self) -> FloatArray:
        return np.array(self._long_usd)

    @property
    def short_usd(self) -> FloatArray:
        return np.array(self._short_usd)

    @property
    def positions(self) -> IntArray:
        return np.array(self._positions, np.int64)

    def closes_usd(self) -> FloatArray:
        """Equity at the end of each session that had a minute."""
        rows = [rows - 1 for _, rows in self.sessions if rows]
        return self.equity_usd[rows]
