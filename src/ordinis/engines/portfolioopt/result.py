"""What an optimisation answers: weights, and the proof that they are what was asked for."""

from __future__ import annotations

import msgspec

from ordinis.engines.portfolioopt.accelerator import NUMPY
from ordinis.engines.portfolioopt.rounding import Rounded


class OptimizationResult(msgspec.Struct, frozen=True, kw_only=True):
    """Weights with their certificate. Yearly figures are fractions."""

    method: str
    weights: dict[str, float]  # Symbol -> fraction of equity; every symbol that was not excluded, and what is frozen.
    cash: float  # What is left of equity; negative where gross is above 1.
    expected_return: float  # A year; of the symbols that were not excluded.
    expected_volatility: float  # A year; likewise.
    status: str  # optimal, best_found, relaxed, substitute, held: see docs/optimizer.md.
    gap: float  # To a proven bound on what was minimised, relative; 0 of a formula, NaN of what is not an optimum.
    violation: float  # The most by which a limit is passed: in weight, of caps on risk in volatility a year.
    rung: str  # What produced it.
    excluded: dict[str, str]  # Symbol -> why it could not be looked at.
    frozen: dict[str, float]  # Excluded and held: kept as they are, and counted against the limits.
    relaxed: dict[str, float]  # Limit -> by how much it had to give way; empty where all are kept.
    turnover: float | None  # Sum of absolute changes; None without current weights.
    elapsed_ms: float | None  # By the clock that was passed in.
    backend: str = NUMPY  # Who multiplied large tables; a device that failed is named with its error.
    rounded: Rounded | None = None  # The same in shares, where lots were given.
