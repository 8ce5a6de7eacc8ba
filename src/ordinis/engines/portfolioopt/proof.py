"""An objective within all limits, and the certificate that goes with its minimum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import caps
from ordinis.engines.portfolioopt.limits import Limits
from ordinis.engines.portfolioopt.objectives import Objective, Quadratic, WithImpact
from ordinis.engines.portfolioopt.program import Program, gap

_MILLIONTH = 1e-6


class Proven(NamedTuple):
    """Weights and their certificate."""

    weights: FloatArray
    gap: float  # To a proven bound, relative.
    rung: str
    value: float  # What was minimised, trading costs included.


def proven(objective: Objective, limits: Limits) -> Proven:
    """The minimum within all limits. Error: OptimizationError."""
    whole = with_impact(objective, limits)
    answer = caps.minimise(whole, limits.program, limits.caps)
    open_gap = gap(limits.program, answer.gradient, answer.weights, answer.prices) + answer.slack
    value = whole.value(answer.weights) + limits.program.trading_cost(answer.weights)
    size = _size(objective, limits.program, answer.weights, value)
    return Proven(answer.weights, open_gap / size if size > 0.0 else open_gap, answer.rung, value)


def with_impact(objective: Objective, limits: Limits) -> Objective:
    """The objective with what trades move prices by, where that counts."""
    if limits.impact is None or limits.program.start is None:
        return objective
    return WithImpact(objective, limits.impact, limits.program.start)


def _size(objective: Objective, program: Program, weights: FloatArray, value: float) -> float:
    """What a gap is measured by: the value, its risk where gains and risks cancel, a crumb where nothing is held."""
    if not isinstance(objective, Quadratic):
        return abs(value)
    risk = value + float(objective.gain @ weights) - program.trading_cost(weights)
    return max(abs(value), abs(risk), _MILLIONTH * float(np.abs(objective.gain).max()))
