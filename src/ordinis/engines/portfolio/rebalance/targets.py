"""Where the book should stand: the best weights within every limit, each at most what PositionSizer gives.

Under `mean_variance` the expected returns are those under which PositionSizer's own weights u would be best, mean =
risk aversion x S u: so the targets are the feasible book that strays from u with the least variance. Signals are views
on top of that: where a limit binds the less sure give way first. Source: Black and Litterman (1992), "Global Portfolio
Optimization".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from ordinis.domain.errors import DataError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolio.rebalance.plan import Seat
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolioopt.result import OptimizationResult

_CASH_IS_FREE = "mean_variance"  # The other methods invest all that they may.
_MAX_VOLATILITY = "max_volatility"
_RANKS_IN_A_DEVIATION = sqrt(12.0)  # Ranks are spread evenly over [0, 1].
_HELD = "hold"  # The last rung: nothing was proven, so nothing is traded.


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLimits:
    """What the whole book has to keep, as fractions of equity; None: no such limit. Groups by symbol."""

    gross: float
    cash_buffer: float
    max_volatility: float | None = None
    sectors: Mapping[str, str] = field(default_factory=dict)
    max_sector: float | None = None
    clusters: Mapping[str, str] = field(default_factory=dict)
    max_cluster: float | None = None
    betas: Mapping[str, float] = field(default_factory=dict)
    beta: tuple[float, float] | None = None


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
    before = _volatility(now, covariance)
    try:
        result = _solved(seats, now, covariance, limits, settings)
    except (DataError, OptimizationError) as error:
        return Targets(now.tolist(), _HELD, str(error), before, before)
    gives = {**result.relaxed, **_past_by_what_stays(seats, covariance, limits)}
    note = "; ".join(f"{limit} gives way by {by:.4f}" for limit, by in gives.items())
    weights = np.array([result.weights.get(seat.symbol, seat.now) for seat in seats])
    return Targets(weights.tolist(), result.rung, note, before, _volatility(weights, covariance))


def _solved(
    seats: Sequence[Seat], now: FloatArray, covariance: FloatArray, limits: BookLimits, settings: RebalanceSettings
) -> OptimizationResult:
    from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer  # Heavy, and most runs rebalance late.

    limits = _reachable(seats, covariance, limits)
    names = [seat.symbol for seat in seats]
    bounds = _bounds(seats, settings.turnover_max)
    wanted = np.array([seat.now if seat.frozen is not None else _wanted(seat) for seat in seats])
    mean = _expected(seats, names, covariance, wanted, settings)
    aversion = settings.risk_aversion if settings.method == _CASH_IS_FREE else None
    return PortfolioOptimizer(settings.method, risk_aversion=aversion, on_failure="ladder").optimize_moments(
        names,
        mean,
        covariance,
        _constraints(seats, bounds, limits, settings),
        {name: float(weight) for name, weight in zip(names, now, strict=True) if weight},
    )


def _expected(
    seats: Sequence[Seat], names: Sequence[str], covariance: FloatArray, wanted: FloatArray, settings: RebalanceSettings
) -> FloatArray:
    """Returns a year [seats] under which the sizes that are wanted would be best, bent by what the signals say."""
    from ordinis.engines.portfolioopt.means import signal_views, with_views

    known = np.nan_to_num(covariance)
    prior: FloatArray = settings.risk_aversion * (known @ wanted)
    if not settings.information_coefficient or settings.method != _CASH_IS_FREE:
        return prior
    sure = np.array([nan if seat.confidence is None else seat.confidence for seat in seats])
    side = np.array([seat.side for seat in seats])
    # Confidences are ranks. In units of their deviation, and from the least of them on, or they would bid all sizes up.
    score = side * (sure - np.nanmin(sure, initial=1.0)) * _RANKS_IN_A_DEVIATION
    skill, volatility = settings.information_coefficient, np.sqrt(covariance.diagonal())
    return with_views(names, prior, known, signal_views(names, score, sure, volatility, skill, prior))


def _reachable(seats: Sequence[Seat], covariance: FloatArray, limits: BookLimits) -> BookLimits:
    """A volatility that what may not be sold has by itself cannot be cut: the limit gives way so far."""
    by = _past_by_what_stays(seats, covariance, limits).get(_MAX_VOLATILITY, 0.0)
    if not by or limits.max_volatility is None:
        return limits
    return replace(limits, max_volatility=(limits.max_volatility + by) * (1.0 + 1e-9))


def _past_by_what_stays(seats: Sequence[Seat], covariance: FloatArray, limits: BookLimits) -> dict[str, float]:
    stays = np.array([seat.now if seat.frozen is not None else 0.0 for seat in seats])
    volatility = _volatility(stays, covariance)
    if limits.max_volatility is None or not volatility > limits.max_volatility:
        return {}
    return {_MAX_VOLATILITY: volatility - limits.max_volatility}


def _wanted(seat: Seat) -> float:
    return seat.side * seat.most


def _bounds(seats: Sequence[Seat], turnover_max: float) -> dict[str, tuple[float, float]]:
    """A holding may shrink, and grow where it may be added to; a candidate may come; neither may change sides.

    What is above its size comes down at once, or as far as the turnover of one rebalance carries all of it.
    """
    excess = sum(max(0.0, abs(seat.now) - seat.most) for seat in seats if seat.frozen is None)
    share = min(1.0, turnover_max / excess) if turnover_max and excess else 1.0
    found = {}
    for seat in seats:
        size = abs(seat.now)
        top = min(size, size - share * (size - seat.most)) if seat.held else seat.most
        if seat.grows_to is not None and seat.most >= size:
            top = max(top, seat.grows_to)
        found[seat.symbol] = (-top, 0.0) if seat.side < 0 else (0.0, top)
    return found


def _constraints(
    seats: Sequence[Seat],
    bounds: Mapping[str, tuple[float, float]],
    limits: BookLimits,
    settings: RebalanceSettings,
) -> dict[str, Any]:
    gross = limits.gross
    if settings.method != _CASH_IS_FREE:  # They invest the whole budget: no more than there is room for.
        room = sum(max(abs(low), abs(high)) for low, high in bounds.values())
        gross = min(gross, room / (1.0 - limits.cash_buffer))
    given: dict[str, Any] = {
        "bounds": bounds,
        "gross": gross,
        "net": (-limits.gross, limits.gross) if any(seat.side < 0 for seat in seats) else None,
        "cash_buffer": limits.cash_buffer,
        "frozen": [seat.symbol for seat in seats if seat.frozen is not None],
        _MAX_VOLATILITY: limits.max_volatility,
        "beta": limits.beta,
        "betas": limits.betas,
        "sectors": limits.sectors,
        "max_sector": limits.max_sector,
        "clusters": limits.clusters,
        "max_cluster": limits.max_cluster,
        "max_turnover": settings.turnover_max or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _volatility(weights: FloatArray, covariance: FloatArray) -> float:
    held = weights.nonzero()[0]
    variance = float(weights[held] @ covariance[np.ix_(held, held)] @ weights[held])
    return sqrt(variance) if variance >= 0.0 else nan
