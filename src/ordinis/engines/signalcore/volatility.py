"""Volatility over a symbol's last bars: five estimators behind one call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import EWMA
from ordinis.engines.signalcore.windows import Window
from ordinis.engines.variance import (
    ESTIMATORS,
    Estimator,
    garman_klass,
    log_price,
    parkinson,
    rogers_satchell,
    yang_zhang_weight,
)

DECAY = 0.94  # RiskMetrics, Technical Document, 1996.


class RollingVolatility:
    """Standard deviation of one bar's log return, a fraction; not annualised.

    `close_to_close` is the sample deviation of the last `period` returns, `ewma` their RiskMetrics mean of
    squares, seeded with `period` of them; `parkinson` and `garman_klass` read `period` bars and know nothing
    of gaps between them; `yang_zhang` reads all four prices of `period` bars and the closes before them.
    """

    def __init__(self, period: int, *, estimator: Estimator = "close_to_close", decay: float = DECAY) -> None:
        if estimator not in ESTIMATORS:
            raise ValueError(f"an estimator is one of {', '.join(ESTIMATORS)}, was {estimator!r}")
        least = 2 if estimator in ("close_to_close", "yang_zhang") else 1
        if period < least:
            raise ValueError(f"{estimator} needs a period of at least {least} bars, was {period}")
        self._variance = _variance_of(period, estimator, decay)
        self.warm_up_bars = period if estimator in ("parkinson", "garman_klass") else period + 1

    def advance(self, bars: OwnBars) -> FloatArray:
        """Volatility `[rows x symbols]`."""
        deviation: FloatArray = np.sqrt(np.maximum(self._variance(bars), 0.0))
        return deviation


def _variance_of(period: int, estimator: Estimator, decay: float) -> Callable[[OwnBars], FloatArray]:
    if estimator == "close_to_close":
        return _CloseToClose(period).advance
    if estimator == "ewma":
        return _Ewma(period, decay).advance
    if estimator == "parkinson":
        return _MeanOf(period, lambda bars: parkinson(bars.high, bars.low)).advance
    if estimator == "garman_klass":
        return _MeanOf(period, lambda bars: garman_klass(bars.open, bars.high, bars.low, bars.close)).advance
    return _YangZhang(period).advance


class _LastClose:
    """The log return from the close before to each price."""

    def __init__(self) -> None:
        self._close: FloatArray | None = None

    def to(self, price: FloatArray, bars: OwnBars) -> FloatArray:
        logs = log_price(bars.close)
        before = np.full(bars.symbols, np.nan) if self._close is None else self._close
        previous = bars.shifted(logs, before)
        self._close = bars.last(logs, before)
        move: FloatArray = (logs if price is bars.close else log_price(price)) - previous
        return move


class _CloseToClose:
    def __init__(self, period: int) -> None:
        self._last = _LastClose()
        self._window = Window(period)

    def advance(self, bars: OwnBars) -> FloatArray:
        return _sample_variance(self._window, self._last.to(bars.close, bars), bars)


class _Ewma:
    def __init__(self, period: int, decay: float) -> None:
        self._last = _LastClose()
        self._mean = EWMA(period, decay, skip=1)

    def advance(self, bars: OwnBars) -> FloatArray:
        move = self._last.to(bars.close, bars)
        return self._mean.advance(move * move, bars)


class _MeanOf:
    """The plain mean of a term a bar."""

    def __init__(self, period: int, term: Callable[[OwnBars], FloatArray]) -> None:
        self._window = Window(period)
        self._term = term

    def advance(self, bars: OwnBars) -> FloatArray:
        return self._window.moments(self._term(bars), bars).mean


class _YangZhang:
    def __init__(self, period: int) -> None:
        self._last = _LastClose()
        self._gap, self._body, self._rest = Window(period), Window(period), Window(period)
        self._weight = float(yang_zhang_weight(period))

    def advance(self, bars: OwnBars) -> FloatArray:
        gap = _sample_variance(self._gap, self._last.to(bars.open, bars), bars)
        body = _sample_variance(self._body, log_price(bars.close) - log_price(bars.open), bars)
        rest = self._rest.moments(rogers_satchell(bars.open, bars.high, bars.low, bars.close), bars).mean
        return gap + self._weight * body + (1.0 - self._weight) * rest


def _sample_variance(window: Window, values: FloatArray, bars: OwnBars) -> FloatArray:
    return window.moments(values, bars).squares / (window.period - 1)
