from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ordinis.brokers.simulated.deficits import DeficitBook
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.brokers.simulated.trading_days import TradingDays
from ordinis.data import calendar

EQUITY = Decimal(10_000)
SESSIONS = [session.date for session in calendar.sessions(date(2025, 1, 2), date(2025, 6, 30))]


class Book(DeficitBook):
    """Lives through sessions: one a call."""

    def __init__(self) -> None:
        self.days = TradingDays()
        super().__init__(ExchangeSettings(cash_usd=EQUITY), self.days)
        self._sessions = iter(SESSIONS)
        self.open()

    def open(self) -> None:
        self.days.open(next(self._sessions))

    def night(self, level: int) -> list[date]:
        """Close at that level and open the next session; the days of the deficits that froze the account."""
        freezing = [deficit.day for deficit in self.close(Decimal(level))]
        self.open()
        return freezing


def test_the_example_of_the_rule() -> None:
    """Equity of 10,000 and a purchase of 50,000 at 25 %: a deficit of 2,500, above the 500 that do not count."""
    book = Book()
    deficit = book.lowered(Decimal(10_000 - 12_500), EQUITY)
    assert deficit is not None
    assert (deficit.amount_usd, deficit.counts, deficit.call_due) == (Decimal(2_500), True, SESSIONS[2])


@pytest.mark.parametrize(
    ("equity", "level", "counts"),
    [(10_000, -500, False), (10_000, -501, True), (100_000, -1_000, False), (100_000, -1_001, True), (-5, -1, True)],
)
def test_a_small_deficit_is_not_called(equity: int, level: int, counts: bool) -> None:
    book = Book()
    assert (book.lowered(Decimal(level), Decimal(equity)) is not None) is counts
    assert len(book.deficits) == 1


def test_the_deficit_of_a_day_is_its_largest_and_is_told_once() -> None:
    book = Book()
    told = [book.lowered(Decimal(level), EQUITY) is not None for level in (-400, -900, -700, -2_000, 100)]
    assert told == [False, True, False, False, False]
    assert [deficit.amount_usd for deficit in book.deficits] == [2_000]


@pytest.mark.parametrize(
    ("levels", "deposit_on", "satisfied_on"),
    [
        ([-900, 100, 100], None, 1),  # From the end of the day to the end of a later one it rose by 1,000.
        ([100, 1_099, 1_100], None, 2),  # A recovery on the day itself heals nothing.
        ([0, 0, 0], 2, 2),
        ([0, 0, 0], 0, None),  # Paid on the day of the deficit: that is in the level of its close.
    ],
)
def test_it_is_satisfied_by_deposits_or_by_the_level_from_one_close_to_another(
    levels: list[int], deposit_on: int | None, satisfied_on: int | None
) -> None:
    book = Book()
    book.lowered(Decimal(-1_000), EQUITY)
    for number, level in enumerate(levels):
        if number == deposit_on:
            book.deposited(Decimal(1_000))
        book.night(level)
    assert book.deficits[0].satisfied_on == (None if satisfied_on is None else SESSIONS[satisfied_on])


def test_one_deposit_satisfies_several() -> None:
    book = Book()
    for _ in range(2):
        book.lowered(Decimal(-1_000), EQUITY)
        book.night(0)
    book.deposited(Decimal(1_000))
    book.night(0)
    assert [deficit.satisfied_on for deficit in book.deficits] == [SESSIONS[2]] * 2


def test_unpaid_it_freezes_at_the_fifth_close_for_ninety_days_and_ends_at_the_fifteenth() -> None:
    book = Book()
    book.lowered(Decimal(-1_000), EQUITY)
    froze = [day for day, today in enumerate(SESSIONS[:16]) if book.night(0)]
    assert froze == [5]
    assert book.frozen_until == date(2025, 4, 10)  # Ninety days after 10 January 2025: the ninth was no trading day.
    assert SESSIONS[5] == date(2025, 1, 10)
    assert book.deficits[0].expired_on == SESSIONS[15]
    assert book.frozen
    while book.days.today < date(2025, 4, 10):
        assert book.frozen
        assert book.night(0) == []
    assert not book.frozen


def test_a_deficit_that_does_not_count_never_freezes() -> None:
    book = Book()
    book.lowered(Decimal(-400), EQUITY)
    assert [book.night(0) for _ in range(16)] == [[]] * 16
    assert book.deficits[0].expired_on == SESSIONS[15]
