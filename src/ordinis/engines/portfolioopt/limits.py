"""What a method has to keep, and who is optimised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.portfolioopt.caps import Cap
from ordinis.engines.portfolioopt.program import Program


class Limits(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What a method has to keep."""

    program: Program
    caps: tuple[Cap, ...] = ()
    impact: FloatArray | None = None
    positions_max: int | None = None
    position_min: float = 0.0
    fixed: BoolArray | None = None  # Not to be traded.


class Room(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Who is optimised, and what is held beside them."""

    symbols: Sequence[str]
    least: float  # To be invested.
    most: float
    frozen: dict[str, float]  # Held without an estimate.
    current: Mapping[str, float] | None = None
