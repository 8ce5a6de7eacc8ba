"""The least conditional value at risk: the mean of the worst part of all scenarios, by few of them at a time.

CVaR(w) = min over z of z + sum(max(0, loss_s - z)) / tail, a linear program with a row a scenario (Rockafellar and
Uryasev, 2000, "Optimization of Conditional Value-at-Risk"). Of most scenarios it is clear on which side of z they are:
those far beyond it enter as one sum, those far below it not at all. Both leave out what can only add to the result, so
the program of the doubtful ones gives a bound from below, and the true CVaR of its weights one from above. Scenarios on
the wrong side become doubtful, assets that would improve the result join, until the two bounds meet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import BoolArray, FloatArray, IntArray
from ordinis.engines.portfolioopt import kernels, quadratic
from ordinis.engines.portfolioopt.accelerator import Table
from ordinis.engines.portfolioopt.certificate import gap, reduced_costs
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.linear import LinearProgram, Solved
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Prices, Program

GOOD = 1e-10  # Of the risk.
_ROUNDS_MAX = 200
_FIRST = 16  # Assets beside those of the least variance.
_DOUBT = 1.0
_DOUBT_MIN = 20  # Scenarios.


class Tail(NamedTuple):
    """What is minimised: risk_aversion * CVaR(w) - gain'w."""

    returns: FloatArray  # [scenarios x symbols].
    confidence: float  # 0.95: the worst 5 % of the scenarios.
    risk_aversion: float
    gain: FloatArray  # [symbols].
    table: Table | None = None  # The returns on a device, where that is faster.

    def losses(self, weights: FloatArray) -> FloatArray:
        """Of each scenario, [scenarios]."""
        along = kernels.along(self.returns, weights) if self.table is None else self.table.along(weights)
        return np.negative(along)

    def mixture(self, share: FloatArray) -> FloatArray:
        """The mean returns under these probabilities of the scenarios, [symbols]."""
        result: FloatArray = kernels.across(self.returns, share) if self.table is None else self.table.across(share)
        return result

    @property
    def scenarios(self) -> float:
        """How many make the tail; not whole in general."""
        return (1.0 - self.confidence) * len(self.returns)

    def risk(self, weights: FloatArray) -> float:
        """CVaR: of a loss, so positive where money is lost."""
        return tail_mean(self.losses(weights), self.scenarios)


def _power_of_two(size: float) -> float:
    """Near the size: a unit that changes no digit of what it divides."""
    return float(2.0 ** round(math.log2(size))) if size > 0.0 else 1.0


def tail_mean(losses: FloatArray, scenarios: float) -> float:
    """The mean of the worst `scenarios` of the losses; the last of them counts in part."""
    whole = int(scenarios)
    if whole >= losses.size:
        return float(losses.mean())
    ordered = np.partition(losses, losses.size - whole - 1)
    edge = float(ordered[losses.size - whole - 1])
    return (float(ordered[losses.size - whole :].sum()) + (scenarios - whole) * edge) / scenarios


@dataclass(frozen=True, slots=True, eq=False)
class TailRisk:
    """A tail plus theta / 2 w'Qw - pull'w, for risks and trades that have a price."""

    tail: Tail
    start: Form  # Where its variance is least the search begins.
    form: Form
    theta: float
    pull: FloatArray

    @property
    def quadratic(self) -> bool:
        return False

    def value(self, weights: FloatArray) -> float:
        smooth = 0.5 * self.theta * self.form.square(weights) if self.theta else 0.0
        tail = self.tail.risk_aversion * self.tail.risk(weights) - float(self.tail.gain @ weights)
        return tail + smooth - float(self.pull @ weights)

    def gradient(self, weights: FloatArray) -> FloatArray:
        """One of them: the tail is not smooth."""
        losses = self.tail.losses(weights)
        worst = np.argsort(-losses, kind="stable")[: max(1, round(self.tail.scenarios))]
        slope: FloatArray = (
            -self.tail.risk_aversion * self.tail.returns[worst].mean(axis=0) - self.tail.gain - self.pull
        )
        return slope + self.theta * self.form.product(weights) if self.theta else slope

    def curvature(self, weights: FloatArray) -> tuple[float, Form]:
        return self.theta, self.form

    def inside(self, weights: FloatArray) -> bool:
        return True


def minimise(risk: TailRisk, program: Program) -> Answer:
    """The minimum. Error: NotSolved."""
    return _Search(risk, program).run()


class _Search:
    def __init__(self, risk: TailRisk, program: Program) -> None:
        self._tail, self._program, self._start = risk.tail, program, risk.start
        self._form, self._theta, self._pull = risk.form, risk.theta, risk.pull
        self._whole = program.bent or risk.theta > 0.0  # Splits and curvature are for all assets.
        self._begin()

    def run(self) -> Answer:
        best: Answer | None = None
        best_gap, best_share = INFINITE, np.zeros(0)
        for _ in range(_ROUNDS_MAX):
            if self._program.watch is not None:
                self._program.watch()
            weights, edge, share, prices = self._solved()
            losses = self._tail.losses(weights)
            answer = self._answer(weights, losses, share, prices)
            size = self._size(weights, losses)
            open_gap = gap(self._program, answer.gradient, weights, prices) + answer.slack
            if open_gap < best_gap:
                best, best_gap, best_share = answer, open_gap, share
            if open_gap <= GOOD * size:
                break
            if not self._learn(weights, losses, edge, answer, size):
                break
        if best is None:
            raise NotSolved("the tail's program has no answer")
        return best if self._tail.table is None else self._proven_here(best, best_share)

    def _proven_here(self, best: Answer, share: FloatArray) -> Answer:
        """The certificate is the processor's, whoever multiplied on the way."""
        self._tail = self._tail._replace(table=None)
        return self._answer(best.weights, self._tail.losses(best.weights), share, best.prices)

    def _begin(self) -> None:
        """Where the variance is least the tail is nearly least, too."""
        tail, program = self._tail, self._program
        near = quadratic.minimise(self._start, 1.0, np.zeros(program.size), replace(program, cost=None)).weights
        losses = tail.losses(near)
        order = np.argsort(-losses, kind="stable")
        doubt = max(_DOUBT_MIN, int(_DOUBT * tail.scenarios))
        self._beyond: BoolArray = np.zeros(losses.size, np.bool_)
        self._beyond[order[: max(0, int(tail.scenarios) - doubt)]] = True
        self._doubtful: BoolArray = np.zeros(losses.size, np.bool_)
        self._doubtful[order[: int(tail.scenarios) + 1 + doubt]] = True
        self._doubtful &= ~self._beyond
        worst = order[: max(1, round(tail.scenarios))]
        losing = tail.returns[worst]
        self._unit = _power_of_two(float(np.abs(losing).mean()))
        slope = -tail.risk_aversion * losing.mean(axis=0) - tail.gain
        self._member = near > 0.0 if not self._whole else np.ones(near.size, np.bool_)
        self._member |= (near != 0.0) | (program.low > 0.0)
        count = min(_FIRST, slope.size)
        self._member[np.argpartition(slope, count - 1)[:count]] = True

    def _solved(self) -> tuple[FloatArray, float, FloatArray, Prices]:
        """Weights, the tail's edge, each scenario's probability in the tail, and the limits' prices."""
        return self._solved_whole() if self._whole else self._solved_dual()

    def _each(self) -> float:
        """What a unit of one scenario's loss beyond the edge costs."""
        return self._tail.risk_aversion / self._tail.scenarios

    def _cost(self, members: IntArray) -> FloatArray:
        """What the scenarios that are clear say of each asset, in the unit of the programs."""
        beyond = self._beyond.nonzero()[0]
        clear = np.ones(beyond.size) @ self._tail.returns[beyond][:, members]
        return (-self._each() * clear - (self._tail.gain + self._pull)[members]) / self._unit

    def _solved_dual(self) -> tuple[FloatArray, float, FloatArray, Prices]:
        """By the dual: a row an asset in place of a row a scenario, and a basis a tenth of the size.

        max  row_low'y+ - row_high'y- - room's - (R low)'p   over 0 <= p <= each, y+, y-, s >= 0
        with R'p + A'(y+ - y-) - s <= cost for each asset, and sum(p) = the edge's cost.
        """
        tail, program = self._tail, self._program
        members, doubtful = self._member.nonzero()[0], self._doubtful.nonzero()[0]
        low, high = program.low[members], program.high[members]
        returns = tail.returns[doubtful][:, members] / self._unit
        rows = program.rows[:, members]
        level = rows @ low
        edge_cost = tail.risk_aversion - self._each() * float(self._beyond.sum())
        linear = LinearProgram()
        assets = linear.rows(-INFINITE, self._cost(members), members.size)
        edge = linear.rows(edge_cost, edge_cost, 1)
        share = linear.columns(doubtful.size, returns @ low, 0.0, self._each())
        linear.fill(assets, share, returns.T)
        linear.fill(edge, share, np.ones((1, doubtful.size)))
        columns = np.zeros((2, program.row_low.size), dtype=np.int64) - 1
        for side, limit, sign in ((0, program.row_low, -1.0), (1, program.row_high, 1.0)):
            finite = np.isfinite(limit).nonzero()[0]
            if finite.size:
                columns[side, finite] = linear.columns(finite.size, (sign * (limit - level))[finite], 0.0, INFINITE)
                linear.fill(assets, columns[side, finite], -sign * rows[finite].T)
        room = linear.columns(members.size, high - low, 0.0, INFINITE)
        linear.fill(assets, room, np.full(members.size, -1.0))
        found = linear.solve()
        weights = np.zeros(program.size)
        weights[members] = np.clip(low + found.prices[assets], low, high)
        chosen = np.append(found.values, 0.0)[columns]  # The last one stands for a side without a limit.
        probability = self._probability(found.values[share])
        edge_loss = float(found.prices[edge[0]]) * self._unit
        return weights, edge_loss, probability, Prices((chosen[1] - chosen[0]) * self._unit)

    def _solved_whole(self) -> tuple[FloatArray, float, FloatArray, Prices]:
        """By the program itself, with all that depends on absolute values and with the risks that have a price."""
        tail, program = self._tail, self._program
        members, doubtful = self._member.nonzero()[0], self._doubtful.nonzero()[0]
        linear = LinearProgram()
        held = linear.columns(members.size, self._cost(members), program.low[members], program.high[members])
        edge_cost = tail.risk_aversion - self._each() * float(self._beyond.sum())
        edge = linear.columns(1, edge_cost, -INFINITE, INFINITE)
        excess = linear.columns(doubtful.size, self._each(), 0.0, INFINITE)
        limits = linear.rows(program.row_low, program.row_high, program.rows.shape[0])
        linear.fill(limits, held, program.rows[:, members])
        scenarios = linear.rows(0.0, INFINITE, doubtful.size)
        linear.fill(scenarios, held, tail.returns[doubtful][:, members] / self._unit)
        linear.fill(scenarios, edge, np.ones((doubtful.size, 1)))
        linear.fill(scenarios, excess, np.ones(doubtful.size))
        sums = self._sums(linear, held)
        theta = self._theta / self._unit
        found = linear.solve() if self._theta == 0.0 else linear.solve_with(theta * self._form.block(members))
        weights = np.zeros(program.size)
        weights[members] = np.clip(found.values[held], program.low[members], program.high[members])
        probability = self._probability(-found.prices[scenarios])
        edge_loss = float(found.values[edge[0]]) * self._unit
        return weights, edge_loss, probability, self._prices(found, limits, sums)

    def _probability(self, prices: FloatArray) -> FloatArray:
        """Of each scenario in the tail, from the prices of the doubtful ones."""
        share = np.where(self._beyond, 1.0 / self._tail.scenarios, 0.0)
        most = 1.0 / self._tail.scenarios
        share[self._doubtful] = np.clip(prices / self._tail.risk_aversion, 0.0, most)
        result: FloatArray = share / share.sum()
        return result

    def _sums(self, linear: LinearProgram, held: IntArray) -> dict[str, IntArray]:
        """Turnover, gross and costs by what is above and what is below."""
        program, sums = self._program, {}
        size = program.size
        for name, centre, most, cost in (
            ("turnover", program.start, program.turnover_max, program.cost),
            ("gross", np.zeros(size), program.gross_max, None),
        ):
            if centre is None or (most == INFINITE and cost is None):
                continue
            above, below = (
                linear.columns(size, 0.0 if cost is None else cost / self._unit, 0.0, INFINITE) for _ in range(2)
            )
            split = linear.rows(centre, centre, size)
            linear.fill(split, held, np.ones(size))
            linear.fill(split, above, np.full(size, -1.0))
            linear.fill(split, below, np.ones(size))
            sums[name] = linear.rows(-INFINITE, most, 1)
            linear.fill(sums[name], above, np.ones((1, size)))
            linear.fill(sums[name], below, np.ones((1, size)))
        return sums

    def _prices(self, found: Solved, limits: IntArray, sums: dict[str, IntArray]) -> Prices:
        unit = self._unit
        of = {name: max(0.0, float(found.prices[number[0]])) * unit for name, number in sums.items()}
        turnover = of.get("turnover", 0.0) if self._program.turnover_max < INFINITE else 0.0
        return Prices(found.prices[limits] * unit, turnover, of.get("gross", 0.0))

    def _answer(self, weights: FloatArray, losses: FloatArray, share: FloatArray, prices: Prices) -> Answer:
        """The tail's mean is at least that of any probabilities that no scenario has too much of."""
        tail = self._tail
        gradient = -tail.risk_aversion * tail.mixture(share) - tail.gain - self._pull
        slack = tail.risk_aversion * (tail_mean(losses, tail.scenarios) - float(share @ losses))
        if self._theta:
            gradient = gradient + self._theta * self._form.product(weights)
        return Answer(weights, gradient, prices, "simplex" if self._theta == 0.0 else "interior_point", slack)

    def _size(self, weights: FloatArray, losses: FloatArray) -> float:
        risk = self._tail.risk_aversion * abs(tail_mean(losses, self._tail.scenarios))
        return max(risk, abs(float(self._tail.gain @ weights)), 1e-300)

    def _learn(self, weights: FloatArray, losses: FloatArray, edge: float, answer: Answer, size: float) -> bool:
        """Scenarios on the wrong side become doubtful, assets that would improve the result join; whether any did."""
        tiny = 1e-13 * max(float(np.abs(losses).max()), 1e-300)
        wrong = ~self._doubtful & np.where(self._beyond, losses < edge - tiny, losses > edge + tiny)
        self._doubtful |= wrong
        self._beyond &= ~wrong
        reduced = reduced_costs(self._program, answer.gradient, answer.prices)
        wanting = (~self._member & (reduced < -1e-12 * float(np.abs(answer.gradient).max()))).nonzero()[0]
        if wanting.size > _FIRST:
            wanting = wanting[np.argpartition(reduced[wanting], _FIRST)[:_FIRST]]
        self._member[wanting] = True
        return bool(wrong.any() or wanting.size)
