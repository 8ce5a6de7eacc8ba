"""Before the close a book bought with intraday margin is brought down to what may be held over night.

Source: Regulation T: equity of at least half of what is held at the close. The order is that of least harm.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Closable(msgspec.Struct, frozen=True, gc=False):
    """A position that can be closed now."""

    column: int
    value_usd: float  # Unsigned.
    confidence: float  # NaN: unknown, which counts as least.
    day_trade: bool  # Closing it now would count as one.
    leaving: bool = False  # It is being closed already.


def to_close(positions: Iterable[Closable], excess: float) -> list[int]:
    """Columns to close until the excess is gone: first what makes no day trade, then the least confident.

    What is leaving already counts; the universe's order breaks ties.
    """
    known = list(positions)
    left = excess - sum(one.value_usd for one in known if one.leaving)
    chosen = []
    for one in sorted((one for one in known if not one.leaving), key=_harm):
        if left <= 0.0:
            break
        chosen.append(one.column)
        left -= one.value_usd
    return chosen


def _harm(one: Closable) -> tuple[bool, float, int]:
    sure = one.confidence if one.confidence == one.confidence else -1.0
    return one.day_trade, sure, one.column
