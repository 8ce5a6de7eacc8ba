"""Constraints as a person writes them: what is known, what is allowed, and what contradicts itself at first sight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ordinis.domain.errors import ConfigError, OptimizationError

DIGITS = 1e-9  # Figures a person wrote are compared with this much room.
_KINDS = {"sector": "sectors", "cluster": "clusters"}


class Constraints(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Limits on the weights, as fractions of equity. By symbol where a mapping is given, for all where a number is."""

    max_weight: float | dict[str, float] = 1.0  # Of any symbol; a mapping leaves the others at 1.
    min_weight: float | dict[str, float] = 0.0  # Of every symbol that was not excluded; below 0 it may be short.
    bounds: dict[str, tuple[float, float]] = {}  # Symbol -> least and most, in place of the two above.
    long_only: bool = True  # Off: shorts down to -max_weight, where min_weight says nothing else.
    cash_buffer: float = 0.0  # Part of gross that stays cash.
    gross: float = 1.0  # The most that is invested, shorts counted too, before the buffer is taken off.
    min_gross: float = 0.0  # The least that is invested; only where the method leaves cash free.
    net: tuple[float, float] | None = None  # Least and most of the sum of all weights.
    sectors: dict[str, str] = {}  # Symbol -> sector.
    max_sector: float | dict[str, float] | None = None  # Of each sector's sum, or by sector.
    clusters: dict[str, str] = {}  # Symbol -> cluster.
    max_cluster: float | dict[str, float] | None = None  # Of each cluster's sum, or by cluster.
    betas: dict[str, float] = {}  # Symbol -> beta.
    beta: tuple[float, float] | None = None  # Least and most of the book's beta.
    max_volatility: float | None = None  # A year.
    benchmark: dict[str, float] = {}  # Symbol -> weight.
    max_tracking_error: float | None = None  # Volatility a year of the difference to the benchmark.
    max_turnover: float | None = None  # Sum of absolute changes from the current weights: buys plus sells.
    cost: float | dict[str, float] = 0.0  # A unit of weight traded.
    impact: float | dict[str, float] = 0.0  # Times |change|^(3/2).
    max_positions: int | None = None
    min_position: float = 0.0  # Of what is held at all.
    frozen: tuple[str, ...] = ()  # Held and not to be traded now.

    @property
    def budget(self) -> float:
        """The most that may be invested."""
        return self.gross * (1.0 - self.cash_buffer)

    @property
    def shorts(self) -> bool:
        """Whether any weight may be negative."""
        lows = self.min_weight.values() if isinstance(self.min_weight, dict) else (self.min_weight,)
        return not self.long_only or min(lows, default=0.0) < 0.0 or any(low < 0.0 for low, _ in self.bounds.values())

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Constraints:
        """From a mapping. Error: ConfigError for an unknown name or an impossible figure."""
        if not given:
            return _NONE
        for name in given:
            if name not in _KNOWN:
                import difflib

                close = difflib.get_close_matches(name, _KNOWN, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(_KNOWN)}"
                raise ConfigError(f"constraints: {name} is unknown; {hint}")
        try:
            constraints = msgspec.convert(plain(given), cls, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"constraints: {_said(error)}") from None
        constraints._check_finite()
        constraints._check_figures()
        return constraints

    def _check_finite(self) -> None:
        for name in _FINITE:
            value = getattr(self, name)
            for one in value.values() if isinstance(value, dict) else (value,):
                if not math.isfinite(one):
                    raise ConfigError(f"constraints: {name} must be finite, was {one}")

    def _check_figures(self) -> None:
        for name in _AT_LEAST_ZERO:
            value = getattr(self, name)
            for one in value.values() if isinstance(value, dict) else (value,):
                if one is not None and not 0.0 <= one < math.inf:
                    raise ConfigError(f"constraints: {name} must be at least 0 and finite, was {one}")
        if self.cash_buffer >= 1.0:
            raise ConfigError(f"constraints: cash_buffer must be in [0, 1), was {self.cash_buffer}")
        if self.max_positions is not None and self.max_positions < 1:
            raise ConfigError(f"constraints: max_positions must be at least 1, was {self.max_positions}")
        for name in ("net", "beta"):
            band = getattr(self, name)
            if band is not None and not band[0] <= band[1]:
                raise ConfigError(f"constraints: {name} must be (least, most), was {band}")
        for limit, needs in (("beta", "betas"), ("max_tracking_error", "benchmark"), *_GROUPS):
            if getattr(self, limit) is not None and not getattr(self, needs):
                raise ConfigError(f"constraints: {limit} needs {needs}, a figure or name by symbol")
        for symbol, (low, high) in self.bounds.items():
            if not -math.inf < low <= high < math.inf:
                raise ConfigError(f"constraints: bounds of {symbol} must be (least, most), was {(low, high)}")


_GROUPS = (("max_sector", "sectors"), ("max_cluster", "clusters"))
_KNOWN = Constraints.__struct_fields__
_AT_LEAST_ZERO = (
    "max_weight",
    "cash_buffer",
    "gross",
    "min_gross",
    "max_sector",
    "max_cluster",
    "max_volatility",
    "max_tracking_error",
    "max_turnover",
    "cost",
    "impact",
    "min_position",
)
_FINITE = ("min_weight", "betas", "benchmark")
_NONE = Constraints()


def conflict(larger: str, above: float, smaller: str, below: float) -> OptimizationError:
    return OptimizationError(
        f"no weights satisfy the constraints: {larger} is {above:.6g}, above {smaller} of {below:.6g};"
        f" change one of them by at least {above - below:.6g}"
    )


def plain(value: Any) -> Any:
    """A copy with numbers and arrays of NumPy as numbers and lists, series as mappings."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        copies = [plain(one) for one in value]
        return tuple(copies) if isinstance(value, tuple) else copies
    return value.tolist() if hasattr(value, "tolist") else value


def _said(error: msgspec.ValidationError) -> str:
    text = str(error)
    message, _, place = text.partition(" - at `$.")
    return f"{place.rstrip('`')}: {message}" if place else text
