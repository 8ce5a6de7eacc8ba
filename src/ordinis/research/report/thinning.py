"""Fewer points for a picture, none of the extremes lost."""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import FloatArray, IntArray

POINTS_MAX = 2_400  # More than a screen has columns.
_KEPT = 3  # Of each stretch: its lowest, its highest and its last.


def kept_rows(values: FloatArray, points_max: int = POINTS_MAX) -> IntArray:
    """Which rows to draw, in order: all, or of each of equal stretches the lowest, the highest and the last."""
    if values.size <= points_max:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, points_max // _KEPT + 1).astype(np.int64)
    kept: set[int] = {0}
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        stretch = values[first:end]
        kept |= {first + int(stretch.argmin()), first + int(stretch.argmax()), end - 1}
    return np.array(sorted(kept))
