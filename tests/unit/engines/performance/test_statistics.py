"""Figures of a finished run, by hand. What is unknown is None."""

from __future__ import annotations

import statistics
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from ordinis.engines.performance.curve import EquityCurve
from ordinis.engines.performance.statistics import max_drawdown, profit_factor, sharpe, win_rate
from ordinis.engines.round_trip import RoundTrip


def trip(pnl: str) -> RoundTrip:
    return RoundTrip(
        symbol="AAPL",
        strategy="trend",
        quantity=Decimal(1),
        entry_price_usd=Decimal(100),
        exit_price_usd=Decimal(100) + Decimal(pnl),
        opened_at_ns=0,
        closed_at_ns=1,
        pnl_usd=Decimal(pnl),
        risk_usd=Decimal(0),
    )


@pytest.mark.parametrize(
    ("equity", "drawdown"),
    [([], 0.0), ([100.0], 0.0), ([100, 110, 120], 0.0), ([100, 90, 120, 90], 0.25), ([100, 80, 79, 200], 0.21)],
)
def test_the_drawdown_is_the_deepest_fall_from_a_high(equity: list[float], drawdown: float) -> None:
    assert max_drawdown(np.array(equity, float)) == pytest.approx(drawdown)


def test_the_sharpe_ratio_is_daily_and_annualised() -> None:
    closes = np.array([100.0 * 1.01**day * (1.0 + 0.005 * (day % 3)) for day in range(1, 26)])
    returns = [after / before - 1 for before, after in zip([100.0, *closes[:-1]], closes, strict=True)]
    expected = statistics.mean(returns) / statistics.stdev(returns) * 252**0.5
    assert sharpe(closes, 100.0) == pytest.approx(expected)


@pytest.mark.parametrize(("sessions", "known"), [(19, False), (20, True)])
def test_under_twenty_sessions_a_sharpe_ratio_says_nothing(sessions: int, known: bool) -> None:
    closes = np.array([100.0 + session % 4 for session in range(sessions)])
    assert (sharpe(closes, 100.0) is not None) is known


def test_a_curve_that_never_moves_has_no_sharpe_ratio() -> None:
    assert sharpe(np.full(30, 100.0), 100.0) is None


@pytest.mark.parametrize(
    ("pnls", "rate", "factor"),
    [
        ([], None, None),
        (["5"], 1.0, None),
        (["-5"], 0.0, 0.0),
        (["5", "1", "-4"], 2 / 3, 1.5),
        (["0", "3", "-1"], 1 / 3, 3.0),
    ],
)
def test_win_rate_and_profit_factor(pnls: list[str], rate: float | None, factor: float | None) -> None:
    trips = [trip(pnl) for pnl in pnls]
    assert win_rate(trips) == (None if rate is None else pytest.approx(rate))
    assert profit_factor(trips) == (None if factor is None else pytest.approx(factor))


def test_the_curve_keeps_every_minute_and_the_close_of_every_session() -> None:
    curve = EquityCurve()
    assert (curve.started, curve.closes_usd().tolist()) == (False, [])
    curve.session_closes(date(2025, 1, 14))  # Before its first minute: there is no close to keep.
    curve.append(1, 100.0, 0.0, 0)
    curve.append(2, 101.0, 50.0, 1)
    curve.session_closes(date(2025, 1, 15))
    curve.append(3, 99.0, 60.0, 2)
    curve.session_closes(date(2025, 1, 16))
    assert curve.started
    assert (curve.at_ns.tolist(), curve.equity_usd.tolist()) == ([1, 2, 3], [100.0, 101.0, 99.0])
    assert (curve.long_usd.tolist(), curve.positions.tolist()) == ([0.0, 50.0, 60.0], [0, 1, 2])
    assert curve.closes_usd().tolist() == [101.0, 99.0]
