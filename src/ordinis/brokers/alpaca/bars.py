"""Alpaca's bars into our arrays: all minutes of a session, NaN and 0 where nothing traded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np

from ordinis.brokers.alpaca.wire import WireBar, WireStreamMessage, bar_date, bar_start_ns
from ordinis.domain.market import MINUTE_NS, DailyBlock, FloatArray, MarketBlock, Session, Universe

_FIELDS = 5


def _empty(rows: int, symbols: int) -> FloatArray:
    """`[fields x rows x symbols]`: open, high, low, close, volume."""
    table = np.full((_FIELDS, rows, symbols), np.nan)
    table[-1] = 0.0
    return table


def one_minute(
    universe: Universe, session: Session, closed_at_ns: int, bars: Iterable[WireStreamMessage]
) -> MarketBlock:
    """The minute that a stream gave, one row. Symbols outside the universe are passed over."""
    table = _empty(1, len(universe))
    place = universe.column
    rows = [(place[bar.S], bar.o, bar.h, bar.l, bar.c, bar.v) for bar in bars if bar.S in place]
    if rows:
        values = np.array(rows, dtype=np.float64)
        table[:, 0, values[:, 0].astype(np.intp)] = values[:, 1:].T
    return _block(universe, session, np.array([closed_at_ns], dtype=np.int64), table)


def session_block(universe: Universe, session: Session, bars: Mapping[str, list[WireBar]]) -> MarketBlock:
    """A whole session, a row a minute. Bars outside it are passed over."""
    table = _empty(session.minutes, len(universe))
    for symbol, rows in bars.items():
        column = universe.column[symbol]
        for bar in rows:
            row = (bar_start_ns(bar) - session.open_ns) // MINUTE_NS
            if 0 <= row < session.minutes:
                table[:, row, column] = (bar.o, bar.h, bar.l, bar.c, bar.v)
    closed_at_ns = session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1, dtype=np.int64)
    return _block(universe, session, closed_at_ns, table)


def _block(universe: Universe, session: Session, closed_at_ns: np.ndarray, table: FloatArray) -> MarketBlock:
    opening, high, low, close, volume = table
    return MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=closed_at_ns,
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
        present=~np.isnan(close),
    )


def daily_block(universe: Universe, bars: Mapping[str, list[WireBar]]) -> DailyBlock:
    """The days on which any symbol has a bar."""
    days = sorted({bar_date(bar) for rows in bars.values() for bar in rows})
    place: dict[date, int] = {day: row for row, day in enumerate(days)}
    table = _empty(len(days), len(universe))
    for symbol, rows in bars.items():
        for bar in rows:
            table[:, place[bar_date(bar)], universe.column[symbol]] = (bar.o, bar.h, bar.l, bar.c, bar.v)
    opening, high, low, close, volume = table
    return DailyBlock(
        universe=universe, dates=tuple(days), open=opening, high=high, low=low, close=close, volume=volume
    )
