"""A hard limit on turnover: the price of trading at which it is just used up.

As trading gets dearer what is traded falls from that of the free optimum to nothing, nearly as the square of the way
left. So the price, and with it who trades, is known nearly before anything is solved: mostly a few rounds of the
working set with the limit as one of its rows end there, which is exact and says its price. Where hundreds trade a
little each that guess is too coarse: there a few secants on the price come near, and then the limit becomes a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Prices, Program
from ordinis.engines.portfolioopt.search import WHOLE_MAX, Search, gradient_of, prohibitive, resting
from ordinis.engines.portfolioopt.sparse import sparse

_AIM = 0.97  # Of the limit.
_NEAR_MIN, _NEAR_MAX = 0.6, 1.4  # Of it: from here the line through what is known tells who trades at the limit.
_CLOSE = 0.9  # From here on to all of it the limit as a row is exact for certain.
_SURE = 160  # Symbols: up to so many the guess is good enough,
_FEW = 0.18  # beyond where the limit is so little of what the free optimum trades.
_TIGHT = 0.08  # Likewise: here only the most promising trade, and no guess is needed.
_QUICK = 5  # Rounds that mostly do from the guess,
_LAST = 4  # and from near the limit.
_ROUNDS_MAX = 8


def limited(form: Form, theta: float, gain: FloatArray, program: Program) -> Answer | None:
    """The minimum; None where another way has to lead there. Error: OptimizationError when it is too late."""
    shorts = program.gross_max < INFINITE or program.low.any()
    if program.turnover_max == INFINITE or program.size <= WHOLE_MAX or shorts or program.interior:
        return None
    try:
        free = sparse(form, theta, gain, replace(program, cost=None, turnover_max=INFINITE))
        return None if free is None else _between(form, theta, gain, program, free)
    except NotSolved:
        return None


def _between(form: Form, theta: float, gain: FloatArray, program: Program, free: Answer) -> Answer | None:
    """Between the free optimum and no trade at all."""
    limit, most = program.turnover_max, _traded(free.weights, program.start)
    if program.cost is None and most <= limit:
        return free
    rest = resting(program)
    here = gradient_of(form, theta, gain, rest)
    dearest, _ = prohibitive(here, rest, program)
    if not 0.0 < dearest < INFINITE:
        return None
    if program.size <= _SURE or limit <= _FEW * most:
        known, price = None if limit <= _TIGHT * most else free, _guess(program, most, dearest)
        quick = Search(form, theta, gain, program, free=known, gradient=here, price=price)
        answer = quick.attempt(_QUICK, stuck=False)
        if answer is not None:
            return answer
    if program.cost is not None:
        free = Search(form, theta, gain, _at(program, 0.0), free=free, gradient=here).run()
        most = _traded(free.weights, program.start)
        if most <= limit:
            return free
    ends = _ends(program, most, dearest)
    return _root(Search(form, theta, gain, _at(program, ends.between), free=free, gradient=here), program, ends)


class _Ends(NamedTuple):
    """Two prices, one too low and one too high, and how far what is traded there is from where it should be."""

    low: float
    above: float
    high: float
    below: float

    @property
    def between(self) -> float:
        """Where the line through both has its root."""
        return self.low + self.above * (self.high - self.low) / (self.above - self.below)

    def with_(self, price: float, left: float, *, again: bool) -> _Ends:
        """Nearer by one price. An end that stays twice counts half, or the other would creep (the Illinois rule)."""
        share = 0.5 if again else 1.0
        if left > 0.0:
            return _Ends(price, left, self.high, share * self.below)
        return _Ends(self.low, share * self.above, price, left)


def _ends(program: Program, most: float, dearest: float) -> _Ends:
    """Before anything is solved: for nothing the free optimum is traded, `dearest` is too dear for any trade."""
    return _Ends(0.0, _left(most, program), dearest, _left(0.0, program))


def _guess(program: Program, most: float, dearest: float) -> float:
    """What the limit's price will be about, beside the cost."""
    if most <= program.turnover_max:
        return 0.0
    price = _ends(program, most, dearest).between
    return price if program.cost is None else max(0.0, price - float(program.cost.mean()))


def _left(traded: float, program: Program) -> float:
    """What is traded falls nearly as the square of the way to no trade: of its root the line is drawn."""
    return float(traded**0.5 - (_AIM * program.turnover_max) ** 0.5)


def _root(search: Search, program: Program, ends: _Ends) -> Answer | None:
    """Between free trade and none: what trades nearly all of the limit, and from there all of it."""
    limit, before = program.turnover_max, 0.0
    for _ in range(_ROUNDS_MAX):
        found = search.run()
        traded = _traded(found.weights, program.start)
        left = _left(traded, program)
        ends = ends.with_(ends.between, left, again=left * before > 0.0)
        before = left
        if _NEAR_MIN * limit <= traded <= _NEAR_MAX * limit:
            search.go_on(program, found._replace(prices=Prices(found.prices.rows, ends.between)))
            sure = _CLOSE * limit <= traded <= limit
            exact = search.run() if sure else search.attempt(_LAST, stuck=False)
            if exact is not None:
                return exact
        search.go_on(_at(program, ends.between), found)
    return None


def _at(program: Program, price: float) -> Program:
    """Without the limit, at a price for each unit traded beside its cost."""
    cost = np.full(program.size, price)
    return replace(program, cost=cost if program.cost is None else cost + program.cost, turnover_max=INFINITE)


def _traded(weights: FloatArray, start: FloatArray | None) -> float:
    return 0.0 if start is None else float(np.abs(weights - start).sum())
