"""The variance of a session from daily bars, by the estimator that the settings name.

Rows are sessions, oldest first; the first one only lends its close. Parkinson and Garman-Klass see nothing
of the night, and a position is held through it: the mean squared overnight gap is added to both.
"""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import BoolArray, FloatArray, IntArray
from ordinis.engines.variance import (
    Estimator,
    garman_klass,
    log_price,
    parkinson,
    rogers_satchell,
    yang_zhang_weight,
)


def daily_variance(
    bars: FloatArray, apart: BoolArray, *, estimator: Estimator, decay: float, known_min: int
) -> FloatArray:
    """Variance of a session's log return, `[symbols]`; NaN with fewer than `known_min` usable sessions.

    `bars` is `[sessions x 4 x symbols]`: open, high, low, close in USD. `apart` is `[sessions - 1]`: True
    where two sessions are no neighbours, so that what lies between them is no move of a night.
    """
    if estimator in ("close_to_close", "ewma"):
        moves = returns(bars[:, 3], apart)
        found = sample_variance(moves) if estimator == "close_to_close" else _ewma(moves, decay)
        return np.where(_count(moves) >= known_min, found, np.nan)
    open_, high, low, close = (bars[1:, one] for one in range(4))
    gap = log_price(open_) - log_price(bars[:-1, 3])
    gap[apart] = np.nan
    if estimator == "yang_zhang":
        return _yang_zhang(gap, open_, high, low, close, known_min)
    term = parkinson(high, low) if estimator == "parkinson" else garman_klass(open_, high, low, close)
    usable = np.where(np.isnan(gap), np.nan, term)
    whole = mean_known(usable)[0] + mean_known(np.where(np.isnan(term), np.nan, gap * gap))[0]
    return np.where(_count(usable) >= known_min, whole, np.nan)


def _yang_zhang(
    gap: FloatArray, open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, known_min: int
) -> FloatArray:
    rest = rogers_satchell(open_, high, low, close)
    usable = np.isfinite(gap) & np.isfinite(rest)
    gap, rest = np.where(usable, gap, np.nan), np.where(usable, rest, np.nan)
    body = np.where(usable, log_price(close) - log_price(open_), np.nan)
    count = usable.sum(axis=0)
    weight = yang_zhang_weight(count.astype(np.float64))
    whole = sample_variance(gap) + weight * sample_variance(body) + (1.0 - weight) * mean_known(rest)[0]
    return np.where(count >= known_min, whole, np.nan)


def _ewma(moves: FloatArray, decay: float) -> FloatArray:
    """The newest session counts most. Source: RiskMetrics, Technical Document, 1996; the weights sum to 1."""
    known = np.isfinite(moves)
    age = known[::-1].cumsum(axis=0)[::-1] - 1  # In sessions that the symbol has a return of.
    weight = np.where(known, decay ** np.maximum(age, 0), 0.0)
    total = weight.sum(axis=0)
    squares = (weight * np.where(known, moves * moves, 0.0)).sum(axis=0)
    return np.where(total > 0.0, squares / np.where(total > 0.0, total, 1.0), np.nan)


def returns(closes: FloatArray, apart: BoolArray) -> FloatArray:
    """Log returns `[sessions - 1 x symbols]`; NaN where either close is missing or they are no neighbours."""
    steps: FloatArray = np.diff(log_price(closes), axis=0)
    steps[apart] = np.nan
    return steps


def sample_variance(values: FloatArray) -> FloatArray:
    """Sample variance of each column's known values; NaN with fewer than two."""
    mean, count = mean_known(values)
    squares, _ = mean_known((values - mean) ** 2)
    return np.where(count >= 2, squares * count / np.maximum(count - 1, 1), np.nan)


def mean_known(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Mean of each column's known values, NaN where there is none, and how many there are."""
    known = np.isfinite(values)
    count: IntArray = known.sum(axis=0, dtype=np.int64)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def _count(values: FloatArray) -> IntArray:
    count: IntArray = np.isfinite(values).sum(axis=0, dtype=np.int64)
    return count
