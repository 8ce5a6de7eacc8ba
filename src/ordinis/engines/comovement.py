"""How symbols move together: betas, clusters, and the market's own volatility. Measured at a session's end.

The market is one symbol where the universe has it, and every symbol with the same weight where it has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ordinis.domain.market import BoolArray, FloatArray, IntArray
from ordinis.engines.estimates import SESSIONS_A_YEAR, pairwise_correlation

MARKET = "SPY"  # The symbol that stands for the whole market, where the data has it.
ALONE: IntArray = np.zeros(0, np.int64)  # The cluster of a symbol that moves with no other.


class Shrinkage(NamedTuple):
    """What all pairs' correlations together say of each one's."""

    mean: float  # Of all known pairs; NaN: none is known.
    truth: float  # The variance among pairs that chance does not explain.
    degrees: int  # Of freedom, of a pair's figure.

    def draw(self, correlation: FloatArray) -> FloatArray:
        """Each drawn to the mean of all by as much as it is likely to be chance; NaN and the diagonal stay.

        Empirical Bayes: weight t / (t + e) on the pair's own figure, with its sampling variance over n sessions
        e = (1 - r^2)^2 / (n - 1), and t what the scatter of all pairs leaves beside the mean e, at least 0. What lies
        near 1 is hardly chance and hardly moves. The matrix need not stay positive semidefinite. Sources: Fisher
        (1915) for e; Efron and Morris (1975), "Data Analysis Using Stein's Estimator", for the weights.
        """
        total = self.truth + (1.0 - correlation**2) ** 2 / self.degrees
        weight = np.divide(self.truth, total, out=np.ones_like(total), where=total > 0.0)
        drawn: FloatArray = self.mean + weight * (correlation - self.mean)
        np.fill_diagonal(drawn, np.diagonal(correlation))
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comovement:
    """What the window's daily returns say. While it is not `warm` there is too little history to judge by."""

    warm: bool
    market_volatility: float  # Annual; NaN unknown.
    average_correlation: float  # Mean of the known pairs, as measured; NaN unknown.
    betas: list[float]  # [symbols] against the market; NaN unknown. A list: one element is read an entry.
    held_beta: FloatArray  # The same, an unknown one taken to be 1: what is held counts whatever is known of it.
    clusters: tuple[IntArray | None, ...]  # [symbols]: its cluster's columns, or ALONE; None unknown.
    shrinkage: Shrinkage  # Of the correlations.


def measure(
    returns: FloatArray, market_column: int | None, *, common_min: int, cluster_correlation_min: float
) -> Comovement:
    """Look at daily log returns, `[sessions x symbols]`, NaN where there is none."""
    with_any = int(np.isfinite(returns).any(axis=1).sum())
    market = equal_weight(returns) if market_column is None else returns[:, market_column]
    correlation = pairwise_correlation(returns, common_min=common_min)
    beta = betas(returns, market, common_min)
    pairs = known_pairs(correlation)
    shrinkage = fitted(pairs, returns.shape[0])
    return Comovement(
        warm=with_any >= common_min,
        market_volatility=annual_volatility(market, common_min),
        average_correlation=float(pairs.mean()) if pairs.size else float("nan"),
        betas=beta.tolist(),
        held_beta=np.where(np.isnan(beta), 1.0, beta),
        clusters=clusters(shrinkage.draw(correlation), cluster_correlation_min),
        shrinkage=shrinkage,
    )


def known_pairs(correlation: FloatArray) -> FloatArray:
    """Each pair's figure once, where it is known."""
    pairs = correlation[np.triu_indices(correlation.shape[0], k=1)]
    known: FloatArray = pairs[np.isfinite(pairs)]
    return known


def equal_weight(returns: FloatArray) -> FloatArray:
    """The mean of what is known each session, `[sessions]`; NaN where nothing is."""
    known = np.isfinite(returns)
    count = known.sum(axis=1)
    total = np.where(known, returns, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def annual_volatility(returns: FloatArray, count_min: int) -> float:
    """Sample standard deviation of one series a year; NaN with too few returns, or when it never moved."""
    known = returns[np.isfinite(returns)]
    if known.size < count_min:
        return float("nan")
    deviation = float(known.std(ddof=1))
    return deviation * SESSIONS_A_YEAR**0.5 if deviation > 0.0 else float("nan")


def betas(returns: FloatArray, market: FloatArray, common_min: int) -> FloatArray:
    """Beta of each symbol, drawn a third of the way to 1; NaN with fewer than `common_min` common sessions.

    Source: Blume (1975), "Betas and Their Regression Tendencies": the next period's beta is about 1/3 + 2/3 of
    this one's.
    """
    known = np.isfinite(returns) & np.isfinite(market)[:, None]
    count = known.sum(axis=0)
    shared = np.maximum(count, 1)
    y = np.where(known, returns, 0.0)
    x = np.where(known, market[:, None], 0.0)
    x_centred = np.where(known, x - x.sum(axis=0) / shared, 0.0)
    square = (x_centred * x_centred).sum(axis=0)
    usable = (count >= common_min) & (square > 0.0)
    raw = (x_centred * y).sum(axis=0) / np.where(usable, square, 1.0)
    return np.where(usable, 1.0 / 3.0 + 2.0 / 3.0 * raw, np.nan)


def fitted(pairs: FloatArray, sessions: int) -> Shrinkage:
    """How far pairs' figures over so many sessions are to be trusted. Sources: see `Shrinkage.draw`."""
    degrees = max(sessions - 1, 1)
    if not pairs.size:
        return Shrinkage(float("nan"), 0.0, degrees)
    truth = max(0.0, float(pairs.var()) - float(((1.0 - pairs**2) ** 2).mean()) / degrees)
    return Shrinkage(float(pairs.mean()), truth, degrees)


def clusters(correlation: FloatArray, threshold: float) -> tuple[IntArray | None, ...]:
    """Connected components of the pairs at or above the threshold, a symbol each.

    A symbol without a correlation of its own has no cluster (None). Two that have, but not with each other, are
    taken to move together: the cautious answer for a book that is only long.
    """
    known: BoolArray = np.isfinite(np.diagonal(correlation))
    together = (np.isnan(correlation) | (correlation >= threshold)) & known & known[:, None]
    label = _components(together)
    shared = np.flatnonzero(np.bincount(label) > 1)
    members = {int(one): np.flatnonzero(label == one) for one in shared}
    return tuple(
        members.get(one, ALONE) if sure else None for one, sure in zip(label.tolist(), known.tolist(), strict=True)
    )


def _components(together: BoolArray) -> IntArray:
    """Each takes the smallest label among its neighbours, until none changes."""
    count = together.shape[0]
    label: IntArray = np.arange(count)
    while True:
        lowest = np.minimum(label, np.where(together, label, count).min(axis=1, initial=count))
        if np.array_equal(lowest, label):
            return label
        label = lowest
