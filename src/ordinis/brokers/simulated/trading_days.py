"""Trading days between two dates: the exchange's calendar, and whatever days this exchange has opened on beside it.

A data set may lack a day; the rules count it all the same, since a real account lives through it.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from ordinis.data.calendar import next_session, sessions, settlement_dates


class TradingDays:
    """Counts from today, the date of the session that opened last."""

    __slots__ = ("_opened", "today")

    def __init__(self) -> None:
        self.today = date.min
        self._opened: list[date] = []

    def open(self, day: date) -> None:
        """A session of that New York date opens."""
        self.today = day
        self._opened.append(day)

    def since(self, day: date) -> int:
        """Trading days after `day`, today included."""
        if day >= self.today:
            return 0
        days = {session.date for session in sessions(day, self.today)}
        days.update(one for one in self._opened if one > day)
        days.discard(day)
        return len(days)

    def settles_on(self, day: date) -> date:
        """When a trade of that day settles: on the next day that the exchange and the banks are open."""
        dates = settlement_dates()
        return dates[bisect_right(dates, day)]

    def after(self, day: date, count: int) -> date:
        """The trading day that comes so many after `day`, by the calendar."""
        for _ in range(count):
            day = next_session(day).date
        return day
