"""Figures as people read them."""

from __future__ import annotations

from decimal import Decimal

from ordinis.domain.words import counted
from ordinis.research.report.markup import MINUS, UNKNOWN

_MINUTES_AN_HOUR = 60


def usd(value: float | Decimal) -> str:
    """`$1,234.50`, or a minus before it."""
    return _signed(f"${abs(value):,.2f}", value < 0 and bool(round(value, 2)))


def price(value: Decimal) -> str:
    """To the cent, to a hundredth of one where it is that fine."""
    text = f"{value:,.4f}"
    return text[:-2] if text.endswith("00") else text


def quantity(value: Decimal) -> str:
    """Shares, to four decimals where they are fractions."""
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def percent(value: float | None) -> str:
    """Of a fraction."""
    return UNKNOWN if value is None else _signed(f"{abs(value):.2%}", round(value, 4) < 0)


def number(value: float | None) -> str:
    return UNKNOWN if value is None else _signed(f"{abs(value):.2f}", round(value, 2) < 0)


def held(minutes: int, nights: int) -> str:
    """Trading time; nights come beside it."""
    hours, rest = divmod(minutes, _MINUTES_AN_HOUR)
    text = f"{hours} h {rest:02d} min" if hours else f"{rest} min"
    return text if not nights else f"{text}, {counted(nights, 'night')}"


def _signed(text: str, negative: bool) -> str:
    return f"{MINUS}{text}" if negative else text
