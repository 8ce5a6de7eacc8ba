"""A hard limit on turnover: the price of trading at which it is just used up.

Where few trades are best the working set finds them at once, the limit being one of its rows. Where many are it would
change sides for long, and the price leads there sooner.
As trading gets dearer what is traded falls from that of the free optimum to nothing, so a few secants come near from
below. There the limit becomes a row of the working set, which is exact and says its price.
"""

from __future__ import annotations

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
_QUICK = 3  # Rounds: where few trades are best they are found at once.
_ROUNDS_MAX = 12


def limited(form: Form, theta: float, gain: FloatArray, program: Program) -> Answer | None:
    """The minimum; None where another way has to lead there. Error: OptimizationError when it is too late."""
    start = program.start
    shorts = program.gross_max < INFINITE or program.low.any()
    if start is None or program.turnover_max == INFINITE or program.size <= WHOLE_MAX or shorts or program.interior:
        return None
    try:
        quick = Search(form, theta, gain, program).attempt(_QUICK, stuck=False)
        if quick is not None:
            return quick
        free = _free(form, theta, gain, program)
        most = INFINITE if free is None else _traded(free.weights, start)
        if free is None or most <= program.turnover_max:
            return free
        dearest, _ = prohibitive(theta * form.product(start) - gain, start, program)
        if not 0.0 < dearest < INFINITE:
            return None
        return _root(
            Search(
                form,
                theta,
                gain,
                _at(program, _secant([(0.0, most), (dearest, 0.0)], 0.0, dearest, program.turnover_max)),
            ),
            program,
            dearest,
            most,
        )
    except NotSolved:
        return None


def _free(form: Form, theta: float, gain: FloatArray, program: Program) -> Answer | None:
    """The minimum without the limit."""
    if program.cost is None:
        return sparse(form, theta, gain, replace(program, turnover_max=INFINITE))
    return Search(form, theta, gain, replace(program, turnover_max=INFINITE)).run()


def _root(search: Search, program: Program, dearest: float, most: float) -> Answer | None:
    """Between free trade, which trades `most`, and no trade: what trades nearly all of the limit, and then all."""
    limit = program.turnover_max
    points = [(0.0, most), (dearest, 0.0)]
    low, high = 0.0, dearest
    price = _secant(points, low, high, limit)
    for _ in range(_ROUNDS_MAX):
        found = search.run()
        traded = _traded(found.weights, program.start)
        if _NEAR * limit <= traded <= limit:
            search.go_on(program, found._replace(prices=Prices(found.prices.rows, price)))
            return search.run()
        low, high = (price, high) if traded > limit else (low, price)
        points = [points[-1], (price, traded)]
        price = _secant(points, low, high, limit)
        search.go_on(_at(program, price), found)
    return None


def _secant(points: list[tuple[float, float]], low: float, high: float, limit: float) -> float:
    """Where two points' line leads to nearly all of the limit; the middle where that is not between the ends.

    What is traded falls nearly as the square of the way to no trade: its root is what the line is drawn through.
    """
    (first, before), (second, after) = ((price, traded**0.5) for price, traded in points)
    price = low
    if after != before:
        price = second + ((_AIM * limit) ** 0.5 - after) * (second - first) / (after - before)
    return price if low < price < high else (low + high) / 2.0


def _at(program: Program, price: float) -> Program:
    """Without the limit, at a price for each unit traded beside its cost."""
    cost = np.full(program.size, price)
    return replace(program, cost=cost if program.cost is None else cost + program.cost, turnover_max=INFINITE)


def _traded(weights: FloatArray, start: FloatArray | None) -> float:
    return 0.0 if start is None else float(np.abs(weights - start).sum())
