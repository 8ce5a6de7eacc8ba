from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.errors import ConfigError, StrategyError
from ordinis.domain.market import FloatArray, MarketBlock, Universe
from ordinis.domain.signal import NO_STRATEGY, SignalBlock
from ordinis.engines.signalcore import SignalCore, SignalSettings
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.registry import create
from ordinis.engines.signalcore.strategy import StrategyColumns, entries, no_stop

NAN = np.nan
Walk = Callable[..., list[MarketBlock]]
NAMES = ("atr_rsi", "ema_trend", "donchian", "bollinger", "macd", "cross_sectional", "sma_cross")
SHORTER = {"cross_sectional": {"look_back_bars": 200}}
Cut = Callable[[MarketBlock, Sequence[int]], list[MarketBlock]]
MakeBlock = Callable[..., MarketBlock]


class Above:
    """Asks for an entry while the close is above a level, and scores by how far."""

    def __init__(self, level: float, name: str = "above", *, worth: float = 1.0, bars: int = 1) -> None:
        self.name = name
        self.level = level
        self.worth = worth
        self.bars = bars

    def advance(self, bars: OwnBars) -> StrategyColumns:
        ready = bars.warm(self.bars)
        return StrategyColumns(
            direction=entries((bars.close > self.level) & ready),
            exit=bars.close < self.level,
            score=(bars.close - self.level) * self.worth,
            stop_distance=no_stop(bars),
            ready=ready,
        )


class Broken(Above):
    """Answers as `Above` does, save for what the test breaks."""

    def __init__(self, **wrong: Any) -> None:
        super().__init__(0.0, "broken")
        self.wrong = wrong

    def advance(self, bars: OwnBars) -> StrategyColumns:
        columns = super().advance(bars)
        return dataclasses.replace(columns, **{field: make(bars) for field, make in self.wrong.items()})


class Raises:
    name = "raises"

    def advance(self, bars: OwnBars) -> StrategyColumns:
        raise ZeroDivisionError("no bars at all")


def core_of(*strategies: Any, symbols: int = 2, **wanted: Any) -> SignalCore:
    universe = Universe(tuple(f"S{column}" for column in range(symbols)))
    return SignalCore(universe, strategies, SignalSettings(**wanted))


def everyone(symbols: int) -> SignalCore:
    quick = [
        create("sma_cross", {"fast_bars": 3, "slow_bars": 8}),
        create(
            "ema_trend", {"fast_bars": 4, "slow_bars": 9, "atr_bars": 5, "band_atr": 0.1, "adx_min": 15, "adx_bars": 6}
        ),
        create("atr_rsi", {"rsi_bars": 4, "atr_bars": 6, "oversold": 35.0}),
        create("donchian", {"entry_bars": 9, "exit_bars": 4, "atr_bars": 5, "shorts": True}),
        create("bollinger", {"mean_bars": 7, "width": 1.5}),
        create("macd", {"fast_bars": 3, "slow_bars": 8, "signal_bars": 4, "atr_bars": 5}),
        create("cross_sectional", {"look_back_bars": 6, "skip_bars": 2, "atr_bars": 5, "symbols_min": 3}),
    ]
    return core_of(*quick, symbols=symbols, score_history_min=5, score_history_max=40)


def fields_of(signals: SignalBlock) -> dict[str, np.ndarray[Any, Any]]:
    return {
        field.name: getattr(signals, field.name) for field in dataclasses.fields(signals) if field.name != "strategies"
    }


def joined(pieces: Sequence[SignalBlock]) -> dict[str, np.ndarray[Any, Any]]:
    columns = [fields_of(piece) for piece in pieces]
    return {
        name: np.concatenate([one[name] for one in columns], axis=int(name in {"exits", "covers"}))
        for name in columns[0]
    }


def assert_same(left: dict[str, np.ndarray[Any, Any]], right: dict[str, np.ndarray[Any, Any]]) -> None:
    for name, values in left.items():
        assert values.dtype == right[name].dtype
        np.testing.assert_array_equal(values, right[name], err_msg=name)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    share=st.sampled_from([0.02, 0.6, 0.95, 1.0]),
    cuts=st.lists(st.integers(1, 59), max_size=8),
)
def test_no_cut_of_a_session_changes_a_bit(walk: Walk, cut_at: Cut, seed: int, share: float, cuts: list[int]) -> None:
    whole, pieces, rows = everyone(4), everyone(4), everyone(4)
    for block in walk(seed, sessions=3, rows=60, symbols=4, share_present=share):
        expected = fields_of(whole.advance(block))
        assert_same(joined([pieces.advance(piece) for piece in cut_at(block, cuts)]), expected)
        assert_same(joined([rows.advance(block.row_block(row)) for row in range(block.rows)]), expected)
        for core in (whole, pieces, rows):
            core.close_session()


@pytest.mark.parametrize("minutes", [1, 17, 59])
def test_what_comes_later_changes_nothing_earlier(walk: Walk, minutes: int) -> None:
    first, second = walk(8, sessions=2, rows=60, symbols=3, share_present=0.8)
    seen = []
    for block in (second, second.head(minutes)):
        core = everyone(3)
        core.warm_up([first])
        seen.append(
            {name: values for name, values in fields_of(core.advance(block)).items() if name not in {"exits", "covers"}}
        )
    assert_same(seen[1], {name: values[:minutes] for name, values in seen[0].items()})


def test_real_minutes_of_a_thin_feed_are_the_same_one_by_one(block_of: MakeBlock) -> None:
    path = Path(__file__).parents[5] / "shared" / "data" / "minute_rth_iex_2025-09_2025-12_16sym.parquet"
    if not path.exists():
        pytest.skip(f"needs the shared data set {path.stem}")
    frame: Any = pytest.importorskip("pandas").read_parquet(path, columns=["symbol", "timestamp", "close"])
    frame = frame[frame["timestamp"] < "2025-09-17"].pivot(index="timestamp", columns="symbol", values="close")
    blocks = [block_of(day.to_numpy(), day=number) for number, (_, day) in enumerate(frame.groupby(frame.index.date))]
    symbols = frame.shape[1]
    whole, by_row = (
        core_of(*(create(name, SHORTER.get(name, {})) for name in NAMES), symbols=symbols) for _ in range(2)
    )
    for block in blocks:
        assert not block.present.all()
        signals = whole.advance(block)
        assert_same(joined([by_row.advance(block.row_block(row)) for row in range(block.rows)]), fields_of(signals))
        whole.close_session()
        by_row.close_session()
    assert np.isfinite(signals.confidence).any()
    assert signals.exits.any(axis=(1, 2)).all()  # Every one of them has something to say.
    assert len(np.unique(signals.strategy)) > 3


def closes(*columns: Sequence[float]) -> FloatArray:
    return np.array(columns, dtype=np.float64).T


def test_confidence_is_the_share_of_past_scores_that_are_not_better(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0), symbols=1, score_history_min=4)
    core.warm_up([block_of(closes([101, 99, 102, 99, 103, 99, 104]))])
    signals = core.advance(block_of(closes([100.5, 101.0, 103.0, 105.0, 99.0]), day=1))
    np.testing.assert_array_equal(signals.confidence[:, 0], [0.0, 0.25, 0.75, 1.0, NAN])
    np.testing.assert_array_equal(signals.score[:, 0], [0.5, 1.0, 3.0, 5.0, NAN])
    assert np.isnan(signals.p_win).all()


def test_confidence_is_unknown_with_one_score_too_few(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0), symbols=1, score_history_min=5)
    core.warm_up([block_of(closes([101, 99, 102, 99, 103, 99, 104]))])
    assert np.isnan(core.advance(block_of(closes([105.0]), day=1)).confidence).all()


def test_a_signal_that_stands_adds_one_score_however_long_and_over_the_night(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0), symbols=1, score_history_min=1)
    core.warm_up([block_of(closes([110, 101, 101, 101])), block_of(closes([105, 106]), day=1)])
    # One score of 10 only: 9 is below it. Had the later bars counted, 9 would beat some of them.
    assert core.advance(block_of(closes([109.0]), day=2)).confidence[0, 0] == 0.0


def test_scores_of_this_session_wait_for_its_end(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0), symbols=1, score_history_min=1)
    assert np.isnan(core.advance(block_of(closes([101.0, 99.0]))).confidence).all()
    assert np.isnan(core.advance(block_of(closes([102.0]))).confidence).all()
    core.close_session()
    core.close_session()  # Once more changes nothing.
    assert core.advance(block_of(closes([103.0]), day=1)).confidence[0, 0] == 1.0


def test_only_the_newest_scores_are_kept(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0), symbols=1, score_history_min=1, score_history_max=2)
    core.warm_up([block_of(closes([150, 99, 160, 99, 101, 99, 102, 99]))])
    assert core.advance(block_of(closes([103.0]), day=1)).confidence[0, 0] == 1.0


def test_warm_up_closes_every_session_it_lives_through(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0), symbols=1, score_history_min=2)
    core.warm_up([block_of(closes([101, 99])), block_of(closes([102, 99]), day=1)])
    assert core.advance(block_of(closes([101.5]), day=2)).confidence[0, 0] == 0.5


@pytest.mark.parametrize("weights", [{}, {"low": 0.0}, {"high": 9.0}])
def test_without_a_history_the_first_strategy_named_wins(block_of: MakeBlock, weights: dict[str, float]) -> None:
    core = core_of(Above(90.0, "low"), Above(100.0, "high"), symbols=1, weights=weights)
    assert core.advance(block_of(closes([101.0]))).strategy[0, 0] == 0


@pytest.mark.parametrize(
    ("weights", "score_history_min", "chosen", "confidence"),
    [
        ({}, 2, "low", 2 / 3),
        ({"low": 0.5}, 2, "high", 1 / 2),
        ({"low": 0.5}, 3, "low", 2 / 3),  # "high" has two scores only: an unknown confidence counts as 0.
    ],
)
@pytest.mark.parametrize("order", [("low", "high"), ("high", "low")])
def test_the_largest_weighted_confidence_wins(
    block_of: MakeBlock,
    weights: dict[str, float],
    score_history_min: int,
    chosen: str,
    confidence: float,
    order: tuple[str, str],
) -> None:
    level = {"low": 90.0, "high": 100.0}
    rivals = [Above(level[name], name) for name in order]
    core = core_of(*rivals, symbols=1, weights=weights, score_history_min=score_history_min)
    core.warm_up([block_of(closes([130, 89, 95, 89, 101, 89]))])  # Scores: low 40, 5, 11; high 30, 1.
    signals = core.advance(block_of(closes([105.0]), day=1))
    assert signals.strategies[signals.strategy[0, 0]] == chosen
    assert signals.score[0, 0] == 105.0 - level[chosen]
    assert signals.confidence[0, 0] == confidence


def test_the_best_of_three_is_not_the_last_that_beats_the_first(block_of: MakeBlock) -> None:
    # Past scores: "none" 11, 11; "both" 16, 16, 1, 3, 1, 3; "one" 14, 14, 1, 1.
    rivals = [Above(15.0, "none"), Above(10.0, "both"), Above(12.0, "one")]
    core = core_of(*rivals, symbols=1, score_history_min=2)
    core.warm_up([block_of(closes([26, 9, 26, 9])), block_of(closes([11, 9, 13, 9, 11, 9, 13, 9]), day=1)])
    signals = core.advance(block_of(closes([20.0]), day=2))
    assert signals.strategies[signals.strategy[0, 0]] == "both"
    assert signals.confidence[0, 0] == 4 / 6


def test_where_only_one_strategy_asks_it_is_the_one(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0, "first"), Above(90.0, "second"), symbols=2)
    signals = core.advance(block_of(closes([101.0, 95.0, 80.0], [80.0, 80.0, 95.0])))
    np.testing.assert_array_equal(signals.strategy, [[0, NO_STRATEGY], [1, NO_STRATEGY], [NO_STRATEGY, 1]])
    np.testing.assert_array_equal(signals.direction, [[1, 0], [1, 0], [0, 1]])
    np.testing.assert_array_equal(signals.score, [[1.0, NAN], [5.0, NAN], [NAN, 5.0]])
    np.testing.assert_array_equal(signals.exits[:, :, 0], [[False, True, True], [False, False, True]])
    np.testing.assert_array_equal(signals.has_entry, [True, True, True])
    np.testing.assert_array_equal(signals.has_exit, [True, True, True])


def test_rows_say_whether_a_look_is_worth_it(block_of: MakeBlock) -> None:
    signals = core_of(Above(100.0)).advance(block_of(closes([101, 100, 99], [101, 100, 100])))
    np.testing.assert_array_equal(signals.has_entry, [True, False, False])
    np.testing.assert_array_equal(signals.has_exit, [False, False, True])


def test_a_missing_minute_asks_for_nothing_and_stays_ready(block_of: MakeBlock) -> None:
    core = core_of(Above(100.0, bars=2), symbols=1)
    signals = core.advance(block_of(closes([101, NAN, 101, NAN])))
    np.testing.assert_array_equal(signals.ready[:, 0], [False, False, True, True])
    np.testing.assert_array_equal(signals.direction[:, 0], [0, 0, 1, 0])
    assert core.advance(block_of(closes([NAN, NAN]), day=1)).ready.all()


def test_a_strategy_that_raises_is_named_with_the_minute(block_of: MakeBlock) -> None:
    with pytest.raises(StrategyError, match=r"strategy raises raised ZeroDivisionError: no bars at all") as caught:
        core_of(Raises()).advance(block_of(closes([1.0], [1.0])))
    assert "2025-03-10T13:31:00 UTC" in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def at_third_bar_of_second(value: float) -> Callable[[OwnBars], FloatArray]:
    def make(bars: OwnBars) -> FloatArray:
        values = np.ones((bars.rows, bars.symbols))
        values[2, 1] = value
        return values

    return make


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"score": at_third_bar_of_second(NAN)},
            "gave score nan for S1 at the minute that closed 2025-03-10T13:33:00 UTC",
        ),
        ({"score": at_third_bar_of_second(np.inf)}, "gave score inf for S1"),
        ({"stop_distance": at_third_bar_of_second(np.inf)}, "gave stop_distance inf for S1"),
        ({"stop_distance": at_third_bar_of_second(0.0)}, "expected a finite fraction above 0, or NaN for none"),
        ({"direction": lambda bars: np.full((bars.rows, 2), 2, np.int8)}, "gave direction 2 for S0"),
        ({"ready": lambda bars: np.zeros((bars.rows, 2), np.bool_)}, "expected ready True wherever an entry"),
        ({"exit": lambda bars: np.zeros((bars.rows, 3), np.bool_)}, r"an array of bool of shape \(3, 2\)"),
        ({"direction": lambda bars: np.ones((bars.rows, 2))}, "returned direction as an array of float64"),
        ({"score": lambda _: None}, "returned score as NoneType"),
    ],
)
def test_an_impossible_answer_names_strategy_symbol_minute_and_what_was_expected(
    block_of: MakeBlock, wrong: dict[str, Any], message: str
) -> None:
    core = core_of(Broken(**wrong))
    with pytest.raises(StrategyError, match=message) as caught:
        core.advance(block_of(closes([1, 2, 3], [1, 2, 3])))
    assert "strategy broken" in str(caught.value)


def test_the_minute_named_is_that_of_the_bar_and_not_of_its_number(block_of: MakeBlock) -> None:
    core = core_of(Broken(score=at_third_bar_of_second(NAN)))
    with pytest.raises(StrategyError, match="for S1 at the minute that closed 2025-03-10T13:34:00 UTC"):
        core.advance(block_of(closes([1, 2, 3, 4], [1, NAN, 3, 4])))


def test_an_answer_of_another_kind_is_refused(block_of: MakeBlock) -> None:
    class Nothing:
        name = "nothing"

        def advance(self, bars: OwnBars) -> Any:
            return None

    with pytest.raises(StrategyError, match=r"strategy nothing returned NoneType .* expected StrategyColumns"):
        core_of(Nothing()).advance(block_of(closes([1.0], [1.0])))


@pytest.mark.parametrize(
    ("strategies", "wanted", "message"),
    [
        ([], {}, "names no strategy"),
        ([Above(1.0), Above(2.0)], {}, "names a strategy twice: above, above"),
        ([Above(1.0)], {"weights": {"abovee": 1.0}}, "weights names abovee, which is not enabled"),
        ([Above(1.0)], {"weights": {"above": -1.0}}, "must be a finite number of at least 0, was -1.0"),
        ([Above(1.0)], {"weights": {"above": NAN}}, "must be a finite number of at least 0"),
        ([Above(1.0)], {"score_history_min": 9, "score_history_max": 8}, r"at most score_history_max \(8\), was 9"),
    ],
)
def test_settings_that_make_no_sense_are_refused(strategies: list[Any], wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        core_of(*strategies, **wanted)
