"""The exact minimum of theta/2 w'Qw - gain'w where nothing depends on absolute values: few assets of many are held.

A dual active-set solver (DAQP) is given those only; one product with Q then gives the reduced cost of every asset,
those that would improve the result join, and so on until none would.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.certificate import largest
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.inner import Infeasible, Inner, solve
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Prices, Program

FIRST = 24  # Assets to begin with: a quarter of them, but no more than these
JOIN_MAX = 24  # At a time.
ROUNDS_MAX = 200
ROOM = 1.25  # The caps of the first choice add up to so much.
IMPROVES = 1e-10  # Of the largest gradient: less is rounding.
_FIRST_MIN = 16  # and no fewer than these.


def whole(form: Form, theta: float, gain: FloatArray, program: Program) -> Answer:
    quadratic = form.block(None)
    inner = Inner(quadratic, -gain, program.low, program.high, program.rows, program.row_low, program.row_high, theta)
    weights, prices, rung = solve(inner, interior=program.interior)
    return Answer(weights, theta * (quadratic @ weights) - gain, Prices(prices), rung)


def sparse(form: Form, theta: float, gain: FloatArray, program: Program) -> Answer | None:
    """The working set where everybody outside holds nothing; None where it is too small for the limits."""
    size = program.size
    count = min(FIRST, max(_FIRST_MIN, size // 4))
    if count * largest(program.high) < ROOM:
        return None
    high = program.high
    shut = (high == 0.0).nonzero()[0] if high.item(high.argmin()) == 0.0 else None  # Could only join to leave again.
    slope = form.product(_evenly(size))
    slope *= theta
    slope -= gain
    if shut is not None:
        slope[shut] = INFINITE
    members = slope.argpartition(count)[:count]
    members.sort()
    for _ in range(ROUNDS_MAX):
        part = form.part(members)
        # Nobody's low bound is above 0 here: whoever is left out holds nothing.
        inner = Inner(
            part.block,
            -gain[members],
            program.low[members],
            program.high[members],
            program.rows.take(members, axis=1),
            program.row_low,
            program.row_high,
            theta,
        )
        try:
            held, prices, rung = solve(inner)
        except Infeasible:
            return None
        gradient = part.product(held)
        gradient *= theta
        gradient -= gain
        reduced = gradient + prices.dot(program.rows) if prices.size else gradient.copy()
        reduced[members] = 0.0
        if shut is not None:
            reduced[shut] = 0.0
        wanting = (reduced < 0.0).nonzero()[0]
        if wanting.size:
            wanting = wanting[reduced[wanting] < -IMPROVES * largest(np.abs(gradient))]
        if not wanting.size:
            weights = np.zeros(size)
            weights[members] = held
            return Answer(weights, gradient, Prices(prices), rung)
        if wanting.size > JOIN_MAX:
            wanting = wanting[np.argpartition(reduced[wanting], JOIN_MAX)[:JOIN_MAX]]
        members = np.sort(np.concatenate([members[held > 0.0], wanting]))
    return None


@lru_cache(maxsize=8)
def _evenly(size: int) -> FloatArray:
    """The same part of everybody."""
    weights = np.full(size, 1.0 / size)
    weights.flags.writeable = False
    return weights
