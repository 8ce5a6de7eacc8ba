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
        self._totals: list[IntArray] = [np.zeros(symbols, np.int64)]  # At the end of each minute, newest last.

    def advance(self, block: MarketBlock) -> FloatArray:
        """Shares a minute after each row, `[rows x symbols]`. Call once for each block, in order."""
        if not block.rows:
            return block.volume
        shares = np.rint(block.volume).astype(np.int64)
        totals = self._totals[-1] + np.cumsum(shares, axis=0)
        lines = [*self._totals, *totals]
        newest = np.arange(len(self._totals), len(lines))
        oldest = np.maximum(newest - self._minutes, 0)
        before = np.stack([lines[line] for line in oldest.tolist()])
        self._totals = lines[-self._minutes - 1 :]
        mean: FloatArray = (totals - before) / ((newest - oldest) * self._feed_share)[:, None]
        return mean
