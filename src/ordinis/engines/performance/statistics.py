"""Figures of a finished run, from the equity curve and the closed round trips. What is unknown is None."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.estimates import SESSIONS_A_YEAR
from ordinis.engines.ledger import ZERO
from ordinis.engines.round_trip import RoundTrip

SHARPE_SESSIONS_MIN = 20  # With fewer daily returns a Sharpe ratio says nothing.


def max_drawdown(equity_usd: FloatArray) -> float:
    """The deepest fall from a high, as a fraction of that high."""
    if not equity_usd.size:
        return 0.0
    peak = np.maximum.accumulate(equity_usd)
    return float(np.max(1.0 - equity_usd / peak))


def sharpe(closes_usd: FloatArray, start_usd: float) -> float | None:
    """Mean over standard deviation of the daily returns, annualised; the riskless rate is taken as 0.

    Source: Sharpe (1994), "The Sharpe Ratio", with the sample standard deviation.
    """
    if closes_usd.size < SHARPE_SESSIONS_MIN:
        return None
    values = np.concatenate([[start_usd], closes_usd])
    returns = np.diff(values) / values[:-1]
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(SESSIONS_A_YEAR) if deviation > 0 else None


def win_rate(trips: Sequence[RoundTrip]) -> float | None:
    return sum(trip.pnl_usd > 0 for trip in trips) / len(trips) if trips else None


def profit_factor(trips: Sequence[RoundTrip]) -> float | None:
    """What the winners made over what the losers lost; None without a loser."""
    won = sum((trip.pnl_usd for trip in trips if trip.pnl_usd > 0), start=ZERO)
    lost = -sum((trip.pnl_usd for trip in trips if trip.pnl_usd < 0), start=ZERO)
    return float(won / lost) if lost else None
