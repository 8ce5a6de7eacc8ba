"""Exits on slower bars: the entries of one strategy, the exits of its slow twin, nothing of the future."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.errors import StrategyError
from ordinis.domain.market import MarketBlock
from ordinis.engines.signalcore.bars import BarCounter, OwnBars
from ordinis.engines.signalcore.registry import create
from ordinis.engines.signalcore.resampled import Resampled
from ordinis.engines.signalcore.slow_exits import SlowExits
from ordinis.engines.signalcore.strategy import Strategy, StrategyColumns
from ordinis.engines.signalcore.trial import try_out

Walk = Callable[..., list[MarketBlock]]
Cut = Callable[[MarketBlock, Sequence[int]], list[MarketBlock]]
FIELDS = ("direction", "exit", "score", "stop_distance", "ready")


def quick() -> Strategy:
    return create("bollinger", {"mean_bars": 4, "width": 0.5})


def play(strategy: Strategy, blocks: Sequence[MarketBlock]) -> dict[str, np.ndarray]:
    """The answers on their minutes, all blocks in one."""
    counter = BarCounter(len(blocks[0].universe))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in FIELDS}
    for block in blocks:
        bars = counter.read(block)
        with np.errstate(all="ignore"):  # As the core calls strategies.
            columns = strategy.advance(bars)
        for name in FIELDS:
            parts[name].append(bars.to_minutes(getattr(columns, name), 0))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


@pytest.mark.parametrize("share_present", [1.0, 0.7])
def test_it_enters_like_the_quick_one_and_leaves_like_the_slow_one_once_that_is_ready(
    walk: Walk, share_present: float
) -> None:
    blocks = walk(5, sessions=2, rows=390, symbols=3, share_present=share_present)
    both = play(SlowExits(quick(), quick(), 30), blocks)
    alone, slow = play(quick(), blocks), play(Resampled(quick(), 30), blocks)
    for name in ("direction", "score", "stop_distance", "ready"):
        np.testing.assert_array_equal(both[name], alone[name])
    ready = slow["ready"]
    assert 0.1 < ready.mean() < 0.95
    np.testing.assert_array_equal(both["exit"][ready], slow["exit"][ready])
    np.testing.assert_array_equal(both["exit"][~ready], alone["exit"][~ready])
    assert (both["exit"] != alone["exit"]).mean() > 0.1  # Otherwise this test would show nothing.


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31), minutes=st.integers(1, 60), cuts=st.lists(st.integers(1, 389), min_size=1, max_size=5)
)
def test_no_cut_and_no_later_minute_changes_a_bit(
    walk: Walk, cut_at: Cut, seed: int, minutes: int, cuts: list[int]
) -> None:
    blocks = walk(seed, sessions=2, rows=390, symbols=2, share_present=0.8)
    pieces = [piece for block in blocks for piece in cut_at(block, cuts)]
    singly = [block.row_block(row) for block in blocks for row in range(block.rows)]
    truncated = [blocks[0], blocks[1].head(cuts[0])]
    whole, *others = (play(SlowExits(quick(), quick(), minutes), one) for one in (blocks, pieces, singly, truncated))
    for other in others:
        for name in FIELDS:
            np.testing.assert_array_equal(other[name], whole[name][: len(other[name])])


def test_it_passes_the_trial(walk: Walk) -> None:
    blocks = walk(4, sessions=3, rows=390, symbols=3, share_present=0.8)
    trial = try_out(lambda: SlowExits(quick(), quick(), 15), blocks)
    assert trial.findings == ()
    assert trial.entries > 100


class Narrow:
    """A strategy whose columns are of the wrong shape."""

    name = "narrow"

    def advance(self, bars: OwnBars) -> StrategyColumns:
        columns = quick().advance(bars)
        return StrategyColumns(
            direction=columns.direction[:, :1],
            exit=columns.exit[:, :1],
            score=columns.score[:, :1],
            stop_distance=columns.stop_distance[:, :1],
            ready=columns.ready[:, :1],
        )


def test_a_wrong_shape_is_named_before_the_two_are_put_together(walk: Walk) -> None:
    (block,) = walk(1, sessions=1, rows=20, symbols=3, share_present=1.0)
    with pytest.raises(StrategyError, match="narrow"):
        play(SlowExits(Narrow(), quick(), 15), [block])


def test_shorts_are_covered_like_the_quick_one_until_the_slow_one_is_ready(walk: Walk) -> None:
    def short() -> Strategy:
        return create("donchian", {"entry_bars": 6, "exit_bars": 3, "atr_bars": 3, "shorts": True})

    (block,) = walk(5, sessions=1, rows=390, symbols=3, share_present=1.0)
    answers = []
    for strategy in (SlowExits(short(), short(), 10), short(), Resampled(short(), 10)):
        counter = BarCounter(3)
        with np.errstate(all="ignore"):
            answers.append([strategy.advance(counter.read(block.row_block(row))) for row in range(block.rows)])
    for both, quick_one, slow_one in zip(*answers, strict=True):
        assert both.cover is not None
        assert quick_one.cover is not None
        slow_says = np.zeros_like(both.cover) if slow_one.cover is None else slow_one.cover
        np.testing.assert_array_equal(both.cover, np.where(slow_one.ready, slow_says, quick_one.cover))
    unready = [both for both, _, slow_one in zip(*answers, strict=True) if not slow_one.ready.any()]
    assert sum(int(one.cover.sum()) for one in unready if one.cover is not None) > 5
