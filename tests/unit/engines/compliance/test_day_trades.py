"""Day trades counted as FINRA's examples count them, and the slots that entries reserve."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest

from ordinis.engines.compliance.day_trades import DayTradeSlots, Throttle, Trade, count_day_trades

Method = Literal["direction_change", "opening_order", "max"]


def trades(text: str) -> list[Trade]:
    """`B250 S100`: an order each, in time order."""
    return [
        ("buy" if word[0] == "B" else "sell", Decimal(word[1:]), f"order-{number}")
        for number, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("start", "sequence", "by_direction", "by_opening_order"),
    [
        (0, "", 0, 0),
        (0, "B100", 0, 0),
        (0, "B250 B250 S500", 1, 2),  # FINRA, by direction.
        (0, "B100 S100 B100 S100", 2, 2),  # FINRA.
        (0, "B500 S100 S100 S300", 1, 1),  # FINRA.
        (50, "S50 B50", 0, 0),  # E*TRADE: what was held overnight and sold first.
        (50, "B25 S25", 1, 1),  # E*TRADE: first in, first out is not used.
        (0, "B1 B2 B7 S1 S5 S4", 1, 3),  # Robinhood, by direction.
        (0, "B50 B50 S100", 1, 2),  # FINRA and Scottrade: the methods differ.
        (50, "S50 B50 S50", 1, 1),
        (50, "S100 B50", 1, 1),  # Through zero: the short was opened and covered today.
        (-50, "B50 S50", 0, 0),
        (-50, "B100 S50", 1, 1),
        (0, "S100 B100", 1, 1),
        (100, "B10 S110 B10 S10", 2, 2),
        (100, "S10 B10 S10", 1, 1),
    ],
)
def test_day_trades_are_counted_as_in_the_examples(
    start: int, sequence: str, by_direction: int, by_opening_order: int
) -> None:
    expected: dict[Method, int] = {
        "direction_change": by_direction,
        "opening_order": by_opening_order,
        "max": max(by_direction, by_opening_order),
    }
    assert {method: count_day_trades(trades(sequence), start, method) for method in expected} == expected


def test_direction_change_is_the_default() -> None:
    assert count_day_trades(trades("B50 B50 S100")) == 1


def test_partial_fills_of_one_order_are_one_transaction() -> None:
    parts: list[Trade] = [("buy", Decimal(50), "a"), ("buy", Decimal(50), "a"), ("sell", Decimal(100), "b")]
    assert count_day_trades(parts, method="opening_order") == 1
    apart: list[Trade] = [("buy", Decimal(50), "a"), ("buy", Decimal(50), "c"), ("sell", Decimal(100), "b")]
    assert count_day_trades(apart, method="opening_order") == 2


def test_an_unknown_method_or_side_is_refused() -> None:
    with pytest.raises(ValueError, match="was 'fifo'"):
        count_day_trades([], 0, "fifo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="was 'short'"):
        count_day_trades([("short", Decimal(1), "a")])


# Slots.


class Days:
    """Sessions of one account, its orders in words."""

    def __init__(self, equity_usd: float = 14_999.0, **throttle: float | bool) -> None:
        self.slots = DayTradeSlots(Throttle(**{"enabled": True, **throttle}))  # type: ignore[arg-type]
        self.equity_usd = equity_usd
        self._orders = 0
        self.open()

    def open(self, equity_usd: float | None = None, **held: int) -> None:
        self.equity_usd = self.equity_usd if equity_usd is None else equity_usd
        self.slots.session_opens(self.equity_usd, {symbol: Decimal(shares) for symbol, shares in held.items()})

    def next(self, **held: int) -> None:
        self.slots.session_closes()
        self.open(**held)

    def buys(self, symbol: str, shares: int = 10) -> None:
        self.slots.entry_sent(symbol)
        self._fill(symbol, shares)

    def sells(self, symbol: str, shares: int = 10) -> None:
        """All of it: the position is closed."""
        self._fill(symbol, -shares)
        self.slots.entry_over(symbol)

    def day_trade(self, symbol: str) -> None:
        self.buys(symbol)
        self.sells(symbol)

    def _fill(self, symbol: str, signed: int) -> None:
        self._orders += 1
        self.slots.filled(symbol, Decimal(signed), f"order-{self._orders}")


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
def test_the_throttle_is_on_below_its_floor_only(
    equity_usd: float, throttle: dict[str, float | bool], full: bool
) -> None:
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
    days.slots.entry_sent("AAA")
    assert days.slots.reserved == 1
    days.slots.entry_over("AAA")
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
    days.slots.session_opens(14_999.0, {}, ["AAA", "BBB"])
    assert days.slots.reserved == 2
    days.slots.entry_over("AAA")
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
    days.slots.entry_sent("AAA")
    for _ in range(3):
        days.slots.filled("AAA", Decimal(10), "entry")
    for _ in range(3):
        days.slots.filled("AAA", Decimal(-10), "exit")
    days.slots.entry_over("AAA")
    assert days.slots.used == 1


def test_the_stricter_of_both_methods_counts() -> None:
    days = Days()
    days.buys("AAA", 50)
    days.buys("AAA", 50)
    days.sells("AAA", 100)
    assert days.slots.used == 2
