"""What is expected of each symbol: drawn together as far as it is noise, or the market's view bent by ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.forms import Form

View = tuple[float, float]  # The return a year that is expected, and how sure of it: 0 not at all, 1 certain.
MEANS = ("sample", "shrunk", "black_litterman")


def shrunk_mean(mean: FloatArray, covariance: FloatArray, rows: int) -> FloatArray:
    """Sample means drawn towards that of the least risky portfolio, the more the fewer rows they rest on.

    `mean` and `covariance` are of one row. Source: Jorion (1986), "Bayes-Stein Estimation for Portfolio Analysis".
    """
    inverse_ones = np.linalg.solve(covariance, np.ones(mean.size))
    anchor = float(inverse_ones @ mean) / float(inverse_ones.sum())
    apart = mean - anchor
    evidence = rows * float(apart @ np.linalg.solve(covariance, apart))
    share = (mean.size + 2) / (mean.size + 2 + evidence)
    shrunk: FloatArray = anchor + (1.0 - share) * apart
    return shrunk


def black_litterman(
    symbols: Sequence[str],
    form: Form,
    rows: int,
    risk_aversion: float,
    views: Mapping[str, View],
    market: Mapping[str, float] | None = None,
) -> FloatArray:
    """What the market must expect to hold what it holds, bent by views as far as they are sure.

    The market holds the weights of `market`, or every symbol alike. Figures a year. Sources: Black and Litterman
    (1992), "Global Portfolio Optimization"; a view's variance from its confidence after Idzorek (2005), "A
    Step-by-Step Guide to the Black-Litterman Model".
    """
    held = np.array([1.0 if market is None else market.get(symbol, 0.0) for symbol in symbols])
    if not held.sum() > 0.0:
        raise ConfigError("market_weights: none of the symbols has a weight")
    prior = risk_aversion * form.product(held / held.sum())
    seen = [column for column, symbol in enumerate(symbols) if symbol in views and views[symbol][1] > 0.0]
    if not seen:
        return prior
    expected = np.array([views[symbols[column]][0] for column in seen])
    sure = np.array([views[symbols[column]][1] for column in seen])
    if not ((sure <= 1.0).all() and np.isfinite(expected).all()):
        raise ConfigError("views: each is (return a year, confidence in [0, 1])")
    uncertainty = form.block(None) / rows  # Of the prior: a mean of so many rows is known that well.
    own = uncertainty[np.ix_(seen, seen)]
    doubt = (1.0 / sure - 1.0) * own.diagonal()
    result: FloatArray = prior + uncertainty[:, seen] @ np.linalg.solve(own + np.diag(doubt), expected - prior[seen])
    return result


def signal_views(
    symbols: Sequence[str],
    direction: FloatArray,
    confidence: FloatArray,
    volatility: FloatArray,
    information_coefficient: float = 0.05,
) -> dict[str, View]:
    """Signals as views: direction [symbols] of -1, 0, 1, confidence [symbols] in [0, 1], volatility a year.

    A view's return is skill x volatility x direction; its confidence is the signal's. No direction, no view. Source:
    Grinold (1994), "Alpha is Volatility Times IC Times Score".
    """
    expected = information_coefficient * volatility * direction
    known = np.isfinite(expected) & np.isfinite(confidence) & (direction != 0.0)
    return {symbols[one]: (float(expected[one]), float(confidence[one])) for one in known.nonzero()[0].tolist()}
