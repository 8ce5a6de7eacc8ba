from __future__ import annotations

from datetime import date

import pytest

from ordinis.brokers.simulated.trading_days import TradingDays


@pytest.mark.parametrize(
    ("day", "today", "days"),
    [
        (date(2025, 1, 2), date(2025, 1, 2), 0),
        (date(2025, 1, 3), date(2025, 1, 6), 1),  # Over a weekend.
        (date(2025, 1, 8), date(2025, 1, 10), 1),  # The ninth was a day of mourning.
        (date(2025, 1, 17), date(2025, 1, 21), 1),  # Martin Luther King day.
        (date(2025, 11, 26), date(2025, 12, 1), 2),  # Thanksgiving; the half-day counts.
    ],
)
def test_trading_days_are_those_of_the_exchange_calendar(day: date, today: date, days: int) -> None:
    counter = TradingDays()
    counter.open(day)
    counter.open(today)
    assert counter.since(day) == days
    assert counter.after(day, days) == today


@pytest.mark.parametrize(
    ("day", "settles_on"),
    [
        (date(2025, 1, 17), date(2025, 1, 21)),
        (date(2024, 10, 11), date(2024, 10, 15)),  # Columbus Day: the exchange is open, the banks are not.
        (date(2024, 11, 8), date(2024, 11, 12)),  # Veterans Day, likewise.
    ],
)
def test_a_trade_settles_on_the_next_day_that_exchange_and_banks_are_open(day: date, settles_on: date) -> None:
    assert TradingDays().settles_on(day) == settles_on


def test_a_day_that_the_calendar_does_not_know_counts_where_a_session_opened() -> None:
    counter = TradingDays()
    for day in (17, 18, 19, 20):
        counter.open(date(2025, 1, day))
    assert counter.since(date(2025, 1, 17)) == 3
