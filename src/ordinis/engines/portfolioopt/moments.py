"""From returns to what can be optimised: usable symbols, their means and variances, and who was left out and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ordinis.domain.errors import ConfigError, DataError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import kernels

_sum: Callable[[FloatArray], float] = np.add.reduce
_FLAT = 1e-8  # Of the mean square: below it a variance is taken again from centred returns.
_LEAST = 1e-300  # What moved has a variance, whatever is left of its digits.


class Sample(NamedTuple):
    """Complete returns of the symbols that can be estimated, and their means."""

    symbols: list[str]
    returns: FloatArray  # [rows x symbols].
    mean: FloatArray  # [symbols].
    excluded: dict[str, str]  # Symbol -> why.


def sample_of(names: list[str], values: FloatArray, rows_min: int, held: Mapping[str, float]) -> Sample:
    """What can be used of a table [rows x symbols].

    Of symbols with the same returns the one that is `held` stays, or the first. Error: DataError, also when nobody is
    left.
    """
    excluded: dict[str, str] = {}
    # A sum is finite only when all of its terms are: one pass finds what a cell-by-cell look would.
    total = kernels.across(values, _ones(values.shape[0]))
    if not (values.shape[0] >= rows_min and math.isfinite(_sum(total))):
        columns, excluded = _complete(names, values, rows_min)
        if not columns:
            raise DataError("no symbol has usable returns: " + "; ".join(f"{s}: {why}" for s, why in excluded.items()))
        names, values, total = [names[one] for one in columns], values[:, columns], total[columns]
    mean = total / values.shape[0]
    spoilt = _flat(names, values)
    spoilt |= _twins(names, values, spoilt, held)
    if spoilt:
        kept = [column for column, name in enumerate(names) if name not in spoilt]
        excluded |= spoilt
        if not kept:
            raise DataError("no symbol has usable returns: " + "; ".join(f"{s}: {why}" for s, why in excluded.items()))
        names = [names[one] for one in kept]
        values, mean = values[:, kept], mean[kept]
    return Sample(names, values, mean, excluded)


@lru_cache(maxsize=8)
def _ones(count: int) -> FloatArray:
    ones = np.ones(count)
    ones.flags.writeable = False
    return ones


def values_of(returns: Any) -> FloatArray:
    """The table of a DataFrame or an array [rows x symbols]. Error: DataError."""
    raw = returns.to_numpy() if hasattr(returns, "columns") else returns
    values = raw if isinstance(raw, np.ndarray) and raw.dtype == np.float64 else _numbers(raw)
    if values.ndim != 2:
        raise DataError(f"returns must be a table [rows x symbols], has {values.ndim} dimensions")
    if not values.shape[1]:
        raise DataError("returns have no symbols: a table [rows x symbols] is needed")
    return values


def names_of(returns: Any, symbols: Sequence[str] | None, count: int) -> list[str]:
    """The symbols of its columns, numbered where they have no names. Error: DataError."""
    columns = getattr(returns, "columns", None)
    given = symbols if symbols is not None else columns if columns is not None else range(count)
    names = [name if isinstance(name, str) else str(name) for name in given]
    if len(names) != count:
        raise DataError(f"returns have {count} columns and {len(names)} symbols")
    if len(set(names)) != count:
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"returns name {', '.join(twice)} more than once: each symbol has one column")
    return names


def weights_of(name: str, given: Any) -> Mapping[str, float] | None:
    """Symbol -> weight, of a mapping or a series. Error: ConfigError naming what is no finite number."""
    if given is None:
        return None
    weights: Mapping[Any, Any] = given.to_dict() if hasattr(given, "to_dict") else given
    if not _finite(*weights.values()):
        wrong = [f"{symbol} {weight!r}" for symbol, weight in weights.items() if not _finite(weight)]
        raise ConfigError(f"{name}: each must be a finite number, but not {', '.join(wrong[:5])}")
    return weights if set(map(type, weights)) <= {str} else {str(symbol): weight for symbol, weight in weights.items()}


def _finite(*figures: Any) -> bool:
    try:
        return math.isfinite(math.fsum(figures))
    except (TypeError, ValueError, OverflowError):
        return False


def _numbers(raw: Any) -> FloatArray:
    try:
        return np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"returns must be numbers: {error}") from None


def _complete(names: Sequence[str], values: FloatArray, rows_min: int) -> tuple[list[int], dict[str, str]]:
    """Columns without gaps, and why the others are none. Error: DataError for an infinite return."""
    infinite = np.argwhere(np.isinf(values))
    if infinite.size:
        row, column = infinite[0].tolist()
        raise DataError(f"the return of {names[column]} in row {row} is infinite: mend the prices it comes from")
    excluded: dict[str, str] = {}
    rows = values.shape[0]
    known = np.isfinite(values).sum(axis=0).tolist()
    for name, count in zip(names, known, strict=True):
        if count < rows_min:
            excluded[name] = f"short history: {count} returns, {rows_min} are needed"
        elif count < rows:
            excluded[name] = f"{rows - count} of {rows} returns are missing"
    return [column for column, name in enumerate(names) if name not in excluded], excluded


def variance_of(values: FloatArray, mean: FloatArray) -> FloatArray:
    """Of n - 1, by column, without a copy of the returns."""
    rows = values.shape[0]
    by_column = values.flags.f_contiguous  # As tables of pandas are.
    square = np.vecdot(values.T, values.T) if by_column else np.einsum("ij,ij->j", values, values)
    spread = square - (rows * mean) * mean
    doubtful = (spread <= _FLAT * square).nonzero()[0]
    if doubtful.size:  # Digits are lost where a mean dwarfs what varies.
        spread[doubtful] = values[:, doubtful].var(axis=0) * rows
    result: FloatArray = np.maximum(spread, _LEAST) / (rows - 1)
    return result


def _flat(names: Sequence[str], values: FloatArray) -> dict[str, str]:
    """Who ends where it began may never have moved; all others have."""
    back = (values[0] == values[-1]).nonzero()[0]
    if not back.size:
        return {}
    still = back[np.ptp(values[:, back], axis=0) == 0.0]
    return {names[column]: "its returns never changed" for column in still.tolist()}


def _twins(
    names: Sequence[str], values: FloatArray, still: Collection[str], held: Mapping[str, float]
) -> dict[str, str]:
    """Symbols whose returns are another's to the last digit: one thing under two names would pass every cap twice.

    Equal cells have equal sums of two rows; the means of equal columns may differ, as a library adds in any order.
    """
    key = values[0] + values[-1]
    ordered = key.copy()
    ordered.sort()
    alike = (ordered[1:] == ordered[:-1]).nonzero()[0]
    if not alike.size:
        return {}
    groups: dict[bytes, list[str]] = {}
    for column in np.isin(key, ordered[alike]).nonzero()[0].tolist():
        if names[column] not in still:
            cells = values[:, column] + 0.0  # Two zeros of other signs are the same.
            groups.setdefault(cells.tobytes(), []).append(names[column])
    twins: dict[str, str] = {}
    for group in groups.values():
        kept = next((name for name in group if held.get(name)), group[0])
        twins |= {name: f"its returns are those of {kept}" for name in group if name != kept}
    return twins


def positive_definite(covariance: FloatArray) -> FloatArray:
    """The same with no direction of less than a millionth of the mean variance: pairwise estimates can have some."""
    symmetric = (covariance + covariance.T) / 2.0
    values, vectors = np.linalg.eigh(symmetric)
    floor = 1e-6 * float(np.trace(symmetric)) / symmetric.shape[0]
    if values[0] >= floor:
        return np.asarray(symmetric)
    mended: FloatArray = (vectors * np.maximum(values, floor)) @ vectors.T
    return mended
