"""Exposure by sector over time: what the fills say was held, at the last prices, a sector a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from ordinis.domain.market import BoolArray, FloatArray, IntArray, MarketBlock
from ordinis.domain.orders import Fill
from ordinis.research.report.source import SectorExposure

POINTS_MAX = 600  # A line a sector: fewer points than a line that stands alone has.

Bars = Callable[[Sequence[str]], Iterable[MarketBlock]]  # Symbols -> the run's blocks of them, oldest first.


def sector_exposure(
    fills: Sequence[tuple[int, Fill]], bars: Bars, sector_of: Mapping[str, str], minutes: int
) -> SectorExposure:
    """Sampled over the run's first `minutes`, each session's last among them; a symbol without a sector is its own.

    A fill comes with the number of the first minute that had it in the book: its time does not tell, since a stop may
    fill at the end of a minute and an order at the next one's open, which is the same moment.

    Blocks are taken one at a time. A short is exposed like a long: what it comes to counts, whichever way.
    """
    held = _Held(fills)
    sectors = [sector_of.get(symbol, symbol) for symbol in held.symbols]
    names = sorted(set(sectors))
    member = np.array([[sector == name for name in names] for sector in sectors], np.float64)
    rows: list[IntArray] = []
    values: list[FloatArray] = []
    done = 0
    for block in bars(held.symbols) if held.symbols else ():
        picked = _picked(block.rows, done, minutes)
        rows.append(picked + done)
        values.append(held.advance(block, done, picked) @ member)
        done += block.rows
        if done >= minutes:
            break
    return SectorExposure(
        sectors=tuple(names),
        rows=np.concatenate([np.empty(0, np.int64), *rows]),
        usd=np.concatenate([np.empty((0, len(names))), *values]),
    )


class _Held:
    """Shares and last prices, carried from block to block."""

    def __init__(self, fills: Sequence[tuple[int, Fill]]) -> None:
        self.symbols: tuple[str, ...] = tuple(sorted({fill.symbol for _, fill in fills}))
        column = {symbol: number for number, symbol in enumerate(self.symbols)}
        self._minute: IntArray = np.array([minute for minute, _ in fills], np.int64)
        self._column: IntArray = np.array([column[fill.symbol] for _, fill in fills], np.int64)
        self._change: FloatArray = np.array([float(fill.quantity) for _, fill in fills])
        self._shares: FloatArray = np.zeros(len(self.symbols))
        self._price_usd: FloatArray = np.zeros(len(self.symbols))
        self._next = 0

    def advance(self, block: MarketBlock, done: int, picked: IntArray) -> FloatArray:
        """USD of each symbol after these rows of the block, `[picked x symbols]`; `done` minutes came before it."""
        end = int(np.searchsorted(self._minute, done + block.rows))
        new = slice(self._next, end)
        changes = np.zeros((block.rows, len(self.symbols)))
        np.add.at(changes, (self._minute[new] - done, self._column[new]), self._change[new])
        shares = self._shares + np.add.accumulate(changes, axis=0)
        price_usd = _carried(block.close, block.present, self._price_usd)
        self._shares, self._price_usd, self._next = shares[-1], price_usd[-1], end
        usd: FloatArray = np.abs(shares * price_usd)[picked]
        return usd


def _carried(close_usd: FloatArray, present: BoolArray, before_usd: FloatArray) -> FloatArray:
    """The last price known after each row; `before_usd` until there is one."""
    row = np.maximum.accumulate(np.where(present, np.arange(1, len(present) + 1)[:, None], 0), axis=0)
    return np.take_along_axis(np.vstack([before_usd[None, :], close_usd]), row, axis=0)


def _picked(rows: int, done: int, minutes: int) -> IntArray:
    """Which rows of a block are drawn: evenly spread, and the last."""
    rows = min(rows, minutes - done)
    step = -(-minutes // POINTS_MAX)
    return np.unique(np.append(np.arange(step - 1, rows, step), rows - 1))
