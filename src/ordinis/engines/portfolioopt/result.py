"""What an optimisation is asked and what it answers: constraints, and a result with its certificate."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import msgspec

from ordinis.domain.errors import ConfigError, OptimizationError

DIGITS = 1e-9  # Figures a person wrote are compared with this much room.
_DEFAULTS = {"max_weight": 1.0, "min_weight": 0.0, "cash_buffer": 0.0, "gross": 1.0, "min_gross": 0.0}


class Constraints(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Limits on the weights, as fractions of equity. Long only."""

    max_weight: float = 1.0  # Of any symbol.
    min_weight: float = 0.0  # Of every symbol that was not excluded.
    cash_buffer: float = 0.0  # Part of gross that stays cash.
    gross: float = 1.0  # The most that is invested, before the buffer is taken off.
    min_gross: float = 0.0  # The least that is invested; only where the method leaves cash free.

    @property
    def budget(self) -> float:
        """The most that may be invested."""
        return self.gross * (1.0 - self.cash_buffer)

    @classmethod
    def of(cls, given: Mapping[str, float] | None) -> Constraints:
        """From the plan's mapping. Error: ConfigError for an unknown name or an impossible figure."""
        for name, value in (given or {}).items():
            if name not in _DEFAULTS:
                close = difflib.get_close_matches(name, _DEFAULTS, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(_DEFAULTS)}"
                raise ConfigError(f"constraints: {name} is unknown; {hint}")
            if not 0.0 <= value < float("inf"):
                raise ConfigError(f"constraints: {name} must be at least 0 and finite, was {value}")
        constraints = cls(**{**_DEFAULTS, **(given or {})})
        if constraints.cash_buffer >= 1.0:
            raise ConfigError(f"constraints: cash_buffer must be in [0, 1), was {constraints.cash_buffer}")
        return constraints

    def check(self, symbols: int, frozen: float, least: float) -> None:
        """In O(1): whether any weights of so many symbols can satisfy all of it, beside what is frozen.

        `least` is what the method has to invest. Error: OptimizationError naming what is in conflict and by how much.
        """
        if self.min_weight > self.max_weight:
            raise _conflict("min_weight", self.min_weight, "max_weight", self.max_weight)
        if frozen > self.budget + DIGITS:
            raise _conflict("what is held without an estimate", frozen, "gross x (1 - cash_buffer)", self.budget)
        if frozen + symbols * self.min_weight > self.budget + DIGITS:
            floor = frozen + symbols * self.min_weight
            raise _conflict(f"min_weight x {symbols} symbols", floor, "gross x (1 - cash_buffer)", self.budget)
        if least > frozen + symbols * self.max_weight + DIGITS:
            capacity = frozen + symbols * self.max_weight
            raise _conflict("what has to be invested", least, f"max_weight x {symbols} symbols", capacity)


def _conflict(larger: str, above: float, smaller: str, below: float) -> OptimizationError:
    return OptimizationError(
        f"no weights satisfy the constraints: {larger} is {above:.6g}, above {smaller} of {below:.6g};"
        f" change one of them by at least {above - below:.6g}"
    )


class OptimizationResult(msgspec.Struct, frozen=True, kw_only=True):
    """Weights with the proof that they are what was asked for. Yearly figures are fractions."""

    method: str
    weights: dict[str, float]  # Symbol -> fraction of equity; every symbol that was not excluded, and what is frozen.
    cash: float  # What is left of equity; negative where gross is above 1.
    expected_return: float  # A year; of the symbols that were not excluded.
    expected_volatility: float  # A year; likewise.
    status: str  # "optimal"; anything else is an error and no result.
    residual: float  # Of the optimality conditions, in units of the normalised problem. Exact formulas: 0.
    violation: float  # The most by which a constraint is passed, in weight.
    rung: str  # What produced it.
    excluded: dict[str, str]  # Symbol -> why it could not be looked at.
    frozen: dict[str, float]  # Excluded and held: kept as they are, and counted against the budget.
    turnover: float | None  # Sum of absolute changes; None without current weights.
    elapsed_ms: float | None  # By the clock that was passed in.
