"""Made-up minutes: random walks with random gaps, a session a block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from ordinis.domain.market import MINUTE_NS, BoolArray, FloatArray, MarketBlock, Session, Universe

FIRST_DAY = date(2025, 3, 10)
DAY_NS = 24 * 60 * MINUTE_NS
OPEN_NS = 1_741_613_400 * 10**9  # 2025-03-10 13:30 UTC.


def make_block(close: FloatArray, present: BoolArray | None = None, *, day: int = 0) -> MarketBlock:
    """A block of these closes; highs and lows are 0.1 % around them."""
    present = np.isfinite(close) if present is None else present
    known = np.where(present, close, np.nan)
    open_ns = OPEN_NS + day * DAY_NS
    return MarketBlock(
        universe=Universe(tuple(f"S{column}" for column in range(close.shape[1]))),
        session=Session(date=FIRST_DAY + timedelta(days=day), open_ns=open_ns, close_ns=open_ns + 390 * MINUTE_NS),
        closed_at_ns=open_ns + MINUTE_NS * np.arange(1, close.shape[0] + 1),
        open=known,
        high=known * 1.001,
        low=known * 0.999,
        close=known,
        volume=np.where(present, 100.0, 0.0),
        present=present,
    )


def walk_blocks(
    seed: int, *, sessions: int, rows: int, symbols: int, share_present: float, first_day: int = 0
) -> list[MarketBlock]:
    """Sessions of one random walk, in which each minute is there with that probability."""
    random = np.random.default_rng(seed)
    steps = random.normal(0.0, 1e-3, (sessions * rows, symbols))
    close = np.round(100.0 * np.exp(np.cumsum(steps, axis=0)), 2)
    present = random.random(close.shape) < share_present
    cuts = [slice(day * rows, (day + 1) * rows) for day in range(sessions)]
    return [make_block(close[cut], present[cut], day=first_day + day) for day, cut in enumerate(cuts)]


def split(block: MarketBlock, cuts: Sequence[int]) -> list[MarketBlock]:
    """The block cut before each of these rows."""
    edges = sorted({0, block.rows, *(cut for cut in cuts if 0 < cut < block.rows)})
    return [_rows(block, start, stop) for start, stop in pairwise(edges)]


def _rows(block: MarketBlock, start: int, stop: int) -> MarketBlock:
    return MarketBlock(
        universe=block.universe,
        session=block.session,
        closed_at_ns=block.closed_at_ns[start:stop],
        open=block.open[start:stop],
        high=block.high[start:stop],
        low=block.low[start:stop],
        close=block.close[start:stop],
        volume=block.volume[start:stop],
        present=block.present[start:stop],
    )


@pytest.fixture(scope="session")
def block_of() -> Callable[..., MarketBlock]:
    return make_block


@pytest.fixture(scope="session")
def walk() -> Callable[..., list[MarketBlock]]:
    return walk_blocks


@pytest.fixture(scope="session")
def cut_at() -> Callable[[MarketBlock, Sequence[int]], list[MarketBlock]]:
    return split
