"""The variance of the whole book while a minute's entries join it, one after the other."""

from __future__ import annotations

from math import inf, isnan, nan, sqrt

from ordinis.domain.market import FloatArray


class BookRisk:
    """Holds w' S w <= target^2: how much of a symbol the book can still take.

    `weights` [symbols] of equity, open entries included, and `covariance` [symbols x symbols] of a year, cover what is
    held and what may be bought; NaN where a volatility is not known.
    """

    def __init__(self, weights: FloatArray, covariance: FloatArray, target_volatility: float) -> None:
        held = weights != 0.0
        self._covariance = covariance
        self._pull: FloatArray = covariance[:, held] @ weights[held]  # S w: what a unit of each adds, halved.
        self._variance = float(weights[held] @ self._pull[held])
        self._allowed = target_volatility**2

    def room(self, symbol: int, direction: int = 1) -> float:
        """The largest weight that may join: a root of s^2 x^2 + 2 (S w) x + w' S w = target^2. NaN: not known.

        With `direction` -1 it joins as a short, of weight -x: the sign of S w turns.

        A symbol that moves against the book can have room in a book that is past its target.
        """
        own, pull = self._covariance.item(symbol, symbol), direction * self._pull.item(symbol)
        missing = self._variance - self._allowed
        if isnan(own) or isnan(pull) or isnan(missing):
            return nan
        if own <= 0.0:
            return inf if missing <= 0.0 else 0.0
        inside = pull * pull - own * missing
        return max(0.0, (sqrt(inside) - pull) / own) if inside > 0.0 else 0.0

    def add(self, symbol: int, weight: float) -> None:
        """An entry goes out; a short has a negative weight."""
        self._variance += weight * (2.0 * self._pull.item(symbol) + weight * self._covariance.item(symbol, symbol))
        self._pull = self._pull + weight * self._covariance[:, symbol]
