"""PortfolioOptimizer: weights from returns, under constraints, with a certificate.

    optimizer = PortfolioOptimizer(method="mean_variance")
    optimizer.optimize(returns, constraints={"max_weight": 0.2}).weights

Weights are fractions of equity. A result that breaks a constraint, or is not proven to be the optimum, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ordinis.domain.errors import ConfigError, DataError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.accelerator import Accelerator, Table
from ordinis.engines.portfolioopt.book import Book
from ordinis.engines.portfolioopt.constraints import Constraints
from ordinis.engines.portfolioopt.estimators import ESTIMATORS, estimator_of
from ordinis.engines.portfolioopt.forms import Dense, Form
from ordinis.engines.portfolioopt.inner import TooLate
from ordinis.engines.portfolioopt.ladder import PROVEN, Ladder
from ordinis.engines.portfolioopt.means import MEANS, View, black_litterman, shrunk_mean
from ordinis.engines.portfolioopt.memory import Memory
from ordinis.engines.portfolioopt.methods import METHODS as _METHODS
from ordinis.engines.portfolioopt.moments import Sample, positive_definite, sample_of, values_of, weights_of
from ordinis.engines.portfolioopt.result import OptimizationResult
from ordinis.engines.portfolioopt.rounding import Lots

METHODS = tuple(_METHODS)
_CASH_IS_FREE = ("mean_variance", "kelly_growth")  # The others invest the whole budget.
_NEED_ROWS = ("mean_cvar", "kelly_growth")
_FAILURES = ("raise", "ladder")


class PortfolioOptimizer:
    """One method with its figures."""

    def __init__(
        self,
        method: str = "mean_variance",
        *,
        risk_aversion: float | None = None,
        target_return: float | None = None,
        target_volatility: float | None = None,
        maximum_sharpe: bool = False,
        risk_free: float = 0.0,
        confidence: float = 0.95,
        risk_budgets: Mapping[str, float] | None = None,
        estimator: str = "ledoit_wolf",
        mean: str | None = None,
        half_life_rows: float = 63.0,
        factors: int | None = None,
        rows_min: int = 20,
        periods_a_year: float = 252.0,
        holding_years: float = 1.0,
        on_failure: str = "raise",
        deadline_ms: float | None = None,
        clock_ms: Callable[[], float] | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        """What is optimised and how it is estimated: see docs/optimizer.md. Yearly figures are fractions.

        `risk_aversion` prices variance in mean_variance (5 unless given): it maximises mean - risk_aversion / 2 x
        variance; a `target_return`, a `target_volatility` or the `maximum_sharpe` ratio over `risk_free` may take its
        place. mean_cvar minimises a row's CVaR at `confidence`, or with a risk aversion its multiple less the mean.
        `risk_budgets` are parts of the risk by symbol, equal unless given. `estimator` is one of ESTIMATORS, `mean` one
        of MEANS (shrunk, and the sample's with the estimator `sample`), `half_life_rows` the EWMA's, `factors` how many
        the factor estimator keeps. `rows_min` returns make a history; `periods_a_year` rows make a year; a trade's cost
        is spread over `holding_years`. `on_failure` "ladder" answers whatever comes, the status says with what;
        `deadline_ms` needs `clock_ms`, which also times a call. An `accelerator` multiplies tables that are large
        enough for it by measurement. Error: ConfigError.
        """
        _known("method", method, METHODS)
        _known("estimator", estimator, ESTIMATORS)
        _known("mean", mean or "shrunk", MEANS)
        _known("on_failure", on_failure, _FAILURES)
        _above_zero("risk_aversion", 5.0 if risk_aversion is None else risk_aversion)
        _above_zero("target_volatility", 1.0 if target_volatility is None else target_volatility)
        _above_zero("factors", 1.0 if factors is None else factors)
        for name, figure in (
            ("periods_a_year", periods_a_year),
            ("holding_years", holding_years),
            ("half_life_rows", half_life_rows),
        ):
            _above_zero(name, figure)
        for name, figure in (("target_return", target_return or 0.0), ("risk_free", risk_free)):
            if not math.isfinite(figure):
                raise ConfigError(f"{name} must be finite, was {figure}")
        if not 0.0 < confidence < 1.0:
            raise ConfigError(f"confidence must be between 0 and 1, was {confidence}")
        if (
            sum((risk_aversion is not None, target_return is not None, target_volatility is not None, maximum_sharpe))
            > 1
        ):
            raise ConfigError(
                "only one of risk_aversion, target_return, target_volatility, maximum_sharpe can be asked for"
            )
        if deadline_ms is not None and clock_ms is None:
            raise ConfigError("deadline_ms needs clock_ms, a clock to read")
        self.method = method
        self.risk_aversion = 5.0 if risk_aversion is None else risk_aversion
        self._tail_aversion = risk_aversion
        self._goal = {
            "target_return": target_return,
            "target_volatility": target_volatility,
            "maximum_sharpe": maximum_sharpe,
            "risk_free": risk_free,
            "confidence": confidence,
        }
        self._budgets = risk_budgets
        self._estimate = estimator_of(estimator, half_life_rows, factors)
        self._mean = mean or ("sample" if estimator == "sample" else "shrunk")
        self._rows_min = max(2, rows_min)
        self._periods_a_year = periods_a_year
        # mean_cvar weighs costs against the returns of a row, the others against those of a year.
        self._cost_a_year = 1.0 / holding_years / (periods_a_year if method == "mean_cvar" else 1.0)
        self._whole = on_failure == "ladder"
        self._deadline_ms = deadline_ms
        self._clock_ms = clock_ms
        self._last: OptimizationResult | None = None  # What a deadline falls back on.
        self._memory = Memory()
        self._accelerator = accelerator

    def optimize(
        self,
        returns: Any,
        constraints: Mapping[str, Any] | None = None,
        current_weights: Mapping[str, float] | None = None,
        *,
        symbols: Sequence[str] | None = None,
        views: Mapping[str, View] | None = None,
        market_weights: Mapping[str, float] | None = None,
        lots: Lots | None = None,
    ) -> OptimizationResult:
        """Weights for the columns of `returns`, an array or DataFrame [rows x symbols] of simple returns.

        Symbols that cannot be estimated are excluded and named; one of them that `current_weights` holds is frozen at
        its weight and counted against the limits. `views` and `market_weights` are for the mean `black_litterman`;
        with `lots` the result has whole shares, too. Errors: DataError for unusable returns, ConfigError for an
        unknown constraint, OptimizationError.
        """
        began_ms = self._now_ms()
        limits = self._memory.constraints(constraints)
        current = weights_of("current_weights", current_weights)
        values = values_of(returns)
        names = self._memory.names(returns, symbols, values.shape[1])
        sample = sample_of(names, values, self._rows_min, current or {})
        table = None if self._accelerator is None else self._accelerator.table(sample.returns)
        form = self._estimate(sample.returns, sample.mean, self._periods_a_year, table)
        mean = self._expected(sample, form, views, market_weights)
        rows = sample.returns if self.method in _NEED_ROWS else None
        return self._solve(sample.symbols, mean, form, rows, limits, current, sample.excluded, began_ms, lots, table)

    def optimize_moments(
        self,
        symbols: Sequence[str],
        mean: FloatArray,
        covariance: FloatArray,
        constraints: Mapping[str, Any] | None = None,
        current_weights: Mapping[str, float] | None = None,
    ) -> OptimizationResult:
        """The same from means [symbols] and covariance [symbols x symbols] of a year that are known already.

        A symbol whose mean or variance is NaN is excluded.
        """
        began_ms = self._now_ms()
        if self.method in _NEED_ROWS:
            raise ConfigError(f"method: {self.method} looks at every row of returns; moments do not have them")
        variance = np.diag(covariance)
        known = np.isfinite(mean) & np.isfinite(variance) & (variance > 0.0)
        excluded = {symbols[one]: "no estimate" for one in np.flatnonzero(~known).tolist()}
        kept = np.flatnonzero(known)
        if not kept.size:
            raise DataError(f"no symbol has an estimate: {', '.join(symbols)}")
        inner = covariance[np.ix_(kept, kept)]
        if not np.isfinite(inner).all():
            raise DataError("the covariance of two symbols that have a variance is not finite")
        names = [symbols[one] for one in kept.tolist()]
        form = Dense(positive_definite(inner))
        limits = self._memory.constraints(constraints)
        current = weights_of("current_weights", current_weights)
        return self._solve(names, mean[kept], form, None, limits, current, excluded, began_ms)

    def _expected(
        self, sample: Sample, form: Form, views: Mapping[str, View] | None, market: Mapping[str, float] | None
    ) -> FloatArray:
        """Means of a year."""
        if self._mean == "black_litterman":
            given: Mapping[Any, Any] = views or {}
            named = {str(symbol): view for symbol, view in given.items()}
            held = weights_of("market_weights", market)
            return black_litterman(sample.symbols, form, self.risk_aversion, named, held)
        if self._mean == "sample":
            return sample.mean * self._periods_a_year
        covariance = form.block(None) / self._periods_a_year
        return shrunk_mean(sample.mean, covariance, sample.returns.shape[0]) * self._periods_a_year

    def _solve(
        self,
        symbols: list[str],
        mean: FloatArray,
        form: Form,
        rows: FloatArray | None,
        limits: Constraints,
        current: Mapping[str, float] | None,
        excluded: dict[str, str],
        began_ms: float | None,
        lots: Lots | None = None,
        table: Table | None = None,
    ) -> OptimizationResult:
        free = self.method in _CASH_IS_FREE and not self._goal["maximum_sharpe"]
        book = Book(
            method=self.method,
            symbols=symbols,
            mean=mean,
            form=form,
            returns=rows,
            constraints=limits,
            least=limits.min_gross if free else limits.budget,
            current=current,
            excluded=excluded,
            goal=self._goal,
            risk_aversion=self.risk_aversion,
            tail_aversion=self._tail_aversion,
            budgets=self._budgets,
            periods=self._periods_a_year,
            cost_a_year=self._cost_a_year,
            lots=lots,
            table=table,
            elapsed_ms=lambda: None if began_ms is None or self._clock_ms is None else self._clock_ms() - began_ms,
        )
        shape = self._memory.shape(limits, symbols, list(book.frozen), book.least, limits.budget)
        ladder = Ladder(book, shape, whole=self._whole, last=self._last, watch=self._watch(began_ms))
        result = ladder.climb()
        if result.status in PROVEN:
            self._last = result
        return result

    def _watch(self, began_ms: float | None) -> Callable[[], None] | None:
        if self._deadline_ms is None or self._clock_ms is None or began_ms is None:
            return None
        clock_ms, due_ms = self._clock_ms, began_ms + self._deadline_ms

        def watch() -> None:
            if clock_ms() >= due_ms:
                raise TooLate(f"{self.method}: not done after {self._deadline_ms:g} ms")

        return watch

    def _now_ms(self) -> float | None:
        return None if self._clock_ms is None else self._clock_ms()


def _known(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        import difflib  # Slow to import, and only mistakes need it.

        close = difflib.get_close_matches(value, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        raise ConfigError(f"{name}: {value} is unknown; {hint}")


def _above_zero(name: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise ConfigError(f"{name} must be above 0 and finite, was {value}")
