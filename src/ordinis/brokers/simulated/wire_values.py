"""How Alpaca writes times, numbers and ids."""

from __future__ import annotations

from base64 import b32hexencode
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
SECOND_NS = 10**9
_MILLISECOND_NS = 10**6
_NAMESPACE = uuid5(NAMESPACE_URL, "ordinis-simulated-exchange")
_CROCKFORD = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_ULID_COUNTER_BITS = 80
_ULID_LETTERS = 26  # 130 bits, two of them spare in front; base32 writes whole bytes, so six more behind.
_ULID_SPARE_BITS = 6
_ULID_BYTES = 17


@lru_cache(maxsize=4096)  # The same few moments stand in every body.
def utc_text(at_ns: int) -> str:
    """`2025-01-02T14:31:00Z`, with as many decimals as there are."""
    seconds, fraction_ns = divmod(at_ns, SECOND_NS)
    text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction_ns:09d}".rstrip("0") + "Z" if fraction_ns else text + "Z"


def optional_utc_text(at_ns: int | None) -> str | None:
    return None if at_ns is None else utc_text(at_ns)


def new_york(at_ns: int) -> datetime:
    """Aware, to the microsecond."""
    seconds, fraction_ns = divmod(at_ns, SECOND_NS)
    return datetime.fromtimestamp(seconds, tz=NEW_YORK).replace(microsecond=fraction_ns // 1000)


def new_york_text(at_ns: int) -> str:
    """The clock's `2025-01-02T09:31:00-05:00`."""
    return new_york(at_ns).isoformat()


def midnight_ns(day: date) -> int:
    """The left edge of a daily bar."""
    return int(datetime.combine(day, time(), tzinfo=NEW_YORK).timestamp()) * SECOND_NS


def ns_of(text: str) -> int:
    """A request's time or date. Errors: ValueError. A time without an offset is UTC, a date begins in New York."""
    if "T" not in text:
        return midnight_ns(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_NS + moment.microsecond * 1000


def plain(amount: Decimal) -> str:
    """Without an exponent, with every digit it has."""
    return format(amount, "f")


def optional_plain(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def bare_number(value: float) -> int | float:
    """Volumes are whole numbers on the wire wherever they are whole."""
    return int(value) if value.is_integer() else value


@lru_cache(maxsize=65_536)
def asset_id(symbol: str) -> str:
    return str(uuid5(_NAMESPACE, f"asset/{symbol}"))


def foreign_id(name: str) -> str:
    """The client order id that the broker makes up for a leg."""
    return str(uuid5(_NAMESPACE, f"client/{name}"))


def ulid(at_ns: int, number: int) -> str:
    """An event id that sorts by time, then by number."""
    value = (at_ns // _MILLISECOND_NS) << _ULID_COUNTER_BITS | number
    letters = b32hexencode((value << _ULID_SPARE_BITS).to_bytes(_ULID_BYTES, "big"))[:_ULID_LETTERS]
    return letters.translate(_CROCKFORD).decode()
