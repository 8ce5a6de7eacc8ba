"""How much risk a position adds to the book, against an average slot: what moves with the book is bought smaller.

A position of weight w and volatility s beside holdings h_j of volatility s_j adds to the book's variance, a unit of its
own volatility at a time, its pull on the book and itself:

    own = sum_j r_j h_j s_j + w s        average = r sum_j |h_j| s_j + w s

with r_j its correlation with each holding, and r the average one, never below 0. The first over the second is its
marginal contribution to the book's risk over that of an average slot of the same size.
"""

from __future__ import annotations

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolio.candidate import Pull


def scale(weight: float, volatility: float, pull: Pull, ratio_max: float) -> float:
    """What is left of a weight, in [0, 1], so that its marginal risk is at most `ratio_max` average ones; NaN: unknown.

    At what is left it adds no more to the variance than `ratio_max` average slots of the full weight would. With more
    weight there is never less: own pull above the average one makes the scale rise with w.
    """
    own, average = pull.own + weight * volatility, pull.average + weight * volatility
    return 1.0 if own <= ratio_max * average else ratio_max * average / own


def can_bind(ratio_max: float, average_correlation: float) -> bool:
    """False where even a symbol that moves with all that is held as one keeps the ratio: nothing needs reckoning."""
    return ratio_max > 0.0 and ratio_max * average_correlation < 1.0


class BookPull:
    """The pulls of a minute's candidates, while its entries join the book one after the other."""

    def __init__(self, exposure: FloatArray, correlation: FloatArray, average_correlation: float) -> None:
        """`exposure` [symbols] is weight x volatility, signed; `correlation` [symbols x symbols]."""
        held = exposure != 0.0
        self._correlation = correlation
        self._average_correlation = average_correlation
        self._pull: FloatArray = correlation[:, held] @ exposure[held]
        self._together = float(abs(exposure).sum())

    def of(self, symbol: int, direction: int = 1) -> Pull:
        """With `direction` -1 it would be sold short: what moves with the book then moves against it."""
        return Pull(direction * self._pull.item(symbol), self._average_correlation * self._together)

    def add(self, symbol: int, exposure: float) -> None:
        """An entry goes out; a short has a negative exposure."""
        self._pull = self._pull + exposure * self._correlation[:, symbol]
        self._together += abs(exposure)
