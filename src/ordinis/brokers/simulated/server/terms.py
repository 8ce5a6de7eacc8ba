"""Bars in the terms of another day: prices divided by a split's ratio, volumes multiplied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from ordinis.brokers.simulated.wire_values import bare_number
from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock

Row = dict[str, Any]
_PRICES = ("open", "high", "low", "close")
_WIRE_PRICES = ("o", "h", "l", "c")
_TICK_DECIMALS = 4


def split_block(block: MarketBlock, column: int, ratio: float) -> MarketBlock:
    """A block with one symbol after the split."""
    rows = np.ones(block.rows, dtype=np.bool_)
    return replace(block, **_divided(block, rows, column, ratio))


def split_daily(daily: DailyBlock, column: int, ratio: float, ex_date: date) -> DailyBlock:
    """Daily bars from the ex-date on likewise; those before it are what they were."""
    rows = np.array([day >= ex_date for day in daily.dates], dtype=np.bool_)
    return replace(daily, **_divided(daily, rows, column, ratio))


def _divided(bars: MarketBlock | DailyBlock, rows: Any, column: int, ratio: float) -> dict[str, Any]:
    changed: dict[str, FloatArray] = {name: np.array(getattr(bars, name)) for name in (*_PRICES, "volume")}
    for name in _PRICES:
        changed[name][rows, column] = np.round(changed[name][rows, column] / ratio, _TICK_DECIMALS)
    changed["volume"][rows, column] *= ratio
    return changed


def in_todays_terms(rows: Iterable[Row], ratio_of: Callable[[Row], float]) -> Iterator[Row]:
    """Bars of the wire before later splits, adjusted for them. `ratio_of` gives today's shares for one of the bar's."""
    for row in rows:
        ratio = ratio_of(row)
        if ratio == 1.0:
            yield row
        else:
            prices = {name: round(row[name] / ratio, _TICK_DECIMALS) for name in _WIRE_PRICES}
            yield {**row, **prices, "v": bare_number(float(row["v"] * ratio))}
