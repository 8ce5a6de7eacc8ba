from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.market import FloatArray, MarketBlock
from ordinis.engines.signalcore.bars import BarCounter, OwnBars
from ordinis.engines.signalcore.indicators import ATR, EMA, RSI, SMA

Walk = Callable[..., list[MarketBlock]]
Cut = Callable[[MarketBlock, Sequence[int]], list[MarketBlock]]
Stream = Callable[[OwnBars], FloatArray]
Oracle = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def sma(period: int) -> Stream:
    mean = SMA(period)
    return lambda bars: mean.advance(bars.close, bars)


def ema(period: int) -> Stream:
    mean = EMA(period)
    return lambda bars: mean.advance(bars.close, bars)


def rsi(period: int) -> Stream:
    strength = RSI(period)
    return lambda bars: strength.advance(bars.close, bars)


def atr(period: int) -> Stream:
    return ATR(period).advance


def plain_rsi(period: int) -> Stream:
    strength = RSI(period, smoothing="mean")
    return lambda bars: strength.advance(bars.close, bars)


def plain_atr(period: int) -> Stream:
    return ATR(period, smoothing="mean").advance


def ema_of_rsi(period: int) -> Stream:
    strength = RSI(period)
    mean = EMA(9, skip=strength.warm_up_bars - 1)
    return lambda bars: mean.advance(strength.advance(bars.close, bars), bars)


def cutler(high: FloatArray, low: FloatArray, close: FloatArray, period: int) -> FloatArray:
    """RSI on plain means, straight from its definition."""
    out = np.full(close.shape, np.nan)
    for bar in range(period, close.shape[0]):
        change = np.diff(close[bar - period : bar + 1])
        gain, loss = change[change > 0].sum(), -change[change < 0].sum()
        out[bar] = 50.0 if gain + loss == 0 else 100.0 * gain / (gain + loss)
    return out


def mean_true_range(high: FloatArray, low: FloatArray, close: FloatArray, period: int) -> FloatArray:
    ranges: FloatArray = talib.SMA(talib.TRANGE(high, low, close), period)
    return ranges


CASES: dict[str, tuple[Callable[[int], Stream], Callable[..., FloatArray]]] = {
    "sma": (sma, lambda h, low, c, n: talib.SMA(c, n)),
    "ema": (ema, lambda h, low, c, n: talib.EMA(c, n)),
    "rsi": (rsi, lambda h, low, c, n: talib.RSI(c, n)),
    "atr": (atr, talib.ATR),
    "plain rsi": (plain_rsi, cutler),
    "plain atr": (plain_atr, mean_true_range),
    "ema of rsi": (ema_of_rsi, lambda h, low, c, n: talib.EMA(talib.RSI(c, n), 9)),
}


def stream(make: Stream, blocks: Sequence[MarketBlock]) -> FloatArray:
    """The indicator over all blocks, on their minutes."""
    counter = BarCounter(len(blocks[0].universe))
    minutes = []
    for block in blocks:
        bars = counter.read(block)
        minutes.append(bars.to_minutes(make(bars), np.nan))
    return np.concatenate(minutes)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("period", [2, 14, 45])
@pytest.mark.parametrize("share_present", [1.0, 0.7])
def test_a_symbols_own_bars_give_what_the_oracle_gives(
    walk: Walk, name: str, period: int, share_present: float
) -> None:
    make, oracle = CASES[name]
    blocks = walk(11, sessions=4, rows=60, symbols=3, share_present=share_present)
    values = stream(make(period), blocks)
    for column in range(3):
        own = np.concatenate([block.present[:, column] for block in blocks])
        high, low, close = (
            np.concatenate([getattr(block, field)[:, column] for block in blocks])[own]
            for field in ("high", "low", "close")
        )
        np.testing.assert_allclose(values[own, column], oracle(high, low, close, period), rtol=1e-9, atol=1e-9)
        assert np.isnan(values[~own, column]).all()


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    share=st.sampled_from([0.05, 0.5, 0.95, 1.0]),
    period=st.integers(1, 25),
    cuts=st.lists(st.integers(1, 39), max_size=12),
)
def test_no_cut_changes_a_bit(
    walk: Walk, cut_at: Cut, name: str, seed: int, share: float, period: int, cuts: list[int]
) -> None:
    make, _ = CASES[name]
    blocks = walk(seed, sessions=2, rows=40, symbols=3, share_present=share)
    whole = stream(make(period), blocks)
    pieces = [piece for block in blocks for piece in cut_at(block, cuts)]
    rows = [block.row_block(row) for block in blocks for row in range(block.rows)]
    for blocks_cut in (pieces, rows):
        np.testing.assert_array_equal(stream(make(period), blocks_cut), whole)


@pytest.mark.parametrize(
    ("indicator", "warm_up_bars"), [(SMA(5), 5), (EMA(5), 5), (EMA(5, skip=3), 8), (RSI(5), 6), (ATR(5), 6)]
)
def test_the_first_figure_comes_with_the_warm_up_bar(
    walk: Walk, indicator: SMA | EMA | RSI | ATR, warm_up_bars: int
) -> None:
    def advance(bars: OwnBars) -> FloatArray:
        return indicator.advance(bars) if isinstance(indicator, ATR) else indicator.advance(bars.close, bars)

    values = stream(advance, walk(3, sessions=1, rows=30, symbols=2, share_present=1.0))
    assert indicator.warm_up_bars == warm_up_bars
    np.testing.assert_array_equal(np.isfinite(values[:, 0]), np.arange(1, 31) >= warm_up_bars)


@pytest.mark.parametrize("smoothing", ["wilder", "mean"])
def test_a_price_that_stands_still_is_neither_oversold_nor_overbought(
    block_of: Callable[..., MarketBlock], smoothing: str
) -> None:
    moves = np.array([100.1, 100.30000000000001, 99.7, 100.2, 99.9])
    close = np.concatenate([moves, np.full(400, 100.0)])[:, None]
    strength = RSI(4, smoothing="wilder" if smoothing == "wilder" else "mean")
    values = stream(lambda bars: strength.advance(bars.close, bars), [block_of(close)])
    assert values[-1, 0] == 50.0


def test_a_plain_mean_breaks_ties_as_the_running_sum_of_the_benchmark_does(
    block_of: Callable[..., MarketBlock],
) -> None:
    close = np.round(np.random.default_rng(2).normal(50.0, 0.02, (500, 1)), 2)
    values = stream(sma(20), [block_of(close)])
    total = 0.0
    for bar, price in enumerate(close[:, 0].tolist()):
        total += price - (float(close[bar - 20, 0]) if bar >= 20 else 0.0)
        assert bar < 19 or values[bar, 0] == total / 20


@pytest.mark.parametrize("make", [SMA, EMA, RSI, ATR])
def test_a_period_below_one_is_refused(make: Callable[[int], object]) -> None:
    with pytest.raises(ValueError, match="at least 1 bar, was 0"):
        make(0)
