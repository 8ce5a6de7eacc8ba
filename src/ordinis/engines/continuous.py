"""Prices without the gaps that splits leave: bars in the terms of the first day.

Whatever carries prices from bar to bar (indicators, strategies, a user's own among them, volatility) is fed
through here. It need not know of splits: after four new shares for an old one its prices are multiplied by
four and its volumes divided, and what it says of them, being a share of the price, holds in the new terms.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ordinis.domain.market import FloatArray, MarketBlock


class ContinuousPrices:
    """One factor a symbol, all of them 1 until something is split."""

    def __init__(self, symbols: int) -> None:
        self._factor: FloatArray = np.ones(symbols)
        self._plain = True

    def split(self, column: int, ratio: float) -> None:
        """New shares for an old one, from the next block on."""
        self._factor[column] *= ratio
        self._plain = bool((self._factor == 1.0).all())

    def of(self, block: MarketBlock) -> MarketBlock:
        """The block in the terms of the first day; itself, as long as nothing was split."""
        if self._plain:
            return block
        factor = self._factor
        return replace(
            block,
            open=block.open * factor,
            high=block.high * factor,
            low=block.low * factor,
            close=block.close * factor,
            volume=block.volume / factor,
        )
