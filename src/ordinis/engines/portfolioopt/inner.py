"""The two solvers inside: a dual active set for few assets, an interior point for many. Both answer to the last digit.

    min theta/2 x'Qx + linear'x,  low <= x <= high,  row_low <= A x <= row_high

They are given units in which their absolute tolerances mean something: minute returns have variances of 1e-7, at
which a solver that stops at 1e-6 stops anywhere. Sources: Arnstrom, Bemporad and Axehill (2022), "A dual active-set
solver for embedded quadratic programming using recursive LDL' updates"; Schwan, Jiang, Kuhn and Jones (2023), "PIQP: A
proximal interior-point quadratic programming solver".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray

ACTIVE_SET_MAX = 120  # Symbols; beyond, the interior point is faster when many of them are held.
_sum: Callable[[FloatArray], float] = np.add.reduce
_FEASIBLE = 1e-11
_HUGE = 1e8  # Of the right side: a singular system's answer.
_SOLVED = 1e-10  # A residual of linear equations.
_TOLERANCES = (1e-13, 1e-11, 1e-10)  # The first that is reached.
_DUST = 1e-13  # Of weight: who is so near to a bound is at it.
_NEAR = 1e-6  # An interior point comes so near to the limits that hold.


class NotSolved(OptimizationError):
    """Here this way ends; another may do."""


class TooLate(OptimizationError):
    """The deadline has passed."""


class Infeasible(NotSolved):
    """The solver found no weights within the limits."""


class Inner(NamedTuple):
    """One small problem."""

    quadratic: FloatArray  # [symbols x symbols], positive semidefinite.
    linear: FloatArray  # [symbols].
    low: FloatArray
    high: FloatArray
    rows: FloatArray  # [limits x symbols].
    row_low: FloatArray
    row_high: FloatArray
    theta: float = 1.0

    @property
    def unit(self) -> float:
        mean_square = self.theta * _sum(self.quadratic.diagonal()) / self.low.size
        return mean_square or float(np.abs(self.linear).max()) or 1.0

    def in_units(self, unit: float) -> Inner:
        """The same, the objective divided by the unit."""
        quadratic, linear, low, high, rows, row_low, row_high, theta = self
        return Inner(quadratic * (theta / unit), linear / unit, low, high, rows, row_low, row_high)


def solve(inner: Inner, *, interior: bool = False, flat: bool = False) -> tuple[FloatArray, FloatArray, str]:
    """x, the price of each row, and who solved it. Error: NotSolved; Infeasible where there is no x at all.

    `flat` says that the objective is the same along some directions.
    """
    if inner.low.size <= ACTIVE_SET_MAX and not interior:
        try:
            return *(active_set(inner, flat=True) if flat else active_set(inner)), "active_set"
        except Infeasible:
            raise
        except NotSolved:
            pass  # The other one is asked, and named in the result.
    return *interior_point(inner), "interior_point"


def active_set(inner: Inner, *, flat: bool = False) -> tuple[FloatArray, FloatArray]:
    """By DAQP; a flat objective is bent a little by it, so there linear equations have the last word."""
    import daqp

    unit = inner.unit
    quadratic, linear, low, high, rows, row_low, row_high, _ = units = inner.in_units(unit)
    upper, lower = np.concatenate([high, row_high]), np.concatenate([low, row_low])
    x, _, flag, info = daqp.solve(quadratic, linear, rows, upper, lower, primal_tol=_FEASIBLE, iter_limit=10_000)
    if flag == -1:
        raise Infeasible("no weights satisfy the constraints")
    if flag < 1:
        raise NotSolved(f"the active-set solver stopped with flag {flag}")
    at, prices = info["lam"][: low.size], info["lam"][low.size :]
    if flat:
        x, prices = _polished(units, np.clip(x, low, high), at, prices)
        return x, prices * unit
    np.putmask(x, x < low + _DUST, low)
    np.putmask(x, x > high - _DUST, high)
    return x, prices * unit


def interior_point(inner: Inner, unit: float | None = None) -> tuple[FloatArray, FloatArray]:
    """By PIQP, and then by linear equations over those limits that it found to hold. `unit` divides the objective."""
    import piqp

    unit = unit or inner.unit
    quadratic, linear, low, high, rows, row_low, row_high, _ = units = inner.in_units(unit)
    equal = row_low == row_high
    scaled = np.asfortranarray(quadratic)
    for tolerance in _TOLERANCES:
        solver = piqp.DenseSolver()
        solver.settings.eps_abs = solver.settings.eps_rel = tolerance
        solver.settings.max_iter = 200
        solver.setup(
            scaled,
            linear,
            np.asfortranarray(rows[equal]),
            row_low[equal],
            np.asfortranarray(rows[~equal]),
            row_low[~equal],
            row_high[~equal],
            low,
            high,
        )
        status = str(solver.solve())
        if "PRIMAL_INFEASIBLE" in status:
            raise Infeasible("no weights satisfy the constraints")
        if status.endswith("PIQP_SOLVED"):
            break
    else:
        raise NotSolved(f"the interior point stopped: {status}")
    found = solver.result
    prices = np.zeros(rows.shape[0])
    prices[equal], prices[~equal] = found.y, found.z_u - found.z_l
    bounds = found.z_bu - found.z_bl
    x, prices = _polished(units, found.x, bounds, prices)
    return x, prices * unit


def _polished(inner: Inner, near: FloatArray, bounds: FloatArray, prices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Whose price is larger than the room left is at the limit; the others follow from linear equations."""
    low, high = inner.low, inner.high
    at_low, at_high = (-bounds > near - low) | (low == high), bounds > high - near
    x = np.where(at_low, low, np.where(at_high, high, 0.0))
    free = (~(at_low | at_high)).nonzero()[0]
    level = inner.rows @ near
    edge = np.where(prices > 0.0, inner.row_high, inner.row_low)
    equal = inner.row_low == inner.row_high
    tight = equal | (np.abs(prices) > np.abs(edge - level))
    exact = _equations(inner, x, free, tight, edge)
    # Rows that say the same share a price as they like, but one side of a limit has no price of the other sign.
    for _ in range(tight.size):
        forged = np.zeros_like(tight)
        if exact is not None:
            forged[tight] = (exact[1] * prices[tight] < 0.0) & ~equal[tight]
        if not forged.any():
            break
        tight = tight & ~forged
        exact = _equations(inner, x, free, tight, edge)
    if exact is None or (exact[0] < low - _NEAR).any() or (exact[0] > high + _NEAR).any():
        return np.clip(near, low, high), prices
    weights, some = exact
    full = np.zeros_like(prices)
    full[tight] = some
    return np.clip(weights, low, high), full


def _equations(
    inner: Inner, fixed: FloatArray, free: FloatArray, tight: FloatArray, edge: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    rows = inner.rows[tight]
    count = free.size
    system = np.zeros((count + rows.shape[0],) * 2)
    system[:count, :count] = inner.quadratic[free[:, None], free]
    system[count:, :count] = rows[:, free]
    system[:count, count:] = rows[:, free].T
    right = np.concatenate([-(inner.linear + inner.quadratic @ fixed)[free], edge[tight] - rows @ fixed])
    found = _solved_equations(system, right)
    if found is None:
        return None
    weights = fixed.copy()
    weights[free] = found[:count]
    return weights, found[count:]


def _solved_equations(system: FloatArray, right: FloatArray) -> FloatArray | None:
    """Of a singular system the shortest answer, where it has one."""
    size = max(1.0, float(np.abs(right).max(initial=0.0)))
    try:
        found = np.asarray(np.linalg.solve(system, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        found = np.full(right.size, np.inf)
    if float(np.abs(found).max(initial=0.0)) < _HUGE * size and _wrong(system, found, right) <= _SOLVED * size:
        return found
    shortest = np.asarray(np.linalg.lstsq(system, right, rcond=1e-12)[0], dtype=np.float64)
    return shortest if _wrong(system, shortest, right) <= _SOLVED * size else None


def _wrong(system: FloatArray, found: FloatArray, right: FloatArray) -> float:
    return float(np.abs(system @ found - right).max(initial=0.0))
