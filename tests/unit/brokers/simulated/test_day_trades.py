from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.day_trades import DayTradeBook
from ordinis.domain.errors import OrderRefused

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
SMALL = {"cash_usd": Decimal(20_000), "regime": "pattern_day_trader"}


@pytest.mark.parametrize(
    ("trades", "count"),
    [
        ("B250 B250 S500", 2),  # Two opening orders closed; by changes of direction it would be one.
        ("B100 S100 B100 S100", 2),
        ("B500 S100 S100 S300", 1),
        ("S50", 0),  # Held overnight.
        ("S50 B50", 0),
        ("B25 S25", 1),
        ("B25 S25 S50", 1),
        ("S20 B25 S30", 1),
        ("B1 B2 B7 S1 S5 S4", 3),
        ("B1 B2 B7 S1 S5 S1", 1),
        ("B50 B50 S100", 2),
    ],
)
def test_day_trades_are_opening_orders_closed_today(trades: str, count: int) -> None:
    book = DayTradeBook(sessions=5)
    for number, trade in enumerate(trades.split()):
        quantity = Decimal(trade[1:])
        if trade[0] == "B":
            book.bought(0, number, quantity)
        else:
            expected = book.would_make(0, quantity)
            assert book.sold(0, quantity) == expected
    assert book.count == count


def test_partial_fills_of_an_order_never_change_the_count() -> None:
    book = DayTradeBook(sessions=5)
    for order in (1, 2, 1, 2):
        book.bought(0, order, Decimal(5))
    made = sum(book.sold(0, Decimal(1)) for _ in range(20))
    assert (made, book.count) == (2, 2)


def test_symbols_and_days_are_counted_apart() -> None:
    book = DayTradeBook(sessions=5)
    book.bought(0, 1, Decimal(5))
    assert book.sold(1, Decimal(5)) == 0
    book.open_session()
    assert book.sold(0, Decimal(5)) == 0


def test_a_day_trade_leaves_the_window_after_five_sessions() -> None:
    book = DayTradeBook(sessions=5)
    book.bought(0, 1, Decimal(5))
    book.sold(0, Decimal(5))
    counts = []
    for _ in range(5):
        book.open_session()
        counts.append(book.count)
    assert counts == [1, 1, 1, 1, 0]


def day_trade(here: Desk, times: int) -> None:
    for _ in range(times):
        here.hold(1)
        here.sell(1)
        here.minute(AAA=100)


@pytest.mark.parametrize(
    ("cash", "regime", "used", "refused"),
    [
        (24_999, "pattern_day_trader", 3, True),
        (24_999, "pattern_day_trader", 2, False),
        (25_000, "pattern_day_trader", 3, False),
        (24_999, "intraday_margin", 3, False),
    ],
)
def test_the_fourth_day_trade_is_refused_below_the_equity_floor(
    desk: MakeDesk, cash: int, regime: str, used: int, refused: bool
) -> None:
    here = desk(cash_usd=Decimal(cash), regime=regime)
    day_trade(here, used)
    here.hold(1)
    if not refused:
        assert here.sell(1).live
        return
    with pytest.raises(OrderRefused) as caught:
        here.sell(1)
    assert (caught.value.http_status, caught.value.code) == (403, 40310100)
    assert caught.value.text == "trade denied due to pattern day trading protection"
    assert here.kinds() == []


def test_the_equity_that_counts_is_that_of_the_previous_close(desk: MakeDesk) -> None:
    here = desk(cash_usd=Decimal(25_000), regime="pattern_day_trader")
    here.hold(10)
    here.minute(AAA=50)
    assert not here.exchange.books.throttles_day_trades
    here.close()
    here.open()
    assert here.exchange.books.throttles_day_trades


def test_shares_held_overnight_can_always_be_sold(desk: MakeDesk) -> None:
    here = desk(**SMALL)
    day_trade(here, 3)
    here.hold(5)
    here.close()
    here.open()
    assert here.exchange.books.day_trades.count == 3
    assert here.sell(5).live


def test_sales_that_wait_count_as_if_they_were_filled(desk: MakeDesk) -> None:
    here = desk(**SMALL)
    day_trade(here, 2)
    here.hold(5, symbol="AAA")
    here.hold(5, symbol="BBB")
    here.sell(5, "AAA")
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.sell(5, "BBB")
    here.minute(AAA=100)
    assert here.exchange.books.day_trades.count == 3


def test_a_stop_leg_that_may_never_fill_takes_no_slot(desk: MakeDesk) -> None:
    here = desk(**SMALL)
    day_trade(here, 2)
    here.hold(5, symbol="AAA")
    here.minute(BBB=100)
    here.buy(5, "BBB", stop_loss_usd=90)
    here.minute(BBB=100)
    assert here.sell(5, "AAA").live


def test_one_sale_that_closes_two_orders_needs_two_slots(desk: MakeDesk) -> None:
    here = desk(**SMALL)
    day_trade(here, 2)
    here.hold(5)
    here.hold(5)
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.sell(10)
    assert here.sell(5).live


def test_a_leg_that_makes_the_fourth_day_trade_is_a_violation(desk: MakeDesk) -> None:
    here = desk(**SMALL)
    day_trade(here, 3)
    here.buy(5, stop_loss_usd=95)
    here.minute(AAA=100)
    here.minute(AAA=90)
    assert here.kinds() == ["day_trades"]
    assert here.exchange.violations[0].text == "4 day trades in 5 sessions, 3 allowed"


def test_where_no_rule_counts_them_a_fourth_day_trade_is_no_violation(desk: MakeDesk) -> None:
    here = desk(**SMALL | {"regime": "intraday_margin"})
    day_trade(here, 4)
    assert here.kinds() == []
