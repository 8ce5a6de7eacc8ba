"""Checks that strategies' parameters share. Each raises ConfigError naming the strategy and the key."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ordinis.domain.errors import ConfigError


def check_bars(strategy: str, *, least: int = 1, **periods: int) -> None:
    for key, bars in periods.items():
        if bars < least:
            raise _wrong(strategy, key, f"at least {least} bar{'s' * (least > 1)}", bars)


def check_order(strategy: str, *, fast_bars: int, slow_bars: int) -> None:
    if fast_bars >= slow_bars:
        raise _wrong(strategy, "fast_bars", f"less than slow_bars ({slow_bars})", fast_bars)


def check_positive(strategy: str, **figures: float) -> None:
    for key, figure in figures.items():
        if not (math.isfinite(figure) and figure > 0.0):
            raise _wrong(strategy, key, "a finite number above 0", figure)


def check_at_least(strategy: str, least: float, **figures: float) -> None:
    for key, figure in figures.items():
        if not (math.isfinite(figure) and figure >= least):
            raise _wrong(strategy, key, f"a finite number of at least {least:g}", figure)


def check_fraction(strategy: str, **figures: float) -> None:
    for key, figure in figures.items():
        if not 0.0 < figure <= 1.0:
            raise _wrong(strategy, key, "a fraction above 0 and at most 1", figure)


def check_choice(strategy: str, choices: Sequence[str], **names: str) -> None:
    for key, name in names.items():
        if name not in choices:
            raise _wrong(strategy, key, f"one of {', '.join(choices)}", name)


def _wrong(strategy: str, key: str, expected: str, was: object) -> ConfigError:
    return ConfigError(f"strategies.parameters.{strategy}.{key} must be {expected}, was {was!r}")
