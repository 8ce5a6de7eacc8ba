"""What the account's rules are asked of an entry, and what they answer."""

from __future__ import annotations

from math import inf

import msgspec

from ordinis.domain.decision import Reason


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """An entry, as far as these rules look at it."""

    price_usd: float
    column: int
    direction: int = 1  # 1 buys, -1 sells short.
    open_usd: float = 0.0  # All entries that work, those sent earlier in the minute among them.
    usd: float = inf  # What it would cost.


class Permission(msgspec.Struct, frozen=True, gc=False):
    """Whether an entry may go out, and how. `reason` None: it may."""

    reason: Reason | None
    swing: bool = False  # Held over so many sessions, left on daily bars.
    stop_waits: bool = False  # Its stop goes out after the close: it cannot be closed today.
