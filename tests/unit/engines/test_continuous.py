"""After a split every figure is what it would be over bars that were adjusted for it beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock, Universe
from ordinis.domain.signal import SignalBlock
from ordinis.engines.continuous import ContinuousPrices
from ordinis.engines.daily_exits import DailyExits
from ordinis.engines.estimates import Volatility
from ordinis.engines.outlook import Minutes, Outlook
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.signalcore import SignalCore, SignalSettings
from ordinis.engines.signalcore.bars import BarCounter, OwnBars
from ordinis.engines.signalcore.channels import MACD, VWAP, Bollinger, Donchian
from ordinis.engines.signalcore.directional import ADX
from ordinis.engines.signalcore.indicators import ATR, EMA, EWMA, RSI, SMA, Wilder
from ordinis.engines.signalcore.registry import create
from ordinis.engines.signalcore.resampled import resampled
from ordinis.engines.signalcore.volatility import RollingVolatility
from ordinis.engines.signalcore.windows import Earlier
from ordinis.engines.variance import ESTIMATORS, Estimator
from simulation.random_runs import bars as random_bars

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
SPLIT_BEFORE, SESSIONS, MINUTES = 2, 4, 120  # The split takes effect before the third session.
SPLIT_COLUMN = 1
RATIOS = [4.0, 1.5, 0.1]


def scaled(block: MarketBlock, ratio: float) -> MarketBlock:
    """The block with the split symbol's prices divided by the ratio and its volumes multiplied."""
    factor = np.where(np.arange(len(SYMBOLS)) == SPLIT_COLUMN, ratio, 1.0)
    prices = {name: getattr(block, name) / factor for name in ("open", "high", "low", "close")}
    return replace(block, volume=block.volume * factor, **prices)


def traded_and_adjusted(ratio: float) -> tuple[list[MarketBlock], list[MarketBlock]]:
    """Bars as they were traded, and the same in the terms of the last day."""
    whole = [replace(block, volume=np.round(block.volume, -1) * 10) for block in random_bars(5, SESSIONS, MINUTES)]
    traded = [scaled(block, ratio) if number >= SPLIT_BEFORE else block for number, block in enumerate(whole)]
    return traded, [scaled(block, ratio) for block in whole]


Stream = Callable[[OwnBars], FloatArray]


def of_close(make: Callable[[], Any], line: str = "") -> Callable[[], Stream]:
    def fresh() -> Stream:
        indicator = make()
        return lambda bars: _line(indicator.advance(bars.close, bars), line)

    return fresh


def of_bars(make: Callable[[], Any], line: str = "") -> Callable[[], Stream]:
    def fresh() -> Stream:
        indicator = make()
        return lambda bars: _line(indicator.advance(bars), line)

    return fresh


def rolling(estimator: Estimator) -> Callable[[], Stream]:
    return of_bars(lambda: RollingVolatility(20, estimator=estimator))


def _line(told: Any, line: str) -> FloatArray:
    found: FloatArray = getattr(told, line) if line else told
    return found


IN_PRICES: dict[str, Callable[[], Stream]] = {
    "SMA": of_close(lambda: SMA(20)),
    "EMA": of_close(lambda: EMA(20)),
    "Wilder": of_close(lambda: Wilder(20)),
    "EWMA": of_close(lambda: EWMA(20, 0.94)),
    "ATR": of_bars(lambda: ATR(14)),
    "Bollinger": of_close(lambda: Bollinger(20), "lower"),
    "Donchian": of_bars(lambda: Donchian(40), "upper"),
    "MACD": of_close(lambda: MACD(12, 26, 9), "histogram"),
    "VWAP": of_bars(VWAP),
    "Earlier": of_close(lambda: Earlier(30)),
}
WITHOUT_UNIT: dict[str, Callable[[], Stream]] = {
    "RSI": of_close(lambda: RSI(14)),
    "ADX": of_bars(lambda: ADX(14), "adx"),
    **{name: rolling(name) for name in ESTIMATORS},
}


def told(make: Callable[[], Stream], blocks: Sequence[MarketBlock]) -> FloatArray:
    stream, counter = make(), BarCounter(len(SYMBOLS))
    own = [counter.read(block) for block in blocks]
    return np.concatenate([one.to_minutes(stream(one), np.nan) for one in own])


def through_the_split(blocks: Sequence[MarketBlock], ratio: float) -> list[MarketBlock]:
    continuous, found = ContinuousPrices(len(SYMBOLS)), []
    for number, block in enumerate(blocks):
        if number == SPLIT_BEFORE:
            continuous.split(SPLIT_COLUMN, ratio)
        found.append(continuous.of(block))
    return found


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("name", [*IN_PRICES, *WITHOUT_UNIT])
def test_an_indicator_does_not_notice_a_split(name: str, ratio: float) -> None:
    traded, adjusted = traded_and_adjusted(ratio)
    make = IN_PRICES.get(name) or WITHOUT_UNIT[name]
    found, expected = told(make, through_the_split(traded, ratio)), told(make, adjusted)
    assert np.isfinite(expected[-1]).any()
    if name in IN_PRICES:  # In the terms of the first day.
        expected[:, SPLIT_COLUMN] *= ratio
    exact = ratio == 4.0 and name not in ESTIMATORS  # A power of two changes no bit; a logarithm may.
    np.testing.assert_allclose(found, expected, rtol=0.0 if exact else 1e-9, atol=0.0 if exact else 1e-9)


def test_an_indicator_that_was_not_told_would_notice() -> None:
    traded, adjusted = traded_and_adjusted(4.0)
    found, expected = told(IN_PRICES["EMA"], traded), told(IN_PRICES["EMA"], adjusted)
    assert (
        abs(found[SPLIT_BEFORE * MINUTES + 5, SPLIT_COLUMN] / expected[SPLIT_BEFORE * MINUTES + 5, SPLIT_COLUMN]) > 1.2
    )


PARAMETERS: dict[str, dict[str, int | float]] = {
    "atr_rsi": {},
    "ema_trend": {"fast_bars": 10, "slow_bars": 40, "atr_bars": 10, "adx_min": 15.0, "adx_bars": 10},
    "sma_cross": {},
    "donchian": {"entry_bars": 40, "exit_bars": 20, "atr_bars": 10},
    "bollinger": {"mean_bars": 30, "width": 1.5},
    "macd": {"fast_bars": 12, "slow_bars": 26, "signal_bars": 9, "atr_bars": 10},
    "cross_sectional": {"look_back_bars": 60, "skip_bars": 5, "symbols_min": 3, "atr_bars": 10},
}


def answers(name: str, bar_minutes: int, blocks: Sequence[MarketBlock]) -> list[SignalBlock]:
    strategy = resampled(create(name, PARAMETERS[name]), bar_minutes)
    core = SignalCore(Universe(SYMBOLS), [strategy], SignalSettings(score_history_min=1))
    found = []
    for block in blocks:
        found.append(core.advance(block))
        core.close_session()
    return found


@pytest.mark.parametrize("ratio", [4.0, 0.1])
@pytest.mark.parametrize("bar_minutes", [1, 7])
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_strategy_says_the_same_through_a_split(name: str, bar_minutes: int, ratio: float) -> None:
    traded, adjusted = traded_and_adjusted(ratio)
    found = answers(name, bar_minutes, through_the_split(traded, ratio))
    expected = answers(name, bar_minutes, adjusted)
    if bar_minutes == 1:
        assert any(one.direction[:, SPLIT_COLUMN].any() or one.exits.any() for one in expected[SPLIT_BEFORE:])
    for one, other in zip(found, expected, strict=True):
        for field in fields(SignalBlock):
            ours, theirs = getattr(one, field.name), getattr(other, field.name)
            if isinstance(ours, np.ndarray) and ours.dtype.kind == "f":
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
            else:
                np.testing.assert_array_equal(ours, theirs)


def looked_at(blocks: Sequence[MarketBlock], ratio: float | None) -> list[Minutes]:
    """An outlook that is told of the split, or one that has adjusted bars and nothing to be told."""
    universe = Universe(SYMBOLS)
    core = SignalCore(universe, [create("ema_trend", PARAMETERS["ema_trend"])], SignalSettings(score_history_min=1))
    outlook = Outlook(universe, core, Volatility(universe, window_sessions=3, returns_min=2))
    found = []
    for number, block in enumerate(blocks):
        if number == SPLIT_BEFORE and ratio is not None:
            outlook.split(SPLIT_COLUMN, ratio)
        found.append(outlook.advance(block, 0.0, Limits(price_collar_fraction_max=0.2)))
        outlook.close_session()
    return found


@pytest.mark.parametrize("ratio", RATIOS)
def test_prices_volumes_volatility_and_the_screen_are_those_of_adjusted_bars(ratio: float) -> None:
    traded, adjusted = traded_and_adjusted(ratio)
    found, expected = looked_at(traded, ratio)[SPLIT_BEFORE:], looked_at(adjusted, None)[SPLIT_BEFORE:]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.marks, other.marks, rtol=1e-12)
        np.testing.assert_allclose(one.volume, other.volume, rtol=1e-9)
        np.testing.assert_allclose(one.volatility, other.volatility, rtol=1e-9)
        np.testing.assert_array_equal(one.screened.reasons, other.screened.reasons)
        assert one.correlation == pytest.approx(other.correlation, abs=1e-9)
    assert np.isfinite(expected[-1].volatility).all()


def test_a_stale_price_is_known_in_the_new_terms_before_the_first_bar() -> None:
    traded, _ = traded_and_adjusted(4.0)
    silent = traded[SPLIT_BEFORE]
    for name in ("open", "high", "low", "close"):
        getattr(silent, name)[:5, SPLIT_COLUMN] = np.nan
    silent.present[:5, SPLIT_COLUMN] = False
    before, after = looked_at(traded[: SPLIT_BEFORE + 1], 4.0)[-2:]
    assert after.marks[0, SPLIT_COLUMN] == before.marks[-1, SPLIT_COLUMN] / 4.0


@pytest.mark.parametrize("ratio", RATIOS)
def test_exits_on_daily_bars_are_those_of_adjusted_bars(ratio: float) -> None:
    traded, adjusted = traded_and_adjusted(ratio)
    universe = Universe(SYMBOLS)
    empty = np.zeros((0, len(SYMBOLS)))
    none = DailyBlock(universe=universe, dates=(), open=empty, high=empty, low=empty, close=empty, volume=empty)

    def votes(blocks: Sequence[MarketBlock], told_of: float | None) -> list[list[list[bool]]]:
        core = SignalCore(universe, [create("sma_cross", {"fast_bars": 2, "slow_bars": 3})], SignalSettings())
        exits, found = DailyExits(universe, [core]), []
        exits.warm_up(none)
        for number, (block, minutes) in enumerate(zip(blocks, looked_at(blocks, told_of), strict=True)):
            if number == SPLIT_BEFORE and told_of is not None:
                exits.split(SPLIT_COLUMN, told_of)
            exits.advance(minutes)
            found.append(exits.close_session(block.session).tolist())
        return found

    assert votes(traded, ratio) == votes(adjusted, None)
