"""The strategies that can be named in settings, and their parameters."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ordinis.domain.errors import ConfigError, StrategyError
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
BUILT_IN = "built in"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """How a strategy of the user's own is made, and where it was found."""

    name: str
    make: Callable[[Any], Strategy]
    parameters: type  # A dataclass.
    origin: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NoParameters:
    """There is nothing to set."""


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


def available(own: Mapping[str, Maker] = MappingProxyType({})) -> dict[str, Any]:
    """Every strategy's name and its parameters at their defaults."""
    return {name: parameters() for name, (_, parameters) in _all(own).items()}


def built_in() -> frozenset[str]:
    """The names that are taken."""
    return frozenset(_MAKERS)


def create(name: str, parameters: Mapping[str, Parameter], own: Mapping[str, Maker] = MappingProxyType({})) -> Strategy:
    """A new strategy. Errors: ConfigError for an unknown name or key, a wrong type, a figure out of range."""
    makers = _all(own)
    if name not in makers:
        raise ConfigError(f"there is no strategy {name!r}; {_near(name, makers)}")
    maker, kind = makers[name]
    return maker(kind(**_checked(name, kind, parameters)))


def maker_of(kind: Any, origin: str) -> Maker:
    """A class of the user's own as a maker. Errors: StrategyError for one that is no strategy."""
    name = getattr(kind, "name", None)
    if not isinstance(kind, type) or not isinstance(name, str) or not callable(getattr(kind, "advance", None)):
        raise StrategyError(f"{origin}: {kind!r} is no strategy; expected a class with a name and a method advance")
    if not _NAME.fullmatch(name):
        raise StrategyError(f"{origin}: a strategy's name is of small letters, digits and _, was {name!r}")
    if name in _MAKERS:
        raise StrategyError(f"{origin}: the name {name!r} is taken by a strategy that is built in; choose another")
    parameters = _parameters_of(kind, origin)
    make = kind if parameters is not NoParameters else lambda _: kind()
    return Maker(name=name, make=make, parameters=parameters, origin=origin)


def _parameters_of(kind: type, origin: str) -> type:
    wanted = [one for one in inspect.signature(kind).parameters.values() if one.default is inspect.Parameter.empty]
    if not wanted:
        return NoParameters
    hint = typing.get_type_hints(kind.__init__).get(wanted[0].name)  # type: ignore[misc]
    if len(wanted) > 1 or not (isinstance(hint, type) and dataclasses.is_dataclass(hint)):
        raise StrategyError(
            f"{origin}: {kind.__name__} must take nothing, or one argument whose type is a dataclass of parameters"
        )
    return hint


def _all(own: Mapping[str, Maker]) -> dict[str, tuple[Callable[[Any], Strategy], type]]:
    return {**_MAKERS, **{name: (maker.make, maker.parameters) for name, maker in own.items()}}


def _checked(strategy: str, kind: type, given: Mapping[str, Parameter]) -> dict[str, Parameter]:
    hints = typing.get_type_hints(kind)
    expected = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    for key in given:
        if key not in expected:
            raise ConfigError(f"strategies.parameters.{strategy} has no parameter {key!r}; {_near(key, expected)}")
    return {key: _typed(strategy, key, expected[key], value) for key, value in given.items()}


def _typed(strategy: str, key: str, kind: Any, value: Parameter) -> Parameter:
    plain = str if typing.get_origin(kind) is typing.Literal else kind
    if plain is float and type(value) is int:  # 2 for 2.0 is no mistake; True for 1 is.
        return float(value)
    if type(value) is not plain:
        raise ConfigError(
            f"strategies.parameters.{strategy}.{key} must be of type {plain.__name__}, "
            f"was {value!r} ({type(value).__name__})"
        )
    return value


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    choices = f"there are {', '.join(names)}" if names else "it takes none"
    return f"did you mean {close[0]!r}? {choices}" if close else choices
