"""What is expected of each symbol: drawn together as far as it is noise, or the market's view bent by ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.moments import positive_definite

View = tuple[float, float]  # The return a year that is expected, and how sure of it: 0 not at all, 1 certain.
_UNSURE = 1e-12  # A confidence of no more is none.
_VIEWS = "views: each is (return a year, confidence in [0, 1])"
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
    risk_aversion: float,
    views: Mapping[str, View],
    market: Mapping[str, float] | None = None,
) -> FloatArray:
    """What the market must expect to hold what it holds, bent by views as far as they are sure.

    The market holds the weights of `market`, or every symbol alike. Figures a year. Source: Black and Litterman
    (1992), "Global Portfolio Optimization".
    """
    held = np.array([1.0 if market is None else market.get(symbol, 0.0) for symbol in symbols])
    if not held.sum() > 0.0:
        raise ConfigError("market_weights: none of the symbols has a weight")
    prior = risk_aversion * form.product(held / held.sum())
    return with_views(symbols, prior, form.block(None), views) if views else prior


def with_views(
    symbols: Sequence[str], prior: FloatArray, covariance: FloatArray, views: Mapping[str, View]
) -> FloatArray:
    """Means [symbols] bent by views on some of them, and with each of those whatever moves with it.

    The prior is as uncertain as the covariance, to a factor that cancels out; a view's variance follows from its
    confidence. Sources: Black and Litterman (1992); Idzorek (2005), "A Step-by-Step Guide to the Black-Litterman
    Model". Error: ConfigError.
    """
    given: Mapping[str, Any] = views  # What a person wrote: whether each is a view is seen here.
    viewed = [column for column, symbol in enumerate(symbols) if symbol in given]
    try:
        figures = np.array([given[symbols[column]] for column in viewed], dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        raise ConfigError(_VIEWS) from None
    if len(figures) != len(viewed) or not np.isfinite(figures).all() or (figures[:, 1] > 1.0).any():
        raise ConfigError(_VIEWS)
    held = figures[:, 1] > _UNSURE
    if not held.any():
        return prior
    seen = np.array(viewed)[held]
    expected, sure = figures[held, 0], figures[held, 1]
    own = positive_definite(covariance[np.ix_(seen, seen)])  # Two certain views of what moves as one: no way apart.
    doubt = (1.0 / sure - 1.0) * own.diagonal()
    result: FloatArray = prior + covariance[:, seen] @ np.linalg.solve(own + np.diag(doubt), expected - prior[seen])
    return result


def signal_views(
    symbols: Sequence[str],
    score: FloatArray,
    confidence: FloatArray,
    volatility: FloatArray,
    information_coefficient: float = 0.05,
    prior: FloatArray | float = 0.0,
) -> dict[str, View]:
    """Signals as views: score [symbols], signed, in standard deviations; confidence [symbols] in [0, 1].

    A view's return a year is skill x volatility a year x score above the `prior` [symbols], what is expected without
    signals; its confidence is the signal's. No score, no view. Source: Grinold (1994), "Alpha is Volatility Times IC
    Times Score".
    """
    expected = prior + information_coefficient * volatility * score
    known = np.isfinite(expected) & np.isfinite(confidence) & (score * volatility != 0.0)
    return {symbols[one]: (float(expected[one]), float(confidence[one])) for one in known.nonzero()[0].tolist()}
