"""Our own state a column a symbol, as the whole-column steps of a minute need it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.decision import Reason
from ordinis.domain.market import MINUTE_NS, BoolArray, IntArray, Session
from ordinis.engines.riskguard.screen import ELIGIBLE, ReasonArray


class SymbolColumns:
    """What stands against each symbol, who owns each position, and since when."""

    def __init__(self, symbols: int, strategies: int) -> None:
        self.objections: ReasonArray = np.full(symbols, ELIGIBLE, np.uint8)
        self.last: ReasonArray = np.zeros(symbols, np.uint8)  # The reasons of the last minute.
        self._cooling_until = 0  # The latest of all cooldowns, in session minutes since the first session.
        self._until: IntArray = np.zeros(symbols, np.int64)
        self._minutes_before = 0
        self._open_ns = 0
        self._owned: BoolArray = np.zeros((strategies, symbols), np.bool_)
        self.swing: BoolArray = np.zeros(symbols, np.bool_)  # Entered from the last day-trade slots, or without one.
        self._entry_session: IntArray = np.zeros(symbols, np.int64)
        self._session = 0
        self.short: BoolArray = np.zeros(symbols, np.bool_)  # What is held is sold short.

    def opened(self, column: int, strategy: int | None, *, short: bool = False) -> None:
        self._entry_session[column] = self._session
        self.short[column] = short
        if strategy is not None:
            self._owned[strategy, column] = True

    def closed(self, column: int) -> None:
        self._owned[:, column] = False
        self.swing[column] = False
        self.short[column] = False

    def cool_down(self, column: int, at_ns: int, minutes: int) -> None:
        """No entry of this symbol for so many session minutes from then on: nights do not count."""
        until = self._minute(at_ns) + minutes
        self._until[column] = max(self._until[column], until)
        self._cooling_until = max(self._cooling_until, until)

    def cool(self, reasons: ReasonArray, at_ns: int) -> None:
        """Lower the reasons of symbols that are cooling down, in place."""
        if not self._cooling_until:
            return
        minute = self._minute(at_ns)
        if self._cooling_until > minute:
            cooling = (self._until > minute) & (reasons > Reason.COOLDOWN)
            reasons[cooling] = Reason.COOLDOWN

    def cools(self, column: int, at_ns: int) -> bool:
        """It is too soon after the symbol's last trade."""
        return self._until.item(column) > self._minute(at_ns)

    def _minute(self, at_ns: int) -> int:
        """Session minutes since the first session's open."""
        return self._minutes_before + (at_ns - self._open_ns) // MINUTE_NS

    def sessions_held(self, column: int) -> int:
        return int(self._session - self._entry_session[column])

    def session_opens(self, session: Session) -> None:
        self._open_ns = session.open_ns

    def session_closes(self, session: Session) -> None:
        self._session += 1
        self._minutes_before += session.minutes
        self._open_ns = session.close_ns

    def leavers(self, exits: BoolArray, covers: BoolArray | None = None) -> list[int]:
        """Columns that are held and whose owner votes to leave.

        `exits` is [strategies x symbols], as is `covers`, the votes on shorts where they are others.
        """
        if covers is not None:
            exits = np.where(self.short, covers, exits)
        if len(self._owned) == 1:
            alone: list[int] = (exits[0] & self._owned[0]).nonzero()[0].tolist()
            return alone
        columns: list[int] = np.flatnonzero((exits & self._owned).any(axis=0)).tolist()
        return columns

    def changes(self, reasons: ReasonArray) -> bytes:
        """The reasons that differ from the last minute's, packed; remembers these."""
        changed = (reasons != self.last).nonzero()[0]
        self.last = reasons
        return pack_changes(changed, reasons) if changed.size else b""


def read_changes(changes: bytes) -> tuple[NDArray[np.uint16], ReasonArray]:
    """Columns and reasons, as `pack_changes` packs them."""
    count = len(changes) // 3
    return np.frombuffer(changes, "<u2", count), np.frombuffer(changes, np.uint8, offset=2 * count)


def pack_changes(columns: NDArray[np.intp], reasons: ReasonArray) -> bytes:
    """As `Decision.changes` wants them: all the columns (uint16, little-endian), then all their reasons (uint8)."""
    return columns.astype("<u2").tobytes() + reasons[columns].tobytes()
