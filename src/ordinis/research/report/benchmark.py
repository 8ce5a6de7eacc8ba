"""What doing nothing would have made: buy at the first open, hold to the end, pay nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from ordinis.domain.market import BoolArray, FloatArray, MarketBlock
from ordinis.engines.comovement import MARKET

_HOW = "bought at the first open, no costs"
_HOW_EACH = "each bought at its own first open, no costs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A named alternative: its value at each session's close, USD, from `start_usd` on."""

    name: str
    start_usd: float
    dates: tuple[date, ...] = ()
    values_usd: tuple[float, ...] = ()

    def until(self, days: Collection[date]) -> Benchmark:
        """The sessions among `days` only: a partial run is compared with what it has run."""
        kept = [(day, usd) for day, usd in zip(self.dates, self.values_usd, strict=True) if day in days]
        return Benchmark(
            name=self.name,
            start_usd=self.start_usd,
            dates=tuple(day for day, _ in kept),
            values_usd=tuple(usd for _, usd in kept),
        )

    @property
    def total_return(self) -> float | None:
        """A fraction; None without a session."""
        return self.values_usd[-1] / self.start_usd - 1.0 if self.values_usd else None


def benchmark_of(blocks: Iterable[MarketBlock], start_usd: float) -> Benchmark:
    """SPY where the blocks have its bars, otherwise all their symbols in equal parts.

    A symbol's part stays cash until its first bar; a price without a bar is the last one known. Prices only:
    dividends are left out, as they are in the run. Blocks are taken one at a time, oldest first.
    """
    growth: dict[date, FloatArray] = {}
    symbols: tuple[str, ...] = ()
    bought_usd = last_usd = np.empty(0)
    for block in blocks:
        if not growth:
            symbols = block.universe.symbols
            bought_usd = last_usd = np.full(len(symbols), np.nan)
        bought_usd = np.where(np.isnan(bought_usd), _first(block.open, block.present), bought_usd)
        closes_usd = _last(block.close, block.present)
        last_usd = np.where(np.isnan(closes_usd), last_usd, closes_usd)
        growth[block.session.date] = last_usd / bought_usd
    traded = ~np.isnan(bought_usd)
    if not traded.any():
        return Benchmark(name="none: the data has no bars", start_usd=start_usd)
    chosen = np.array([symbol == MARKET for symbol in symbols]) & traded
    chosen = chosen if chosen.any() else traded
    return Benchmark(
        name=_name(symbols, chosen, np.array(list(growth.values()))[:, chosen]),
        start_usd=start_usd,
        dates=tuple(growth),
        values_usd=tuple(start_usd * float(np.nan_to_num(row[chosen], nan=1.0).mean()) for row in growth.values()),
    )


def _name(symbols: tuple[str, ...], chosen: BoolArray, growth: FloatArray) -> str:
    how = _HOW_EACH if np.isnan(growth).any() else _HOW
    count = int(np.count_nonzero(chosen))
    if count == 1:
        return f"{symbols[int(chosen.argmax())]}, {_HOW}"
    return f"equal weight of the {count} symbols, {how}"


def _first(prices_usd: FloatArray, present: BoolArray) -> FloatArray:
    """Each symbol's first price of the block; NaN without a bar."""
    return _picked(prices_usd, present, present.argmax(axis=0))


def _last(prices_usd: FloatArray, present: BoolArray) -> FloatArray:
    return _picked(prices_usd, present, present.shape[0] - 1 - present[::-1].argmax(axis=0))


def _picked(prices_usd: FloatArray, present: BoolArray, rows: FloatArray) -> FloatArray:
    picked: FloatArray = np.where(present.any(axis=0), prices_usd[rows, np.arange(present.shape[1])], np.nan)
    return picked
