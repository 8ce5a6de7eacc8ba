from __future__ import annotations

import pytest

from ordinis.domain.errors import ConfigError
from ordinis.journal.times import iso_utc, new_york_text, parse_time


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-01-15T10:31", "2025-01-15T15:31:00.000000000Z"),
        ("2025-07-15T10:31", "2025-07-15T14:31:00.000000000Z"),
        ("2025-07-15 10:31", "2025-07-15T14:31:00.000000000Z"),
        (" 2025-01-15T15:31Z ", "2025-01-15T15:31:00.000000000Z"),
        ("2025-01-15T15:31:01.5+00:00", "2025-01-15T15:31:01.500000000Z"),
        ("2025-01-15", "2025-01-15T05:00:00.000000000Z"),
    ],
)
def test_a_time_without_an_offset_is_new_york_s(text: str, utc: str) -> None:
    assert iso_utc(parse_time(text)) == utc


@pytest.mark.parametrize("text", ["yesterday", "", "10:31", "2025-13-01T10:31"])
def test_what_is_not_a_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a time. Write a New York minute such as 2025-01-15T10:31"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2025-01-15T10:31", "2025-01-15 10:31"), ("2025-07-15T14:31:07Z", "2025-07-15 10:31:07")],
)
def test_times_are_shown_in_new_york(text: str, shown: str) -> None:
    assert new_york_text(parse_time(text)) == shown
