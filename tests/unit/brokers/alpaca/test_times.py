from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.brokers.alpaca.times import (
    date_in_new_york,
    ns_from_datetime,
    ns_from_new_york,
    ns_from_text,
    text_from_ns,
)
from ordinis.domain.errors import BrokerError

NOON_NS = 1_735_819_200 * 10**9  # 2025-01-02T12:00:00Z


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("2025-01-02T12:00:00Z", NOON_NS),
        ("2025-01-02T12:00:00.5Z", NOON_NS + 500_000_000),
        ("2025-01-02T12:00:00.000000001Z", NOON_NS + 1),
        ("2025-01-02T07:00:00-05:00", NOON_NS),
        ("2025-01-02T07:00:00.123456789-05:00", NOON_NS + 123_456_789),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, expected_ns: int) -> None:
    assert ns_from_text(text) == expected_ns


@pytest.mark.parametrize("text", ["", "yesterday", "2025-01-02T12:00:00", "2025-13-02T12:00:00Z"])
def test_a_time_that_cannot_be_placed_is_an_error(text: str) -> None:
    with pytest.raises(BrokerError):
        ns_from_text(text)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))
def test_datetimes_lose_nothing(moment: datetime) -> None:
    assert ns_from_text(moment.isoformat()) == ns_from_datetime(moment)
    assert ns_from_datetime(moment) % 10**9 == moment.microsecond * 1000


def test_new_york_has_summer_and_winter() -> None:
    assert text_from_ns(ns_from_new_york(date(2025, 1, 2), time(9, 30))) == "2025-01-02T14:30:00Z"
    assert text_from_ns(ns_from_new_york(date(2025, 7, 2), time(9, 30))) == "2025-07-02T13:30:00Z"
    assert date_in_new_york(ns_from_text("2025-01-02T04:59:00Z")) == date(2025, 1, 1)
