"""How long bars are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordinis.brokers.simulated.server.answers import BadRequest
from ordinis.brokers.simulated.server.timeframes import timeframe_of
from ordinis.brokers.simulated.wire_values import ns_of


def _text(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 10**9, tz=UTC):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("text", "edge"),
    [
        ("1Min", "2025-03-12T18:47"),
        ("10T", "2025-03-12T18:40"),
        ("59Min", "2025-03-12T18:45"),
        ("1Hour", "2025-03-12T18:00"),
        ("4H", "2025-03-12T16:00"),  # Noon in New York, in summer time.
        ("1Day", "2025-03-12T04:00"),
        ("1D", "2025-03-12T04:00"),
        ("1Week", "2025-03-10T04:00"),
        ("1Month", "2025-03-01T05:00"),  # Still winter time.
        ("6M", "2025-01-01T05:00"),
        ("12Month", "2025-01-01T05:00"),
    ],
)
def test_a_bar_begins_on_new_york_s_clock_and_calendar(text: str, edge: str) -> None:
    assert _text(timeframe_of(text).edge_ns(ns_of("2025-03-12T14:47:00-04:00"))) == edge


@pytest.mark.parametrize(
    "text", ["", "Min", "0Min", "60Min", "24Hour", "2Day", "2Week", "5Month", "13Month", "1Year", "1 Min"]
)
def test_another_length_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadRequest, match=r"it is 1Min to 59Min"):
        timeframe_of(text)
