"""Returns of any bar size from sessions of minutes or from daily bars, each night on a row of its own.

A night is part of what a holder goes through, and as a row like the others it enters means and covariances with its own
size: so many rows make a year, nights included, and the sum over them is the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS, DailyBlock, FloatArray, MarketBlock, Session
from ordinis.engines.estimates import APART_DAYS_MAX, SESSIONS_A_YEAR, newest_row

MINUTES_A_SESSION = 390


class BarReturns(NamedTuple):
    """Simple returns, oldest first."""

    symbols: tuple[str, ...]
    returns: FloatArray  # [rows x symbols]; NaN where a symbol did not trade all session.
    periods_a_year: float  # Rows that make a year.


def daily_returns(daily: DailyBlock) -> BarReturns:
    """From close to close; two closes that are too far apart are not neighbours."""
    close = daily.close
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = close[1:] / close[:-1] - 1.0
    days = [(after - before).days for before, after in zip(daily.dates, daily.dates[1:], strict=False)]
    near = np.array(days, dtype=np.int64) <= APART_DAYS_MAX
    return BarReturns(daily.universe.symbols, returns[near], float(SESSIONS_A_YEAR))


def session_returns(blocks: Sequence[MarketBlock], bar_minutes: int) -> BarReturns:
    """Bars of `bar_minutes` within each session, and from the last price of one to the first of the next.

    A bar without a trade has a return of 0: the price stood still. Error: DataError for impossible bar sizes.
    """
    if not 1 <= bar_minutes <= MINUTES_A_SESSION:
        raise DataError(f"bar_minutes must be from 1 to {MINUTES_A_SESSION}, was {bar_minutes}")
    if not blocks:
        raise DataError("there are no sessions to take returns from")
    rows: list[FloatArray] = []
    before: tuple[Session, FloatArray] | None = None
    for session, parts in _sessions(blocks):
        opens, closes = _prices(session, parts, bar_minutes)
        if before is not None and (session.date - before[0].date).days <= APART_DAYS_MAX:
            rows.append((opens / before[1] - 1.0)[None])
        path = np.vstack([opens, closes])
        rows.append(path[1:] / path[:-1] - 1.0)
        last = closes[-1]
        before = session, last if before is None else np.where(np.isnan(last), before[1], last)
    bars = -(-MINUTES_A_SESSION // bar_minutes)
    return BarReturns(blocks[0].universe.symbols, np.vstack(rows), float((bars + 1) * SESSIONS_A_YEAR))


def _sessions(blocks: Sequence[MarketBlock]) -> list[tuple[Session, list[MarketBlock]]]:
    sessions: list[tuple[Session, list[MarketBlock]]] = []
    for block in blocks:
        if not sessions or sessions[-1][0] != block.session:
            sessions.append((block.session, []))
        sessions[-1][1].append(block)
    return sessions


def _prices(session: Session, parts: Sequence[MarketBlock], bar_minutes: int) -> tuple[FloatArray, FloatArray]:
    """The session's first price of each symbol, and its newest at the end of each bar, [bars x symbols]."""
    close = np.vstack([part.close for part in parts])
    present = np.vstack([part.present for part in parts])
    minute = (np.concatenate([part.closed_at_ns for part in parts]) - session.open_ns) // MINUTE_NS
    opens = np.vstack([part.open for part in parts])
    first = present.argmax(axis=0)
    columns = np.arange(close.shape[1])
    start = np.where(present.any(axis=0), opens[first, columns], np.nan)
    row = newest_row(present)
    filled = np.where(row >= 0, np.take_along_axis(close, np.maximum(row, 0), axis=0), start)
    ends = np.append(np.arange(bar_minutes, session.minutes, bar_minutes), session.minutes)
    at = np.searchsorted(minute, ends, side="right") - 1
    return start, np.where((at >= 0)[:, None], filled[np.maximum(at, 0)], start)
