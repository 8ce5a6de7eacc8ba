"""Figures of the last sessions, again at every close: volatility and beta."""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import FloatArray

WINDOW_SESSIONS = 20  # A month; with fewer returns a volatility or a beta is noise.
_SESSIONS_A_YEAR = 252


def returns_of(values_usd: FloatArray) -> FloatArray:
    """Simple returns from each value to the next, one fewer than there are values."""
    returns: FloatArray = values_usd[1:] / values_usd[:-1] - 1.0
    return returns


def rolling_volatility(returns: FloatArray) -> FloatArray:
    """Yearly volatility of each full window of session returns, as a fraction; empty with too few of them."""
    windows = _windows(returns)
    volatility: FloatArray = windows.std(axis=1, ddof=1) * np.sqrt(_SESSIONS_A_YEAR)
    return volatility


def rolling_beta(returns: FloatArray, market: FloatArray) -> FloatArray:
    """Covariance with the market over the market's variance, each full window; NaN where the market stood still."""
    own, its = _windows(returns), _windows(market)
    apart = its - its.mean(axis=1, keepdims=True)
    variance = (apart**2).sum(axis=1)
    covariance = (apart * own).sum(axis=1)
    beta: FloatArray = np.divide(covariance, variance, out=np.full(len(own), np.nan), where=variance > 0.0)
    return beta


def _windows(returns: FloatArray) -> FloatArray:
    if returns.size < WINDOW_SESSIONS:
        return np.empty((0, WINDOW_SESSIONS))
    return np.lib.stride_tricks.sliding_window_view(returns, WINDOW_SESSIONS)
