"""Trading days, settlement days and trade dates. Which days those are is data that is passed in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from ordinis.domain.errors import DataError

_NEW_YORK = ZoneInfo("America/New_York")
_SECOND_NS = 10**9
_EVENING_HOUR = 20  # After-hours trading ends: what trades overnight belongs to the next trade date.


class BusinessDays:
    """The exchange's trading days, and the days on which trades settle: fewer, for on some the banks are closed.

    Both oldest first. Errors: DataError for a day that the calendar does not reach.
    """

    def __init__(self, trading: Sequence[date], settling: Sequence[date]) -> None:
        self.trading = tuple(trading)
        self.settling = tuple(settling)

    def window(self, day: date, sessions: int) -> date:
        """The first of the so many trading days that end with `day`."""
        self._reach(self.trading, day)
        return self.trading[max(0, bisect_right(self.trading, day) - sessions)]

    def leaves_window(self, day: date, sessions: int) -> date:
        """The first trading day whose window no longer holds `day`."""
        return self._after(self.trading, day, sessions)

    def next_trading_day(self, day: date) -> date:
        return self._after(self.trading, day, 1)

    def business_day_after(self, day: date, days: int) -> date:
        """The so-many-th settlement day after `day`."""
        return self._after(self.settling, day, days)

    def trade_date(self, at_ns: int) -> date:
        """The New York trade date of a moment: extended hours belong to their day, the night to the next one."""
        local = datetime.fromtimestamp(at_ns // _SECOND_NS, tz=UTC).astimezone(_NEW_YORK)
        day = local.date() + timedelta(days=1) if local.hour >= _EVENING_HOUR else local.date()
        self._reach(self.trading, day)
        return self.trading[bisect_left(self.trading, day)]

    def _after(self, days: tuple[date, ...], day: date, count: int) -> date:
        self._reach(days, day)
        at = bisect_right(days, day) + count - 1
        if at >= len(days):
            raise self._out_of_reach(days, day)
        return days[at]

    def _reach(self, days: tuple[date, ...], day: date) -> None:
        if not days or not days[0] <= day <= days[-1]:
            raise self._out_of_reach(days, day)

    def _out_of_reach(self, days: tuple[date, ...], day: date) -> DataError:
        reach = f"from {days[0]} to {days[-1]}" if days else "no day at all"
        return DataError(f"{day} is too near the edge of the calendar or outside of it: it reaches {reach}")


@cache
def weekdays(first: date = date(1969, 1, 1), last: date = date(2099, 12, 31)) -> BusinessDays:
    """Monday to Friday, holidays or not: a calendar for parts that are tried without an exchange."""
    days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    working = [day for day in days if day.weekday() < 5]
    return BusinessDays(working, working)
