"""The working set where things depend on absolute values: costs, turnover, gross.

They are straight on either side of where they bend: each asset is kept on one side, and changes sides when the prices
say that crossing pays. What is given up is never lost: every round starts from a point that the next one may keep, so
the objective falls with each and the rounds end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import BoolArray, FloatArray, IntArray
from ordinis.engines.portfolioopt.certificate import reduced_costs
from ordinis.engines.portfolioopt.feasible import conflict, nearest
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.inner import Infeasible, Inner, NotSolved, solve
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Prices, Program
from ordinis.engines.portfolioopt.sparse import FIRST, IMPROVES, JOIN_MAX, ROOM, ROUNDS_MAX, sparse

WHOLE_MAX = 40  # Up to so many assets the working set is all of them.
_PATIENCE = 20  # Rounds without a gain.
_CORNER = 1e-12
_CLOSE = 8  # Assets that are looked at when the search goes on: the next to trade.


class Side(NamedTuple):
    """Where each asset may move: between two bends, on one side of each."""

    low: FloatArray
    high: FloatArray
    trade: FloatArray  # +1 above the weight now, -1 below.
    sign: FloatArray  # +1 long, -1 short.


class Search:
    """The working set and the sides, round by round."""

    def __init__(
        self,
        form: Form,
        theta: float,
        gain: FloatArray,
        program: Program,
        start: FloatArray | None = None,
        *,
        free: Answer | None = None,
        gradient: FloatArray | None = None,
        price: float = 0.0,
    ) -> None:
        """`start` is a feasible point to begin at.

        `free` is the optimum without costs, `gradient` the one at `resting`, where they are known already; `price` what
        a limit on turnover will about cost.
        """
        self._form, self._theta, self._gain, self._program = form, theta, gain, program
        self._kinks = _kinks(program)
        self._free: FloatArray | None = None  # The optimum without costs, where it was looked at.
        self._held = resting(program) if start is None else start
        self._gradient = self._gradient_here() if gradient is None else gradient  # Where `held` is, always.
        if start is not None or not self._foresees(free, price):
            self._begin()
        self._widened = False
        self._best = INFINITE
        self._idle = 0
        self._stuck = False
        if start is not None:
            self._member |= self._apart(start)

    def run(self) -> Answer:
        """Error: NotSolved."""
        answer = self.attempt(ROUNDS_MAX)
        if answer is None:
            raise NotSolved(f"the working set did not settle in {ROUNDS_MAX} rounds")
        return answer

    def attempt(self, rounds_max: int, *, stuck: bool = True) -> Answer | None:
        """The minimum, or None after so many rounds.

        Without `stuck` also where many stand at bends at once, or where the chosen ones cannot keep the limits.
        """
        for rounds in range(1, rounds_max + 1):
            if self._program.watch is not None:
                self._program.watch()
            if self._stuck and not stuck:
                return None
            try:
                weights, gradient, prices = self._solved_both() if self._stuck else self._solved()
            except Infeasible:
                if not stuck:
                    return None
                self._widen()
                continue
            up, down = self._slopes(weights, gradient, prices)
            tiny = IMPROVES * max(float(np.abs(gradient).max()), 1e-300)
            still = ~self._member | (weights == self._side.low) | (weights == self._side.high)
            rises = still & (up < -tiny) & (weights < self._program.high)
            falls = still & (down > tiny) & (weights > self._program.low)
            if not (rises.any() or falls.any()) or self._circling(weights, gradient):
                return Answer(weights, gradient, prices, self._rung)
            join_max = JOIN_MAX * (1 + rounds // 3)  # A book of hundreds fills in a few rounds, too.
            self._next(weights, rises, falls, np.where(rises, -up, down), join_max)
            self._gradient = gradient
        return None

    def go_on(self, program: Program, answer: Answer) -> None:
        """From an answer under other costs or limits; its prices say who is the next to trade."""
        self._program, self._held, self._gradient = program, answer.weights, answer.gradient
        up, down = self._slopes(answer.weights, answer.gradient, answer.prices)
        rise = np.where(answer.weights < program.high, up, INFINITE)
        fall = np.where(answer.weights > program.low, -down, INFINITE)
        worth, count = np.minimum(rise, fall), _CLOSE
        self._member = self._apart(answer.weights)
        moving = (worth < 0.0) & ~self._member
        if np.count_nonzero(moving) > _CLOSE:
            self._move(moving, rise < fall)
            worth, count = np.abs(worth), JOIN_MAX
        worth[self._member] = INFINITE
        self._member[np.argpartition(worth, count)[:count]] = True
        self._side = _sides(program, self._kinks, self._held, rise < fall)
        self._best, self._idle, self._stuck, self._widened = INFINITE, 0, False, False

    def _move(self, moving: BoolArray, rises: BoolArray) -> None:
        """Many at once, each to its next bend: one by one they would need a round for every few.

        Whoever buys beyond what is held now has no bend ahead, and joins.
        """
        program, here, start = self._program, self._held, self._kinks[0]
        buys = moving & rises & (here >= start)
        ahead = np.where(rises | (here > start), start, program.low)
        self._member |= buys
        self._held = np.where(moving & ~buys, ahead, here)
        self._gradient = self._gradient_here()

    def _circling(self, weights: FloatArray, gradient: FloatArray) -> bool:
        """Whether nothing is left to be gained. Where many stand at bends at once a round may gain nothing.

        From there on nobody leaves, and each may move to both sides: then it is the truth. What goes on for long
        without a gain is rounding, and the certificate judges it.
        """
        value = 0.5 * float((gradient - self._gain) @ weights) + self._program.trading_cost(weights)
        if value < self._best - 1e-15 * abs(value):
            self._best, self._idle = value, 0
            return False
        self._idle += 1
        self._stuck = self._stuck or bool(self._kinks)
        return self._idle > _PATIENCE

    def _foresees(self, free: Answer | None, price: float) -> bool:
        """Begin where selling seems to pay for itself, and with those who are worth a closer look.

        As trading gets dearer the optimum goes from the free one to no trade at all, nearly in a straight line, and
        with it what each asset would gain.
        """
        program = self._program
        cost = price if program.cost is None else program.cost + price
        if (program.cost is None and not price) or program.size <= WHOLE_MAX or program.interior:
            return False
        if program.low.any() or program.gross_max < INFINITE or (free is None and program.turnover_max < INFINITE):
            return False
        free = free or sparse(self._form, self._theta, self._gain, replace(program, cost=None))
        if free is None:
            return False
        self._free = free.weights
        reduced = reduced_costs(program, free.gradient, free.prices)
        dearest, still = prohibitive(self._gradient, self._held, program)
        if dearest > 0.0:
            share = min(1.0, float(np.mean(cost)) / dearest)
            reduced = (1.0 - share) * reduced + share * still
        sold = (reduced > cost) & (self._held > program.low)
        if sold.any():
            self._held = np.where(sold, program.low, self._held)
            self._gradient = self._gradient_here()
        close = np.abs(np.abs(reduced) - cost)
        self._member = free.weights > 0.0
        self._member[np.argpartition(close, FIRST)[:FIRST]] = True
        self._side = _sides(program, self._kinks, self._held, (reduced < 0.0) | (free.weights > self._held))
        return True

    def _widen(self) -> None:
        """The chosen ones cannot keep the limits by themselves: begin where all of them are kept."""
        if self._widened:
            raise Infeasible(conflict(self._program))
        self._widened = True
        self._held = self._snapped(np.clip(self._within(), self._program.low, self._program.high))
        self._gradient = self._gradient_here()
        self._begin()
        self._member |= self._apart(self._held)

    def _within(self) -> FloatArray:
        """Weights that keep every limit: without one on turnover the free optimum does."""
        if self._free is not None and self._program.turnover_max == INFINITE:
            return self._free
        near = nearest(self._program)
        if near.slack:
            raise Infeasible(conflict(self._program))
        return near.weights

    def _begin(self) -> None:
        """With the most promising, each on the side that promises."""
        slope = self._outlook()
        self._side = _sides(self._program, self._kinks, self._held, slope < 0.0)
        self._member = self._first(slope)

    def _snapped(self, weights: FloatArray) -> FloatArray:
        """Who is at a bend is there to the last digit."""
        for kink in (self._program.low, self._program.high, *self._kinks):
            weights = np.where(np.abs(weights - kink) < _CORNER, kink, weights)
        return weights

    def _outlook(self) -> FloatArray:
        """What a little more of each asset would cost, the budget's price guessed: who is promising, and which way."""
        program = self._program
        if not self._kinks:
            middle = np.full(program.size, 1.0 / program.size)
            product = self._form.product(middle) if program.size > WHOLE_MAX else middle
            outlook: FloatArray = self._theta * product - self._gain
            return outlook
        half = self._gradient.size // 2
        slope: FloatArray = self._gradient - np.partition(self._gradient, half)[half]
        return slope

    def _gradient_here(self) -> FloatArray:
        return gradient_of(self._form, self._theta, self._gain, self._held)

    def _first(self, slope: FloatArray) -> BoolArray:
        size = slope.size
        if size <= WHOLE_MAX or self._program.interior:
            return np.ones(size, np.bool_)
        chosen = np.zeros(size, np.bool_)
        worth = -np.abs(slope) if self._kinks else slope
        # Small caps need more of them to invest it all.
        count = min(size, max(FIRST, int(ROOM / max(float(self._program.high.mean()), ROOM / size))))
        chosen[np.argpartition(worth, count - 1)[:count]] = True
        return chosen

    def _apart(self, weights: FloatArray) -> BoolArray:
        """Those that stand where nothing bends: they cannot be left out without being moved."""
        at = (weights == self._program.low) | (weights == self._program.high)
        for kink in self._kinks:
            at |= weights == kink
        result: BoolArray = ~at
        return result

    def _solved(self) -> tuple[FloatArray, FloatArray, Prices]:
        """The best with everybody else where they are, and the gradient there."""
        program, side = self._program, self._side
        members = self._member.nonzero()[0]
        part, before = self._form.part(members), self._held[members]
        linear = self._gradient[members] - self._theta * (part.block @ before)
        if program.cost is not None:
            linear += program.cost[members] * side.trade[members]
        weights = self._held.copy()
        weights[members] = 0.0
        rows, row_low, row_high = self._rows()
        level = rows @ weights
        low, high, some = side.low[members], side.high[members], rows.take(members, axis=1)
        inner = Inner(part.block, linear, low, high, some, row_low - level, row_high - level, self._theta)
        held, prices, self._rung = solve(inner, interior=program.interior)
        weights[members] = held
        gradient = part.product(held - before)
        gradient *= self._theta
        gradient += self._gradient
        return weights, gradient, self._named(prices)

    def _solved_both(self) -> tuple[FloatArray, FloatArray, Prices]:
        """The same with two columns for each that stands at a bend: what it adds, and what it gives up."""
        program, here = self._program, self._held
        everybody = np.ones(program.size, np.bool_)
        above = _sides(program, self._kinks, here, everybody)
        below = _sides(program, self._kinks, here, ~everybody)
        members = self._member.nonzero()[0]
        bent = (above.low[members] != below.low[members]).nonzero()[0]
        place = np.concatenate([np.arange(members.size), bent])
        columns = members[place]
        first = np.arange(place.size) < members.size
        sides = [np.where(first, up[columns], down[columns]) for up, down in zip(above, below, strict=True)]
        self._side = Side(below.low, above.high, above.trade, above.sign)
        rows, row_low, row_high = self._rows_of(Side(*sides), columns)
        linear = self._gradient[columns]
        if program.cost is not None:
            linear = linear + program.cost[columns] * sides[2]
        block = self._form.block(members)[place[:, None], place]
        low, high = sides[0] - here[columns], sides[1] - here[columns]
        inner = Inner(block, linear, low, high, rows, row_low, row_high, self._theta)
        moves, prices, self._rung = solve(inner, interior=program.interior, flat=True)
        weights = here.copy()
        np.add.at(weights, columns, moves)
        weights = self._snapped(np.clip(weights, program.low, program.high))
        return weights, gradient_of(self._form, self._theta, self._gain, weights), self._named(prices)

    def _rows_of(self, side: Side, columns: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Limits on moves from where everybody stands."""
        program, here = self._program, self._held
        level = program.rows @ here
        rows, low, high = [program.rows[:, columns]], [program.row_low - level], [program.row_high - level]
        for most, signs, start in (
            (program.turnover_max, side.trade, program.start),
            (program.gross_max, side.sign, np.zeros(program.size)),
        ):
            if most < INFINITE and start is not None:
                rows.append(signs[None, :])
                low.append(np.array([-INFINITE]))
                high.append(np.array([most - float(np.abs(here - start).sum())]))
        return np.vstack(rows), np.concatenate(low), np.concatenate(high)

    def _rows(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """On one side of their bends the two sums of absolute values are rows like any other."""
        program, side = self._program, self._side
        rows, low, high = [program.rows], [program.row_low], [program.row_high]
        if program.turnover_max < INFINITE and program.start is not None:
            rows.append(side.trade[None, :])
            low.append(np.array([-INFINITE]))
            high.append(np.array([program.turnover_max + float(side.trade @ program.start)]))
        if program.gross_max < INFINITE:
            rows.append(side.sign[None, :])
            low.append(np.array([-INFINITE]))
            high.append(np.array([program.gross_max]))
        if len(rows) == 1:
            return program.rows, program.row_low, program.row_high
        return np.vstack(rows), np.concatenate(low), np.concatenate(high)

    def _named(self, prices: FloatArray) -> Prices:
        limits = self._program.rows.shape[0]
        rest = prices[limits:].tolist()
        gross = max(0.0, rest.pop()) if self._program.gross_max < INFINITE else 0.0
        return Prices(prices[:limits], max(0.0, rest.pop()) if rest else 0.0, gross)

    def _slopes(self, weights: FloatArray, gradient: FloatArray, prices: Prices) -> tuple[FloatArray, FloatArray]:
        """What a little more of each asset costs, and what a little less saves."""
        program = self._program
        up = down = reduced_costs(program, gradient, prices)
        if program.start is not None and self._kinks:
            trade = prices.turnover + (program.cost if program.cost is not None else 0.0)
            up = up + trade * np.where(weights >= program.start, 1.0, -1.0)
            down = down + trade * np.where(weights > program.start, 1.0, -1.0)
        if prices.gross:
            up = up + prices.gross * np.where(weights >= 0.0, 1.0, -1.0)
            down = down + prices.gross * np.where(weights > 0.0, 1.0, -1.0)
        return up, down

    def _next(self, weights: FloatArray, rises: BoolArray, falls: BoolArray, worth: FloatArray, join_max: int) -> None:
        """Those that would improve the result join, on the side they would move to; who stands still may leave."""
        wanting = (rises | falls).nonzero()[0]
        outside = wanting[~self._member[wanting]]
        if outside.size > join_max:
            best = outside[np.argpartition(-worth[outside], join_max)[:join_max]]
            wanting = np.concatenate([wanting[self._member[wanting]], best])
        if self._kinks:
            change = np.zeros(weights.size, np.bool_)
            change[wanting] = True
            self._side = _merged(self._side, _sides(self._program, self._kinks, weights, rises), change)
        if self._program.size > WHOLE_MAX and not (self._program.interior or self._stuck):
            self._member = self._apart(weights)
        self._member[wanting] = True
        self._held = weights


def prohibitive(slope: FloatArray, weights: FloatArray, program: Program) -> tuple[float, FloatArray]:
    """The cost of trading from which on nobody trades, and what each asset would gain there before it.

    The dearest sale pays for the best buy, each by itself where cash may change instead.
    """
    sale = float(slope[weights > program.low].max(initial=-INFINITE))
    buy = float(slope[weights < program.high].min(initial=INFINITE))
    price = -(sale + buy) / 2.0 if np.isfinite(sale + buy) else 0.0
    total = float(weights.sum())
    if total > program.row_low[0] + _CORNER:  # The budget's price says which of its ends is reached.
        price = max(price, 0.0)
    if total < program.row_high[0] - _CORNER:
        price = min(price, 0.0)
    return max(sale + price, -(buy + price)), slope + price


def _kinks(program: Program) -> list[FloatArray]:
    """Where the absolute values bend, [symbols] each."""
    kinks = []
    if program.start is not None and (program.cost is not None or program.turnover_max < INFINITE):
        kinks.append(program.start)
    if program.gross_max < INFINITE:
        kinks.append(np.zeros(program.size))
    return kinks


def gradient_of(form: Form, theta: float, gain: FloatArray, weights: FloatArray) -> FloatArray:
    """Of what is minimised, absolute values apart, [symbols]."""
    if not weights.any():
        return -gain
    result = form.product(weights)
    result *= theta
    result -= gain
    return result


def resting(program: Program) -> FloatArray:
    """Where nobody is asked to be anywhere else: the weights now, or nothing."""
    rest = program.start if program.start is not None and program.bent else np.zeros(program.size)
    return np.clip(rest, program.low, program.high)


def _sides(program: Program, kinks: list[FloatArray], weights: FloatArray, rises: BoolArray) -> Side:
    """The straight piece around each weight; of one that stands at a bend, the piece above it where `rises`."""
    low, high = program.low, program.high
    for kink in kinks:
        above = (weights > kink) | ((weights == kink) & rises)
        inside = (kink > program.low) & (kink < program.high)
        low = np.where(inside & above, np.maximum(low, kink), low)
        high = np.where(inside & ~above, np.minimum(high, kink), high)
    start = program.start if program.start is not None else low
    trade = np.copysign(1.0, low - start)
    sign = np.where(low >= 0.0, 1.0, -1.0) if program.gross_max < INFINITE else trade  # Nobody asks then.
    return Side(low, high, trade, sign)


def _merged(old: Side, new: Side, change: BoolArray) -> Side:
    return Side(*(np.where(change, after, before) for before, after in zip(old, new, strict=True)))
