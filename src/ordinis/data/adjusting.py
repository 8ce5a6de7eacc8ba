"""History in the terms of a later day: prices before a split divided by its ratio, volumes multiplied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock, Universe


def adjusted_minutes(
    blocks: Iterable[MarketBlock], actions: Sequence[CorporateAction], as_of: date
) -> Iterator[MarketBlock]:
    """The same sessions, in the terms of `as_of`; blocks that no split concerns are handed out as they are."""
    for block in blocks:
        factor = _factor(block.universe, actions, block.session.date, as_of)
        if (factor == 1.0).all():
            yield block
        else:
            yield replace(
                block,
                open=block.open / factor,
                high=block.high / factor,
                low=block.low / factor,
                close=block.close / factor,
                volume=block.volume * factor,
            )


def adjusted_daily(daily: DailyBlock, actions: Sequence[CorporateAction], as_of: date) -> DailyBlock:
    """Daily bars likewise."""
    if not daily.dates or not any(one.kind is ActionKind.SPLIT for one in actions):
        return daily
    factor = np.stack([_factor(daily.universe, actions, day, as_of) for day in daily.dates])
    return replace(
        daily,
        open=daily.open / factor,
        high=daily.high / factor,
        low=daily.low / factor,
        close=daily.close / factor,
        volume=daily.volume * factor,
    )


def _factor(universe: Universe, actions: Sequence[CorporateAction], day: date, as_of: date) -> FloatArray:
    """Shares of `as_of` for one of that day, `[symbols]`."""
    factor: FloatArray = np.ones(len(universe))
    for one in actions:
        if one.kind is ActionKind.SPLIT and day < one.ex_date <= as_of and one.symbol in universe.column:
            factor[universe.column[one.symbol]] *= float(one.ratio)
    return factor
