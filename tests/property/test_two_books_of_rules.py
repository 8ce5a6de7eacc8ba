"""Two algorithms, one rule: what we count and reckon is what the exchange counts and reckons, whatever is traded."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ordinis.brokers.simulated.account import AccountBooks, Holding
from ordinis.brokers.simulated.lots import DayLots
from ordinis.brokers.simulated.overnight import Night
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import Universe
from ordinis.engines.compliance.day_trades import Trade, count_day_trades
from ordinis.engines.compliance.intraday_margin import MarginMeter, MarginRules

Method = Literal["opening_order", "direction_change", "max"]
UNIVERSE = Universe(("AAA", "BBB", "CCC", "DDD"))

methods: st.SearchStrategy[Method] = st.sampled_from(["direction_change", "opening_order", "max"])
executions = st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 5)), max_size=12)
prices = st.one_of(st.sampled_from([2.49, 2.5, 5.0, 6.0, 6.01]), st.floats(0.5, 300).map(lambda usd: round(usd, 2)))
holdings = st.lists(st.tuples(st.integers(-4_000, 4_000), prices), min_size=4, max_size=4)


def both_counts(executions: list[tuple[bool, int, int]], start: int, method: Method) -> tuple[int, int]:
    """Ours, by runs of directions; theirs, by lots. An order number is of one side."""
    lots, held, trades = DayLots(method), Decimal(start), list[Trade]()
    for buys, shares, order in executions:
        number = 2 * order + buys
        signed = Decimal(shares if buys else -shares)
        lots.filled(0, number, signed, held)
        held += signed
        trades.append(("buy" if buys else "sell", Decimal(shares), str(number)))
    return count_day_trades(trades, start, method), lots.count


@given(executions=executions, start=st.integers(-60, 60), method=methods)
def test_changes_of_direction_and_lots_of_the_day_come_to_the_same_count(
    executions: list[tuple[bool, int, int]], start: int, method: Method
) -> None:
    apart = [(buys, shares, number // 2) for number, (buys, shares, _) in enumerate(executions)]  # In two fills or one.
    ours, theirs = both_counts(apart, start, method)
    assert ours == theirs


@given(executions=executions, start=st.integers(-60, 60), method=methods)
def test_our_count_is_never_below_the_exchange_s_however_orders_fill_between_each_other(
    executions: list[tuple[bool, int, int]], start: int, method: Method
) -> None:
    ours, theirs = both_counts(executions, start, method)
    assert ours >= theirs


@given(holdings=holdings, cash=st.integers(-400_000, 400_000))
def test_we_never_reckon_with_less_maintenance_than_the_exchange_and_without_shorts_with_the_same(
    holdings: list[tuple[int, float]], cash: int
) -> None:
    books = AccountBooks(UNIVERSE, ExchangeSettings(cash_usd=Decimal(1)), Night(Decimal(0), ()))
    books.cash_usd = Decimal(cash)
    for column, (shares, price) in enumerate(holdings):
        books.last_usd[column] = price
        if shares:
            books.holdings[column] = Holding(Decimal(shares), Decimal(str(price)))
            books.set_quantity(column, Decimal(shares))
            if shares < 0:
                books._short.add(column)
    quantity = np.array([float(shares) for shares, _ in holdings])
    marks = np.array([price for _, price in holdings])
    ours = MarginMeter(MarginRules(), 0.04).required(quantity, marks, float(cash))
    theirs = float(books.maintenance_usd)
    assert ours > theirs - 0.01
    assert ours < theirs + 0.01 or (quantity < 0).any()
