"""Alpaca's times as ours: nanoseconds since 1970 in UTC.

Alpaca writes RFC 3339 with up to nine decimals, in UTC (`Z`) or in New York's offset. The standard
library stops at microseconds, so the fraction is read by hand.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from ordinis.domain.errors import BrokerError

NEW_YORK = ZoneInfo("America/New_York")
_SECOND_NS = 10**9
_FRACTION_DIGITS = 9


def ns_from_text(text: str) -> int:
    """`2025-01-02T14:31:00.000000001Z` -> nanoseconds. Errors: BrokerError for anything else."""
    whole, fraction, offset = _parts(text)
    try:
        moment = datetime.fromisoformat(whole + offset)
        fraction_ns = int(fraction.ljust(_FRACTION_DIGITS, "0")[:_FRACTION_DIGITS])
    except ValueError as error:
        raise BrokerError(f"the broker sent a time that cannot be read: {text!r}") from error
    return ns_from_datetime(moment) + fraction_ns


def _parts(text: str) -> tuple[str, str, str]:
    """Date and time, decimals of a second, offset. Alpaca's times always name their offset."""
    if "." not in text:
        return text, "0", ""
    whole, _, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return whole, digits, rest[len(digits) :]


def ns_from_datetime(moment: datetime) -> int:
    """An aware datetime. Exact: no float on the way."""
    if moment.tzinfo is None:
        raise BrokerError(f"the broker sent a time without an offset: {moment.isoformat()}")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * _SECOND_NS + delta.microseconds * 1_000


def ns_from_new_york(day: date, clock: time) -> int:
    """The calendar's `09:30` on a day."""
    return ns_from_datetime(datetime.combine(day, clock, tzinfo=NEW_YORK))


def date_in_new_york(at_ns: int) -> date:
    return datetime.fromtimestamp(at_ns // _SECOND_NS, tz=NEW_YORK).date()


def text_from_ns(at_ns: int) -> str:
    """For requests: to the second, in UTC."""
    return datetime.fromtimestamp(at_ns // _SECOND_NS, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
