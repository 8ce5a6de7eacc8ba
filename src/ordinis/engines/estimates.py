"""What we believe about prices and risk: last prices and their age, volatility, correlation.

One place, read by sizing, risk and valuation. Everything is identical however a session is cut into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from ordinis.domain.market import (
    MINUTE_NS,
    BoolArray,
    DailyBlock,
    FloatArray,
    IntArray,
    MarketBlock,
    Session,
    Universe,
)
from ordinis.engines.daily_variance import daily_variance, mean_known, returns
from ordinis.engines.variance import Estimator, log_price

NEVER_MINUTES = 2**30  # The age of a price that has not been: older than any limit.
SESSIONS_A_YEAR = 252
APART_DAYS_MAX = 7  # No closure of the exchange since 1933 was longer: beyond it, two closes are not neighbours.
DAILY = "daily_close_to_close"
INTRADAY = "intraday_with_gap"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TapeBlock:
    """Prices and their ages after each minute of a block. Ages count session minutes; 0 is this minute."""

    last_price: FloatArray  # [rows x symbols], USD; NaN before a symbol's first bar.
    age_minutes: IntArray  # [rows x symbols]; at least NEVER_MINUTES before a symbol's first bar.
    feed_age_minutes: IntArray  # [rows]: since any symbol had a bar, or since the open.


class PriceTape:
    """Carries the last close of every symbol, and when it was, from block to block."""

    def __init__(self, universe: Universe) -> None:
        self._price: FloatArray = np.full(len(universe), np.nan)
        self._minute: IntArray = np.full(len(universe), -NEVER_MINUTES, dtype=np.int64)
        self._feed_minute = 0
        self._opened_minute = 0  # Session minutes lived through before this session.
        self._session: Session | None = None

    @property
    def last_price(self) -> FloatArray:
        """[symbols], USD: as of the newest block; NaN before a symbol's first bar."""
        return self._price

    def split(self, column: int, ratio: float) -> None:
        """New shares for an old one: the last price, in the new terms."""
        self._price = self._price.copy()
        self._price[column] /= ratio

    def advance(self, block: MarketBlock) -> TapeBlock:
        """Call once for each block, in order."""
        self._enter(block.session)
        minute = self._opened_minute + (block.closed_at_ns - block.session.open_ns) // MINUTE_NS
        price, seen_minute = self._filled(block, minute)
        feed = np.where(block.present.any(axis=1), minute, self._feed_minute)
        np.maximum.accumulate(feed, out=feed)
        if block.rows:
            self._price, self._minute, self._feed_minute = price[-1].copy(), seen_minute[-1].copy(), int(feed[-1])
        return TapeBlock(last_price=price, age_minutes=minute[:, None] - seen_minute, feed_age_minutes=minute - feed)

    def _enter(self, session: Session) -> None:
        """Nights do not age a price; a new session gives the feed a new start."""
        if session == self._session:
            return
        if self._session is not None:
            self._opened_minute += self._session.minutes
        self._session = session
        self._feed_minute = self._opened_minute

    def _filled(self, block: MarketBlock, minute: IntArray) -> tuple[FloatArray, IntArray]:
        """The newest close and its minute at every row."""
        if block.present.all():
            return block.close, np.broadcast_to(minute[:, None], block.present.shape)
        row = newest_row(block.present)
        known = row >= 0
        price = np.where(known, np.take_along_axis(block.close, np.maximum(row, 0), axis=0), self._price)
        return price, np.where(known, minute[np.maximum(row, 0)], self._minute)


def newest_row(present: BoolArray) -> IntArray:
    """The newest row up to each one that has a bar, `[rows x symbols]`; -1 where none has."""
    row = np.where(present, np.arange(present.shape[0])[:, None], -1)
    return np.maximum.accumulate(row, axis=0, out=row)


class Volatility:
    """Annualised volatility of every symbol and how symbols move together. Changes only at a session's end.

    A symbol with `returns_min` daily bars in the window has the estimate that `estimator` makes of them
    (`daily_close_to_close`, `daily_yang_zhang` ...). One with less has, from its minute bars, the mean
    realised variance of a session plus the mean squared overnight gap (`intraday_with_gap`; source:
    Andersen and Bollerslev, 1998). Anything else, and a price that never moved, is NaN (`unknown`).
    """

    def __init__(
        self,
        universe: Universe,
        *,
        window_sessions: int = 20,
        returns_min: int = 10,
        estimator: Estimator = "close_to_close",
        decay: float = 0.94,
    ) -> None:
        if not 2 <= returns_min <= window_sessions:
            raise ValueError(f"2 <= returns_min <= window_sessions must hold, was {returns_min}, {window_sessions}")
        self._universe = universe
        self._returns_min = returns_min
        self._window_sessions = window_sessions
        self._estimator: Estimator = estimator
        self._decay = decay
        self._daily = _DailyBars(len(universe), window_sessions + 1)
        self._sessions: list[_SessionMoves] = []  # The newest `window_sessions`.
        self._minutes: list[MarketBlock] = []  # This session's blocks so far.
        self._update()

    def warm_up_daily(self, daily: DailyBlock) -> None:
        """Take in daily bars. Sessions seen as minutes that are newer than the last of them stay behind them."""
        if daily.universe.symbols != self._universe.symbols:
            raise ValueError("daily bars must be of the same universe, in the same order")
        self._daily.prepend(daily)
        self._update()

    def advance(self, block: MarketBlock) -> None:
        """Call once for each block, in order; nothing changes before the session is closed."""
        self._minutes.append(block)

    def close_session(self) -> None:
        """Take in the session. Harmless when no block has come since the last call."""
        if not self._minutes:
            return
        moves = _session_moves(self._minutes, self._sessions[-1] if self._sessions else None)
        self._sessions = [*self._sessions, moves][-self._window_sessions :]
        self._daily.append(moves.day, moves.bar)
        self._minutes = []
        self._update()

    @property
    def returns(self) -> FloatArray:
        """Daily log returns of the window, [sessions x symbols], oldest first; NaN where there is none."""
        return self._returns

    @property
    def returns_min(self) -> int:
        """With fewer of them nothing is known."""
        return self._returns_min

    def average_correlation(self, columns: Sequence[int] | IntArray) -> float:
        """Mean correlation of the daily returns of each pair of these symbols; NaN if no pair's is known.

        A pair is known from `returns_min` common sessions in the window on. Not floored.
        """
        correlation = self.correlation(columns)
        pairs = correlation[np.triu_indices(correlation.shape[0], k=1)]
        known = pairs[np.isfinite(pairs)]
        return float(known.mean()) if known.size else float("nan")

    def covariance(self, columns: Sequence[int] | IntArray, *, unknown_correlation: float = 1.0) -> FloatArray:
        """Annualised covariance of these symbols' returns; NaN in the rows of an unknown volatility.

        Pairs without enough common sessions are taken to move together, which is the cautious answer
        for a book that is only long.
        """
        correlation = self.correlation(columns)
        np.copyto(correlation, unknown_correlation, where=np.isnan(correlation))
        np.fill_diagonal(correlation, 1.0)
        volatility = self.annual[np.asarray(columns, dtype=np.int64)]
        return correlation * volatility * volatility[:, None]

    def mean_returns(self, columns: Sequence[int] | IntArray) -> tuple[FloatArray, int]:
        """Annualised mean daily return of these symbols, not shrunk, and the returns the least known rests on.

        NaN with fewer than `returns_min` of them in the window.
        """
        returns = np.expm1(self._returns[:, np.asarray(columns, dtype=np.int64)])
        mean, count = mean_known(returns)
        enough = count >= self._returns_min
        rows = int(count[enough].min()) if enough.any() else 0
        return np.where(enough, mean * SESSIONS_A_YEAR, np.nan), rows

    def correlation(self, columns: Sequence[int] | IntArray) -> FloatArray:
        """Of these symbols' daily returns, as measured, `[columns x columns]`; NaN with too few common sessions."""
        chosen = np.asarray(columns, dtype=np.int64)
        return pairwise_correlation(self._returns[:, chosen], common_min=self._returns_min)

    def _update(self) -> None:
        self._returns = self._daily.returns()
        daily = _annual(self._daily.variance(self._estimator, self._decay, self._returns_min))
        intraday = _annual(_intraday_variance(self._sessions, len(self._universe)))
        self.annual: FloatArray = np.where(np.isnan(daily), intraday, daily)
        self.source: tuple[str, ...] = tuple(
            np.where(
                ~np.isnan(daily), f"daily_{self._estimator}", np.where(~np.isnan(intraday), INTRADAY, UNKNOWN)
            ).tolist()
        )


def pairwise_correlation(returns: FloatArray, *, common_min: int) -> FloatArray:
    """Correlation of each pair over the rows both have, `[symbols x symbols]`; NaN with fewer than `common_min`.

    `returns` is `[sessions x symbols]`, NaN where there is none.
    """
    known = np.isfinite(returns)
    has = known.astype(np.float64)
    count = has.T @ has
    # Centred first, so that the differences of sums below lose no digits.
    centre = np.where(known, returns, 0.0).sum(axis=0) / np.maximum(has.sum(axis=0), 1.0)
    x = np.where(known, returns - centre, 0.0)
    total = x.T @ has  # [i, j]: the sum of i over the rows that i and j share.
    shared = np.maximum(count, 1.0)
    square = (x * x).T @ has - total * total / shared
    product = x.T @ x - total * total.T / shared
    scale = np.sqrt(np.maximum(square, 0.0)) * np.sqrt(np.maximum(square.T, 0.0))
    usable = (count >= common_min) & (scale > 0.0)
    return np.where(usable, np.clip(product / np.where(usable, scale, 1.0), -1.0, 1.0), np.nan)


class _DailyBars:
    """The newest daily bars of all symbols, whatever they came from."""

    def __init__(self, symbols: int, rows_max: int) -> None:
        self._rows_max = rows_max
        self._dates: list[date] = []
        self._bars: FloatArray = np.zeros((0, 4, symbols))  # [sessions x open, high, low, close x symbols].

    def prepend(self, daily: DailyBlock) -> None:
        newer = [one for one in range(len(self._dates)) if not daily.dates or self._dates[one] > daily.dates[-1]]
        bars = np.stack([daily.open, daily.high, daily.low, daily.close], axis=1)
        self._keep([*daily.dates, *(self._dates[one] for one in newer)], np.concatenate([bars, self._bars[newer]]))

    def append(self, day: date, bar: FloatArray) -> None:
        """A session seen as minutes; a daily bar of the same session stays, being the official one."""
        if not self._dates or day > self._dates[-1]:
            self._keep([*self._dates, day], np.concatenate([self._bars, bar[None]]))

    def returns(self) -> FloatArray:
        """Log returns `[sessions x symbols]`; NaN where either close is missing or they are too far apart."""
        return returns(self._bars[:, 3], self._apart())

    def variance(self, estimator: Estimator, decay: float, known_min: int) -> FloatArray:
        """Of a session, `[symbols]`; NaN with fewer usable sessions than that."""
        return daily_variance(self._bars, self._apart(), estimator=estimator, decay=decay, known_min=known_min)

    def _apart(self) -> BoolArray:
        days = [(after - before).days for before, after in zip(self._dates, self._dates[1:], strict=False)]
        return np.array(days, dtype=np.int64) > APART_DAYS_MAX

    def _keep(self, dates: Sequence[date], bars: FloatArray) -> None:
        self._dates = list(dates)[-self._rows_max :]
        self._bars = bars[-self._rows_max :]


class _SessionMoves(NamedTuple):
    """What one session's minutes said, `[symbols]` each; NaN where a symbol had no bar."""

    day: date
    realised: FloatArray  # Sum of squared one-bar log returns, scaled to the whole session.
    gap: FloatArray  # Log return from the previous session's last close to the first open.
    bar: FloatArray  # [open, high, low, close x symbols], USD.


def _session_moves(blocks: Sequence[MarketBlock], before: _SessionMoves | None) -> _SessionMoves:
    session = blocks[0].session
    close = np.vstack([block.close for block in blocks])
    present = np.vstack([block.present for block in blocks])
    traded: BoolArray = np.logical_or.reduce(present, axis=0)
    first_open = _first_open(blocks, traded)
    row = newest_row(present)
    filled = np.where(row >= 0, np.take_along_axis(close, np.maximum(row, 0), axis=0), first_open)
    steps = np.diff(log_price(np.vstack([first_open, filled])), axis=0)
    # A start in mid-session has seen part of it only: what is missing is taken to be like the rest.
    share = close.shape[0] / max(session.minutes, close.shape[0])
    gap = np.full(traded.shape, np.nan)
    if before is not None and (session.date - before.day).days <= APART_DAYS_MAX:
        gap = log_price(first_open) - log_price(before.bar[3])
    high = np.fmax.reduce([np.fmax.reduce(block.high, axis=0) for block in blocks])
    low = np.fmin.reduce([np.fmin.reduce(block.low, axis=0) for block in blocks])
    bar = np.stack([first_open, high, low, np.where(traded, filled[-1], np.nan)])
    return _SessionMoves(session.date, (steps * steps).sum(axis=0) / share, gap, bar)


def _first_open(blocks: Sequence[MarketBlock], traded: BoolArray) -> FloatArray:
    """Each symbol's first open, NaN where it did not trade."""
    opens: FloatArray = np.full(traded.shape, np.nan)
    for block in blocks:
        wanted = np.isnan(opens) & block.present.any(axis=0)
        if wanted.any():
            first = block.present.argmax(axis=0)[wanted]
            opens[wanted] = block.open[first, np.flatnonzero(wanted)]
        if not (np.isnan(opens) & traded).any():
            break
    return opens


def _intraday_variance(sessions: Sequence[_SessionMoves], symbols: int) -> FloatArray:
    """Variance of a session from its minutes, `[symbols]`; NaN before the first finished session."""
    if not sessions:
        return np.full(symbols, np.nan)
    realised, _ = mean_known(np.stack([one.realised for one in sessions]))
    gaps, count = mean_known(np.stack([one.gap for one in sessions]) ** 2)
    return realised + np.where(count > 0, gaps, 0.0)


def _annual(variance: FloatArray) -> FloatArray:
    """Annualised volatility; a price that never moved has told us nothing."""
    usable = np.where(variance > 0.0, variance, np.nan)
    volatility: FloatArray = np.sqrt(usable * SESSIONS_A_YEAR)
    return volatility
