"""An objective within all limits, and the certificate that goes with its minimum."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import caps, quadratic
from ordinis.engines.portfolioopt.certificate import excess, gap, largest
from ordinis.engines.portfolioopt.forms import Rows
from ordinis.engines.portfolioopt.limits import Limits
from ordinis.engines.portfolioopt.newton import GOOD, MILLIONTH
from ordinis.engines.portfolioopt.objectives import Objective, Quadratic, WithImpact
from ordinis.engines.portfolioopt.program import Program


class Proven(NamedTuple):
    """Weights and their certificate."""

    weights: FloatArray
    gap: float  # To a proven bound, relative.
    rung: str
    value: float  # What was minimised, trading costs included.
    violation: float = math.nan  # The most by which a limit is passed; NaN: nobody has looked.
    variance: float = math.nan  # w'Qw of the objective's own form; likewise.


def proven(objective: Objective, limits: Limits) -> Proven:
    """The minimum within all limits. Error: OptimizationError."""
    program = limits.program
    if isinstance(objective, Quadratic) and limits.impact is None and not limits.caps:
        return _proven_quadratic(objective, program)
    whole = with_impact(objective, limits)
    answer = caps.minimise(whole, program, limits.caps)
    open_gap = gap(program, answer.gradient, answer.weights, answer.prices) + answer.slack
    value = whole.value(answer.weights) + program.trading_cost(answer.weights)
    crumb = MILLIONTH * float(np.abs(answer.gradient).max())
    size = max(_size(objective, program, answer.weights, value), crumb)
    return Proven(answer.weights, open_gap / size if size > 0.0 else open_gap, answer.rung, value)


def _proven_quadratic(objective: Quadratic, program: Program) -> Proven:
    """The same where everything follows from the gradient, which is there already."""
    answer = quadratic.minimise(objective.form, objective.theta, objective.gain, program)
    if isinstance(objective.form, Rows) and objective.form.table is not None:  # The proof is the processor's.
        exact = objective._replace(form=objective.form.here)
        answer = answer._replace(gradient=exact.gradient(answer.weights))
    weights, gain = answer.weights, float(objective.gain.dot(answer.weights))
    risk = 0.5 * (float(answer.gradient.dot(weights)) + gain)
    value = risk - gain + program.trading_cost(weights)
    size = max(abs(value), risk)
    open_gap = gap(program, answer.gradient, weights, answer.prices)
    if open_gap > GOOD * size:
        size = max(size, MILLIONTH * largest(np.abs(objective.gain)))
    variance = 2.0 * risk / objective.theta if objective.theta else math.nan
    return Proven(weights, open_gap / size if size > 0.0 else open_gap, answer.rung, value, variance=variance)


def with_impact(objective: Objective, limits: Limits) -> Objective:
    """The objective with what trades move prices by, where that counts."""
    if limits.impact is None or limits.program.start is None:
        return objective
    return WithImpact(objective, limits.impact, limits.program.start)


def _size(objective: Objective, program: Program, weights: FloatArray, value: float) -> float:
    """What a gap is measured by: the value, and its risk where gains and risks cancel."""
    if not isinstance(objective, Quadratic):
        return abs(value)
    risk = value + float(objective.gain @ weights) - program.trading_cost(weights)
    return max(abs(value), abs(risk))


def violation(limits: Limits, weights: FloatArray) -> float:
    """The most by which any limit is passed: in weight, of a cap on a risk in volatility."""
    most = excess(limits.program, weights)
    for cap in limits.caps:
        most = max(most, max(0.0, cap.risk(weights)) ** 0.5 - cap.most)
    return most
