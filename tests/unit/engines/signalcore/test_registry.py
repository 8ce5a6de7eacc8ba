from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ordinis.domain.errors import ConfigError
from ordinis.engines.signalcore.registry import Parameter, available, create


def test_every_strategy_is_made_from_its_defaults() -> None:
    for name, parameters in available().items():
        made = create(name, dataclasses.asdict(parameters))
        assert made.name == name


def test_the_defaults_of_atr_rsi_are_those_of_the_system_it_replaces() -> None:
    assert dataclasses.asdict(available()["atr_rsi"]) == {
        "rsi_bars": 14,
        "atr_bars": 14,
        "oversold": 30.0,
        "overbought": 70.0,
        "stop_atr": 2.0,
        "smoothing": "mean",
    }


def test_a_parameter_given_is_the_one_used() -> None:
    made: Any = create("atr_rsi", {"oversold": 25, "rsi_bars": 7})
    assert (made.parameters.oversold, made.parameters.rsi_bars) == (25.0, 7)
    assert isinstance(made.parameters.oversold, float)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("atr_rsy", {}, "no strategy 'atr_rsy'; did you mean 'atr_rsi'"),
        ("zzz", {}, "no strategy 'zzz'; there are atr_rsi, ema_trend, sma_cross, donchian"),
        ("ema_trend", {"fast_bar": 5}, "ema_trend has no parameter 'fast_bar'; did you mean 'fast_bars'"),
        ("idle", {"speed": 1}, "idle has no parameter 'speed'; it takes none"),
        ("ema_trend", {"fast_bars": 5.0}, r"ema_trend.fast_bars must be of type int, was 5.0 \(float\)"),
        ("ema_trend", {"fast_bars": True}, r"must be of type int, was True \(bool\)"),
        ("ema_trend", {"band_atr": "wide"}, r"band_atr must be of type float, was 'wide' \(str\)"),
        ("ema_trend", {"band_atr": True}, "band_atr must be of type float, was True"),
        ("ema_trend", {"band_atr": -0.1}, "band_atr must be a finite number of at least 0, was -0.1"),
        ("ema_trend", {"stop_atr": 0}, "stop_atr must be a finite number above 0, was 0.0"),
        ("ema_trend", {"stop_atr": float("nan")}, "stop_atr must be a finite number above 0, was nan"),
        ("ema_trend", {"fast_bars": 240}, r"fast_bars must be less than slow_bars \(240\), was 240"),
        ("ema_trend", {"adx_min": 100}, r"adx_min must be in \[0, 100\), was 100.0"),
        ("ema_trend", {"adx_bars": 1}, "adx_bars must be at least 2 bars, was 1"),
        ("bollinger", {"mean_bars": 1}, "bollinger.mean_bars must be at least 2 bars, was 1"),
        ("cross_sectional", {"top_fraction": 0.6}, r"top_fraction must not be above keep_fraction \(0.5\), was 0.6"),
        ("cross_sectional", {"keep_fraction": 1.5}, "a fraction above 0 and at most 1, was 1.5"),
        ("macd", {"fast_bars": 200}, r"macd.fast_bars must be less than slow_bars \(130\), was 200"),
        ("donchian", {"stop_atr": -1}, "donchian.stop_atr must be a finite number above 0, was -1.0"),
        ("sma_cross", {"fast_bars": 0}, "sma_cross.fast_bars must be at least 1 bar, was 0"),
        ("atr_rsi", {"smoothing": "wild"}, "smoothing must be one of mean, wilder, was 'wild'"),
        ("atr_rsi", {"smoothing": 3}, "smoothing must be of type str, was 3"),
        ("atr_rsi", {"oversold": 80.0}, "0 < oversold < overbought < 100 must hold, was oversold 80.0"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(name: str, parameters: dict[str, Parameter], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create(name, parameters)
