"""Minutes made inside daily bars, for a user who has no minutes of his own.

The daily bars may be real; the minutes between are not, and every set made here says so in its label.
A day is a function of the seed, its date, its symbol and its bar alone, so any day can be made again
by itself.
"""

from __future__ import annotations

import zlib
from datetime import date

import numpy as np

from ordinis.domain.market import MINUTE_NS, FloatArray, MarketBlock, Session, Universe

STEPS_A_MINUTE = 4  # Of the path inside a minute: enough for wicks.
CANDIDATES = 16  # Bridges drawn a day; the one that fits the day's range best is bent the least.
DECIMALS = 4
VOLUME_NOISE = 0.4  # Standard deviation of a minute's log volume around the U.
EDGE_VOLUME = 4.0  # The first and the last minute trade this many times the volume of the middle ones.


def make_session(session: Session, universe: Universe, bars: FloatArray, seed: int) -> MarketBlock:
    """One session of minutes from `bars`, `[5 x symbols]`: open, high, low, close, volume; NaN where there is none.

    Each symbol's first open, highest high, lowest low, last close and summed volume are its day's own,
    prices to four decimals, volumes in whole shares.
    """
    shape = (session.minutes, len(universe))
    prices = np.full((4, *shape), np.nan)
    volume = np.zeros(shape)
    for column, symbol in enumerate(universe.symbols):
        if np.isfinite(bars[:, column]).all():
            generator = _generator(seed, session.date, symbol)
            prices[:, :, column] = _prices(np.round(bars[:4, column], DECIMALS), session.minutes, generator)
            volume[:, column] = _volumes(int(bars[4, column]), session.minutes, generator)
    return MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1, dtype=np.int64),
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume,
        present=~np.isnan(prices[3]),
    )


def _generator(seed: int, day: date, symbol: str) -> np.random.Generator:
    return np.random.default_rng((seed, day.toordinal(), zlib.crc32(symbol.encode())))


def _prices(bar: FloatArray, minutes: int, generator: np.random.Generator) -> FloatArray:
    """`[4 x minutes]`: open, high, low and close of each minute."""
    path = _path(bar, minutes * STEPS_A_MINUTE, generator)
    steps = path[1:].reshape(minutes, STEPS_A_MINUTE)
    closes = steps[:, -1]
    opens = np.concatenate((path[:1], closes[:-1]))  # A minute opens where the one before it closed.
    highs = np.maximum(steps.max(axis=1), opens)
    lows = np.minimum(steps.min(axis=1), opens)
    return np.stack((opens, highs, lows, closes))


def _path(bar: FloatArray, steps: int, generator: np.random.Generator) -> FloatArray:
    """`[steps + 1]`: from the open to the close, never outside low..high, touching both exactly."""
    opened, high, low, closed = bar.tolist()
    if high <= low:
        return np.full(steps + 1, opened)
    path = _bent(_best_bridge(bar, steps, generator), bar)
    path = np.clip(np.round(path, DECIMALS), low, high)
    path[0], path[-1] = opened, closed
    if max(opened, closed) < high:
        path[1 + int(path[1:-1].argmax())] = high
    if min(opened, closed) > low:
        path[1 + int(path[1:-1].argmin())] = low
    return path


def _best_bridge(bar: FloatArray, steps: int, generator: np.random.Generator) -> FloatArray:
    """Of some Brownian bridges from open to close the one whose own range is nearest to the day's."""
    opened, high, low, closed = bar
    time = np.linspace(0.0, 1.0, steps + 1)
    walks = np.zeros((CANDIDATES, steps + 1))
    np.cumsum(generator.standard_normal((CANDIDATES, steps)), axis=1, out=walks[:, 1:])
    # A Brownian motion ranges over sqrt(8 / pi) of its standard deviation on average: Feller (1951).
    scale = (high - low) / np.sqrt(8 / np.pi * steps)
    bridges = opened + (closed - opened) * time + (walks - walks[:, -1:] * time) * scale
    misfit = np.abs(bridges.max(axis=1) - high) + np.abs(bridges.min(axis=1) - low)
    best: FloatArray = bridges[int(misfit.argmin())]
    return best


def _bent(path: FloatArray, bar: FloatArray) -> FloatArray:
    """Stretch what lies above open and close onto the high, what lies below onto the low; the rest stays."""
    opened, high, low, closed = bar
    upper, lower = max(opened, closed), min(opened, closed)
    above, below = path.max() - upper, lower - path.min()
    up = (high - upper) / above if above > 0 else 0.0
    down = (lower - low) / below if below > 0 else 0.0
    bent: FloatArray = np.where(path > upper, upper + (path - upper) * up, path)
    return np.where(path < lower, lower - (lower - path) * down, bent)


def _volumes(total: int, minutes: int, generator: np.random.Generator) -> FloatArray:
    """`[minutes]`: whole shares that sum to the day's, more at the open and the close than at noon."""
    place = np.linspace(-1.0, 1.0, minutes)
    weight = 1 + (EDGE_VOLUME - 1) * place**4
    weight *= np.exp(VOLUME_NOISE * generator.standard_normal(minutes))
    shares: FloatArray = generator.multinomial(total, weight / weight.sum()).astype(np.float64)
    return shares
