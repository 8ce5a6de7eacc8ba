"""Our book: fills to positions, cash and round trips, and what a broker's list says otherwise."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from ordinis.domain.account import Position
from ordinis.domain.events import CashFlow
from ordinis.domain.orders import Fill
from ordinis.engines.ledger import Ledger
from ordinis.engines.round_trip import RoundTrip
from simulation.worlds import UNIVERSE, settled


def fill(number: int, quantity: str, price: str, symbol: str = "AAA") -> Fill:
    return Fill(
        execution_id=f"e{number}",
        symbol=symbol,
        quantity=Decimal(quantity),
        price_usd=Decimal(price),
        filled_at_ns=number,
    )


def flow(name: str, kind: str, amount: str) -> CashFlow:
    return CashFlow(at_ns=1, id=name, kind=kind, amount_usd=Decimal(amount))


def test_a_round_trip_is_told_when_the_position_is_flat() -> None:
    ledger = Ledger(UNIVERSE, Decimal(10_000))
    assert ledger.apply_fill(fill(1, "10", "100.00"), "trend", Decimal("98.00")) is None
    assert ledger.apply_fill(fill(2, "10", "102.00"), "ignored", Decimal("1.00")) is None
    assert ledger.apply_fill(fill(3, "-5", "110.00")) is None
    assert ledger.held("AAA") == 15
    assert ledger.apply_fill(fill(4, "-15", "104.00")) == RoundTrip(
        symbol="AAA",
        strategy="trend",
        quantity=Decimal(20),
        entry_price_usd=Decimal(101),
        exit_price_usd=Decimal("105.5"),
        opened_at_ns=1,
        closed_at_ns=4,
        pnl_usd=Decimal(90),
        risk_usd=Decimal(60),  # 20 shares bought for 2,020 USD, stopped at 98.
    )
    assert (ledger.cash_usd, ledger.held("AAA"), ledger.holdings) == (Decimal(10_090), Decimal(0), {})


@pytest.mark.parametrize(("stop", "risk"), [(None, "0"), ("98.00", "20"), ("100.00", "0"), ("105.00", "0")])
def test_the_risk_taken_is_what_the_stop_would_have_cost(stop: str | None, risk: str) -> None:
    ledger = Ledger(UNIVERSE)
    ledger.apply_fill(fill(1, "10", "100.00"), "trend", None if stop is None else Decimal(stop))
    trip = ledger.apply_fill(fill(2, "-10", "99.00"))
    assert trip is not None
    assert (trip.risk_usd, trip.pnl_usd) == (Decimal(risk), Decimal(-10))


def test_cash_is_exact_however_many_fills() -> None:
    ledger = Ledger(UNIVERSE, Decimal("0.10"))
    for number in range(1000):
        ledger.apply_fill(fill(number, "0.000000001", "0.1"))
    assert ledger.cash_usd == Decimal("0.0999999")


def test_a_fill_or_a_flow_counts_once() -> None:
    ledger = Ledger(UNIVERSE, Decimal(1_000))
    for _ in range(3):
        ledger.apply_fill(fill(1, "1", "100"))
        ledger.apply_cash(flow("fee-1", "fee", "-0.05"))
        ledger.apply_cash(flow("dividend-1", "dividend", "2.00"))
    assert (ledger.cash_usd, ledger.held("AAA"), ledger.fees_usd) == (Decimal("901.95"), Decimal(1), Decimal("0.05"))


def test_a_new_position_after_a_round_trip_starts_from_nothing() -> None:
    ledger = Ledger(UNIVERSE)
    ledger.apply_fill(fill(1, "10", "100"), "one", Decimal(98))
    ledger.apply_fill(fill(2, "-10", "90"))
    ledger.apply_fill(fill(3, "1", "50"), "two")
    trip = ledger.apply_fill(fill(4, "-1", "51"))
    assert trip is not None
    assert (trip.strategy, trip.opened_at_ns) == ("two", 3)
    assert [trip.quantity, trip.pnl_usd, trip.risk_usd] == [1, 1, 0]


@pytest.mark.parametrize(
    ("theirs", "lines"),
    [
        ([settled("AAA", 10)], []),
        ([settled("AAA", "10.000")], []),
        ([], ["AAA: our book holds 10, the broker 0"]),
        ([settled("AAA", 9)], ["AAA: our book holds 10, the broker 9"]),
        ([settled("AAA", 10), settled("ZZZ", 1)], ["ZZZ: our book holds 0, the broker 1"]),
        ([settled("CCC", 2)], ["AAA: our book holds 10, the broker 0", "CCC: our book holds 0, the broker 2"]),
    ],
)
def test_what_the_broker_says_otherwise_is_named(theirs: list[Position], lines: list[str]) -> None:
    ledger = Ledger(UNIVERSE)
    ledger.apply_fill(fill(1, "10", "100"))
    assert ledger.differs_from(tuple(theirs)) == lines


def test_a_short_is_a_round_trip_too() -> None:
    ledger = Ledger(UNIVERSE, Decimal(10_000))
    assert ledger.apply_fill(fill(1, "-10", "100.00"), "trend", Decimal("103.00")) is None
    assert ledger.apply_fill(fill(2, "-10", "98.00")) is None
    assert [ledger.held("AAA"), ledger.shorts, ledger.cash_usd] == [-20, 1, 11_980]
    assert ledger.holdings["AAA"].average_price_usd == 99
    assert ledger.short_usd(np.array([101.0, 0.0, 0.0])) == 2_020
    assert ledger.apply_fill(fill(3, "5", "90.00")) is None
    assert ledger.apply_fill(fill(4, "15", "94.00")) == RoundTrip(
        symbol="AAA",
        strategy="trend",
        quantity=Decimal(20),
        entry_price_usd=Decimal(99),
        exit_price_usd=Decimal(93),
        opened_at_ns=1,
        closed_at_ns=4,
        pnl_usd=Decimal(120),
        risk_usd=Decimal(80),  # 20 shares sold for 1,980 USD, stopped at 103.
        short=True,
    )
    assert ledger.holdings == {}
    assert [ledger.shorts, ledger.cash_usd] == [0, 10_120]


@pytest.mark.parametrize("first", ["10", "-10"])
def test_a_fill_that_goes_through_zero_closes_one_position_and_opens_another(first: str) -> None:
    sign = Decimal(first) / 10
    ledger = Ledger(UNIVERSE, Decimal(10_000))
    ledger.apply_fill(fill(1, first, "100.00"), "trend")
    trip = ledger.apply_fill(fill(2, str(-15 * sign), "104.00"), "other", Decimal("107.00"))
    assert trip is not None
    assert [trip.quantity, trip.pnl_usd, trip.short] == [10, 40 * sign, sign < 0]
    holding = ledger.holdings["AAA"]
    assert [holding.quantity, holding.average_price_usd, holding.strategy] == [-5 * sign, 104, "other"]
    assert (ledger.shorts, ledger.quantity[0]) == (int(sign > 0), float(-5 * sign))
    assert ledger.cash_usd == 10_000 - 1_000 * sign + 15 * 104 * sign
