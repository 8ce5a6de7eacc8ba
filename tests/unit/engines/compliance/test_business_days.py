"""Trade dates, windows and settlement on a calendar that is passed in."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from ordinis.data.calendar import session_table, settlement_dates
from ordinis.domain.errors import DataError
from ordinis.engines.compliance.business_days import BusinessDays

DAYS = BusinessDays(session_table().dates, settlement_dates())
NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("moment", "trade_date"),
    [
        ("2025-01-15T09:30", date(2025, 1, 15)),
        ("2025-01-15T04:00", date(2025, 1, 15)),  # Before the open.
        ("2025-01-15T19:59", date(2025, 1, 15)),  # After the close: midnight in UTC is long over.
        ("2025-01-15T20:00", date(2025, 1, 16)),  # The night belongs to the next day.
        ("2025-01-17T21:00", date(2025, 1, 21)),  # Friday night; Monday is Martin Luther King's day.
        ("2025-01-18T12:00", date(2025, 1, 21)),
        ("2025-07-03T18:30", date(2025, 7, 3)),  # A half-day.
    ],
)
def test_a_trade_date_is_new_york_s(moment: str, trade_date: date) -> None:
    assert DAYS.trade_date(ns(moment)) == trade_date


def test_the_window_is_five_trading_days_over_holidays_and_a_day_of_mourning() -> None:
    """9 January 2025 the exchange was closed for a funeral, on no rule of any calendar."""
    assert DAYS.window(date(2025, 1, 14), 5) == date(2025, 1, 7)
    assert DAYS.leaves_window(date(2025, 1, 7), 5) == date(2025, 1, 15)
    assert DAYS.window(date(2025, 1, 14), 1) == date(2025, 1, 14)


@pytest.mark.parametrize(
    ("traded", "days", "settles"),
    [
        (date(2025, 1, 15), 1, date(2025, 1, 16)),
        (date(2025, 1, 17), 1, date(2025, 1, 21)),
        (date(2025, 10, 10), 1, date(2025, 10, 14)),  # On Columbus Day the exchange is open, the banks are not.
        (date(2024, 11, 8), 1, date(2024, 11, 12)),  # Veterans Day.
        (date(2025, 1, 15), 5, date(2025, 1, 23)),
    ],
)
def test_trades_settle_on_days_when_banks_and_exchange_are_open(traded: date, days: int, settles: date) -> None:
    assert DAYS.business_day_after(traded, days) == settles


def test_a_day_out_of_reach_is_said() -> None:
    with pytest.raises(DataError, match=r"1990-01-02 is too near .* it reaches from 1999-12-01 to"):
        DAYS.window(date(1990, 1, 2), 5)
    with pytest.raises(DataError):
        DAYS.next_trading_day(DAYS.trading[-1])
    with pytest.raises(DataError, match="no day at all"):
        BusinessDays((), ()).window(date(2025, 1, 2), 5)
