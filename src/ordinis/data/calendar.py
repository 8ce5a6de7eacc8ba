"""When the exchange is open: sessions, half-days and holidays of XNYS, from exchange_calendars.

Its own lookups cost 0.1 ms each and its import most of a second, so one table is built at the first
question and kept for the process.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS, IntArray, Session

EXCHANGE = "XNYS"
FIRST_DAY = "1999-12-01"  # Before the oldest daily bars we ship; the library would start 20 years back.
FULL_SESSION_MINUTES = 390


@dataclass(frozen=True, slots=True, eq=False)
class SessionTable:
    """All sessions known, oldest first. The arrays are `[sessions]`, UTC nanoseconds, for whole-column lookups."""

    sessions: tuple[Session, ...]
    dates: tuple[date, ...]
    open_ns: IntArray
    close_ns: IntArray

    def last_opened(self, at_ns: IntArray) -> IntArray:
        """The index of the last session that had opened at each time; -1 before the first."""
        index: IntArray = np.searchsorted(self.open_ns, at_ns, side="right").astype(np.int64) - 1
        return index

    def inside(self, at_ns: IntArray) -> Any:
        """True where the time is in a regular session: from its open up to, not including, its close."""
        index = self.last_opened(at_ns)
        return (index >= 0) & (at_ns < self.close_ns[index])


@cache
def session_table() -> SessionTable:
    """The whole calendar, from the end of 1999 to a year ahead of today."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Its own, about pandas: no user can act on them.
        schedule = exchange_calendars.get_calendar(EXCHANGE, start=FIRST_DAY).schedule
    open_ns = schedule["open"].dt.as_unit("ns").astype("int64").to_numpy()
    close_ns = schedule["close"].dt.as_unit("ns").astype("int64").to_numpy()
    dates = tuple(day.date() for day in schedule.index)
    sessions = tuple(
        Session(date=day, open_ns=opens, close_ns=closes)
        for day, opens, closes in zip(dates, open_ns.tolist(), close_ns.tolist(), strict=True)
    )
    return SessionTable(sessions, dates, open_ns, close_ns)


def sessions(first: date, last: date) -> tuple[Session, ...]:
    """All sessions from `first` to `last`, both included. Raises DataError outside the calendar's reach."""
    table = session_table()
    _reach(first)
    _reach(last)
    return table.sessions[bisect_left(table.dates, first) : bisect_right(table.dates, last)]


def session_on(day: date) -> Session | None:
    """The session of a New York date; None where the exchange is closed."""
    _reach(day)
    table = session_table()
    at = bisect_left(table.dates, day)
    return table.sessions[at] if at < len(table.dates) and table.dates[at] == day else None


def previous_session(day: date) -> Session:
    """The last session before that date."""
    _reach(day)
    table = session_table()
    at = bisect_left(table.dates, day) - 1
    if at < 0:
        raise _out_of_reach(day)
    return table.sessions[at]


def next_session(day: date) -> Session:
    """The first session after that date."""
    _reach(day)
    table = session_table()
    at = bisect_right(table.dates, day)
    if at == len(table.sessions):
        raise _out_of_reach(day)
    return table.sessions[at]


@cache
def settlement_dates() -> tuple[date, ...]:
    """Days on which trades settle: sessions, but for Columbus Day and Veterans Day, when the banks are closed."""
    return tuple(day for day in session_table().dates if not _bank_holiday(day))


def _bank_holiday(day: date) -> bool:
    """Those of the Federal Reserve on which the exchange is open."""
    columbus = day.month == 10 and day.weekday() == 0 and 8 <= day.day <= 14
    veterans = day.month == 11 and (day.day == 11 or (day.day == 12 and day.weekday() == 0))
    return columbus or veterans


def half_day(session: Session) -> bool:
    return session.minutes < FULL_SESSION_MINUTES


def minute_starts_ns(session: Session) -> IntArray:
    """`[minutes]`: the start of each minute of a session."""
    return np.arange(session.open_ns, session.close_ns, MINUTE_NS, dtype=np.int64)


def _reach(day: date) -> None:
    dates = session_table().dates
    if not date.fromisoformat(FIRST_DAY) <= day <= dates[-1]:
        raise _out_of_reach(day)


def _out_of_reach(day: date) -> DataError:
    dates = session_table().dates
    return DataError(f"{day} is outside the exchange calendar, which reaches from {FIRST_DAY} to {dates[-1]}")
