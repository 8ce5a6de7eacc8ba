"""The problem a solver is given, normalised, and the conditions its answer is held to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ordinis.domain.market import BoolArray, FloatArray

_AT_BOUND = 1e-9


class Problem(NamedTuple):
    """min 1/2 w'Qw - m'w, low <= w <= high, least <= sum(w) <= most; or the equal risk version of it."""

    quadratic: FloatArray  # [symbols x symbols], mean of the diagonal 1.
    linear: FloatArray  # [symbols], in the same unit.
    low: float
    high: float
    least: float
    most: float

    @classmethod
    def normalised(
        cls, covariance: FloatArray, gain: FloatArray, low: float, high: float, least: float, most: float
    ) -> Problem:
        """Minute returns have variances of 1e-7, at which solvers with absolute tolerances stop anywhere."""
        unit = float(np.trace(covariance)) / covariance.shape[0]
        return cls(covariance / unit, gain / unit, low, high, least, most)

    def gradient(self, weights: FloatArray) -> FloatArray:
        slope: FloatArray = self.quadratic @ weights - self.linear
        return slope

    def violation(self, weights: FloatArray) -> float:
        """The most by which a constraint is passed."""
        total = float(weights.sum())
        over = (weights - self.high).max(), (self.low - weights).max(), total - self.most, self.least - total
        return max(0.0, *(float(one) for one in over))

    def residual(self, weights: FloatArray) -> float:
        """The largest breach of the Karush-Kuhn-Tucker conditions of the quadratic problem."""
        slope = self.gradient(weights) + self.budget_price(weights)
        at_low, at_high = self.at_bounds(weights)
        breach = np.abs(slope)
        breach = np.where(at_low, np.maximum(0.0, -slope), breach)
        breach = np.where(at_high, np.minimum(breach, np.maximum(0.0, slope)), breach)
        return float(breach.max())

    def at_bounds(self, weights: FloatArray) -> tuple[BoolArray, BoolArray]:
        return weights <= self.low + _AT_BOUND, weights >= self.high - _AT_BOUND

    def budget_price(self, weights: FloatArray) -> float:
        """The multiplier of the sum: what one more unit of budget would be worth; 0 where none is missing."""
        total = float(weights.sum())
        at_most, at_least = total >= self.most - _AT_BOUND, total <= self.least + _AT_BOUND
        if not (at_most or at_least):
            return 0.0
        price = self._indifferent(weights)
        if at_most and at_least:
            return price
        return max(0.0, price) if at_most else min(0.0, price)

    def _indifferent(self, weights: FloatArray) -> float:
        """The price at which the symbols between their bounds have no slope left; else one that bounds both sides."""
        slope = self.gradient(weights)
        at_low, at_high = self.at_bounds(weights)
        free = ~(at_low | at_high)
        if free.any():
            return -float(slope[free].mean())
        floor = float((-slope[at_low]).max()) if at_low.any() else -np.inf
        ceiling = float((-slope[at_high]).min()) if at_high.any() else np.inf
        return float(np.clip(0.0, min(floor, ceiling), max(floor, ceiling)))
