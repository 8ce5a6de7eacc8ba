"""Channels, directional movement and rolling volatility, each against what it is defined by or TA-Lib's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.market import FloatArray, MarketBlock
from ordinis.engines.signalcore.bars import BarCounter, OwnBars
from ordinis.engines.signalcore.channels import MACD, VWAP, Bollinger, Donchian
from ordinis.engines.signalcore.directional import ADX
from ordinis.engines.signalcore.volatility import RollingVolatility
from ordinis.engines.signalcore.windows import Earlier, Window
from ordinis.engines.variance import ESTIMATORS, Estimator

NAN = np.nan
FIELDS = ("open", "high", "low", "close", "volume")
Walk = Callable[..., list[MarketBlock]]
Cut = Callable[[MarketBlock, Sequence[int]], list[MarketBlock]]
Stream = Callable[[OwnBars], FloatArray]
Own = dict[str, FloatArray]  # One symbol's own bars, and `day`: which session each is of.


def uneven(blocks: Sequence[MarketBlock]) -> list[MarketBlock]:
    """The same closes with opens, ranges and volumes of their own."""
    random = np.random.default_rng(3)
    made = []
    for block in blocks:
        open_ = block.close * (1.0 + random.normal(0.0, 4e-4, block.close.shape))
        high = np.maximum(open_, block.close) * (1.0 + random.uniform(0.0, 6e-4, block.close.shape))
        low = np.minimum(open_, block.close) * (1.0 - random.uniform(0.0, 6e-4, block.close.shape))
        volume = np.where(block.present, random.integers(0, 900, block.close.shape), 0).astype(np.float64)
        made.append(dataclasses.replace(block, open=open_, high=high, low=low, volume=volume))
    return made


def bollinger(line: str) -> Callable[[int], Stream]:
    def make(period: int) -> Stream:
        bands = Bollinger(period, 1.5)
        return lambda bars: getattr(bands.advance(bars.close, bars), line)

    return make


def macd(line: str) -> Callable[[int], Stream]:
    def make(period: int) -> Stream:
        lines = MACD(period, 2 * period + 1, max(period // 2, 1))
        return lambda bars: getattr(lines.advance(bars.close, bars), line)

    return make


def donchian(line: str) -> Callable[[int], Stream]:
    def make(period: int) -> Stream:
        channel = Donchian(period)
        return lambda bars: getattr(channel.advance(bars), line)

    return make


def directional(line: str) -> Callable[[int], Stream]:
    def make(period: int) -> Stream:
        index = ADX(max(period, 2))
        return lambda bars: getattr(index.advance(bars), line)

    return make


def vwap(period: int) -> Stream:
    return VWAP().advance


def rolling(estimator: Estimator) -> Callable[[int], Stream]:
    return lambda period: RollingVolatility(max(period, 2), estimator=estimator).advance


def session_vwap(own: Own, period: int) -> FloatArray:
    out = np.full(own["close"].shape, NAN)
    for bar in range(out.size):
        seen = (own["day"] == own["day"][bar]) & (np.arange(out.size) <= bar)
        typical = (own["high"] + own["low"] + own["close"])[seen] / 3.0
        if own["volume"][seen].sum():
            out[bar] = (typical * own["volume"][seen]).sum() / own["volume"][seen].sum()
    return out


def deviation(values: FloatArray) -> float:
    return float(values.std(ddof=1))


def volatility(estimator: Estimator) -> Callable[[Own, int], FloatArray]:
    """Straight from the definitions, a window at a time."""

    def oracle(own: Own, period: int) -> FloatArray:
        o, h, low, c = (np.log(own[name]) for name in FIELDS[:4])
        out = np.full(c.shape, NAN)
        for bar in range(c.size):
            now = slice(bar - period + 1, bar + 1)
            before = slice(bar - period, bar)
            if bar < period - (estimator in ("parkinson", "garman_klass")):
                continue
            moves, body, gap = c[now], c[now] - o[now], o[now]
            if bar >= period:
                moves, gap = c[now] - c[before], o[now] - c[before]
            if estimator == "close_to_close":
                out[bar] = deviation(moves)
            elif estimator == "parkinson":
                out[bar] = np.sqrt(((h - low)[now] ** 2).mean() / (4 * np.log(2)))
            elif estimator == "garman_klass":
                out[bar] = np.sqrt((0.5 * (h - low)[now] ** 2 - (2 * np.log(2) - 1) * body**2).mean())
            elif estimator == "yang_zhang":
                k = 0.34 / (1.34 + (period + 1) / (period - 1))
                rogers = ((h - c) * (h - o) + (low - c) * (low - o))[now].mean()
                out[bar] = np.sqrt(deviation(gap) ** 2 + k * deviation(body) ** 2 + (1 - k) * rogers)
            else:
                square = (c[1:] - c[:-1]) ** 2
                mean = square[:period].mean()
                for one in square[period:bar]:
                    mean = 0.94 * mean + 0.06 * one
                out[bar] = np.sqrt(mean)
        return out

    return oracle


CASES: dict[str, tuple[Callable[[int], Stream], Callable[[Own, int], FloatArray]]] = {
    "bollinger lower": (bollinger("lower"), lambda own, n: talib.BBANDS(own["close"], n, 1.5, 1.5)[2]),
    "bollinger middle": (bollinger("middle"), lambda own, n: talib.BBANDS(own["close"], n, 1.5, 1.5)[1]),
    "bollinger upper": (bollinger("upper"), lambda own, n: talib.BBANDS(own["close"], n, 1.5, 1.5)[0]),
    "deviation": (bollinger("deviation"), lambda own, n: talib.STDDEV(own["close"], n)),
    "macd signal": (macd("signal"), lambda own, n: talib.MACD(own["close"], n, 2 * n + 1, max(n // 2, 1))[1]),
    "macd histogram": (macd("histogram"), lambda own, n: talib.MACD(own["close"], n, 2 * n + 1, max(n // 2, 1))[2]),
    "donchian lower": (donchian("lower"), lambda own, n: talib.MIN(own["low"], n)),
    "donchian upper": (donchian("upper"), lambda own, n: talib.MAX(own["high"], n)),
    "adx": (directional("adx"), lambda own, n: talib.ADX(own["high"], own["low"], own["close"], n)),
    "plus di": (directional("plus"), lambda own, n: talib.PLUS_DI(own["high"], own["low"], own["close"], n)),
    "minus di": (directional("minus"), lambda own, n: talib.MINUS_DI(own["high"], own["low"], own["close"], n)),
    "vwap": (vwap, session_vwap),
    **{f"volatility {one}": (rolling(one), volatility(one)) for one in ESTIMATORS},
}


def stream(make: Stream, blocks: Sequence[MarketBlock]) -> FloatArray:
    """The indicator over all blocks, on their minutes."""
    counter = BarCounter(len(blocks[0].universe))
    minutes = []
    with np.errstate(all="ignore"):  # As the core calls strategies.
        for block in blocks:
            bars = counter.read(block)
            minutes.append(bars.to_minutes(make(bars), NAN))
    return np.concatenate(minutes)


def own_bars(blocks: Sequence[MarketBlock], column: int) -> tuple[Own, np.ndarray]:
    present = np.concatenate([block.present[:, column] for block in blocks])
    own = {
        name: np.concatenate([getattr(block, name)[:, column] for block in blocks])[present].astype(np.float64)
        for name in FIELDS
    }
    own["day"] = np.concatenate([np.full(block.rows, day) for day, block in enumerate(blocks)])[present]
    return own, present


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("period", [2, 14, 45])
@pytest.mark.parametrize("share_present", [1.0, 0.7])
def test_a_symbols_own_bars_give_what_the_oracle_gives(
    walk: Walk, name: str, period: int, share_present: float
) -> None:
    make, oracle = CASES[name]
    blocks = uneven(walk(11, sessions=4, rows=60, symbols=3, share_present=share_present))
    values = stream(make(period), blocks)
    for column in range(3):
        own, present = own_bars(blocks, column)
        np.testing.assert_allclose(values[present, column], oracle(own, period), rtol=1e-7, atol=1e-8)
        assert np.isnan(values[~present, column]).all()
        assert np.isfinite(values[present, column]).sum() > 50


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
    blocks = uneven(walk(seed, sessions=2, rows=40, symbols=3, share_present=share))
    whole = stream(make(period), blocks)
    pieces = [piece for block in blocks for piece in cut_at(block, cuts)]
    rows = [block.row_block(row) for block in blocks for row in range(block.rows)]
    for blocks_cut in (pieces, rows):
        np.testing.assert_array_equal(stream(make(period), blocks_cut), whole)


@pytest.mark.parametrize(
    ("name", "period", "first_bar"),
    [
        ("bollinger lower", 5, 5),
        ("macd histogram", 4, 10),
        ("donchian upper", 5, 5),
        ("adx", 5, 10),
        ("plus di", 5, 6),
        ("volatility close_to_close", 5, 6),
        ("volatility ewma", 5, 6),
        ("volatility parkinson", 5, 5),
        ("volatility yang_zhang", 5, 6),
    ],
)
def test_the_first_figure_comes_with_the_warm_up_bar(walk: Walk, name: str, period: int, first_bar: int) -> None:
    values = stream(CASES[name][0](period), uneven(walk(3, sessions=1, rows=30, symbols=2, share_present=1.0)))
    np.testing.assert_array_equal(np.isfinite(values[:, 0]), np.arange(1, 31) >= first_bar)


def test_warm_up_bars_are_said_as_they_are() -> None:
    assert [RollingVolatility(5, estimator=one).warm_up_bars for one in ESTIMATORS] == [6, 6, 5, 5, 6]
    assert (MACD(4, 9, 2).warm_up_bars, ADX(5).warm_up_bars, Bollinger(5).warm_up_bars) == (10, 10, 5)


def test_a_price_that_stands_still_has_bands_of_no_width_and_no_direction(
    block_of: Callable[..., MarketBlock],
) -> None:
    price = 0.1 + 0.2 + 100.0
    flat = block_of(np.full((60, 1), price))
    still = dataclasses.replace(flat, high=flat.close, low=flat.close)
    assert (stream(bollinger("deviation")(20), [still])[19:] == 0.0).all()
    assert (stream(directional("adx")(5), [still])[9:] == 0.0).all()
    assert (stream(rolling("close_to_close")(20), [still])[20:] == 0.0).all()


def test_a_wild_bar_leaves_a_window_without_a_trace(block_of: Callable[..., MarketBlock]) -> None:
    close = np.full((60, 1), 100.0)
    close[5] = 1e9
    assert stream(bollinger("deviation")(20), [block_of(close)])[-1, 0] == 0.0


def test_earlier_is_a_symbols_own_bar_so_many_ago(block_of: Callable[..., MarketBlock]) -> None:
    earlier = Earlier(2)
    block = block_of(np.array([[1.0, 9.0], [NAN, 8.0], [3.0, 7.0], [4.0, NAN]]))
    values = stream(lambda bars: earlier.advance(bars.close, bars), [block])
    np.testing.assert_array_equal(values, [[NAN, NAN], [NAN, NAN], [NAN, 9.0], [1.0, NAN]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Window(0), "at least 1 bar, was 0"),
        (lambda: Earlier(0), "at least 1 bar ago, was 0"),
        (lambda: ADX(1), "at least 2 bars, was 1"),
        (lambda: RollingVolatility(1), "close_to_close needs a period of at least 2 bars, was 1"),
        (lambda: RollingVolatility(5, estimator="bogus"), "one of close_to_close, ewma"),  # type: ignore[arg-type]
    ],
)
def test_a_period_that_makes_no_sense_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
