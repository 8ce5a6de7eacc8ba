"""Bars of some minutes: complete before they are shown, and the same however a session is cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.market import MarketBlock
from ordinis.engines.signalcore.bars import BarCounter, OwnBars
from ordinis.engines.signalcore.registry import create
from ordinis.engines.signalcore.resampled import Resampled, resampled
from ordinis.engines.signalcore.strategy import StrategyColumns, entries
from ordinis.engines.signalcore.trial import try_out

NAN = np.nan
Walk = Callable[..., list[MarketBlock]]
Cut = Callable[[MarketBlock, Sequence[int]], list[MarketBlock]]
Shown = list[tuple[float, ...]]


class Records:
    """Writes down the bars of its first symbol; its score is their close."""

    name = "records"

    def __init__(self) -> None:
        self.shown: Shown = []

    def advance(self, bars: OwnBars) -> StrategyColumns:
        for row in range(int(bars.count[0])):
            one = tuple(float(field[row, 0]) for field in (bars.open, bars.high, bars.low, bars.close, bars.volume))
            self.shown.append(one)
        asks = bars.close > 0.0
        return StrategyColumns(
            direction=entries(asks), exit=~asks, score=bars.close, stop_distance=bars.close, ready=asks
        )


def play(strategy: Resampled, blocks: Sequence[MarketBlock]) -> list[StrategyColumns]:
    """The answers on their minutes."""
    counter, answers = BarCounter(len(blocks[0].universe)), []
    for block in blocks:
        bars = counter.read(block)
        with np.errstate(all="ignore"):  # As the core calls strategies.
            columns = strategy.advance(bars)
        answers.append(
            StrategyColumns(
                direction=bars.to_minutes(columns.direction, 0),
                exit=bars.to_minutes(columns.exit, False),
                score=bars.to_minutes(columns.score, NAN),
                stop_distance=bars.to_minutes(columns.stop_distance, NAN),
                ready=bars.to_minutes(columns.ready, False),
                cover=None if columns.cover is None else bars.to_minutes(columns.cover, False),
            )
        )
    return answers


def plain_bars(blocks: Sequence[MarketBlock], minutes: int) -> tuple[Shown, np.ndarray]:
    """The first symbol's bars, and the close of the newest complete one at each of its minutes, one by one."""
    shown: Shown = []
    newest = []
    for block in blocks:
        part: list[int] = []
        for row in range(block.rows):
            if block.present[row, 0]:
                part.append(row)
            if (row + 1) % minutes == 0 or row + 1 == block.session.minutes:
                if part:
                    o, h, low, c = (getattr(block, name)[part, 0] for name in ("open", "high", "low", "close"))
                    shown.append((o[0], h.max(), low.min(), c[-1], block.volume[part, 0].sum()))
                part = []
            newest.append(shown[-1][3] if shown and block.present[row, 0] else NAN)
    return shown, np.array(newest)


@pytest.mark.parametrize("minutes", [5, 30, 60, 390])  # 390 minutes are no whole number of hours.
@pytest.mark.parametrize("share_present", [1.0, 0.6, 0.05])
def test_a_minute_has_the_answer_of_the_newest_complete_bar(walk: Walk, minutes: int, share_present: float) -> None:
    blocks = walk(3, sessions=2, rows=390, symbols=2, share_present=share_present)
    records = Records()
    answers = play(Resampled(records, minutes), blocks)
    shown, newest = plain_bars(blocks, minutes)
    np.testing.assert_array_equal(np.array(records.shown), np.array(shown))
    np.testing.assert_array_equal(np.concatenate([one.score[:, 0] for one in answers]), newest)
    np.testing.assert_array_equal(np.concatenate([one.direction[:, 0] for one in answers]) == 1, np.isfinite(newest))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    share=st.sampled_from([0.05, 0.6, 1.0]),
    minutes=st.integers(2, 20),
    rows=st.sampled_from([40, 390]),
    cuts=st.lists(st.integers(1, 389), max_size=6),
)
def test_no_cut_changes_a_bit(
    walk: Walk, cut_at: Cut, seed: int, share: float, minutes: int, rows: int, cuts: list[int]
) -> None:
    """Sessions of 40 minutes end before their close: their last bar is completed by the next one's first minute."""
    blocks = walk(seed, sessions=2, rows=rows, symbols=3, share_present=share)
    pieces = [piece for block in blocks for piece in cut_at(block, cuts)]
    singly = [block.row_block(row) for block in blocks for row in range(block.rows)]
    quick = {"mean_bars": 3, "width": 0.5}
    whole, *others = (play(Resampled(create("bollinger", quick), minutes), one) for one in (blocks, pieces, singly))
    for other in others:
        for field in ("direction", "exit", "score", "stop_distance", "ready"):
            expected = np.concatenate([getattr(one, field) for one in whole])
            np.testing.assert_array_equal(np.concatenate([getattr(one, field) for one in other]), expected)


def test_it_passes_the_trial(walk: Walk) -> None:
    blocks = walk(4, sessions=3, rows=390, symbols=3, share_present=0.8)
    trial = try_out(lambda: resampled(create("sma_cross", {"fast_bars": 2, "slow_bars": 5}), 15), blocks)
    assert trial.findings == ()
    assert trial.entries > 100


def test_a_wrong_form_is_named_as_ever(walk: Walk) -> None:
    class Wrong(Records):
        def advance(self, bars: OwnBars) -> StrategyColumns:
            return dataclasses.replace(super().advance(bars), exit=np.zeros((1, 1), np.bool_))

    trial = try_out(lambda: Resampled(Wrong(), 30), walk(4, sessions=1, rows=390, symbols=3, share_present=1.0))
    assert "strategy records returned exit as an array of bool of shape (1, 1)" in trial.findings[0]


def test_bars_of_a_minute_are_the_strategy_itself() -> None:
    records = Records()
    assert resampled(records, 1) is records


def test_what_covers_a_short_is_held_like_everything_else(walk: Walk) -> None:
    blocks = walk(9, sessions=2, rows=390, symbols=2, share_present=0.8)
    quick = {"entry_bars": 6, "exit_bars": 3, "atr_bars": 3, "shorts": True}
    trial = try_out(lambda: resampled(create("donchian", quick), 10), blocks)
    assert trial.findings == ()
    said = [one.cover for one in play(Resampled(create("donchian", quick), 10), blocks)]
    exits = [one.exit for one in play(Resampled(create("donchian", quick), 10), blocks)]
    assert all(one is not None for one in said)
    covers = np.concatenate([one for one in said if one is not None])
    assert covers.sum() > 10
    assert not (covers & np.concatenate(exits)).any()
