"""Limits on risks, (w - b)'Q(w - b) <= most^2: the price at which each is just kept.

At a price the limit is part of the objective. As the price falls the weights move along straight lines between the
points where the set of limits that hold changes, so the risk along the chord of two known points is a parabola, and
its root is exact as soon as both lie on one line (Markowitz's critical lines).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import newton
from ordinis.engines.portfolioopt.certificate import gap
from ordinis.engines.portfolioopt.cvar import TailRisk
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.newton import GOOD
from ordinis.engines.portfolioopt.objectives import Objective, Quadratic, WithImpact, WithPrice
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Program

_ROUNDS_MAX = 100
_EXACT = 1e-12  # Of the limit.


class Cap(NamedTuple):
    """One limit."""

    name: str
    most: float  # Volatility a year.
    form: Form
    centre: FloatArray | None = None  # [symbols]: of the difference to these weights.
    unit: float = 1.0  # Of `most`, where the form has been put into one of its own.

    def risk(self, weights: FloatArray) -> float:
        """The variance that is limited."""
        apart = weights if self.centre is None else weights - self.centre
        return self.form.square(apart)

    @property
    def pull(self) -> FloatArray:
        return np.zeros(self.form.size) if self.centre is None else self.form.product(self.centre)


def kept(caps: tuple[Cap, ...], weights: FloatArray) -> bool:
    """Whether no cap is passed at all."""
    return all(cap.risk(weights) <= cap.most * cap.most for cap in caps)


def minimise(objective: Objective, program: Program, caps: tuple[Cap, ...]) -> Answer:
    """The minimum within the caps, too. Error: OptimizationError for a cap below the least risk there is."""
    if not caps:
        return newton.minimise(objective, program)
    cap, rest = caps[0], caps[1:]
    free = minimise(objective, program, rest)
    most = cap.most * cap.most
    if cap.risk(free.weights) <= most * (1.0 + _EXACT):
        return free
    least = _least(cap, program, rest)
    if cap.risk(least) > most * (1.0 + 1e-9):
        raise OptimizationError(
            f"no weights satisfy the constraints: {cap.name} is {cap.most * cap.unit:.6g}, and the least that the other"
            f" constraints leave is {cap.risk(least) ** 0.5 * cap.unit:.6g}"
        )
    return _root(objective, program, cap, rest, least, free.weights)


def _least(cap: Cap, program: Program, rest: tuple[Cap, ...]) -> FloatArray:
    """The weights of the least risk."""
    return minimise(Quadratic(cap.form, 1.0, cap.pull), replace(program, cost=None), rest).weights


def _root(
    objective: Objective, program: Program, cap: Cap, rest: tuple[Cap, ...], below: FloatArray, above: FloatArray
) -> Answer:
    """Between weights of too little risk and of too much: those whose risk is the limit."""
    price_above, price_below = 0.0, INFINITE
    repeated = 0
    for _ in range(_ROUNDS_MAX):
        middle = _on_chord(cap, below, above)
        price = _price(objective, program, cap, below, above, middle)
        if repeated > 2 or not price_above < price < price_below:
            price = _between(price_above, price_below, price)
            repeated = 0
        found = minimise(priced(objective, cap.form, price, cap.pull), program, rest)
        kept = _kept(objective, cap, price, found) or _certain(objective, program, cap, price, middle, found)
        if kept is not None:
            return kept
        if cap.risk(found.weights) > cap.most * cap.most:
            repeated = max(1, repeated + 1)
            above, price_above = found.weights, price
        else:
            repeated = min(-1, repeated - 1)
            below, price_below = found.weights, price
        repeated = abs(repeated)
    raise NotSolved(f"{cap.name}: its price was not found in {_ROUNDS_MAX} rounds")


def _on_chord(cap: Cap, below: FloatArray, above: FloatArray) -> FloatArray:
    """The point between the two whose risk is the limit: the larger root of a parabola."""
    apart = below if cap.centre is None else below - cap.centre
    move = above - below
    along = cap.form.product(move)
    square, mixed = float(move @ along), float(apart @ along)
    rest = cap.risk(below) - cap.most * cap.most
    root = max(0.0, mixed * mixed - square * rest) ** 0.5
    # The form of the root that does not lose digits.
    share = -rest / (mixed + root) if mixed > 0.0 else (root - mixed) / max(square, 1e-300)
    result: FloatArray = below + min(1.0, max(0.0, share)) * move
    return result


def _price(
    objective: Objective, program: Program, cap: Cap, below: FloatArray, above: FloatArray, middle: FloatArray
) -> float:
    """The price at which nothing is gained along the chord."""
    move = above - below
    gain = -float(objective.gradient(middle) @ move) - program.trading_cost(above) + program.trading_cost(below)
    risk = float((cap.form.product(middle) - cap.pull) @ move)
    return gain / risk if risk > 0.0 else -1.0


def _between(low: float, high: float, guess: float) -> float:
    if high == INFINITE:
        return max(guess, 4.0 * low, 1e-12)
    return (low * high) ** 0.5 if low > 0.0 else high / 16.0


def _kept(objective: Objective, cap: Cap, price: float, found: Answer) -> Answer | None:
    """What was found, when its risk is the limit."""
    room = 0.5 * price * (cap.most * cap.most - cap.risk(found.weights))
    size = max(abs(objective.value(found.weights)), 1e-300)
    if not -_EXACT * cap.most * cap.most * price <= room <= GOOD * size:
        return None
    return found._replace(slack=found.slack + max(0.0, room))


def _certain(
    objective: Objective, program: Program, cap: Cap, price: float, weights: FloatArray, found: Answer
) -> Answer | None:
    """The point on the chord, where the prices found beside it prove it best."""
    if not objective.inside(weights) or found.slack > 0.0:
        return None  # A bound that holds at another point only.
    paid = priced(objective, cap.form, price, cap.pull)
    gradient = paid.gradient(weights) + found.gradient - paid.gradient(found.weights)
    room = max(0.0, 0.5 * price * (cap.most * cap.most - cap.risk(weights)))
    open_gap = gap(program, gradient, weights, found.prices) + room + found.slack
    if open_gap > GOOD * max(abs(objective.value(weights)), 1e-300):
        return None
    return Answer(weights, gradient, found.prices, found.rung, found.slack + room)


def priced(objective: Objective, form: Form, price: float, pull: FloatArray) -> Objective:
    """The objective with a risk paid for, in the same class where that is possible."""
    if isinstance(objective, Quadratic) and objective.form is form:
        return Quadratic(form, objective.theta + price, objective.gain + price * pull)
    if isinstance(objective, TailRisk):
        theta = objective.theta + price
        return TailRisk(objective.tail, objective.start, form, theta, objective.pull + price * pull)
    if isinstance(objective, WithImpact):
        return WithImpact(priced(objective.base, form, price, pull), objective.impact, objective.start)
    return WithPrice(objective, form, price, pull)
