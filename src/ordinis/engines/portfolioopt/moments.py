"""From returns to what can be optimised: usable symbols, yearly means and covariance, and who was left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ordinis.domain.errors import DataError
from ordinis.domain.market import FloatArray


class Moments(NamedTuple):
    """What is believed of some symbols, a year."""

    symbols: tuple[str, ...]
    mean: FloatArray  # [symbols]
    covariance: FloatArray  # [symbols x symbols], positive definite.


def table_of(returns: Any, symbols: Sequence[str] | None) -> tuple[tuple[str, ...], FloatArray]:
    """Names and values of a DataFrame, or of an array [rows x symbols] whose columns are numbered where unnamed."""
    columns = getattr(returns, "columns", None)
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2:
        raise DataError(f"returns must be a table [rows x symbols], has {values.ndim} dimensions")
    given = symbols if symbols is not None else columns if columns is not None else range(values.shape[1])
    names = tuple(str(name) for name in given)
    if len(names) != values.shape[1]:
        raise DataError(f"returns have {values.shape[1]} columns and {len(names)} symbols")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"returns name {', '.join(twice)} more than once: each symbol has one column")
    infinite = np.argwhere(np.isinf(values))
    if infinite.size:
        row, column = infinite[0].tolist()
        raise DataError(f"the return of {names[column]} in row {row} is infinite: mend the prices it comes from")
    return names, values


def usable(names: Sequence[str], values: FloatArray, rows_min: int) -> tuple[list[int], dict[str, str]]:
    """Columns that can be estimated, and why the others cannot."""
    excluded: dict[str, str] = {}
    known = np.isfinite(values).sum(axis=0)
    for column, name in enumerate(names):
        missing = values.shape[0] - int(known[column])
        if known[column] < rows_min:
            excluded[name] = f"short history: {known[column]} returns, {rows_min} are needed"
        elif missing:
            excluded[name] = f"{missing} of {values.shape[0]} returns are missing"
        elif np.ptp(values[:, column]) == 0.0:
            excluded[name] = "its returns never changed"
    return [column for column, name in enumerate(names) if name not in excluded], excluded


def estimated(symbols: Sequence[str], returns: FloatArray, periods_a_year: float) -> Moments:
    """Shrunk moments of complete returns [rows x symbols]."""
    covariance = shrunk_covariance(returns)
    mean = shrunk_mean(returns.mean(axis=0), covariance, returns.shape[0])
    return Moments(tuple(symbols), mean * periods_a_year, covariance * periods_a_year)


def shrunk_covariance(returns: FloatArray) -> FloatArray:
    """Volatilities as measured, correlations drawn towards none as far as the sample is noise.

    Source: Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices",
    on standardised returns, whose target is then the identity.
    """
    rows, symbols = returns.shape
    deviation = returns.std(axis=0, ddof=1)
    x = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    correlation = x.T @ x / rows
    distance = float(((correlation - np.eye(symbols)) ** 2).sum())
    noise = float(((x * x).T @ (x * x) / rows - correlation**2).sum()) / rows
    share = 1.0 if distance <= 0.0 else min(1.0, noise / distance)
    shrunk = (1.0 - share) * correlation
    np.fill_diagonal(shrunk, 1.0)
    return positive_definite(shrunk * deviation * deviation[:, None])


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


def positive_definite(covariance: FloatArray) -> FloatArray:
    """The same with no direction of less than a millionth of the mean variance: pairwise estimates can have some."""
    symmetric = (covariance + covariance.T) / 2.0
    values, vectors = np.linalg.eigh(symmetric)
    floor = 1e-6 * float(np.trace(symmetric)) / symmetric.shape[0]
    if values[0] >= floor:
        return np.asarray(symmetric)
    mended: FloatArray = (vectors * np.maximum(values, floor)) @ vectors.T
    return mended
