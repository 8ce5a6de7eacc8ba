"""PortfolioOptimizer: weights from returns, under constraints, with a certificate.

    optimizer = PortfolioOptimizer(method="mean_variance")
    optimizer.optimize(returns, constraints={"max_weight": 0.2}).weights

Weights are fractions of equity, long only. A result that breaks a constraint, or is not the optimum, is an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ordinis.domain.errors import ConfigError, DataError, OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import solvers
from ordinis.engines.portfolioopt.moments import Moments, estimated, positive_definite, table_of, usable
from ordinis.engines.portfolioopt.problem import Problem
from ordinis.engines.portfolioopt.result import Constraints, OptimizationResult
from ordinis.engines.portfolioopt.solvers import Solution

CERTIFIED = 1e-8  # Beyond it a residual or a violation is refused.
METHODS = ("mean_variance", "min_variance", "risk_parity", "equal_weight", "inverse_volatility")
_CASH_IS_FREE = "mean_variance"  # The others invest the whole budget.


class PortfolioOptimizer:
    """One method with its figures; holds nothing from call to call."""

    def __init__(
        self,
        method: str = "mean_variance",
        *,
        risk_aversion: float = 5.0,
        rows_min: int = 20,
        periods_a_year: float = 252.0,
        clock_ms: Callable[[], float] | None = None,
    ) -> None:
        """`risk_aversion` prices variance in mean_variance: it maximises mean - risk_aversion / 2 x variance.

        `rows_min` returns make a history; `periods_a_year` rows make a year; `clock_ms` times a call, if given.
        Error: ConfigError.
        """
        if method not in METHODS:
            close = difflib.get_close_matches(method, METHODS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(METHODS)}"
            raise ConfigError(f"method: {method} is unknown; {hint}")
        if not 0.0 < risk_aversion < float("inf"):
            raise ConfigError(f"risk_aversion must be above 0 and finite, was {risk_aversion}")
        self.method = method
        self.risk_aversion = risk_aversion
        self._rows_min = max(2, rows_min)
        self._periods_a_year = periods_a_year
        self._clock_ms = clock_ms

    def optimize(
        self,
        returns: Any,
        constraints: Mapping[str, float] | None = None,
        current_weights: Mapping[str, float] | None = None,
        *,
        symbols: Sequence[str] | None = None,
    ) -> OptimizationResult:
        """Weights for the columns of `returns`, an array or DataFrame [rows x symbols] of simple returns.

        Symbols that cannot be estimated are excluded and named; one of them that `current_weights` holds is frozen
        at its weight and counted against the budget. Means and correlations are shrunk (see moments.py). Errors:
        DataError for unusable returns, ConfigError for an unknown constraint, OptimizationError.
        """
        began_ms = self._now_ms()
        names, values = table_of(returns, symbols)
        columns, excluded = usable(names, values, self._rows_min)
        if not columns:
            raise DataError("no symbol has usable returns: " + "; ".join(f"{s}: {why}" for s, why in excluded.items()))
        moments = estimated([names[column] for column in columns], values[:, columns], self._periods_a_year)
        return self._solve(moments, Constraints.of(constraints), current_weights, excluded, began_ms)

    def optimize_moments(
        self,
        symbols: Sequence[str],
        mean: FloatArray,
        covariance: FloatArray,
        constraints: Mapping[str, float] | None = None,
        current_weights: Mapping[str, float] | None = None,
    ) -> OptimizationResult:
        """The same from means [symbols] and covariance [symbols x symbols] of a year that are known already.

        A symbol whose mean or variance is NaN is excluded.
        """
        began_ms = self._now_ms()
        known = np.isfinite(mean) & np.isfinite(np.diag(covariance)) & (np.diag(covariance) > 0.0)
        excluded = {symbols[one]: "no estimate" for one in np.flatnonzero(~known).tolist()}
        kept = np.flatnonzero(known)
        if not kept.size:
            raise DataError(f"no symbol has an estimate: {', '.join(symbols)}")
        inner = covariance[np.ix_(kept, kept)]
        if not np.isfinite(inner).all():
            raise DataError("the covariance of two symbols that have a variance is not finite")
        names = tuple(symbols[one] for one in kept.tolist())
        moments = Moments(names, mean[kept], positive_definite(inner))
        return self._solve(moments, Constraints.of(constraints), current_weights, excluded, began_ms)

    def _solve(
        self,
        moments: Moments,
        limits: Constraints,
        current: Mapping[str, float] | None,
        excluded: dict[str, str],
        began_ms: float | None,
    ) -> OptimizationResult:
        frozen = {name: current[name] for name in excluded if current and current.get(name)}
        held = sum(frozen.values())
        least = limits.min_gross if self.method == _CASH_IS_FREE else limits.budget
        limits.check(len(moments.symbols), held, least)
        problem = self._problem(moments, limits, max(0.0, least - held), limits.budget - held)
        solution = self._answer(problem, moments)
        violation = problem.violation(solution.weights)
        _certify(self.method, solution, violation)
        weights = dict(zip(moments.symbols, solution.weights.tolist(), strict=True)) | frozen
        return OptimizationResult(
            method=self.method,
            weights=weights,
            cash=1.0 - sum(weights.values()),
            expected_return=float(moments.mean @ solution.weights),
            expected_volatility=float(np.sqrt(solution.weights @ moments.covariance @ solution.weights)),
            status="optimal",
            residual=solution.residual,
            violation=violation,
            rung=solution.rung,
            excluded=excluded,
            frozen=frozen,
            turnover=None if current is None else _turnover(weights, current),
            elapsed_ms=None if began_ms is None or self._clock_ms is None else self._clock_ms() - began_ms,
        )

    def _problem(self, moments: Moments, limits: Constraints, least: float, most: float) -> Problem:
        gain = moments.mean / self.risk_aversion if self.method == "mean_variance" else np.zeros_like(moments.mean)
        return Problem.normalised(moments.covariance, gain, limits.min_weight, limits.max_weight, least, most)

    def _answer(self, problem: Problem, moments: Moments) -> Solution:
        if problem.most <= 0.0:
            return Solution(np.zeros(len(moments.symbols)), 0.0, "formula")
        if self.method == "risk_parity":
            return solvers.risk_parity(problem)
        if self.method == "equal_weight":
            return solvers.proportional(problem, np.ones(len(moments.symbols)))
        if self.method == "inverse_volatility":
            return solvers.proportional(problem, 1.0 / np.sqrt(np.diag(moments.covariance)))
        return solvers.quadratic(problem)

    def _now_ms(self) -> float | None:
        return None if self._clock_ms is None else self._clock_ms()


def _certify(method: str, solution: Solution, violation: float) -> None:
    if violation > CERTIFIED:
        raise OptimizationError(
            f"{method}: the weights of {solution.rung} pass a constraint by {violation:.3g}: refused"
        )
    if not solution.residual <= CERTIFIED:
        raise OptimizationError(
            f"{method}: the weights of {solution.rung} are not the optimum (residual {solution.residual:.3g},"
            f" {CERTIFIED:.0e} is allowed): refused"
        )


def _turnover(weights: Mapping[str, float], current: Mapping[str, float]) -> float:
    return sum(abs(weights.get(name, 0.0) - current.get(name, 0.0)) for name in weights.keys() | current.keys())
