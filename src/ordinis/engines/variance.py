"""What one bar says of a variance: the terms that every volatility estimator averages.

Prices in USD, any shape; the answer has the same shape, a variance a bar of log returns, NaN where a price
is NaN. Minutes, days: the formulas do not care. What a price did between two bars is no part of these.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ordinis.domain.market import FloatArray

Estimator = Literal["close_to_close", "ewma", "parkinson", "garman_klass", "yang_zhang"]
ESTIMATORS: tuple[Estimator, ...] = ("close_to_close", "ewma", "parkinson", "garman_klass", "yang_zhang")

_LOG_2 = float(np.log(2.0))


def parkinson(high: FloatArray, low: FloatArray) -> FloatArray:
    """From the range alone. Source: Parkinson, Journal of Business 53, 1980."""
    span = log_price(high) - log_price(low)
    return span * span / (4.0 * _LOG_2)


def garman_klass(open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """From range and body. Source: Garman and Klass, Journal of Business 53, 1980."""
    span = log_price(high) - log_price(low)
    body = log_price(close) - log_price(open_)
    return 0.5 * span * span - (2.0 * _LOG_2 - 1.0) * body * body


def rogers_satchell(open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Free of drift. Source: Rogers and Satchell, Annals of Applied Probability 1, 1991."""
    start, top, bottom, end = (log_price(one) for one in (open_, high, low, close))
    return (top - end) * (top - start) + (bottom - end) * (bottom - start)


def yang_zhang_weight(count: FloatArray | float) -> FloatArray:
    """k: how much the open-to-close variance counts. Source: Yang and Zhang, Journal of Business 73, 2000."""
    bars = np.maximum(np.asarray(count, dtype=np.float64), 2.0)
    weight: FloatArray = 0.34 / (1.34 + (bars + 1.0) / (bars - 1.0))
    return weight


def log_price(prices: FloatArray) -> FloatArray:
    """Logarithm of prices, NaN where there is no positive one."""
    logarithm: FloatArray = np.log(np.where(prices > 0.0, prices, np.nan))
    return logarithm
