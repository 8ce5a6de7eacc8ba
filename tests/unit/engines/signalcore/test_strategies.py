from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import talib

from ordinis.domain.market import MarketBlock
from ordinis.domain.signal import SignalBlock
from ordinis.engines.signalcore import SignalCore, SignalSettings, indicators, strategy
from ordinis.engines.signalcore.registry import Parameter, available, create

MakeBlock = Callable[..., MarketBlock]
Walk = Callable[..., list[MarketBlock]]


def run(block: MarketBlock, name: str, **parameters: Parameter) -> SignalBlock:
    return SignalCore(block.universe, [create(name, parameters)], SignalSettings()).advance(block)


def reference_states(closes: list[float], fast_bars: int, slow_bars: int) -> list[int]:
    """The benchmark's rule in plain Python: 1 to buy, -1 to sell, 0 for neither."""
    fast_sum = slow_sum = 0.0
    states = []
    for bar, close in enumerate(closes):
        fast_sum += close if bar < fast_bars else close - closes[bar - fast_bars]
        slow_sum += close if bar < slow_bars else close - closes[bar - slow_bars]
        fast, slow = fast_sum / fast_bars, slow_sum / slow_bars
        states.append(0 if bar < slow_bars - 1 else int(fast > slow) - int(fast < slow))
    return states


@pytest.mark.parametrize("decimals", [0, 1, 4])  # The coarser the price, the more ties.
def test_sma_cross_is_the_benchmarks_state_rule(block_of: MakeBlock, decimals: int) -> None:
    random = np.random.default_rng(4)
    close = np.round(100.0 + np.cumsum(random.normal(0.0, 0.3, (900, 2)), axis=0), decimals)
    signals = run(block_of(close), "sma_cross")
    for column in range(2):
        expected = np.array(reference_states(close[:, column].tolist(), 20, 60))
        np.testing.assert_array_equal(signals.direction[:, column], expected == 1)
        np.testing.assert_array_equal(signals.exits[0, :, column], expected == -1)
    np.testing.assert_array_equal(signals.ready[:, 0], np.arange(900) >= 59)
    entries = signals.direction == 1
    assert (signals.score[entries] > 0.0).all()
    assert np.isnan(signals.stop_distance).all()


def test_atr_rsi_wilder_agrees_with_the_oracle(walk: Walk) -> None:
    (block,) = walk(6, sessions=1, rows=390, symbols=1, share_present=1.0)
    signals = run(block, "atr_rsi", smoothing="wilder")
    high, low, close = block.high[:, 0], block.low[:, 0], block.close[:, 0]
    rsi, atr = talib.RSI(close, 14), talib.ATR(high, low, close, 14)
    entries = rsi < 30.0
    assert 3 < entries.sum() < 200
    np.testing.assert_array_equal(signals.direction[:, 0], entries)
    np.testing.assert_array_equal(signals.exits[0, :, 0], rsi > 70.0)
    np.testing.assert_allclose(signals.score[entries, 0], 1.0 - rsi[entries] / 30.0, rtol=1e-9)
    np.testing.assert_allclose(signals.stop_distance[entries, 0], 2.0 * atr[entries] / close[entries], rtol=1e-9)


def test_atr_rsi_enters_just_below_its_level_and_leaves_just_above_the_other(block_of: MakeBlock) -> None:
    # Fourteen changes on plain means: RSI is 100 x the share of the rises.
    def strength(rises: int) -> MarketBlock:
        changes = [1.0] * rises + [-1.0] * (14 - rises)
        return block_of((100.0 + np.cumsum([0.0, *changes]))[:, None])

    asked = {rises: run(strength(rises), "atr_rsi") for rises in range(15)}
    # 4 of 14 is RSI 28.6 and 5 is 35.7; 9 is 64.3 and 10 is 71.4: not 9 and 91, as it once was.
    assert [rises for rises in range(15) if asked[rises].direction[-1, 0]] == [0, 1, 2, 3, 4]
    assert [rises for rises in range(15) if asked[rises].exits[0, -1, 0]] == [10, 11, 12, 13, 14]


def test_ema_trend_agrees_with_the_oracle(walk: Walk) -> None:
    (block,) = walk(7, sessions=1, rows=390, symbols=1, share_present=1.0)
    signals = run(block, "ema_trend", fast_bars=10, slow_bars=40, atr_bars=20, band_atr=0.4, stop_atr=3)
    high, low, close = block.high[:, 0], block.low[:, 0], block.close[:, 0]
    distance, atr = talib.EMA(close, 10) - talib.EMA(close, 40), talib.ATR(high, low, close, 20)
    entries = distance > 0.4 * atr
    assert 20 < entries.sum() < 370
    np.testing.assert_array_equal(signals.direction[:, 0], entries)
    np.testing.assert_array_equal(signals.exits[0, :, 0], distance < 0.0)
    np.testing.assert_allclose(signals.score[entries, 0], distance[entries] / atr[entries], rtol=1e-6)
    np.testing.assert_allclose(signals.stop_distance[entries, 0], 3.0 * atr[entries] / close[entries], rtol=1e-9)


def test_the_trend_filter_takes_entries_away_where_the_oracle_sees_no_trend(walk: Walk) -> None:
    (block,) = walk(7, sessions=1, rows=390, symbols=1, share_present=1.0)
    quick = {"fast_bars": 10, "slow_bars": 40, "atr_bars": 20}
    plain = run(block, "ema_trend", **quick)
    filtered = run(block, "ema_trend", **quick, adx_min=20, adx_bars=14)
    adx = talib.ADX(block.high[:, 0], block.low[:, 0], block.close[:, 0], 14)
    expected = (plain.direction[:, 0] == 1) & (adx >= 20)
    assert 10 < expected.sum() < (plain.direction == 1).sum() - 10
    np.testing.assert_array_equal(filtered.direction[:, 0], expected)
    np.testing.assert_array_equal(filtered.exits, plain.exits)


def test_donchian_agrees_with_the_oracle(walk: Walk) -> None:
    (block,) = walk(12, sessions=1, rows=390, symbols=1, share_present=1.0)
    signals = run(block, "donchian", entry_bars=20, exit_bars=10, atr_bars=14, stop_atr=3)
    high, low, close = block.high[:, 0], block.low[:, 0], block.close[:, 0]
    upper, lower = np.roll(talib.MAX(high, 20), 1), np.roll(talib.MIN(low, 10), 1)  # The channel of the bar before.
    atr = talib.ATR(high, low, close, 14)
    entries = (np.arange(390) >= 20) & (close > upper)
    assert 10 < entries.sum() < 200
    np.testing.assert_array_equal(signals.direction[:, 0], entries)
    np.testing.assert_array_equal(signals.exits[0, :, 0], (np.arange(390) >= 10) & (close < lower))
    np.testing.assert_allclose(
        signals.score[entries, 0], (close[entries] - upper[entries]) / atr[entries], rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(signals.stop_distance[entries, 0], 3.0 * atr[entries] / close[entries], rtol=1e-9)


def test_bollinger_agrees_with_the_oracle(walk: Walk) -> None:
    (block,) = walk(13, sessions=1, rows=390, symbols=1, share_present=1.0)
    signals = run(block, "bollinger", mean_bars=20, width=2, stop_deviations=3)
    close = block.close[:, 0]
    _, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    deviation = talib.STDDEV(close, 20)
    entries = close < lower
    assert 5 < entries.sum() < 100
    np.testing.assert_array_equal(signals.direction[:, 0], entries)
    np.testing.assert_array_equal(signals.exits[0, :, 0], close >= middle)
    np.testing.assert_allclose(
        signals.score[entries, 0], (middle[entries] - close[entries]) / deviation[entries], rtol=1e-6
    )
    np.testing.assert_allclose(signals.stop_distance[entries, 0], 3.0 * deviation[entries] / close[entries], rtol=1e-6)


def test_macd_agrees_with_the_oracle(walk: Walk) -> None:
    (block,) = walk(14, sessions=1, rows=390, symbols=1, share_present=1.0)
    signals = run(block, "macd", fast_bars=12, slow_bars=26, signal_bars=9, atr_bars=14, band_atr=0.05)
    high, low, close = block.high[:, 0], block.low[:, 0], block.close[:, 0]
    line, _, histogram = talib.MACD(close, 12, 26, 9)
    atr = talib.ATR(high, low, close, 14)
    entries = (line > 0.0) & (histogram > 0.05 * atr)
    assert 20 < entries.sum() < 300
    np.testing.assert_array_equal(signals.direction[:, 0], entries)
    np.testing.assert_array_equal(signals.exits[0, :, 0], histogram < 0.0)
    np.testing.assert_allclose(signals.score[entries, 0], histogram[entries] / atr[entries], rtol=1e-6)


def ranked(block: MarketBlock, look_back: int, skip: int) -> np.ndarray:
    """Place of each symbol at each minute as a share of those that are better, from the definition."""
    rows, symbols = block.close.shape
    own: list[list[float]] = [[] for _ in range(symbols)]
    newest = np.full(symbols, np.nan)
    places = np.full((rows, symbols), np.nan)
    for row in range(rows):
        for column in np.flatnonzero(block.present[row]):
            own[column].append(float(block.close[row, column]))
            closes = np.array(own[column])
            if closes.size > look_back + skip:
                wild = np.diff(np.log(closes[-look_back - 1 :])).std(ddof=1) * np.sqrt(look_back)
                newest[column] = (closes[-1 - skip] / closes[-1 - skip - look_back] - 1.0) / wild
        known = np.isfinite(newest)
        for column in np.flatnonzero(known & block.present[row]):
            if known.sum() >= 5:
                places[row, column] = (newest[known] > newest[column]).sum() / known.sum()
    return places


@pytest.mark.parametrize("share_present", [1.0, 0.7])
def test_cross_sectional_buys_the_best_fraction_of_each_minute(walk: Walk, share_present: float) -> None:
    (block,) = walk(15, sessions=1, rows=200, symbols=10, share_present=share_present)
    parameters = {"look_back_bars": 30, "skip_bars": 5, "atr_bars": 14}
    signals = run(block, "cross_sectional", **parameters, top_fraction=0.2, keep_fraction=0.5)
    places = ranked(block, 30, 5)
    entries = (places < 0.2) & signals.ready
    rising = signals.direction == 1
    assert rising.sum() > 100
    assert (entries | ~rising).all()  # All that are bought are of the best fifth ...
    assert (signals.score[rising] > 0.0).all()
    assert (entries & ~rising).sum() < 0.3 * rising.sum()  # ... and of these only such as fell are not.
    np.testing.assert_array_equal(signals.exits[0], places >= 0.5)


def test_cross_sectional_needs_enough_symbols_to_rank(walk: Walk) -> None:
    (block,) = walk(15, sessions=1, rows=100, symbols=4, share_present=1.0)
    quick = {"look_back_bars": 10, "skip_bars": 2, "atr_bars": 5}
    assert not run(block, "cross_sectional", **quick).has_entry.any()
    assert run(block, "cross_sectional", **quick, symbols_min=4).has_entry.any()


@pytest.mark.parametrize("name", [name for name in available() if name != "cross_sectional"])
def test_a_price_that_never_moves_is_left_alone(block_of: MakeBlock, name: str) -> None:
    flat = block_of(np.full((400, 2), 50.0))
    still = MarketBlock(
        universe=flat.universe,
        session=flat.session,
        closed_at_ns=flat.closed_at_ns,
        volume=flat.volume,
        open=flat.close,
        high=flat.close,
        low=flat.close,
        close=flat.close,
        present=flat.present,
    )
    signals = run(still, name)
    assert not signals.has_entry.any()
    assert not signals.has_exit.any()
    assert signals.ready[-1].all()


def test_the_example_for_users_runs_as_it_is_written(walk: Walk) -> None:
    example = textwrap.dedent((strategy.__doc__ or "").split(":\n", 1)[1])
    names = {**vars(strategy), **vars(indicators)}
    exec(example, names)
    first, second = walk(10, sessions=2, rows=390, symbols=3, share_present=0.8)
    core = SignalCore(first.universe, [names["Breakout"]()], SignalSettings())
    core.warm_up([first])
    signals = core.advance(second)
    assert signals.has_entry.any()
    assert (signals.score[signals.direction == 1] > 2.0).all()


def test_idle_asks_for_nothing(walk: Walk) -> None:
    (block,) = walk(9, sessions=1, rows=50, symbols=3, share_present=0.8)
    signals = run(block, "idle")
    assert not signals.direction.any()
    assert not signals.exits.any()
    assert signals.exits.shape == (1, 50, 3)


@pytest.mark.parametrize(
    ("name", "quick"),
    [
        ("donchian", {"entry_bars": 12, "exit_bars": 5, "atr_bars": 6}),
        ("ema_trend", {"fast_bars": 4, "slow_bars": 9, "atr_bars": 5, "band_atr": 0.2}),
        ("ema_trend", {"fast_bars": 4, "slow_bars": 9, "atr_bars": 5, "adx_min": 20.0, "adx_bars": 6}),
    ],
)
def test_shorts_are_the_mirror_image_of_longs(walk: Walk, name: str, quick: dict[str, Parameter]) -> None:
    """On prices turned upside down every short is a long, and every cover an exit."""
    (block,) = walk(8, sessions=1, rows=390, symbols=2, share_present=0.9)
    mirror = replace(
        block, open=300.0 - block.open, high=300.0 - block.low, low=300.0 - block.high, close=300.0 - block.close
    )
    both, upside_down = run(block, name, **quick, shorts=True), run(mirror, name, **quick)
    longs = run(block, name, **quick)
    np.testing.assert_array_equal(both.direction == -1, upside_down.direction == 1)
    np.testing.assert_array_equal(both.direction == 1, longs.direction == 1)
    np.testing.assert_array_equal(both.exits, longs.exits)
    np.testing.assert_array_equal(both.covers, upside_down.exits)
    short = both.direction == -1
    assert short.sum() > 5
    np.testing.assert_allclose(both.score[short], upside_down.score[short], rtol=1e-6)
    assert (both.stop_distance[short] > 0.0).all()
    assert longs.covers is longs.exits
    np.testing.assert_array_equal(both.strategy[short], 0)
