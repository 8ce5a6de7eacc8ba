"""What the rules are asked."""

from __future__ import annotations

import msgspec


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What the rules may know of an entry beside its size."""

    price_usd: float
    column: int = 0
    stop_distance: float | None = None  # Fraction of the price; None: there is no stop.
    volume: float = 0.0  # Shares a minute of the whole market, lately.
    direction: int = 1  # -1 sells short.
    held_usd: float = 0.0  # What is held of it already, unsigned: it adds, and needs no slot.
