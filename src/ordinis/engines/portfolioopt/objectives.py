"""What the methods minimise: smooth convex functions of the weights, each with its tangent and its curvature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.forms import Form, Rows, Sum

_FLAT = 1e-8  # Trades below it bend the 3/2 power as if they were so large.


class Objective(Protocol):
    """f, smooth and convex."""

    @property
    def quadratic(self) -> bool:
        """Whether the curvature is the same everywhere: one step is then enough."""
        ...

    def value(self, weights: FloatArray) -> float: ...

    def gradient(self, weights: FloatArray) -> FloatArray: ...

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        """Second derivatives at the weights, as a factor and a form."""
        ...

    def inside(self, weights: FloatArray) -> bool:
        """Whether f is finite there."""
        ...


class Quadratic(NamedTuple):
    """theta / 2 w'Qw - gain'w."""

    form: Form
    theta: float
    gain: FloatArray

    @property
    def quadratic(self) -> bool:
        return True

    def value(self, weights: FloatArray) -> float:
        return float(0.5 * self.theta * self.form.square(weights) - self.gain @ weights)

    def gradient(self, weights: FloatArray) -> FloatArray:
        result: FloatArray = self.theta * self.form.product(weights) - self.gain
        return result

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        return self.theta, self.form

    def inside(self, weights: FloatArray) -> bool:
        return True


@dataclass(frozen=True, slots=True, eq=False)
class RiskBudgets:
    """1/2 w'Qw - level * sum(budget_i log w_i): at its least each w_i (Qw)_i is level * budget_i.

    Source: Spinu (2013), "An Algorithm for Computing Risk Parity Weights".
    """

    form: Form
    level: float
    budget: FloatArray

    @property
    def quadratic(self) -> bool:
        return False

    def value(self, weights: FloatArray) -> float:
        return float(0.5 * self.form.square(weights) - self.level * (self.budget @ np.log(weights)))

    def gradient(self, weights: FloatArray) -> FloatArray:
        result: FloatArray = self.form.product(weights) - self.level * self.budget / weights
        return result

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        return 1.0, Sum(((1.0, self.form),), self.level * self.budget / (weights * weights))

    def inside(self, weights: FloatArray) -> bool:
        return bool((weights > 0.0).all())


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """Minus the mean logarithm of wealth: -mean(log(1 + R w)), R being simple returns [rows x symbols].

    `periods` of them make a year. Source: Kelly (1956), "A New Interpretation of Information Rate".
    """

    returns: FloatArray
    periods: float

    @property
    def quadratic(self) -> bool:
        return False

    def value(self, weights: FloatArray) -> float:
        return -self.periods * float(np.log1p(self.returns @ weights).mean())

    def gradient(self, weights: FloatArray) -> FloatArray:
        wealth = 1.0 + self.returns @ weights
        result: FloatArray = (-self.periods / wealth.size / wealth) @ self.returns
        return result

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        wealth = 1.0 + self.returns @ weights
        rows = self.returns / wealth[:, None]
        scale = self.periods / wealth.size
        return 1.0, Rows(rows, None, scale, scale * np.einsum("ij,ij->j", rows, rows))

    def inside(self, weights: FloatArray) -> bool:
        return bool((1.0 + self.returns @ weights > 0.0).all())


@dataclass(frozen=True, slots=True, eq=False)
class WithImpact:
    """f plus impact'|w - start|^(3/2), what trades move the price by.

    Source: Almgren, Thum, Hauptmann and Li (2005), "Direct Estimation of Equity Market Impact".
    """

    base: Objective
    impact: FloatArray
    start: FloatArray
    caution: float = 1.0  # At 2 the parabola lies above the function everywhere: it never leads too far.

    @property
    def quadratic(self) -> bool:
        return False

    def value(self, weights: FloatArray) -> float:
        return self.base.value(weights) + float(self.impact @ np.abs(weights - self.start) ** 1.5)

    def gradient(self, weights: FloatArray) -> FloatArray:
        return self.base.gradient(weights) + self.slope(weights)

    def slope(self, weights: FloatArray) -> FloatArray:
        """The gradient of the impact alone."""
        trade = weights - self.start
        result: FloatArray = 1.5 * self.impact * np.sign(trade) * np.sqrt(np.abs(trade))
        return result

    def bend(self, weights: FloatArray) -> FloatArray:
        """Its second derivatives, [symbols]."""
        traded = np.maximum(np.abs(weights - self.start), _FLAT)
        result: FloatArray = 0.75 * self.caution * self.impact / np.sqrt(traded)
        return result

    def turns(self, here: FloatArray, there: FloatArray) -> bool:
        """Whether a buy would become a sale or the other way round: the parabola has led too far."""
        return bool(((here - self.start) * (there - self.start) < 0.0).any())

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        factor, form = self.base.curvature(weights)
        return 1.0, Sum(((factor, form),), self.bend(weights))

    def inside(self, weights: FloatArray) -> bool:
        return self.base.inside(weights)


@dataclass(frozen=True, slots=True, eq=False)
class WithPrice:
    """f plus price / 2 (w - centre)'Q(w - centre): a limit on a risk, paid for."""

    base: Objective
    form: Form
    price: float
    pull: FloatArray  # Q centre.

    @property
    def quadratic(self) -> bool:
        return self.base.quadratic

    def value(self, weights: FloatArray) -> float:
        half = 0.5 * self.form.square(weights) - self.pull @ weights
        return self.base.value(weights) + self.price * float(half)

    def gradient(self, weights: FloatArray) -> FloatArray:
        return self.base.gradient(weights) + self.price * (self.form.product(weights) - self.pull)

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        factor, form = self.base.curvature(weights)
        return 1.0, Sum(((factor, form), (self.price, self.form)), np.zeros(weights.size))

    def inside(self, weights: FloatArray) -> bool:
        return self.base.inside(weights)
