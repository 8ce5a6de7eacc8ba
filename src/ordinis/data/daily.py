"""Daily bars of a set: the imported ones where given, otherwise made of its own minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from ordinis.domain.market import BoolArray, DailyBlock, FloatArray, MarketBlock, Universe

FROM_MINUTES = "from minutes"
IMPORTED = "imported"
BOTH = "imported, where missing from minutes"


def session_bar(block: MarketBlock) -> FloatArray:
    """`[5 x symbols]`: open, high, low, close and volume of a session; NaN and 0 where a symbol has no bar."""
    present = block.present
    some = present.any(axis=0)
    columns = np.arange(present.shape[1])
    first = present.argmax(axis=0)
    last = present.shape[0] - 1 - present[::-1].argmax(axis=0)
    bar = np.stack(
        (
            block.open[first, columns],
            np.where(present, block.high, -np.inf).max(axis=0),
            np.where(present, block.low, np.inf).min(axis=0),
            block.close[last, columns],
            block.volume.sum(axis=0),
        )
    )
    bar[:4, ~some] = np.nan
    bar[4, ~some] = 0.0
    return bar


@dataclass(slots=True)
class DailyBuilder:
    """Collects a daily bar a session, then lays imported ones over them."""

    universe: Universe
    dates: list[date] = field(default_factory=list)
    bars: list[FloatArray] = field(default_factory=list)

    def add_session(self, block: MarketBlock) -> None:
        self.dates.append(block.session.date)
        self.bars.append(session_bar(block))

    def build(self, imported: DailyBlock | None) -> tuple[DailyBlock, str]:
        """All daily bars, and where they came from. A bar of `imported` stands before one made of minutes."""
        if imported is None:
            return self._lay(imported), FROM_MINUTES
        block = self._lay(imported)
        given = int((~np.isnan(imported.close)).sum())
        return block, IMPORTED if int((~np.isnan(block.close)).sum()) == given else BOTH

    def _lay(self, imported: DailyBlock | None) -> DailyBlock:
        dates = tuple(sorted({*self.dates, *(imported.dates if imported else ())}))
        row = {day: i for i, day in enumerate(dates)}
        whole = np.full((5, len(dates), len(self.universe)), np.nan)
        whole[4] = 0.0
        for day, bar in zip(self.dates, self.bars, strict=True):
            whole[:, row[day], :] = bar
        if imported is not None:
            _lay_over(whole, imported, [row[day] for day in imported.dates], self.universe)
        return _block(self.universe, dates, whole)


def cut_symbols(block: DailyBlock, universe: Universe, columns: Sequence[int]) -> DailyBlock:
    """The same days, other columns."""
    arrays = (block.open, block.high, block.low, block.close, block.volume)
    return _block(universe, block.dates, np.stack([array[:, list(columns)] for array in arrays]))


def _lay_over(whole: FloatArray, imported: DailyBlock, rows: list[int], universe: Universe) -> None:
    arrays = np.stack((imported.open, imported.high, imported.low, imported.close, imported.volume))
    given: BoolArray = ~np.isnan(imported.close)
    for column, symbol in enumerate(imported.universe.symbols):
        target = universe.column[symbol]
        days = given[:, column]
        whole[:, np.array(rows)[days], target] = arrays[:, days, column]


def _block(universe: Universe, dates: tuple[date, ...], whole: FloatArray) -> DailyBlock:
    whole.flags.writeable = False
    return DailyBlock(
        universe=universe,
        dates=dates,
        open=whole[0],
        high=whole[1],
        low=whole[2],
        close=whole[3],
        volume=whole[4],
    )
