"""Where the book should stand: the best weights within every limit, each at most what PositionSizer gives.

Under `mean_variance` the expected returns are those under which PositionSizer's own weights u would be best, mean =
risk aversion x S u: so the targets are the feasible book that strays from u with the least variance. Signals are views
on top of that: where a limit binds the less sure give way first. Source: Black and Litterman (1992), "Global Portfolio
Optimization".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from ordinis.domain.errors import DataError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolio.rebalance.book_limits import BookLimits, constraints, past_by
from ordinis.engines.portfolio.rebalance.plan import Seat
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolioopt.result import OptimizationResult

_CASH_IS_FREE = "mean_variance"  # The other methods invest all that they may.
_MAX_TURNOVER = "max_turnover"
_RANKS_IN_A_DEVIATION = sqrt(12.0)  # Ranks are spread evenly over [0, 1].
_HELD = "hold"  # The last rung: nothing was proven, so nothing is traded.
_UNPROVEN = ("substitute", "held")
_HAIR = 1e-9  # Of what is invested: a method's budget is that much smaller than what is known to fit.
_ROUNDING = 1e-8


class Targets(NamedTuple):
    """The weights of the seats in their order, signed; `rung` says how they were found, `note` why not better."""

    weights: list[float]
    rung: str
    note: str
    volatility_before: float  # A year; NaN unknown.
    volatility_after: float


def targets(seats: Sequence[Seat], covariance: FloatArray, limits: BookLimits, settings: RebalanceSettings) -> Targets:
    """Solve for the seats; `covariance` [seats x seats] of a year, NaN where a volatility is unknown.

    A holding without an estimate, or one that may not be traded, stays as it is and counts in every limit.
    """
    now = np.array([seat.now for seat in seats])
    before = volatility_of(now, covariance)
    try:
        sizes, rung, gives = _solved(_problem(seats, covariance, limits, settings), settings)
    except (DataError, OptimizationError) as error:
        return Targets(now.tolist(), _HELD, str(error), before, before)
    note = "; ".join(f"{limit} gives way by {by:.4f}" for limit, by in gives.items() if by > _ROUNDING)
    weights = np.array([seat.side * sizes.get(seat.symbol, abs(seat.now)) for seat in seats])
    return Targets(weights.tolist(), rung, note, before, volatility_of(weights, covariance))


class _Problem(NamedTuple):
    """What is solved for are sizes, every short turned round: no seat changes sides."""

    seats: Sequence[Seat]
    names: list[str]
    now: dict[str, float]  # Unsigned.
    covariance: FloatArray  # Of the sizes.
    bounds: dict[str, tuple[float, float]]
    limits: dict[str, Any]
    gives: dict[str, float]  # Limit -> by how much what stays is past it, and the limit gives way.


class _Sizes(NamedTuple):
    by_symbol: dict[str, float]  # Unsigned.
    rung: str
    gives: dict[str, float]


def _problem(
    seats: Sequence[Seat], covariance: FloatArray, limits: BookLimits, settings: RebalanceSettings
) -> _Problem:
    side = np.array([seat.side for seat in seats], np.float64)
    gives = _past_by_what_stays(seats, covariance, limits)
    return _Problem(
        seats=seats,
        names=[seat.symbol for seat in seats],
        now={seat.symbol: abs(seat.now) for seat in seats if seat.now},
        covariance=covariance * side * side[:, None],
        bounds=_bounds(seats, settings.turnover_max),
        limits=constraints(limits, gives, {seat.symbol: seat.side for seat in seats}),
        gives=gives,
    )


def _solved(problem: _Problem, settings: RebalanceSettings) -> _Sizes:
    """Errors: DataError, OptimizationError."""
    nearest = _optimum(problem, settings)
    if nearest.status in _UNPROVEN and settings.turnover_max:
        return _whatever_it_turns_over(problem, settings)
    _check_proven(nearest)
    sizes = _Sizes(nearest.weights, nearest.rung, problem.gives | nearest.relaxed)
    invested = sum(nearest.weights.values(), 0.0)
    if settings.method == _CASH_IS_FREE or invested <= _HAIR:
        return sizes
    found = _optimum(problem, settings, settings.method, invested * (1.0 - _HAIR))
    if found.status in _UNPROVEN:
        return sizes
    return _Sizes(found.weights, found.rung, sizes.gives | found.relaxed)


def _whatever_it_turns_over(problem: _Problem, settings: RebalanceSettings) -> _Sizes:
    """A volatility that one rebalance's turnover cannot mend is mended all the same; nothing is bought meanwhile."""
    bounds = {name: (0.0, min(high, problem.now.get(name, 0.0))) for name, (_, high) in problem.bounds.items()}
    found = _optimum(problem._replace(bounds=bounds), replace(settings, turnover_max=0.0))
    _check_proven(found)
    turned = sum((abs(found.weights.get(name, size) - size) for name, size in problem.now.items()), 0.0)
    gives = problem.gives | found.relaxed | {_MAX_TURNOVER: turned - settings.turnover_max}
    return _Sizes(found.weights, found.rung, gives)


def _check_proven(result: OptimizationResult) -> None:
    if result.status in _UNPROVEN:
        raise OptimizationError("no weights within the limits are proven, so nothing is traded")


def _optimum(
    problem: _Problem, settings: RebalanceSettings, method: str = _CASH_IS_FREE, invested: float | None = None
) -> OptimizationResult:
    """`invested` is what a method that does not choose its cash has to invest. Errors: DataError, OptimizationError."""
    from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer  # Heavy, and most runs rebalance late.

    aversion = settings.risk_aversion if method == _CASH_IS_FREE else None
    return PortfolioOptimizer(method, risk_aversion=aversion, on_failure="ladder").optimize_moments(
        problem.names,
        _expected(problem, settings),
        problem.covariance,
        _constraints(problem, settings, invested),
        problem.now,
    )


def _expected(problem: _Problem, settings: RebalanceSettings) -> FloatArray:
    """Returns a year [seats] under which the sizes that are wanted would be best, bent by what the signals say."""
    from ordinis.engines.portfolioopt.means import signal_views, with_views

    seats, covariance = problem.seats, problem.covariance
    known = np.nan_to_num(covariance)
    wanted = np.array([abs(seat.now) if seat.frozen is not None else seat.most for seat in seats])
    prior: FloatArray = settings.risk_aversion * (known @ wanted)
    if not settings.information_coefficient or settings.method != _CASH_IS_FREE:
        return prior
    sure = np.array([nan if seat.confidence is None else seat.confidence for seat in seats])
    # Confidences are ranks. In units of their deviation, and from the least of them on, or they would bid all sizes up.
    score = (sure - np.nanmin(sure, initial=1.0)) * _RANKS_IN_A_DEVIATION
    skill, volatility = settings.information_coefficient, np.sqrt(covariance.diagonal())
    return with_views(problem.names, prior, known, signal_views(problem.names, score, sure, volatility, skill, prior))


def _past_by_what_stays(seats: Sequence[Seat], covariance: FloatArray, limits: BookLimits) -> dict[str, float]:
    """What may not be traded, or has no estimate."""
    known = covariance.diagonal() > 0.0
    stays = [seat.frozen is not None or not sure for seat, sure in zip(seats, known.tolist(), strict=True)]
    weights = np.array([seat.now if stay else 0.0 for seat, stay in zip(seats, stays, strict=True)])
    volatility = volatility_of(np.where(known, weights, 0.0), covariance)
    return past_by(limits, {seat.symbol: seat.now for seat, stay in zip(seats, stays, strict=True) if stay}, volatility)


def _bounds(seats: Sequence[Seat], turnover_max: float) -> dict[str, tuple[float, float]]:
    """Unsigned: a holding may shrink, and grow where it may be added to; a candidate may come.

    What is above its size comes down at once, or as far as the turnover of one rebalance carries all of it.
    """
    excess = sum((max(0.0, abs(seat.now) - seat.most) for seat in seats if seat.frozen is None), 0.0)
    share = min(1.0, turnover_max / excess) if turnover_max and excess else 1.0
    found = {}
    for seat in seats:
        size = abs(seat.now)
        top = min(size, size - share * (size - seat.most)) if seat.held else seat.most
        if seat.grows_to is not None and seat.most >= size:
            top = max(top, seat.grows_to)
        found[seat.symbol] = (0.0, top)
    return found


def _constraints(problem: _Problem, settings: RebalanceSettings, invested: float | None) -> dict[str, Any]:
    given = problem.limits | {
        "bounds": problem.bounds,
        "frozen": [seat.symbol for seat in problem.seats if seat.frozen is not None],
    }
    if settings.turnover_max:
        given[_MAX_TURNOVER] = settings.turnover_max
    return given if invested is None else given | {"gross": invested / (1.0 - given["cash_buffer"])}


def volatility_of(weights: FloatArray, covariance: FloatArray) -> float:
    """A year, of signed weights; NaN where that of something held is unknown."""
    held = weights.nonzero()[0]
    variance = float(weights[held] @ covariance[np.ix_(held, held)] @ weights[held])
    return sqrt(variance) if variance >= 0.0 else nan
