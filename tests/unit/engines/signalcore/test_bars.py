from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.market import MarketBlock
from ordinis.engines.signalcore.bars import BarCounter, OwnBars

NAN = np.nan
Walk = Callable[..., list[MarketBlock]]


def test_own_bars_close_the_gaps_of_each_column(block_of: Callable[..., MarketBlock]) -> None:
    block = block_of(np.array([[NAN, 20.0, NAN], [11.0, NAN, NAN], [12.0, 22.0, NAN], [13.0, NAN, NAN]]))
    bars = OwnBars(block, seen=np.array([5, 0, 0]))
    np.testing.assert_array_equal(bars.close, [[11.0, 20.0, NAN], [12.0, 22.0, NAN], [13.0, NAN, NAN]])
    np.testing.assert_array_equal(bars.count, [3, 2, 0])
    np.testing.assert_array_equal(bars.number[:, 0], [6, 7, 8])
    np.testing.assert_array_equal(bars.last(bars.close, np.array([1.0, 2.0, 3.0])), [13.0, 22.0, 3.0])


@pytest.mark.parametrize("rows", [1, 4])
def test_a_block_without_any_bar_is_one_empty_row_at_least(rows: int, block_of: Callable[..., MarketBlock]) -> None:
    bars = OwnBars(block_of(np.full((rows, 2), NAN)), seen=np.array([3, 0]))
    assert bars.rows == 1
    np.testing.assert_array_equal(bars.last(bars.close, np.array([7.0, 8.0])), [7.0, 8.0])
    assert bars.to_minutes(bars.close, NAN).shape == (rows, 2)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), rows=st.integers(1, 12))
def test_there_and_back_gives_the_block(walk: Walk, seed: int, share: float, rows: int) -> None:
    (block,) = walk(seed, sessions=1, rows=rows, symbols=4, share_present=share)
    bars = OwnBars(block, seen=np.zeros(4, dtype=np.int64))
    for field in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(bars.to_minutes(getattr(bars, field), NAN), getattr(block, field))


def test_the_counter_carries_each_symbols_own_count(walk: Walk) -> None:
    counter = BarCounter(3)
    blocks = walk(5, sessions=3, rows=20, symbols=3, share_present=0.6)
    for block in blocks[:2]:
        counter.read(block)
    expected = sum(block.present.sum(axis=0) for block in blocks[:2])
    np.testing.assert_array_equal(counter.read(blocks[2]).seen, expected)
