"""Times between people and the journal: New York minutes on their side, UTC nanoseconds on ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ordinis.domain.errors import ConfigError

NEW_YORK = ZoneInfo("America/New_York")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_time(text: str) -> int:
    """UTC nanoseconds of `2025-01-15T10:31` (New York) or of any ISO time with an offset or Z."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a time. Write a New York minute such as 2025-01-15T10:31,"
            " or UTC such as 2025-01-15T15:31Z"
        ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)
    return (aware - _EPOCH) // _MICROSECOND * 1000


def iso_utc(at_ns: int) -> str:
    """`2025-01-15T15:31:00.000000000Z`: exact, and in the order of the alphabet."""
    return f"{np.datetime64(at_ns, 'ns')}Z"


def new_york_text(at_ns: int) -> str:
    """`2025-01-15 10:31`, with seconds where there are any."""
    moment = (_EPOCH + timedelta(microseconds=at_ns // 1000)).astimezone(NEW_YORK)
    return f"{moment:%Y-%m-%d %H:%M}" if at_ns % (60 * 10**9) == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"
