"""A strategy's own past scores, and where a new one ranks among them."""

from __future__ import annotations

import numpy as np

from ordinis.domain.market import FloatArray


class ScoreHistory:
    """The newest scores of fresh signals. New ones count from the next session on.

    Frozen within a session so that a minute's rank does not depend on how the session is cut.
    """

    def __init__(self, *, score_count_min: int, score_count_max: int) -> None:
        self._score_count_min = score_count_min
        self._score_count_max = score_count_max
        self._in_order: FloatArray = np.zeros(0)  # Oldest first.
        self._sorted: FloatArray = np.zeros(0)
        self._this_session: list[FloatArray] = []

    def add(self, scores: FloatArray) -> None:
        """Scores of signals that began, oldest first."""
        if scores.size:
            self._this_session.append(scores)

    def close_session(self) -> None:
        if not self._this_session:
            return
        everything = np.concatenate([self._in_order, *self._this_session])
        self._in_order = everything[-self._score_count_max :]
        self._sorted = np.sort(self._in_order)
        self._this_session = []

    def rank(self, scores: FloatArray) -> FloatArray:
        """The share of past scores that are not better, in [0, 1]; NaN while there are too few."""
        if self._sorted.size < self._score_count_min:
            return np.full(scores.shape, np.nan)
        return np.searchsorted(self._sorted, scores, side="right") / self._sorted.size
