"""Data for a user with none of his own: real daily bars of five companies, and minutes made inside them.

The daily bars are those of bokeh-sampledata (public domain): AAPL, IBM and MSFT from 2000-03-01, GOOG
from 2004-08-19, FB from 2012-05-18, all to 2013-03-01, raw, with an adjusted close beside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version

import numpy as np

from ordinis.data.calendar import session_on, sessions
from ordinis.data.minutes_from_daily import make_session
from ordinis.data.store import BarStore, DataSet, Source
from ordinis.domain.errors import DataError
from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock, Universe

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
FIRST = date(2012, 6, 1)  # FB is listed since two weeks before.
LAST = date(2013, 2, 28)
DATA_FIRST = date(2000, 3, 1)
DATA_LAST = date(2013, 3, 1)
WARM_UP_SESSIONS = 250  # Daily bars before the first minute.
SEED = 1
RECIPE = 1  # Raise it when the minutes would come out different: cached sets are then made anew.
LABEL = "synthetic minutes made from real daily bars (bokeh-sampledata)"
FEED = "synthetic"
SPLIT_MIN = 1.2  # A factor between raw and adjusted moves; dividends stay far below.


def bundled_data(store: BarStore, first: date = FIRST, last: date = LAST, seed: int = SEED) -> DataSet:
    """Open the set of these sessions, and make it at the first call. `first` and `last` are both included.

    Raises DataError where the range has no session, or lies outside the daily bars.
    """
    _check_range(first, last)
    name = _name(first, last, seed)
    sources = [_source(first, last, seed)]
    made = _made_before(store, name)
    if made is not None and list(made.manifest.sources) == sources:
        return made
    daily, splits = bundled_daily(first, last)
    return store.write(
        name,
        symbols=daily.universe.symbols,
        blocks=_blocks(daily, first, seed),
        daily=daily,
        feed=FEED,
        label=LABEL + (f", prices before splits adjusted ({', '.join(splits)})" if splits else ""),
        synthetic=True,
        sources=sources,
        replace=True,
    )


def bundled_daily(first: date, last: date) -> tuple[DailyBlock, tuple[str, ...]]:
    """The real daily bars from WARM_UP_SESSIONS before `first` to `last`, and the splits adjusted in that range.

    Only symbols with a bar from `first` on. Prices before a split are divided by its ratio and volumes
    multiplied; the ratio is what the adjusted close says.
    """
    dates = _dates(first, last)
    columns: dict[str, FloatArray] = {}
    splits: list[str] = []
    for symbol in SYMBOLS:
        bars, found = _adjusted(_bars(symbol, dates), symbol, dates)
        if np.isfinite(bars[3, [day >= first for day in dates]]).any():
            columns[symbol] = bars
            splits += found
    whole = np.stack(list(columns.values()), axis=2)
    universe = Universe(tuple(columns))
    block = DailyBlock(
        universe=universe, dates=dates, open=whole[0], high=whole[1], low=whole[2], close=whole[3], volume=whole[4]
    )
    return block, tuple(splits)


def _made_before(store: BarStore, name: str) -> DataSet | None:
    """None where there is none, or none that can be read: it is made again, for nothing of it is the user's."""
    try:
        made = store.open(name)
    except DataError:
        return None
    if not made.synthetic:
        raise DataError(f"{made.folder} is an imported set under the name of the bundled one; import it under another")
    return made


def _dates(first: date, last: date) -> tuple[date, ...]:
    known = [session.date for session in sessions(DATA_FIRST, last)]
    start = sum(day < first for day in known) - WARM_UP_SESSIONS
    return tuple(known[max(start, 0) :])


def _bars(symbol: str, dates: tuple[date, ...]) -> FloatArray:
    """`[6 x dates]`: open, high, low, close, volume, adjusted close; NaN before the symbol was listed."""
    from bokeh_sampledata import stocks

    table = getattr(stocks, symbol)
    row = {day: i for i, day in enumerate(table["date"])}
    at = np.array([row.get(day.isoformat(), -1) for day in dates])
    raw = np.array([table[name] for name in ("open", "high", "low", "close", "volume", "adj_close")], dtype=np.float64)
    bars: FloatArray = np.where(at >= 0, raw[:, at], np.nan)
    return bars


def _adjusted(bars: FloatArray, symbol: str, dates: tuple[date, ...]) -> tuple[FloatArray, list[str]]:
    """`[5 x dates]` without jumps at splits, and what the splits were."""
    close, adjusted = bars[3], bars[5]
    ratio = np.ones(len(dates))
    ratio[1:] = (close[:-1] / close[1:]) / (adjusted[:-1] / adjusted[1:])
    splits = np.where(ratio >= SPLIT_MIN, np.round(ratio), 1.0)
    later = np.append(np.cumprod(splits[::-1])[::-1][1:], 1.0)  # Of all splits after each day.
    out = bars[:5].copy()
    out[:4] = np.round(out[:4] / later, 4)
    out[4] *= later
    return out, [f"{symbol} {splits[i]:g}:1 on {dates[i]}" for i in np.flatnonzero(splits > 1)]


def _blocks(daily: DailyBlock, first: date, seed: int) -> Iterator[MarketBlock]:
    bars = np.stack((daily.open, daily.high, daily.low, daily.close, daily.volume))
    for row, day in enumerate(daily.dates):
        session = session_on(day)
        if session is not None and day >= first:
            yield make_session(session, daily.universe, bars[:, row, :], seed)


def _check_range(first: date, last: date) -> None:
    if not (DATA_FIRST <= first <= last <= DATA_LAST):
        raise DataError(
            f"the bundled daily bars reach from {DATA_FIRST} to {DATA_LAST}; {first} to {last} is not inside"
        )
    if not sessions(first, last):
        raise DataError(f"the exchange was closed from {first} to {last}; choose a longer range")


def _name(first: date, last: date, seed: int) -> str:
    return "bundled" if (first, last, seed) == (FIRST, LAST, SEED) else f"bundled-{first}-{last}-{seed}"


def _source(first: date, last: date, seed: int) -> Source:
    text = f"bokeh-sampledata {version('bokeh-sampledata')}, {first} to {last}, recipe {RECIPE}, seed {seed}"
    return Source(file=text, sha256=hashlib.sha256(text.encode()).hexdigest())
