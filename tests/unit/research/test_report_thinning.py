"""Thinned pictures keep the first, the last and every extreme that a stretch has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.research.report.thinning import POINTS_MAX, kept_rows


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(3, 60))
def test_extremes_and_ends_survive_in_order(values: list[float], points_max: int) -> None:
    array = np.array(values)
    rows = kept_rows(array, points_max)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.size <= max(points_max + 1, 1)
    assert (array[rows].min(), array[rows].max()) == (array.min(), array.max())
    assert (rows[0], rows[-1]) == (0, len(values) - 1)


def test_a_short_run_is_drawn_whole() -> None:
    assert kept_rows(np.zeros(POINTS_MAX)).tolist() == list(range(POINTS_MAX))


@pytest.mark.parametrize("sessions", [30, 250, 1_000])
def test_every_sessions_worst_minute_or_a_worse_one_beside_it_is_drawn(sessions: int) -> None:
    """Stretches are no longer than a session or two, so no fall of a day goes missing."""
    walk = np.cumsum(np.random.default_rng(3).normal(size=390 * sessions))
    drawn = kept_rows(walk)
    width = max(390, -(-walk.size // (POINTS_MAX // 3)))
    for day in range(0, sessions, 10):
        worst = 390 * day + int(walk[390 * day : 390 * (day + 1)].argmin())
        near = drawn[(drawn > worst - width) & (drawn < worst + width)]
        assert walk[near].min() <= walk[worst]
