"""Sessions of plausible bars, as blocks and as files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ordinis.data.calendar import minute_starts_ns, session_on, sessions
from ordinis.data.store import BarStore
from ordinis.domain.market import MINUTE_NS, FloatArray, MarketBlock, Session, Universe

sys.path.insert(0, str(Path(__file__).parents[2]))  # For `simulation.actions`.

SHARED = Path(__file__).parents[4] / "shared" / "data"

MakeBlock = Callable[..., MarketBlock]
MakeFrame = Callable[..., pd.DataFrame]


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore(tmp_path / "store")


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the shared data sets are not at {SHARED}")
    return SHARED


@pytest.fixture
def make_block() -> MakeBlock:
    """A whole session; each value tells its minute and column, and every seventh bar is absent."""

    def make(day: date, symbols: tuple[str, ...] = ("AAA", "BBB"), *, gaps: bool = True) -> MarketBlock:
        session = session_on(day)
        assert session is not None
        cells = np.arange(session.minutes * len(symbols), dtype=np.float64).reshape(session.minutes, len(symbols))
        present = (cells % 7 != 3) if gaps else np.ones_like(cells, dtype=bool)
        price = np.where(present, 100 + cells / 100, np.nan)
        return MarketBlock(
            universe=Universe(symbols),
            session=session,
            closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1, dtype=np.int64),
            open=price,
            high=price + 0.02,
            low=price - 0.02,
            close=price + 0.01,
            volume=np.where(present, cells + 1, 0.0),
            present=present,
        )

    return make


@pytest.fixture(scope="session")
def make_minutes() -> MakeFrame:
    """All regular minutes of these sessions as a file would hold them: a calm random walk a symbol."""

    def make(first: date, last: date, symbols: tuple[str, ...] = ("AAA", "BBB")) -> pd.DataFrame:
        days = sessions(first, last)
        parts = [_symbol_frame(symbol, 100.0 * (i + 1), days, seed=i) for i, symbol in enumerate(symbols)]
        return pd.concat(parts, ignore_index=True)

    return make


@pytest.fixture(scope="session")
def make_daily() -> MakeFrame:
    """A quiet daily bar a session and symbol, at the level of `make_minutes`."""

    def make(first: date, last: date, symbols: tuple[str, ...] = ("AAA", "BBB")) -> pd.DataFrame:
        dates = [day.date.isoformat() for day in sessions(first, last)]
        steps = np.linspace(0.0, 0.5, len(dates))
        parts = [_frame(symbol, dates, 100.0 * (i + 1) + steps, "date") for i, symbol in enumerate(symbols)]
        return pd.concat(parts, ignore_index=True)

    return make


def _symbol_frame(symbol: str, price_usd: float, days: tuple[Session, ...], seed: int) -> pd.DataFrame:
    starts = np.concatenate([minute_starts_ns(day) for day in days])
    steps = np.random.default_rng(seed).normal(0, 2e-4, len(starts))
    price: FloatArray = np.round(price_usd * np.exp(np.cumsum(steps)), 4)
    return _frame(symbol, pd.to_datetime(starts, utc=True), price)


def _frame(symbol: str, times: object, price: FloatArray, time_name: str = "timestamp") -> pd.DataFrame:
    values = {"open": price, "high": price + 0.05, "low": price - 0.05, "close": price + 0.01}
    frame = pd.DataFrame({"symbol": symbol, time_name: times, **values})
    return frame.assign(volume=1000 + np.arange(len(frame)))
