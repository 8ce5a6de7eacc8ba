"""RISK_PARITY and MEAN_VARIANCE as sizes: the weights of a book of what is held and what may be bought."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ordinis.domain.errors import DataError, OptimizationError
from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.estimates import SESSIONS_A_YEAR
from ordinis.engines.portfolio.sizing_config import SizingConfig, SizingMethod
from ordinis.engines.portfolioopt.means import shrunk_mean
from ordinis.engines.portfolioopt.moments import positive_definite
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

NAMES_MAX = 32  # In one mean-variance book: the candidates beyond are looked at in the last one's place.
_BOOKS_MAX = 512


class Beliefs(NamedTuple):
    """What is believed of any symbols of the universe; both change only between sessions."""

    covariance: Callable[[IntArray], FloatArray]  # Columns -> [symbols x symbols] of a year.
    correlation: Callable[[IntArray], FloatArray]  # The same of correlations, less what is likely to be chance.
    mean: Callable[[IntArray], tuple[FloatArray, int]]  # Columns -> [symbols] of a year, and the rows they rest on.


class OptimalBook:
    """Remembers a session's books: the same names have the same weights until the estimates change."""

    def __init__(self) -> None:
        self._books: dict[tuple[int, ...], dict[int, float]] = {}
        self.solved = 0

    def forget(self) -> None:
        """The estimates, or the tier, have changed."""
        self._books.clear()

    def weights(
        self, method: SizingMethod, config: SizingConfig, columns: tuple[int, ...], beliefs: Beliefs
    ) -> dict[int, float]:
        """Column -> weight; a column without an estimate is not in it, and none is when no optimum was proven."""
        book = self._books.get(columns)
        if book is None:
            if len(self._books) >= _BOOKS_MAX:
                self._books.clear()
            book = self._books[columns] = _solved(method, config, columns, beliefs)
            self.solved += 1
        return book


def _solved(method: SizingMethod, config: SizingConfig, columns: tuple[int, ...], beliefs: Beliefs) -> dict[int, float]:
    solve = _risk_parity if method is SizingMethod.RISK_PARITY else _mean_variance
    try:
        return solve(config, columns, beliefs)
    except (DataError, OptimizationError):
        return {}  # The chain names it: NO_OPTIMUM, and what stands in.


def _risk_parity(config: SizingConfig, columns: tuple[int, ...], beliefs: Beliefs) -> dict[int, float]:
    """Each name adds a slot's part of the target's variance: w_i (S w)_i = target^2 / max_positions.

    So a full book has the target volatility, and a book that is half full half the variance.
    """
    symbols = [str(column) for column in columns]
    covariance = beliefs.covariance(np.array(columns))
    result = PortfolioOptimizer("risk_parity").optimize_moments(symbols, np.zeros(len(columns)), covariance)
    names = len(result.weights)
    filled = names / max(config.max_positions, names)
    scale = min(config.target_volatility * filled**0.5 / result.expected_volatility, config.gross_max)
    return {int(symbol): weight * scale for symbol, weight in result.weights.items()}


def _mean_variance(config: SizingConfig, columns: tuple[int, ...], beliefs: Beliefs) -> dict[int, float]:
    """Mean less half the risk aversion times variance, each at most a position, all at most what may be invested."""
    covariance = beliefs.covariance(np.array(columns))
    mean, rows = beliefs.mean(np.array(columns))
    known = np.flatnonzero(np.isfinite(mean) & np.isfinite(np.diag(covariance)))
    if not known.size:
        return {}
    inner = positive_definite(covariance[np.ix_(known, known)])
    result = PortfolioOptimizer("mean_variance", risk_aversion=config.risk_aversion).optimize_moments(
        [str(columns[one]) for one in known.tolist()],
        shrunk_mean(mean[known] / SESSIONS_A_YEAR, inner / SESSIONS_A_YEAR, rows) * SESSIONS_A_YEAR,
        inner,
        {
            "max_weight": config.max_position_pct,
            "gross": config.max_portfolio_leverage,
            "cash_buffer": config.cash_buffer_fraction,
        },
    )
    # A millionth is rounding, not a position.
    return {int(symbol): weight if weight > 1e-6 else 0.0 for symbol, weight in result.weights.items()}
