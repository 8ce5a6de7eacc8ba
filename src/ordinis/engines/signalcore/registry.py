"""The strategies that can be named in settings, and their parameters."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ordinis.domain.errors import ConfigError
from ordinis.engines.signalcore.strategies.atr_rsi import AtrRsi, AtrRsiParameters
from ordinis.engines.signalcore.strategies.bollinger import BollingerParameters, BollingerReversion
from ordinis.engines.signalcore.strategies.cross_sectional import CrossSectional, CrossSectionalParameters
from ordinis.engines.signalcore.strategies.donchian import DonchianBreakout, DonchianParameters
from ordinis.engines.signalcore.strategies.ema_trend import EmaTrend, EmaTrendParameters
from ordinis.engines.signalcore.strategies.idle import Idle, IdleParameters
from ordinis.engines.signalcore.strategies.macd import MacdMomentum, MacdParameters
from ordinis.engines.signalcore.strategies.sma_cross import SmaCross, SmaCrossParameters
from ordinis.engines.signalcore.strategy import Strategy

Parameter = float | int | str | bool

_MAKERS: dict[str, tuple[Callable[[Any], Strategy], type]] = {
    AtrRsi.name: (AtrRsi, AtrRsiParameters),
    EmaTrend.name: (EmaTrend, EmaTrendParameters),
    SmaCross.name: (SmaCross, SmaCrossParameters),
    DonchianBreakout.name: (DonchianBreakout, DonchianParameters),
    BollingerReversion.name: (BollingerReversion, BollingerParameters),
    MacdMomentum.name: (MacdMomentum, MacdParameters),
    CrossSectional.name: (CrossSectional, CrossSectionalParameters),
    Idle.name: (Idle, IdleParameters),
}


def available() -> dict[str, Any]:
    """Every strategy's name and its parameters at their defaults."""
    return {name: parameters() for name, (_, parameters) in _MAKERS.items()}


def create(name: str, parameters: Mapping[str, Parameter]) -> Strategy:
    """A new strategy. Errors: ConfigError for an unknown name or key, a wrong type, a figure out of range."""
    if name not in _MAKERS:
        raise ConfigError(f"there is no strategy {name!r}; {_near(name, _MAKERS)}")
    maker, kind = _MAKERS[name]
    return maker(kind(**_checked(name, kind, parameters)))


def _checked(strategy: str, kind: type, given: Mapping[str, Parameter]) -> dict[str, Parameter]:
    hints = typing.get_type_hints(kind)
    expected = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    for key in given:
        if key not in expected:
            raise ConfigError(f"strategies.{strategy} has no parameter {key!r}; {_near(key, expected)}")
    return {key: _typed(strategy, key, expected[key], value) for key, value in given.items()}


def _typed(strategy: str, key: str, kind: Any, value: Parameter) -> Parameter:
    plain = str if typing.get_origin(kind) is typing.Literal else kind
    if plain is float and type(value) is int:  # 2 for 2.0 is no mistake; True for 1 is.
        return float(value)
    if type(value) is not plain:
        raise ConfigError(
            f"strategies.{strategy}.{key} must be of type {plain.__name__}, was {value!r} ({type(value).__name__})"
        )
    return value


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    choices = f"there are {', '.join(names)}" if names else "it takes none"
    return f"did you mean {close[0]!r}? {choices}" if close else choices
