"""Whatever is filled: cash and positions are exact, and no fill counts twice."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.account import Position
from ordinis.domain.events import CashFlow
from ordinis.domain.market import Universe
from ordinis.domain.orders import Fill
from ordinis.engines.ledger import Ledger
from ordinis.engines.round_trip import RoundTrip

UNIVERSE = Universe(("AAA", "BBB"))
START_USD = Decimal(10_000)

prices = st.decimals("0.0001", "9999.9999", places=4)
quantities = st.decimals("0.000000001", "500", places=9)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill | CashFlow]:
    """Buys, sales of what is there, and flows; some of them are told twice."""
    told: list[Fill | CashFlow] = []
    held = dict.fromkeys(UNIVERSE.symbols, Decimal(0))
    for number in range(draw(st.integers(0, 25))):
        symbol = draw(st.sampled_from(UNIVERSE.symbols))
        kind = draw(st.sampled_from(["buy", "buy", "sell", "close", "flow", "again"]))
        if kind == "again" and told:
            told.append(draw(st.sampled_from(told)))
        elif kind == "flow":
            amount = draw(st.decimals("-100", "100", places=2))
            told.append(
                CashFlow(
                    at_ns=number,
                    id=f"flow-{number}",
                    kind=draw(st.sampled_from(["fee", "dividend"])),
                    amount_usd=amount,
                )
            )
        else:
            quantity = draw(quantities)
            if kind in ("sell", "close"):
                if not held[symbol]:
                    continue
                quantity = -(held[symbol] if kind == "close" else min(quantity, held[symbol]))
            held[symbol] += quantity
            told.append(
                Fill(
                    execution_id=f"fill-{number}",
                    symbol=symbol,
                    quantity=quantity,
                    price_usd=draw(prices),
                    filled_at_ns=number,
                )
            )
    return told


def taken_in(history: list[Fill | CashFlow]) -> tuple[Ledger, list[RoundTrip]]:
    ledger, trips = Ledger(UNIVERSE, START_USD), []
    for one in history:
        if isinstance(one, CashFlow):
            ledger.apply_cash(one)
        else:
            trip = ledger.apply_fill(one, "strategy")
            trips += [trip] if trip is not None else []
    return ledger, trips


def once(history: list[Fill | CashFlow]) -> list[Fill | CashFlow]:
    return list({one.execution_id if isinstance(one, Fill) else one.id: one for one in history}.values())


@given(histories())
def test_cash_and_positions_are_the_exact_sum_of_what_was_told_once(history: list[Fill | CashFlow]) -> None:
    ledger, _ = taken_in(history)
    cash, held = START_USD, dict.fromkeys(UNIVERSE.symbols, Decimal(0))
    for one in once(history):
        if isinstance(one, CashFlow):
            cash += one.amount_usd
        else:
            cash -= one.quantity * one.price_usd
            held[one.symbol] += one.quantity
    assert ledger.cash_usd == cash
    assert {symbol: ledger.held(symbol) for symbol in UNIVERSE.symbols} == held
    assert ledger.fees_usd == -sum(
        (one.amount_usd for one in once(history) if isinstance(one, CashFlow) and one.kind == "fee"), Decimal(0)
    )


@given(histories())
def test_telling_everything_twice_changes_nothing(history: list[Fill | CashFlow]) -> None:
    single, doubled = taken_in(once(history)), taken_in(once(history) + history)
    assert single[0].cash_usd == doubled[0].cash_usd
    assert single[1] == doubled[1]


@given(histories())
def test_what_round_trips_made_and_what_is_held_is_where_the_cash_went(history: list[Fill | CashFlow]) -> None:
    ledger, trips = taken_in(history)
    flows = sum((one.amount_usd for one in once(history) if isinstance(one, CashFlow)), Decimal(0))
    still_out = sum((one.bought_usd - one.sold_usd for one in ledger.holdings.values()), Decimal(0))
    made = sum((trip.pnl_usd for trip in trips), Decimal(0))
    assert ledger.cash_usd == START_USD + flows + made - still_out


@given(histories())
def test_the_columns_mirror_the_positions(history: list[Fill | CashFlow]) -> None:
    ledger, _ = taken_in(history)
    assert ledger.quantity.tolist() == [float(ledger.held(symbol)) for symbol in UNIVERSE.symbols]
    assert ledger.cash_float == float(ledger.cash_usd)
    marks = np.array([12.5, 300.0])
    exact = ledger.cash_usd + sum(
        ledger.held(symbol) * Decimal(str(mark)) for symbol, mark in zip(UNIVERSE.symbols, marks, strict=True)
    )
    assert ledger.equity(marks) == pytest.approx(float(exact), abs=1e-6)


@given(histories())
def test_the_ledger_agrees_with_a_broker_that_tells_the_same_and_with_no_other(history: list[Fill | CashFlow]) -> None:
    ledger, _ = taken_in(history)
    told = tuple(
        Position(symbol=symbol, quantity=one.quantity, average_price_usd=one.average_price_usd)
        for symbol, one in sorted(ledger.holdings.items())
    )
    assert ledger.differs_from(told) == []
    if told:
        assert len(ledger.differs_from(told[1:])) == 1
    off = Position(symbol="ZZZ", quantity=Decimal(1), average_price_usd=Decimal(1))
    assert len(ledger.differs_from((*told, off))) == 1
