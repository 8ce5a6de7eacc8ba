"""The mean volume a minute, lately."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.market import MarketBlock
from ordinis.engines.liquidity import RecentVolume
from simulation.worlds import UNIVERSE, day


def block_of(volume: list[list[float]]) -> MarketBlock:
    block = day(0, {symbol: [100.0] * len(volume) for symbol in UNIVERSE.symbols}, minutes=390)
    block.volume[:] = np.array(volume)
    return block


def test_it_is_the_mean_of_the_newest_minutes_and_of_fewer_at_the_start() -> None:
    volume = [[10.0, 0.0, 1.0], [20.0, 0.0, 2.0], [60.0, 3.0, 6.0], [0.0, 0.0, 9.0]]
    found = RecentVolume(3, minutes=2).advance(block_of(volume))
    assert found.tolist() == [[10.0, 0.0, 1.0], [15.0, 0.0, 1.5], [40.0, 1.5, 4.0], [30.0, 1.5, 7.5]]


def test_a_feed_that_counts_a_part_is_scaled_to_the_whole_market() -> None:
    assert RecentVolume(3, minutes=2, feed_share=0.02).advance(block_of([[10.0, 0.0, 1.0]])).tolist() == [
        [500.0, 0.0, 50.0]
    ]


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 90), max_size=6),
    minutes=st.integers(1, 40),
    seed=st.integers(0, 100),
)
def test_it_is_the_same_however_a_session_is_cut(cuts: list[int], minutes: int, seed: int) -> None:
    whole = block_of(np.random.default_rng(seed).integers(0, 10**7, (90, 3)).astype(float).tolist())
    expected = RecentVolume(3, minutes=minutes, feed_share=0.03).advance(whole)
    edges = sorted({0, 90, *cuts})
    recent = RecentVolume(3, minutes=minutes, feed_share=0.03)
    pieces = [recent.advance(whole._cut(slice(a, b))) for a, b in pairwise(edges)]
    assert np.array_equal(np.vstack(pieces), expected)
    assert expected[60] == pytest.approx(whole.volume[61 - min(minutes, 61) : 61].mean(axis=0) / 0.03)
