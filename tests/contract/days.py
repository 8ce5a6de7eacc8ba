"""Made-up days for the contract tests: small, seeded, with gaps."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from ordinis.domain.market import MINUTE_NS, DailyBlock, MarketBlock, Session, Universe

UNIVERSE = Universe(("AAA", "BBB", "CCC"))
_OPEN_NS = 1_735_828_200 * 10**9  # 2025-01-02 09:30 in New York.
_DAY_NS = 86_400 * 10**9


def session_of(day: int, minutes: int) -> Session:
    """The n-th made-up session; sessions follow each other daily."""
    open_ns = _OPEN_NS + day * _DAY_NS
    return Session(date=date(2025, 1, 2) + timedelta(days=day), open_ns=open_ns, close_ns=open_ns + minutes * MINUTE_NS)


def block_of(
    day: int, minutes: int = 8, universe: Universe = UNIVERSE, seed: int = 7, *, gaps: bool = True
) -> MarketBlock:
    """Random walks near 100 USD; with gaps one bar in six is missing."""
    random = np.random.default_rng([seed, day])
    shape = (minutes, len(universe))
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.002, shape), axis=0))
    opening = close * (1 + random.normal(0, 0.001, shape))
    high = np.maximum(opening, close) * 1.001
    low = np.minimum(opening, close) * 0.999
    present = random.random(shape) > (1 / 6 if gaps else -1)
    present[0] = True
    prices = [np.where(present, np.round(one, 4), np.nan) for one in (opening, high, low, close)]
    session = session_of(day, minutes)
    return MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, minutes + 1, dtype=np.int64),
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=np.where(present, random.integers(500, 5_000, shape), 0).astype(np.float64),
        present=present,
    )


def daily_of(days: int, universe: Universe = UNIVERSE) -> DailyBlock:
    """Daily bars of as many days before the first session."""
    random = np.random.default_rng(3)
    shape = (days, len(universe))
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.01, shape), axis=0)), 4)
    return DailyBlock(
        universe=universe,
        dates=tuple(date(2025, 1, 2) - timedelta(days=days - i) for i in range(days)),
        open=close - 0.5,
        high=close + 1.0,
        low=close - 1.25,
        close=close,
        volume=np.full(shape, 1e6),
    )
