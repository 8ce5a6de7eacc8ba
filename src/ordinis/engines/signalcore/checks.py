"""What is demanded of a strategy's answer. Each failure says who, where, what, and what was expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.errors import StrategyError
from ordinis.domain.market import BoolArray, FloatArray, IntArray, MarketBlock
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns

_KINDS: dict[str, type[np.generic]] = {
    "direction": np.int8,
    "exit": np.bool_,
    "score": np.float64,
    "stop_distance": np.float64,
    "ready": np.bool_,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """The cells of a block in which a strategy asks for something, one element each."""

    place: IntArray  # Flat index into `[rows x symbols]`.
    direction: NDArray[np.int8]
    ready: BoolArray
    score: FloatArray
    stop_distance: FloatArray


def check_form(strategy: str, bars: OwnBars, columns: object) -> None:
    """The right arrays of the right shape. Errors: StrategyError."""
    if not isinstance(columns, StrategyColumns):
        raise _wrong(strategy, f"returned {type(columns).__name__}", span(bars.block), "StrategyColumns")
    shape = (bars.rows, bars.symbols)
    kinds = _KINDS if columns.cover is None else {**_KINDS, "cover": np.bool_}
    for field, kind in kinds.items():
        values = getattr(columns, field)
        if not isinstance(values, np.ndarray) or values.shape != shape or values.dtype != kind:
            expected = f"an array of {np.dtype(kind).name} of shape {shape}"
            raise _wrong(strategy, f"returned {field} as {_form(values)}", span(bars.block), expected)


def check_entries(strategy: str, block: MarketBlock, entries: Entries) -> None:
    """Figures that can be traded on, wherever an entry is asked for. Errors: StrategyError."""
    with np.errstate(invalid="ignore"):  # NaN is no stop, and compares as False.
        impossible = (entries.stop_distance <= 0.0) | np.isinf(entries.stop_distance)
    demands: tuple[tuple[str, BoolArray, NDArray[Any], str], ...] = (
        ("direction", np.abs(entries.direction) != 1, entries.direction, "1, 0 or -1"),
        ("an entry with ready", ~entries.ready, entries.ready, "ready True wherever an entry is asked for"),
        ("score", ~np.isfinite(entries.score), entries.score, "a finite score at an entry"),
        ("stop_distance", impossible, entries.stop_distance, "a finite fraction above 0, or NaN for none"),
    )
    for field, broken, values, expected in demands:
        if broken.any():
            first = int(np.argmax(broken))
            row, column = divmod(int(entries.place[first]), len(block.universe))
            raise _wrong(strategy, f"gave {field} {values[first]}", place_of(block, row, column), expected)


def span(block: MarketBlock) -> str:
    """The minutes of a block in words."""
    if block.rows == 1:
        return _minute(block, 0)
    return f"{block.rows} minutes, from {_minute(block, 0)} on"


def place_of(block: MarketBlock, row: int, column: int) -> str:
    """A cell in words."""
    return f"{block.universe.symbols[column]} at {_minute(block, row)}"


def _minute(block: MarketBlock, row: int) -> str:
    return f"the minute that closed {np.datetime64(int(block.closed_at_ns[row]), 'ns').astype('datetime64[s]')} UTC"


def _form(values: object) -> str:
    if isinstance(values, np.ndarray):
        return f"an array of {values.dtype.name} of shape {values.shape}"
    return type(values).__name__


def _wrong(strategy: str, what: str, where: str, expected: str) -> StrategyError:
    return StrategyError(f"strategy {strategy} {what} for {where}; expected {expected}")
