"""Maintenance by the house table, and the level before and after an order."""

from __future__ import annotations

import numpy as np
import pytest

from ordinis.engines.compliance.intraday_margin import HouseTable, MarginMeter, MarginRules
from ordinis.engines.compliance.opened import OpenedToday
from ordinis.engines.compliance.overnight import Closable, to_close


def meter(*, collar: float = 0.0, floors: tuple[float, ...] = (), **house: float) -> MarginMeter:
    return MarginMeter(MarginRules(house=HouseTable(**house), floors=floors), collar)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shares", "price", "required"),
    [
        (100, 50.0, 1_500.0),
        (100, 6.01, 180.3),
        (100, 6.0, 300.0),
        (100, 2.5, 125.0),
        (100, 2.49, 249.0),
        (-100, 50.0, 1_500.0),
        (-100, 10.0, 500.0),  # $5 a share is more than 30 %.
        (-100, 5.0, 500.0),
        (-100, 4.0, 400.0),
        (-100, 2.0, 250.0),  # $2.50 a share is more than all of it.
    ],
)
def test_maintenance_is_the_house_table_s(shares: float, price: float, required: float) -> None:
    found = meter().required(np.array([shares, 0.0]), np.array([price, 10.0]), 0.0)
    assert found == pytest.approx(required)


def test_a_leveraged_fund_asks_for_its_own_fraction_long_and_a_fifth_more_short() -> None:
    made = meter(floors=(0.75, 0.0))
    assert made.required(np.array([100.0, 100.0]), np.array([50.0, 50.0]), 0.0) == pytest.approx(3_750 + 1_500)
    assert made.required(np.array([-100.0, 0.0]), np.array([50.0, 50.0]), 0.0) == pytest.approx(4_500)


@pytest.mark.parametrize(("cash", "required"), [(-99_999.0, 60_000.0), (-100_000.0, 92_000.0)])
def test_one_name_of_a_large_debit_asks_for_half(cash: float, required: float) -> None:
    found = meter().required(np.array([1_600.0, 400.0]), np.array([100.0, 100.0]), cash)
    assert found == pytest.approx(required)


def test_open_entries_count_in_full_and_at_their_collar() -> None:
    made = meter(collar=0.04)
    marks = np.array([100.0, 6.1])
    made.look(np.array([10.0, 0.0]), marks, np.array([0.0, 610.0]), 5_000.0)
    assert made.held_usd == pytest.approx(300.0)
    assert made.required_usd == pytest.approx(300.0 + 610.0 * 0.5 * 1.04)  # It could fill below $6.
    made.entered(1_000.0, 100.0, 0)
    assert made.required_usd == pytest.approx(300.0 + 317.2 + 312.0)
    made.look(np.array([0.0, 0.0]), marks, np.array([-1_000.0, 0.0]), 5_000.0)
    assert made.required_usd == pytest.approx(312.0)  # A short that fills at 104: 30 % of that.


@pytest.mark.parametrize(("price", "held"), [(6.26, 1_878.0), (6.24, 3_120.0), (2.61, 1_305.0), (2.59, 2_590.0)])
def test_a_holding_just_above_a_low_price_is_rated_as_if_it_had_fallen_below(price: float, held: float) -> None:
    """A fall within the collar before an order fills must not make a deficit of it."""
    made = meter(collar=0.04)
    made.look(np.array([1_000.0, 0.0]), np.array([price, 100.0]), np.zeros(2), 0.0)
    assert made.held_usd == pytest.approx(held)


def test_what_the_broker_asks_for_more_is_added() -> None:
    made = meter()
    made.excess_usd = 77.0
    made.look(np.array([10.0]), np.array([100.0]), np.array([0.0]), 0.0)
    assert made.required_usd == pytest.approx(377.0)


def test_room_ends_where_the_level_is_the_buffer() -> None:
    """Equity 10,000 at 30 %: 33,333 can be held; with 1,000 kept 30,000."""
    made = meter()
    made.look(np.zeros(1), np.array([100.0]), np.zeros(1), 10_000.0)
    assert made.room_usd(10_000.0, 0.0, 100.0, 0, 1) == pytest.approx(33_333.33, abs=0.01)
    assert made.room_usd(10_000.0, 1_000.0, 100.0, 0, 1) == pytest.approx(30_000.0)


def test_what_was_opened_today_is_known_at_cost_last_in_first_out() -> None:
    opened = OpenedToday()
    opened.begins({"AAA": 10.0})
    opened.filled("AAA", 10.0, 20.0)
    opened.filled("BBB", -5.0, 100.0)
    assert opened.cost_usd == pytest.approx(700.0)
    assert opened.profit_usd({"AAA": 25.0, "BBB": 110.0}) == pytest.approx(50.0)  # Losses are not set off.
    opened.filled("AAA", -5.0, 25.0)
    assert opened.cost_usd == pytest.approx(600.0)
    opened.filled("AAA", -5.0, 25.0)
    assert "AAA" not in opened
    opened.filled("AAA", -15.0, 25.0)  # Ten were held overnight; five are short now.
    assert opened.profit_usd({"AAA": 24.0, "BBB": 100.0}) == pytest.approx(5.0)
    assert opened.symbols == ["BBB", "AAA"]


NAN = float("nan")


@pytest.mark.parametrize(
    ("positions", "excess", "closed"),
    [
        ([Closable(0, 100.0, 0.9, False), Closable(1, 100.0, 0.1, True)], 50.0, [0]),  # No day trade first.
        ([Closable(0, 100.0, 0.9, False), Closable(1, 100.0, 0.5, False)], 50.0, [1]),  # Then the least sure.
        ([Closable(0, 100.0, 0.1, False), Closable(1, 100.0, NAN, False)], 50.0, [1]),
        ([Closable(0, 100.0, 0.5, False), Closable(1, 100.0, 0.5, False)], 101.0, [0, 1]),
        ([Closable(0, 100.0, 0.5, False, True), Closable(1, 100.0, 0.5, False)], 100.0, []),  # It leaves already.
        ([Closable(0, 100.0, 0.5, False)], 0.0, []),
    ],
)
def test_a_book_comes_down_in_order_of_least_harm(positions: list[Closable], excess: float, closed: list[int]) -> None:
    assert to_close(positions, excess) == closed
