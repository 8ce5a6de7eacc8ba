"""The slots that entries reserve, and who may have the last ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.decision import Reason
from ordinis.engines.compliance.business_days import weekdays
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.slots import DayTradeSlots


class Days:
    """Sessions of one account, its orders in words."""

    def __init__(
        self,
        equity_usd: float = 14_999.0,
        *,
        law: bool = False,
        without: frozenset[str] = frozenset(),
        **throttle: Any,
    ) -> None:
        self.slots = DayTradeSlots(Throttle(**{"enabled": True, **throttle}), weekdays(), without)
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


# Under the law.


def asked(days: Days, confidence: float | None = 0.9, minutes_left: int = 100) -> tuple[Reason | None, bool, bool]:
    found = days.slots.permit("NEW", Decimal(10), confidence, minutes_left)
    return found.reason, found.swing, found.stop_waits


def test_the_last_slot_is_an_emergency_pool_for_swing_entries() -> None:
    days = Days(law=True)
    assert asked(days, None) == (None, False, False)
    days.buys("AAA")
    assert asked(days, None) == (None, False, False)
    days.buys("BBB")
    assert asked(days, 0.7) == (None, True, False)
    assert asked(days, 0.69) == (Reason.LOW_CONFIDENCE, False, False)
    assert asked(days, None) == (Reason.LOW_CONFIDENCE, False, False)
    days.buys("CCC")
    assert asked(days) == (Reason.DAY_TRADE_SLOTS, False, False)


def test_a_policy_has_no_pool() -> None:
    days = Days()
    for symbol in ("AAA", "BBB"):
        days.buys(symbol)
    assert asked(days, None) == (None, False, False)


@pytest.mark.parametrize(
    ("check", "minutes_left", "found"),
    [
        ("exit", 5, (None, True, True)),
        ("exit", 1, (None, True, True)),
        ("exit", 0, (Reason.DAY_TRADE_SLOTS, False, False)),  # It would be bought in the morning.
        ("exit", 6, (Reason.DAY_TRADE_SLOTS, False, False)),
        ("entry", 5, (Reason.DAY_TRADE_SLOTS, False, False)),  # The broker would refuse the entry.
        ("both", 5, (Reason.DAY_TRADE_SLOTS, False, False)),
        (None, 5, (Reason.DAY_TRADE_SLOTS, False, False)),  # Unknown counts as both.
    ],
)
def test_without_a_slot_an_entry_comes_in_the_last_minutes_only(
    check: str | None, minutes_left: int, found: tuple[Reason | None, bool, bool]
) -> None:
    days = Days(law=True, check=check)
    for symbol in ("AAA", "BBB", "CCC"):
        days.buys(symbol)
    assert asked(days, 0.9, minutes_left) == found


def test_what_cannot_be_closed_today_reserves_nothing_until_tomorrow() -> None:
    days = Days(law=True, check="exit")
    for symbol in ("AAA", "BBB", "CCC"):
        days.buys(symbol)
    days.slots.entry_sent("late", "NEW", Decimal(10), stop_waits=True)
    days.fills("NEW", 10, "late")
    assert (days.slots.reserved, days.slots.unprotected) == (3, {"NEW"})
    days.next(NEW=10)
    assert (days.slots.reserved, days.slots.unprotected) == (0, set())


def test_a_flagged_account_below_the_floor_may_not_day_trade_at_all() -> None:
    days = Days(law=True)
    for symbol in ("AAA", "BBB", "CCC", "DDD"):
        days.day_trade(symbol)
    for _ in range(9):
        days.next()
    assert days.slots.flagged  # The flag is sticky, the window is not.
    assert (days.slots.used, days.slots.allowed, days.slots.full) == (0, 0, True)
    days.slots.opens(days.today, 14_999.0, {}, law=True, flagged=False)  # The broker's word outranks.
    assert (days.slots.allowed, days.slots.full) == (3, False)


@pytest.mark.parametrize(("fraction", "orders", "flagged"), [(0.0, 92, True), (0.06, 92, False), (0.06, 58, True)])
def test_few_day_trades_among_many_trades_make_no_pattern_where_the_rule_is_on(
    fraction: float, orders: int, flagged: bool
) -> None:
    """Four day trades are eight orders: 4 of 100 trades are excused, 4 of 66 are not."""
    days = Days(law=True, pattern_trades_fraction=fraction)
    for symbol in ("AAA", "BBB", "CCC", "DDD"):
        days.day_trade(symbol)
    for number in range(orders):
        days.buys(f"S{number}")
    days.slots.closes()
    assert days.slots.flagged is flagged


def test_what_the_broker_counts_beyond_our_record_counts() -> None:
    days = Days(law=True)
    days.slots.opens(days.today, 14_999.0, {}, law=True, count=2)
    days.day_trade("AAA")
    assert days.slots.used == 3
    days.slots.reported(3)
    assert days.slots.used == 3
    for _ in range(4):
        days.next()
    assert days.slots.used == 3
    days.next()
    assert days.slots.used == 0


def test_fills_out_of_order_are_counted_in_order() -> None:
    """Sold at 2, bought at 1: a day trade, though the sale was told first."""
    days = Days()
    days.slots.filled("AAA", Decimal(-10), "exit", 2, days.today)
    days.slots.filled("AAA", Decimal(10), "entry", 1, days.today)
    days.slots.filled("AAA", Decimal(10), "again", 3, days.today)
    assert days.slots.used == 1


def test_a_fill_of_yesterday_that_comes_late_is_counted_there_and_mends_today() -> None:
    """Bought yesterday and told today after the sale: what looked like a short was none."""
    days = Days()
    yesterday = days.today
    days.next()
    days.slots.filled("AAA", Decimal(-10), "exit", 20, days.today)
    days.slots.filled("AAA", Decimal(10), "cover", 30, days.today)
    assert days.slots.used == 1
    days.slots.filled("AAA", Decimal(10), "entry", 10, yesterday)
    assert days.slots.used == 0


@pytest.mark.parametrize(
    ("rule", "happens", "with_it", "without_it"),
    [
        ("day_trade_slots", ("AAA", "BBB", "CCC"), Reason.DAY_TRADE_SLOTS, None),
        ("reservation", ("AAA", "BBB", "CCC"), Reason.DAY_TRADE_SLOTS, None),
        ("emergency_pool", ("AAA", "BBB"), Reason.LOW_CONFIDENCE, None),
        ("swing_confidence", ("AAA", "BBB"), Reason.LOW_CONFIDENCE, None),
    ],
)
def test_each_rule_of_the_slots_changes_the_answer(
    rule: str, happens: tuple[str, ...], with_it: Reason, without_it: Reason | None
) -> None:
    for without, expected in ((frozenset[str](), with_it), (frozenset({rule}), without_it)):
        days = Days(law=True, without=without)
        for symbol in happens:
            days.buys(symbol)
        assert days.slots.permit("NEW", Decimal(10), 0.5 if with_it is Reason.LOW_CONFIDENCE else 0.9, 100).reason is (
            expected
        )


def test_without_the_flag_rule_and_without_the_queue_the_answer_changes() -> None:
    days = Days(law=True, without=frozenset({"flag"}))
    days.slots.opens(days.today, 14_999.0, {}, law=True, flagged=True)
    assert days.slots.allowed == 3
    days = Days(law=True, check="exit", without=frozenset({"queued_stop"}))
    for symbol in ("AAA", "BBB", "CCC"):
        days.buys(symbol)
    assert asked(days, 0.9, 3) == (None, True, False)
