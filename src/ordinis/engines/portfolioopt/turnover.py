"""A hard limit on turnover: the price of trading at which it is just used up.

Where few trades are best the working set finds them at once, the limit being one of its rows. Where many are it would
change sides for long, and the price leads there sooner.
As trading gets dearer what is traded falls from that of the free optimum to nothing, so a few secants come near from
below. There the limit becomes a row of the working set, which is exact and says its price.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.inner import NotSolved
from ordinis.engines.portfolioopt.program import INFINITE, Answer, Prices, Program
from ordinis.engines.portfolioopt.search import WHOLE_MAX, Search, prohibitive
from ordinis.engines.portfolioopt.sparse import sparse

_AIM = 0.97  # Of the limit.
_NEAR = 0.9  # From this share of it on the rest is exact.
_FEW = 0.2  # Of what the free optimum trades: up to here the limit is tight,
_QUICK = 6  # and so many rounds mostly do.
_ROUNDS_MAX = 8


def limited(form: Form, theta: float, gain: FloatArray, program: Program) -> Answer | None:
    """The minimum; None where another way has to lead there. Error: OptimizationError when it is too late."""
    shorts = program.gross_max < INFINITE or program.low.any()
    if program.turnover_max == INFINITE or program.size <= WHOLE_MAX or shorts or program.interior:
        return None
    try:
        free = sparse(form, theta, gain, replace(program, cost=None, turnover_max=INFINITE))
        if free is None:
            return None
        most = _traded(free.weights, program.start)
        if program.turnover_max <= _FEW * most:
            quick = Search(form, theta, gain, program).attempt(_QUICK, stuck=False)
            if quick is not None:
                return quick
        if program.cost is not None:
            free = Search(form, theta, gain, _at(program, 0.0), free=free).run()
            most = _traded(free.weights, program.start)
        return free if most <= program.turnover_max else _priced(form, theta, gain, program, free, most)
    except NotSolved:
        return None


def _priced(form: Form, theta: float, gain: FloatArray, program: Program, free: Answer, most: float) -> Answer | None:
    """Where the price of trading is above nothing: `free` trades more than the limit."""
    start = np.zeros(program.size) if program.start is None else program.start
    dearest, _ = prohibitive(theta * form.product(start) - gain, start, program)
    if not 0.0 < dearest < INFINITE:
        return None
    ends = _Ends(0.0, _left(most, program), dearest, _left(0.0, program))
    return _root(Search(form, theta, gain, _at(program, ends.between), free=free), program, ends)


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


def _left(traded: float, program: Program) -> float:
    """What is traded falls nearly as the square of the way to no trade: of its root the line is drawn."""
    return float(traded**0.5 - (_AIM * program.turnover_max) ** 0.5)


def _root(search: Search, program: Program, ends: _Ends) -> Answer | None:
    """Between free trade and none: what trades nearly all of the limit, and from there all of it."""
    limit, before = program.turnover_max, 0.0
    for _ in range(_ROUNDS_MAX):
        price = ends.between
        found = search.run()
        traded = _traded(found.weights, program.start)
        if _NEAR * limit <= traded <= limit:
            search.go_on(program, found._replace(prices=Prices(found.prices.rows, price)))
            return search.run()
        left = _left(traded, program)
        ends = ends.with_(price, left, again=left * before > 0.0)
        before = left
        search.go_on(_at(program, ends.between), found)
    return None


def _at(program: Program, price: float) -> Program:
    """Without the limit, at a price for each unit traded beside its cost."""
    cost = np.full(program.size, price)
    return replace(program, cost=cost if program.cost is None else cost + program.cost, turnover_max=INFINITE)


def _traded(weights: FloatArray, start: FloatArray | None) -> float:
    return 0.0 if start is None else float(np.abs(weights - start).sum())
