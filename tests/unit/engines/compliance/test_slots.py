"""The slots that entries reserve, and who may have the last ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ordinis.engines.compliance.business_days import weekdays
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.slots import DayTradeSlots


class Days:
    """Sessions of one account, its orders in words."""

    def __init__(self, equity_usd: float = 14_999.0, *, law: bool = False, **throttle: Any) -> None:
        self.slots = DayTradeSlots(Throttle(**{"enabled": True, **throttle}), weekdays())
        self.equity_usd = equity_usd
        self.today = date(2025, 1, 15)
        self._law = law
        self._orders = 0
        self.open()

    def open(self, equity_usd: float | None = None, **held: int) -> None:
        self.equity_usd = self.equity_usd if equity_usd is None else equity_usd
        shares = {symbol: Decimal(shares) for symbol, shares in held.items()}
        self.slots.opens(self.today, self.equity_usd, shares, law=self._law)

    def next(self, **held: int) -> None:
        self.slots.closes()
        self.today = weekdays().next_trading_day(self.today)
        self.open(**held)

    def asks(self, symbol: str, shares: int = 10) -> str:
        """An entry goes out; its id."""
        self._orders += 1
        self.slots.entry_sent(f"order-{self._orders}", symbol, Decimal(shares))
        return f"order-{self._orders}"

    def buys(self, symbol: str, shares: int = 10) -> None:
        order_id = self.asks(symbol, shares)
        self.fills(symbol, shares, order_id)
        self.slots.order_over(order_id)

    def sells(self, symbol: str, shares: int = 10) -> None:
        self._orders += 1
        self.fills(symbol, -shares, f"order-{self._orders}")

    def day_trade(self, symbol: str) -> None:
        self.buys(symbol)
        self.sells(symbol)

    def fills(self, symbol: str, signed: int, order_id: str) -> None:
        self.slots.filled(symbol, Decimal(signed), order_id, self._orders, self.today)


def test_the_fourth_day_trade_is_refused_below_the_equity_floor() -> None:
    days = Days()
    for used, symbol in enumerate(("AAA", "BBB", "CCC"), start=1):
        assert not days.slots.full
        days.day_trade(symbol)
        assert days.slots.used == used
    assert days.slots.full


@pytest.mark.parametrize(
    ("equity_usd", "throttle", "full"),
    [
        (24_999.99, {}, True),
        (25_000.0, {}, False),
        (24_999.99, {"enabled": False}, False),
        (500_000.0, {"equity_floor_usd": float("inf")}, True),  # Switched on for good.
        (24_999.99, {"day_trades_max": 4}, False),
    ],
)
def test_the_throttle_is_on_below_its_floor_only(equity_usd: float, throttle: dict[str, Any], full: bool) -> None:
    days = Days(equity_usd, **throttle)
    for symbol in ("AAA", "BBB", "CCC"):
        days.day_trade(symbol)
    assert days.slots.full is full


def test_an_entry_that_could_be_closed_today_reserves_a_slot() -> None:
    days = Days()
    for symbol in ("AAA", "BBB", "CCC"):
        days.buys(symbol)
    assert (days.slots.used, days.slots.reserved, days.slots.full) == (0, 3, True)


def test_an_entry_that_ended_unfilled_gives_its_slot_back() -> None:
    days = Days()
    order_id = days.asks("AAA")
    assert days.slots.reserved == 1
    days.slots.order_over(order_id)
    assert (days.slots.used, days.slots.reserved) == (0, 0)


def test_a_position_that_was_closed_today_is_counted_once() -> None:
    days = Days()
    days.buys("AAA")
    assert (days.slots.used, days.slots.reserved) == (0, 1)
    days.sells("AAA")
    assert (days.slots.used, days.slots.reserved) == (1, 0)


def test_reservations_end_at_the_close() -> None:
    days = Days()
    for symbol in ("AAA", "BBB", "CCC"):
        days.buys(symbol)
    days.next(AAA=10, BBB=10, CCC=10)
    assert (days.slots.used, days.slots.reserved, days.slots.full) == (0, 0, False)


def test_an_entry_that_still_works_from_yesterday_holds_a_slot_today() -> None:
    days = Days()
    first = days.asks("AAA")
    days.asks("BBB")
    days.next()
    assert days.slots.reserved == 2
    days.slots.order_over(first)
    assert (days.slots.reserved, days.slots.full) == (1, False)


def test_selling_what_was_held_overnight_is_no_day_trade() -> None:
    days = Days()
    days.buys("AAA")
    days.next(AAA=10)
    days.sells("AAA")
    assert days.slots.used == 0


def test_adding_to_what_was_held_overnight_and_selling_that_is_one() -> None:
    days = Days()
    days.next(AAA=10)
    days.buys("AAA", 5)
    days.sells("AAA", 5)
    assert days.slots.used == 1


def test_symbols_are_counted_apart() -> None:
    days = Days()
    days.buys("AAA", 200)
    days.buys("BBB", 100)
    days.sells("AAA", 100)
    days.sells("BBB", 100)
    assert days.slots.used == 2  # FINRA.


def test_the_window_is_five_sessions_today_included() -> None:
    days = Days()
    for symbol in ("AAA", "BBB", "CCC"):
        days.day_trade(symbol)
    for _ in range(4):
        assert days.slots.full
        days.next()
    assert (days.slots.used, days.slots.full) == (3, True)  # The fifth session.
    days.next()
    assert (days.slots.used, days.slots.full) == (0, False)


@pytest.mark.parametrize("sessions", [2, 3, 10])
def test_the_window_is_a_setting(sessions: int) -> None:
    days = Days(window_sessions=sessions)
    days.day_trade("AAA")
    for _ in range(sessions - 1):
        days.next()
        assert days.slots.used == 1
    days.next()
    assert days.slots.used == 0


def test_a_window_of_one_session_is_today() -> None:
    days = Days(window_sessions=1)
    days.day_trade("AAA")
    assert days.slots.used == 1
    days.next()
    assert days.slots.used == 0


def test_partial_fills_of_an_order_are_one_order_of_a_slot() -> None:
    days = Days()
    entry = days.asks("AAA", 30)
    for _ in range(3):
        days.fills("AAA", 10, entry)
    for _ in range(3):
        days.fills("AAA", -10, "exit")
    assert (days.slots.used, days.slots.reserved) == (1, 0)


def test_the_stricter_of_both_methods_counts() -> None:
    days = Days()
    days.buys("AAA", 50)
    days.buys("AAA", 50)
    days.sells("AAA", 100)
    assert days.slots.used == 2
