"""New York times for people, as text."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_NEW_YORK = ZoneInfo("America/New_York")


def new_york(at_ns: int) -> datetime:
    """To the second: nothing in a report is finer."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(_NEW_YORK)


def minute_text(at_ns: int) -> str:
    """`2025-01-15 10:31`."""
    return f"{new_york(at_ns):%Y-%m-%d %H:%M}"


def iso_text(at_ns: int) -> str:
    """`2025-01-15T10:31:00-05:00`: exact wherever it is read."""
    return new_york(at_ns).isoformat()
