"""Results by key, as the plan writes them, and what they say of the next trade."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordinis.engines.performance.tracker import PerformanceTracker, in_units_of_risk
from ordinis.engines.round_trip import RoundTrip


def test_the_plan_s_own_calls_work_as_written() -> None:
    tracker = PerformanceTracker()
    symbol = "AAPL"
    for pnl, entry, exit_ in ((30.0, 100.0, 103.0), (10.0, 100.0, 101.0), (-16.0, 100.0, 98.4)):
        tracker.update_trade_result(symbol, pnl, entry, exit_)
    assert (tracker.total_trades[symbol], tracker.wins[symbol], tracker.losses[symbol]) == (3, 2, 1)
    assert (tracker.total_win_amount[symbol], tracker.total_loss_amount[symbol]) == (40.0, 16.0)
    assert (tracker.win_rate[symbol], tracker.win_loss_ratio[symbol]) == (2 / 3, 20.0 / 16.0)
    assert (tracker.get_win_rate(symbol), tracker.get_ratio(symbol)) == (2 / 3, 20.0 / 16.0)


def test_keys_are_kept_apart_and_an_unknown_one_is_none() -> None:
    tracker = PerformanceTracker()
    tracker.update_trade_result("AAPL", 1.0, 1.0, 2.0)
    assert (tracker.total_trades["MSFT"], tracker.get_win_rate("MSFT"), tracker.get_ratio("MSFT")) == (0, None, None)


@pytest.mark.parametrize(
    ("results", "rate", "ratio"),
    [
        ([1.0], 1.0, None),  # No loss yet: there is no ratio, not an infinite one.
        ([-1.0], 0.0, None),
        ([0.0], 0.0, None),  # Nothing is a loss, and one that cost nothing gives no ratio.
        ([2.0, 0.0], 0.5, None),
        ([2.0, -1.0], 0.5, 2.0),
        ([2.0, -1.0, 0.0], 1 / 3, 4.0),
    ],
)
def test_missing_is_none_never_a_half(results: list[float], rate: float, ratio: float | None) -> None:
    tracker = PerformanceTracker()
    for pnl in results:
        tracker.update_trade_result("AAPL", pnl, 1.0, 1.0)
    assert tracker.get_win_rate("AAPL") == pytest.approx(rate)
    assert tracker.get_ratio("AAPL") == ratio


@pytest.mark.parametrize(
    ("wins", "losses", "prior", "rate"),
    [(0, 0, 20.0, None), (1, 0, 20.0, 11 / 21), (30, 0, 20.0, 0.8), (0, 30, 20.0, 0.2), (6, 4, 10.0, 0.55)],
)
def test_the_evidence_is_shrunk_towards_a_coin(wins: int, losses: int, prior: float, rate: float | None) -> None:
    tracker = PerformanceTracker(prior)
    for pnl in [2.0] * wins + [-1.0] * losses:
        tracker.update_trade_result("trend", pnl, 1.0, 1.0)
    evidence = tracker.evidence("trend")
    assert evidence.trades == wins + losses
    assert evidence.win_rate == (None if rate is None else pytest.approx(rate))
    trades = wins + losses  # The payoff of 2 is mixed with `prior` trades of 1.
    shrunk = (2.0 * trades + prior) / (trades + prior) if wins and losses else None
    assert evidence.payoff == (None if shrunk is None else pytest.approx(shrunk))


@pytest.mark.parametrize(
    ("risk", "pnl", "units"), [("20", "30", 1.5), ("20", "-20", -1.0), ("0", "30", 0.03), ("0", "-10", -0.01)]
)
def test_a_result_is_told_in_units_of_the_risk_taken_or_of_the_notional(risk: str, pnl: str, units: float) -> None:
    trip = RoundTrip(
        symbol="AAPL",
        strategy="trend",
        quantity=Decimal(10),
        entry_price_usd=Decimal(100),
        exit_price_usd=Decimal(100),
        opened_at_ns=0,
        closed_at_ns=1,
        pnl_usd=Decimal(pnl),
        risk_usd=Decimal(risk),
    )
    assert in_units_of_risk(trip) == pytest.approx(units)
