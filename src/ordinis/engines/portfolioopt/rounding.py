"""Weights that can be bought: whole shares, no crumbs, every limit still kept, and what that costs said."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import ConfigError, OptimizationError
from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.portfolioopt import methods, positions
from ordinis.engines.portfolioopt.limits import Limits
from ordinis.engines.portfolioopt.program import INFINITE, Program
from ordinis.engines.portfolioopt.proof import violation
from ordinis.engines.portfolioopt.task import Task

_HAIR = 1e-9  # Of a share: ten shares at 100 are ten, whatever weight they went through.
_FEASIBLE = 1e-10
_STEPS_MAX = 2_000


class Lots(msgspec.Struct, frozen=True, kw_only=True):
    """What can be bought at all."""

    equity_usd: float
    prices_usd: dict[str, float]
    minimum_notional_usd: float = 0.0  # Of a trade; smaller ones are left undone.
    fractionable: frozenset[str] = frozenset()  # Symbols that are bought in any fraction.
    lot_shares: float = 1.0  # Of the others.


class Rounded(msgspec.Struct, frozen=True, kw_only=True):
    """Shares in place of weights."""

    shares: dict[str, float]
    weights: dict[str, float]  # What they weigh.
    cash: float
    loss: float  # How much worse they are than the exact weights, in the unit of what the method minimises.
    loss_relative: float  # The same as a part of the exact weights' value.
    violation: float  # The most by which a limit is passed.
    left_undone: tuple[str, ...]  # Trades below the minimum notional.


def rounded(method: str, task: Task, symbols: list[str], exact: FloatArray, lots: Lots, beside: float) -> Rounded:
    """The nearest whole lots below, then lot by lot what improves the objective most while every limit holds.

    `beside` is the weight of what is held of other symbols.

    A sum that has to be reached exactly (a budget) is kept from above; what is left of it is cash. Errors: ConfigError
    for a missing price, OptimizationError where no whole lots keep the limits.
    """
    step = _steps(symbols, lots)
    task = replace(task, limits=replace(task.limits, program=_opened(task.limits.program, step)))
    weights, undone = _first(task, exact, step, lots)
    weights = _repaired(method, task, weights, step, undone)
    weights = _improved(method, task, weights, exact, step, undone)
    excess = _excess(task.limits, weights)
    if excess > _FEASIBLE:
        raise OptimizationError(
            f"no whole lots near the weights keep the constraints: the nearest pass by {excess:.3g}"
        )
    value, best = (methods.value_of(method, task, one) for one in (weights, exact))
    shares = np.round(weights * lots.equity_usd / _prices(symbols, lots), 9)
    return Rounded(
        shares=dict(zip(symbols, shares.tolist(), strict=True)),
        weights=dict(zip(symbols, weights.tolist(), strict=True)),
        cash=1.0 - float(weights.sum()) - beside,
        loss=value - best,
        loss_relative=(value - best) / max(abs(best), 1e-300),
        violation=excess,
        left_undone=tuple(symbols[one] for one in undone.nonzero()[0].tolist()),
    )


def _prices(symbols: list[str], lots: Lots) -> FloatArray:
    missing = [symbol for symbol in symbols if not lots.prices_usd.get(symbol, 0.0) > 0.0]
    if missing:
        raise ConfigError(f"prices_usd: a price above 0 is needed of {', '.join(missing[:5])}")
    return np.array([lots.prices_usd[symbol] for symbol in symbols])


def _steps(symbols: list[str], lots: Lots) -> FloatArray:
    """The weight of one lot, [symbols]; 0 where any fraction will do. Error: ConfigError."""
    if not 0.0 < lots.equity_usd < INFINITE:
        raise ConfigError(f"equity_usd must be above 0 and finite, was {lots.equity_usd}")
    whole = np.array([symbol not in lots.fractionable for symbol in symbols])
    return np.where(whole, lots.lot_shares * _prices(symbols, lots) / lots.equity_usd, 0.0)


def _opened(program: Program, step: FloatArray) -> Program:
    """Lots cannot add up to a sum to the last digit: a limit below gives way by the largest lot, one above never."""
    give = float(np.abs(program.rows * step).max(initial=0.0)) * 2.0
    low = np.where(program.low > 0.0, np.maximum(0.0, program.low - step), program.low)
    return replace(program, row_low=program.row_low - give, low=low)


def _first(task: Task, exact: FloatArray, step: FloatArray, lots: Lots) -> tuple[FloatArray, BoolArray]:
    """Towards nothing, so no limit on a size is passed; trades that are too small are not made."""
    whole = step > 0.0
    count = np.trunc(np.where(whole, exact / np.where(whole, step, 1.0), 0.0) + np.sign(exact) * _HAIR)
    weights = np.where(whole, count * step, exact)
    start = task.limits.program.start
    before = np.zeros(exact.size) if start is None else start
    fixed = task.limits.fixed
    kept = np.zeros(exact.size, np.bool_) if fixed is None else fixed
    least = lots.minimum_notional_usd / lots.equity_usd
    program = task.limits.program
    may_stay = (before <= program.high) & (before >= program.low) & ~kept
    undone: BoolArray = (np.abs(weights - before) < least) & (weights != before) & may_stay
    return np.where(undone | kept, before, weights), undone


def _repaired(method: str, task: Task, weights: FloatArray, step: FloatArray, undone: BoolArray) -> FloatArray:
    """What was left undone can be more than was meant: others give up a lot each, where it costs least."""
    limits = task.limits
    for _ in range(_STEPS_MAX):
        excess = _excess(limits, weights)
        if excess <= _FEASIBLE:
            return weights
        trials = []
        for one in ((weights != 0.0) & ~undone).nonzero()[0].tolist():
            trial = weights.copy()
            lot = min(step[one] or excess, abs(weights[one]))
            trial[one] -= np.sign(weights[one]) * lot
            if _excess(limits, trial) < excess:
                trials.append((methods.value_of(method, task, trial), one, trial))
        if not trials:
            return weights
        weights = min(trials, key=lambda trial: trial[:2])[2]
    return weights


def _improved(
    method: str, task: Task, weights: FloatArray, exact: FloatArray, step: FloatArray, undone: BoolArray
) -> FloatArray:
    """One lot more of whoever improves the objective most, as long as somebody does."""
    limits = task.limits
    value = methods.value_of(method, task, weights)
    for _ in range(_STEPS_MAX):
        # Only what was rounded off is given back: a lot each at most, the largest remainder first.
        wanting = ((exact - weights) * np.sign(exact) > _HAIR) & (step > 0.0) & ~undone & (weights != 0.0)
        wanting |= (np.abs(exact) >= step * 0.5) & (weights == 0.0) & (step > 0.0) & ~undone
        best, gained = None, value
        for one in wanting.nonzero()[0].tolist():
            trial = weights.copy()
            trial[one] += np.sign(exact[one]) * step[one]
            if _excess(limits, trial) <= max(_FEASIBLE, _excess(limits, weights) - 1e-12):
                reached = methods.value_of(method, task, trial)
                if reached < gained:
                    best, gained = trial, reached
        if best is None:
            return weights
        weights, value = best, gained
    return weights


def _excess(limits: Limits, weights: FloatArray) -> float:
    most = violation(limits, weights)
    return most if positions.keeps(limits, weights) else max(most, limits.position_min, _FEASIBLE * 2.0)
