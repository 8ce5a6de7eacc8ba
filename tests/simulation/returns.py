"""Returns as a market makes them: one mover of all, and what each does by itself."""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import FloatArray


def market_returns(symbols: int, rows: int, seed: int) -> FloatArray:
    """[rows x symbols], a day each."""
    random = np.random.default_rng(seed)
    market = random.normal(0.0004, 0.009, (rows, 1)) * random.uniform(0.5, 1.5, symbols)
    table: FloatArray = market + random.normal(0.0003, 0.01, (rows, symbols)) * random.uniform(0.5, 2.0, symbols)
    return table


def names(count: int) -> list[str]:
    return [f"S{one}" for one in range(count)]
