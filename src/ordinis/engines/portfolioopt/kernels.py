"""The products that grow with rows x symbols, written once for every library of arrays.

They take what the array API standard has in common (`@`, `.T`, `sum`), so NumPy, CuPy, PyTorch or any other library of
the standard computes them, whichever the arrays belong to. `xp` is that library.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def along(rows: Any, weights: Any) -> Any:
    """R w: what each row is worth to these weights, [rows]."""
    return _times(rows, weights)


def across(rows: Any, amounts: Any) -> Any:
    """R'y: what each symbol has of these amounts of rows, [symbols]."""
    return _times(amounts, rows)


def gram(rows: Any, centre: Any | None) -> Any:
    """(R - m)'(R - m), [symbols x symbols]."""
    inner = rows if centre is None else rows - centre
    return _times(inner.T, inner)


def _times(left: Any, right: Any) -> Any:
    """Their product. NumPy has it sooner by a name of its own, but copies tables that are cut out of larger ones."""
    if isinstance(left, np.ndarray) and left.flags.forc and right.flags.forc:
        return left.dot(right)
    return left @ right


def standard(rows: Any, mean: Any, deviation: Any) -> Any:
    """Each column less its mean, in units of its deviation."""
    return (rows - mean) / deviation


def gram_square(xp: Any, x: Any) -> Any:
    """The sum of all squares of X'X. XX' has the same: the smaller one is formed."""
    inner = x.T @ x if x.shape[1] <= x.shape[0] else x @ x.T
    return xp.sum(inner * inner)
