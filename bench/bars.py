"""Seeded synthetic minute bars, so that every engine is measured on the same numbers.

    small   16 symbols x 20 sessions x 390 minutes =   124,800 bars, seed 7
    large  100 symbols x 60 sessions x 390 minutes = 2,340,000 bars, seed 11

Prices have four decimals; sessions run from 2025-03-10 on, all within New York's summer time. The order of
the draws is part of the data: never change it. The fingerprints were recorded with NumPy 2.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from ordinis.data.calendar import sessions
from ordinis.data.store import BarStore
from ordinis.domain.market import MINUTE_NS, FloatArray, MarketBlock, Session, Universe

MINUTES = 390
FIRST_DAY = date(2025, 3, 10)
LAST_DAY = date(2025, 9, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What determines a data set, and the fingerprint it must have."""

    symbols: int
    sessions: int
    seed: int
    sha256: str | None = None

    @property
    def bars(self) -> int:
        return self.symbols * self.sessions * MINUTES


SHAPES = {
    "small": Shape(
        symbols=16, sessions=20, seed=7, sha256="421ecc6453f48ad036f5c92899faedb94faa8fd327417b26ec27516b85228788"
    ),
    "large": Shape(
        symbols=100, sessions=60, seed=11, sha256="dc416b6fd86e222ad78fd5d6940c502c0838431db0bd8191540692e2a72a582b"
    ),
    "wide": Shape(symbols=10_000, sessions=1, seed=13),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """T minutes of N symbols, none missing: prices and volume are (T, N)."""

    symbols: tuple[str, ...]
    days: tuple[Session, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def blocks(self) -> Iterator[MarketBlock]:
        """A block a session, as the engine reads them."""
        universe = Universe(self.symbols)
        for number, session in enumerate(self.days):
            rows = slice(number * MINUTES, (number + 1) * MINUTES)
            closed_at_ns = session.open_ns + (np.arange(MINUTES, dtype=np.int64) + 1) * MINUTE_NS
            yield MarketBlock(
                universe=universe,
                session=session,
                closed_at_ns=closed_at_ns,
                open=self.open[rows],
                high=self.high[rows],
                low=self.low[rows],
                close=self.close[rows],
                volume=self.volume[rows],
                present=np.ones((MINUTES, len(self.symbols)), np.bool_),
            )

    def fingerprint(self) -> str:
        """SHA-256 over all arrays: equal means equal to the last digit."""
        starts = [session.open_ns + np.arange(MINUTES, dtype=np.int64) * MINUTE_NS for session in self.days]
        digest = hashlib.sha256(np.concatenate(starts).astype("<i8").tobytes())
        for field in (self.open, self.high, self.low, self.close, self.volume):
            digest.update(field.astype("<f8").tobytes())
        return digest.hexdigest()


def generate(name: str) -> Bars:
    """The data set of that name. Raises ValueError where the numbers are not the recorded ones."""
    shape = SHAPES[name]
    random = np.random.default_rng(shape.seed)
    minutes = shape.sessions * MINUTES
    size = (minutes, shape.symbols)
    first_price = random.uniform(20, 400, shape.symbols)
    volatility: FloatArray = random.uniform(0.0004, 0.0012, shape.symbols)  # a minute
    market = random.standard_normal(minutes) * 0.0003
    own = random.standard_normal(size) * volatility + market[:, None]
    gap = random.standard_normal(size) * volatility * 0.15  # open against the close before it
    opens_session = np.arange(minutes) % MINUTES == 0
    gap[opens_session] = random.standard_normal((opens_session.sum(), shape.symbols)) * 0.008

    close = first_price * np.exp(np.cumsum(own + gap, axis=0))
    open_ = np.empty_like(close)
    open_[0] = first_price
    open_[1:] = close[:-1] * np.exp(gap[1:])
    above = np.abs(random.standard_normal(size)) * volatility * 0.5
    below = np.abs(random.standard_normal(size)) * volatility * 0.5
    high = np.maximum(open_, close) * (1 + above)
    low = np.minimum(open_, close) * (1 - below)
    volume = random.integers(100_000, 5_000_000, size).astype(float)

    open_, close = np.round(open_, 4), np.round(close, 4)
    bars = Bars(
        symbols=tuple(f"S{position:03d}" for position in range(shape.symbols)),
        days=sessions(FIRST_DAY, LAST_DAY)[: shape.sessions],
        open=open_,
        high=np.asarray(np.round(np.maximum(high, np.maximum(open_, close)), 4), np.float64),
        low=np.asarray(np.round(np.minimum(low, np.minimum(open_, close)), 4), np.float64),
        close=close,
        volume=volume,
    )
    if shape.sha256 is not None and bars.fingerprint() != shape.sha256:
        raise ValueError(f"{name}: not the recorded numbers; this is NumPy {np.__version__}, they are of 2.4")
    return bars


def stored(store: BarStore, name: str) -> str:
    """Write the set into a bar store, as `ordinis data import` would; its name there."""
    if name not in store.names():
        bars = generate(name)
        store.write(
            name, symbols=bars.symbols, blocks=bars.blocks(), feed="synthetic", label="synthetic bars", synthetic=True
        )
    return name
