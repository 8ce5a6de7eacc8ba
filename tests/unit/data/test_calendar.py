from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from ordinis.data import calendar
from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS


def utc_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("day", "opens", "closes", "minutes"),
    [
        (date(2025, 1, 2), "2025-01-02T14:30", "2025-01-02T21:00", 390),  # Winter.
        (date(2025, 7, 1), "2025-07-01T13:30", "2025-07-01T20:00", 390),  # Summer time.
        (date(2025, 11, 28), "2025-11-28T14:30", "2025-11-28T18:00", 210),  # The day after Thanksgiving.
        (date(2000, 3, 1), "2000-03-01T14:30", "2000-03-01T21:00", 390),  # The oldest bars we ship.
    ],
)
def test_a_session_opens_and_closes_by_new_york_time(day: date, opens: str, closes: str, minutes: int) -> None:
    session = calendar.session_on(day)
    assert session is not None
    assert (session.date, session.open_ns, session.close_ns) == (day, utc_ns(opens), utc_ns(closes))
    assert session.minutes == minutes
    assert calendar.half_day(session) == (minutes < 390)


@pytest.mark.parametrize("day", [date(2025, 1, 1), date(2025, 1, 4), date(2025, 1, 9), date(2012, 10, 29)])
def test_there_is_no_session_on_holidays_weekends_and_special_closures(day: date) -> None:
    assert calendar.session_on(day) is None


def test_sessions_include_both_ends_and_skip_closed_days() -> None:
    found = [session.date.day for session in calendar.sessions(date(2025, 1, 2), date(2025, 1, 10))]
    assert found == [2, 3, 6, 7, 8, 10]


def test_neighbours_step_over_closed_days_and_never_return_the_day_itself() -> None:
    assert calendar.previous_session(date(2025, 1, 6)).date == date(2025, 1, 3)
    assert calendar.next_session(date(2025, 1, 8)).date == date(2025, 1, 10)
    assert calendar.next_session(date(2025, 1, 9)).date == date(2025, 1, 10)


def test_a_date_outside_the_calendar_is_an_error_that_names_its_reach() -> None:
    with pytest.raises(DataError, match="1999-12-01"):
        calendar.session_on(date(1990, 1, 2))


def test_the_calendar_reaches_most_of_a_year_past_today() -> None:
    assert calendar.session_table().dates[-1] >= date.today() + timedelta(days=350)


def test_minutes_start_at_the_open_and_end_before_the_close() -> None:
    session = calendar.session_on(date(2025, 12, 24))
    assert session is not None
    starts = calendar.minute_starts_ns(session)
    assert (len(starts), starts[0], starts[-1]) == (210, session.open_ns, session.close_ns - MINUTE_NS)


def test_a_time_is_inside_from_the_open_up_to_but_not_including_the_close() -> None:
    session = calendar.session_on(date(2025, 12, 24))
    assert session is not None
    times = np.array([session.open_ns - 1, session.open_ns, session.close_ns - 1, session.close_ns], dtype=np.int64)
    assert calendar.session_table().inside(times).tolist() == [False, True, True, False]
