"""How much of a symbol is traded a minute, lately: what an order's size is held against."""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import FloatArray, IntArray, MarketBlock


class RecentVolume:
    """Mean volume of the newest session minutes, of the whole market. Minutes without a bar count as none.

    Whole shares are added up as integers, so that the figure is the same however a session is cut into blocks.
    """

    def __init__(self, symbols: int, *, minutes: int = 30, feed_share: float = 1.0) -> None:
        self._minutes = minutes
        self._feed_share = feed_share  # A feed that counts a part of the market shows a part of its volume.
        self._seen = 0  # Minutes, up to the window's.
        self._totals: list[IntArray] = [np.zeros(symbols, np.int64)] * minutes  # At each minute's end, newest last.

    def split(self, column: int, ratio: float) -> None:
        """New shares for an old one: what was traded before counts in the new ones."""
        totals = np.stack(self._totals)
        totals[:, column] = np.rint(totals[:, column] * ratio).astype(np.int64)
        self._totals = list(totals)

    def advance(self, block: MarketBlock) -> FloatArray:
        """Shares a minute after each row, `[rows x symbols]`. Call once for each block, in order."""
        rows = block.rows
        if not rows:
            return block.volume
        shares = np.rint(block.volume).astype(np.int64)
        totals = np.cumsum(shares, axis=0) + self._totals[-1]
        before = np.concatenate([np.stack(self._totals[:rows]), totals[: max(0, rows - self._minutes)]])
        self._totals = [*self._totals[rows:], *totals[-self._minutes :]]
        counted = np.minimum(np.arange(1, rows + 1) + self._seen, self._minutes)
        self._seen = int(counted[-1])
        mean: FloatArray = (totals - before) / (counted * self._feed_share)[:, None]
        return mean
