"""Covariances as forms: a factor of rows and a diagonal, whatever the estimator, so none has to be written out.

`returns` is [rows x symbols], complete. Every estimator keeps the sample's volatilities but the EWMA's, which has its
own, and differs in what it makes of correlations. Figures are of one row times `periods`. A `table` has the returns on
a device that multiplies them faster.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import kernels
from ordinis.engines.portfolioopt.accelerator import Table
from ordinis.engines.portfolioopt.forms import Rows
from ordinis.engines.portfolioopt.moments import variance_of

Estimator = Callable[[FloatArray, FloatArray, float, Table | None], Rows]


def sample(returns: FloatArray, mean: FloatArray, periods: float, table: Table | None = None) -> Rows:
    """What was seen. With fewer rows than symbols some portfolios seem to have no risk at all: shrink instead."""
    return Rows(returns, mean, periods / (returns.shape[0] - 1), None, None, table)


def ledoit_wolf(returns: FloatArray, mean: FloatArray, periods: float, table: Table | None = None) -> Rows:
    """Correlations drawn towards none as far as the sample is noise.

    Source: Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", on
    standardised returns, whose target is then the identity.
    """
    variance = variance_of(returns, mean)
    x = _standard(returns, mean, variance)
    rows, symbols = x.shape
    square = _correlation_square(x, mean, variance, table)
    x *= x
    noise = (float((x.sum(axis=1) ** 2).sum()) / rows - square) / rows
    distance = square - symbols
    share = 1.0 if distance <= 0.0 else min(1.0, max(0.0, noise / distance))
    return _shrunk(returns, mean, variance, periods, share, table)


def oas(returns: FloatArray, mean: FloatArray, periods: float, table: Table | None = None) -> Rows:
    """The same with the share that is best for normal returns.

    Source: Chen, Wiesel, Eldar and Hero (2010), "Shrinkage Algorithms for MMSE Covariance Estimation".
    """
    rows, symbols = returns.shape
    variance = variance_of(returns, mean)
    x = _standard(returns, mean, variance)
    square = _correlation_square(x, mean, variance, table) / symbols**2  # The mean variance is 1.
    above, below = square + 1.0, (rows + 1.0) * (square - 1.0 / symbols)
    share = 1.0 if below <= 0.0 else min(1.0, above / below)
    return _shrunk(returns, mean, variance, periods, share, table)


def ewma(half_life: float) -> Estimator:
    """Newer rows count more: half as much for every `half_life` rows back. Source: RiskMetrics (1996)."""

    def estimate(returns: FloatArray, mean: FloatArray, periods: float, table: Table | None = None) -> Rows:
        age = np.arange(returns.shape[0] - 1, -1, -1)
        share = 0.5 ** (age / half_life)
        share /= share.sum()
        rows = (returns - share @ returns) * np.sqrt(share / (1.0 - float(share @ share)))[:, None]
        return Rows(rows, None, periods, periods * np.einsum("ij,ij->j", rows, rows))

    return estimate


def factor(count: int | None) -> Estimator:
    """The strongest principal components of the correlations, and each symbol's own rest.

    Without a `count` those above what pure noise would have. Source: Bai and Ng (2002), "Determining the Number of
    Factors in Approximate Factor Models"; for the edge Marchenko and Pastur (1967).
    """

    def estimate(returns: FloatArray, mean: FloatArray, periods: float, table: Table | None = None) -> Rows:
        variance = variance_of(returns, mean)
        strengths, directions = _components(_standard(returns, mean, variance))
        kept = strengths > _noise_edge(returns) if count is None else np.arange(strengths.size) < count
        return _low_rank(strengths[kept], directions[kept], None, variance, periods)

    return estimate


def denoised(returns: FloatArray, mean: FloatArray, periods: float, table: Table | None = None) -> Rows:
    """Eigenvalues of the correlations that noise could have made are replaced by their mean.

    Source: Lopez de Prado (2020), "Machine Learning for Asset Managers", 2.5.
    """
    variance = variance_of(returns, mean)
    strengths, directions = _components(_standard(returns, mean, variance))
    kept = strengths > _noise_edge(returns)
    symbols = variance.size
    others = max(1, symbols - int(kept.sum()))
    rest = max((symbols - float(strengths[kept].sum())) / others, 1e-6)
    return _low_rank(np.maximum(strengths[kept] - rest, 0.0), directions[kept], rest, variance, periods)


ESTIMATORS = ("sample", "ewma", "ledoit_wolf", "oas", "factor", "denoised")


def estimator_of(name: str, half_life: float, factors: int | None) -> Estimator:
    """By its name in ESTIMATORS."""
    plain = {"sample": sample, "ledoit_wolf": ledoit_wolf, "oas": oas, "denoised": denoised}
    return plain.get(name) or (ewma(half_life) if name == "ewma" else factor(factors))


def _shrunk(
    returns: FloatArray, mean: FloatArray, variance: FloatArray, periods: float, share: float, table: Table | None
) -> Rows:
    scale = (1.0 - share) * periods / (returns.shape[0] - 1)
    return Rows(returns, mean, scale, periods * variance, share * periods * variance, table)


def _standard(returns: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Mean 0 and mean square 1 in each column."""
    result: FloatArray = kernels.standard(returns, mean, _deviation(returns.shape[0], variance))
    return result


def _deviation(rows: int, variance: FloatArray) -> FloatArray:
    result: FloatArray = np.sqrt(variance * ((rows - 1) / rows))
    return result


def _correlation_square(x: FloatArray, mean: FloatArray, variance: FloatArray, table: Table | None) -> float:
    """The sum of all squared correlations of standardised returns."""
    rows = int(x.shape[0])
    if table is None:
        return float(kernels.gram_square(np, x)) / (rows * rows)
    return table.gram_square(mean, _deviation(rows, variance)) / (rows * rows)


def _components(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues of the correlations, the largest first, and their directions [components x symbols]."""
    _, singular, directions = np.linalg.svd(x, full_matrices=False)
    return singular * singular / x.shape[0], directions


def _noise_edge(returns: FloatArray) -> float:
    """The largest eigenvalue that correlations of nothing but noise would have (Marchenko and Pastur, 1967)."""
    rows, symbols = returns.shape
    return float(1.0 + (symbols / rows) ** 0.5) ** 2


def _low_rank(
    strengths: FloatArray, directions: FloatArray, rest: float | None, variance: FloatArray, periods: float
) -> Rows:
    """A few components and a diagonal; volatilities stay as measured. `rest` None: what each symbol has left."""
    loadings = directions * np.sqrt(strengths)[:, None]
    explained = np.einsum("ij,ij->j", loadings, loadings)
    own = np.maximum(1.0 - explained, 1e-6) if rest is None else np.full(variance.size, rest)
    scale = np.sqrt(variance / (explained + own))
    own = own * scale * scale
    return Rows(loadings * scale, None, periods, periods * variance, periods * own)
