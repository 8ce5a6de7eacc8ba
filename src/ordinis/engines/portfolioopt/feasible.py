"""Whether any weights keep all limits: those nearest to it, and how far each limit has to give way.

The order in which limits give way is stated: those that only say how to trade before those that say how much to risk,
and what is invested last of all. A limit gives way only when all before it did not suffice, and by as little as can be.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.linear import LinearProgram
from ordinis.engines.portfolioopt.program import INFINITE, Program

TURNOVER, TARGET_RETURN, BOUNDS, GROSS = "max_turnover", "target_return", "max_weight", "gross"
GIVES_WAY = (TURNOVER, TARGET_RETURN, "beta", "cluster", "sector", "net", BOUNDS, GROSS, "budget")  # In this order.
_GIVEN = 1e-9  # Less is rounding.


class Nearest(NamedTuple):
    """Weights that pass the limits by as little as can be."""

    weights: FloatArray
    slack: dict[str, float]  # Limit -> by how much it is passed; only those that are.


def nearest(program: Program) -> Nearest:
    """Weights within all limits, or with the least slack in the first limits of GIVES_WAY that suffice."""
    for count in range(len(GIVES_WAY) + 1):
        found = _with_slack(program, GIVES_WAY[:count])
        if found is not None:
            return found
    raise OptimizationError("no weights satisfy the constraints, however far they give way")


def relaxed(program: Program, near: Nearest) -> Program:
    """The same with its limits wide enough for those weights."""
    gives = near.slack
    extra = np.array([gives.get(name, 0.0) for name in program.names])
    bound = gives.get(BOUNDS, 0.0)
    return replace(
        program,
        low=np.minimum(program.low, near.weights) if bound else program.low,
        high=np.maximum(program.high, near.weights) if bound else program.high,
        row_low=program.row_low - extra,
        row_high=program.row_high + extra,
        turnover_max=program.turnover_max + gives.get(TURNOVER, 0.0),
        gross_max=program.gross_max + gives.get(GROSS, 0.0),
    )


def conflict(program: Program, return_unit: float = 1.0) -> str:
    """Which limits contradict each other, and the least that has to give."""
    slack = told(nearest(program).slack, return_unit)
    if not slack:
        return "the constraints can be kept, but no weights were found"
    least = ", ".join(f"{name} by {amount:.6g}" for name, amount in slack.items())
    return f"no weights satisfy the constraints together; the least that would have to give way: {least}"


def told(slack: dict[str, float], return_unit: float) -> dict[str, float]:
    """Slack as a person knows the limits: a target of returns has been in this unit."""
    return {name: amount * (return_unit if name == TARGET_RETURN else 1.0) for name, amount in slack.items()}


def _kind(name: str) -> str:
    return name.split(" ", maxsplit=1)[0]


def _with_slack(program: Program, gives: tuple[str, ...]) -> Nearest | None:
    """The least sum of slacks in these limits, or None where they do not suffice."""
    linear = LinearProgram()
    open_bounds = BOUNDS in gives
    size = program.size
    far = 10.0 + float(np.abs(program.high).max()) if open_bounds else 0.0
    low, high = _opened(program, far) if open_bounds else (program.low, program.high)
    weights = linear.columns(size, 0.0, low, high)
    slack: dict[str, IntArray] = {}
    for row, name in enumerate(program.names):
        number = linear.rows(program.row_low[row], program.row_high[row], 1)
        linear.fill(number, weights, program.rows[row][None, :])
        if _kind(name) in gives:
            less, more = linear.columns(1, 1.0, 0.0, INFINITE), linear.columns(1, 1.0, 0.0, INFINITE)
            linear.fill(number, less, np.array([1.0]))
            linear.fill(number, more, np.array([-1.0]))
            slack[name] = np.concatenate([less, more])
    if open_bounds:
        slack[BOUNDS] = linear.columns(size, 1.0, 0.0, INFINITE)
        _beyond(linear, weights, slack[BOUNDS], program)
    if program.turnover_max < INFINITE and program.start is not None:
        slack |= _total(linear, weights, program.start, program.turnover_max, TURNOVER, gives)
    if program.gross_max < INFINITE:
        slack |= _total(linear, weights, np.zeros(size), program.gross_max, GROSS, gives)
    if not linear.height:
        return Nearest(np.clip(np.zeros(size), program.low, program.high), {})
    try:
        found = linear.solve().values
    except NotSolved:
        return None
    given = {name: float(found[columns].max(initial=0.0)) for name, columns in slack.items()}
    return Nearest(found[weights], {name: amount for name, amount in given.items() if amount > _GIVEN})


def _opened(program: Program, far: float) -> tuple[FloatArray, FloatArray]:
    """How far bounds may give way: none changes a position's side, and what may not be traded is not."""
    fixed = program.low == program.high
    low = np.where(fixed, program.low, np.minimum(program.low, 0.0))
    high = np.where(fixed, program.high, np.where(program.high < 0.0, 0.0, program.high + far))
    return low, high


def _beyond(linear: LinearProgram, weights: IntArray, slack: IntArray, program: Program) -> None:
    size = program.size
    for bound, side in ((program.high, -1.0), (program.low, 1.0)):
        low, high = (-INFINITE, bound) if side < 0.0 else (bound, INFINITE)
        numbers = linear.rows(low, high, size)
        linear.fill(numbers, weights, np.ones(size))
        linear.fill(numbers, slack, np.full(size, side))


def _total(
    linear: LinearProgram, weights: IntArray, centre: FloatArray, most: float, name: str, gives: tuple[str, ...]
) -> dict[str, IntArray]:
    """A sum of |w - centre| of at most `most`, by what is above and what is below."""
    size = centre.size
    above, below = linear.columns(size, 0.0, 0.0, INFINITE), linear.columns(size, 0.0, 0.0, INFINITE)
    split = linear.rows(centre, centre, size)
    linear.fill(split, weights, np.ones(size))
    linear.fill(split, above, np.full(size, -1.0))
    linear.fill(split, below, np.ones(size))
    number = linear.rows(-INFINITE, most, 1)
    linear.fill(number, above, np.ones((1, size)))
    linear.fill(number, below, np.ones((1, size)))
    if name not in gives:
        return {}
    slack = linear.columns(1, 1.0, 0.0, INFINITE)
    linear.fill(number, slack, np.array([-1.0]))
    return {name: slack}
