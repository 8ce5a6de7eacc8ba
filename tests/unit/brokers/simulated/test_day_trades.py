from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.pattern_day_trader import PatternDayTrader
from ordinis.domain.errors import OrderRefused
from ordinis.domain.orders import TimeInForce

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
SMALL = {"cash_usd": Decimal(20_000), "regime": "pattern_day_trader"}


def rules(here: Desk) -> PatternDayTrader:
    regime = here.exchange.books.regime
    assert isinstance(regime, PatternDayTrader)
    return regime


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
    assert not rules(here).throttled
    here.close()
    here.open()
    assert rules(here).throttled


def test_shares_held_overnight_can_always_be_sold(desk: MakeDesk) -> None:
    here = desk(**SMALL)
    day_trade(here, 3)
    here.hold(5)
    here.close()
    here.open()
    assert rules(here).count == 3
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
    assert rules(here).count == 3


@pytest.mark.parametrize("protection", ["leg", "order"])
def test_a_stop_that_works_counts_as_if_it_were_filled(desk: MakeDesk, protection: str) -> None:
    """So Alpaca reckoned: whoever sent stops for eleven positions of the day had three accepted."""
    here = desk(**SMALL)
    day_trade(here, 2)
    here.hold(5, symbol="AAA")
    here.minute(BBB=100)
    here.buy(5, "BBB", **({"stop_loss_usd": 90} if protection == "leg" else {}))
    here.minute(BBB=100)
    if protection == "order":
        here.sell(5, "BBB", stop_price_usd=90)
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.sell(5, "AAA")


@pytest.mark.parametrize(
    ("check", "used", "entry", "refused"),
    [
        ("entry", 3, {"stop_loss_usd": 90}, True),
        ("entry", 3, {"take_profit_usd": 110}, True),
        ("entry", 3, {}, False),  # Nothing would close it today.
        ("entry", 2, {"stop_loss_usd": 90}, False),
        ("both", 3, {"stop_loss_usd": 90}, True),
        ("exit", 3, {"stop_loss_usd": 90}, False),
    ],
)
def test_an_entry_with_its_exit_is_a_day_trade_to_a_broker_that_checks_at_entry(
    desk: MakeDesk, check: str, used: int, entry: dict[str, int], refused: bool
) -> None:
    here = desk(**SMALL, day_trade_check="exit")
    day_trade(here, used)
    object.__setattr__(rules(here).settings, "day_trade_check", check)
    here.minute(BBB=100)
    if not refused:
        assert here.buy(5, "BBB", **entry).live
        return
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.buy(5, "BBB", **entry)


def test_a_broker_that_checks_at_entry_alone_lets_every_exit_pass_and_writes_it_down(desk: MakeDesk) -> None:
    here = desk(**SMALL, day_trade_check="entry")
    day_trade(here, 4)
    assert here.kinds() == ["day_trades"]
    assert rules(here).flagged


def test_the_flag_sticks_and_below_the_floor_no_day_trade_is_left(desk: MakeDesk) -> None:
    """Above the floor four day trades only flag; a week and a loss later the first one is refused."""
    here = desk(cash_usd=Decimal(26_000), regime="pattern_day_trader", day_trade_check="both")
    day_trade(here, 4)
    assert (rules(here).flagged, here.kinds()) == (True, [])
    here.hold(200)
    for price in (90, 90, 90, 90, 90, 90):
        here.minute(AAA=price)
        here.close()
        here.open()
    assert (rules(here).count, rules(here).left, rules(here).throttled) == (0, 0, True)
    here.hold(5, 100, "BBB")
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.sell(5, "BBB")
    assert here.sell(200, "AAA").live


def test_day_trading_buying_power_is_four_times_the_last_excess_and_selling_older_shares_adds_none(
    desk: MakeDesk,
) -> None:
    here = desk(cash_usd=Decimal(30_000), regime="pattern_day_trader", multiplier=4)
    assert here.exchange.account().multiplier == 2  # Nobody has been flagged yet.
    day_trade(here, 4)
    here.hold(100)
    here.close()
    here.open()
    assert here.exchange.account().multiplier == 4
    power = 4 * (30_000 - 3_000)
    assert here.exchange.account().buying_power_usd == power
    here.sell(100)
    here.minute(AAA=100)
    assert here.exchange.account().buying_power_usd == power
    here.hold(300, 100, "BBB")
    assert here.exchange.account().buying_power_usd == power - 30_000
    here.sell(100, "BBB")
    here.minute(BBB=110)
    assert here.exchange.account().buying_power_usd == power - 20_000  # At what it cost.
    with pytest.raises(OrderRefused, match="insufficient buying power"):
        here.buy(801, "BBB", limit_price_usd=110)
    assert here.buy(800, "BBB", limit_price_usd=110).live


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


def test_a_debit_that_maintenance_does_not_cover_is_recorded(desk: MakeDesk) -> None:
    """All of a stock under $2.50 must be paid for; twice the equity buys it all the same."""
    here = desk(**SMALL, market_buy_collar=0.0)
    here.hold(15_000, price=2)
    assert here.kinds() == ["maintenance_deficit"]


def test_the_account_shows_what_such_a_broker_shows(desk: MakeDesk) -> None:
    here = desk(**SMALL, day_trade_check="both")
    day_trade(here, 2)
    view = here.exchange.account()
    assert (view.daytrade_count, view.pattern_day_trader, view.pdt_check) == (2, False, "both")
    assert view.daytrading_buying_power_usd == 0
    assert desk().exchange.account().daytrade_count is None


def test_a_short_with_its_cover_is_a_day_trade_to_a_broker_that_checks_at_entry(desk: MakeDesk) -> None:
    here = desk(**SMALL, day_trade_check="entry", day_trades_max=1, shorting_enabled=True)
    day_trade(here, 1)
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.sell(5, stop_loss_usd=110)
    assert here.sell(5).live


def test_a_stop_sent_as_the_session_ends_is_of_the_next_day(desk: MakeDesk) -> None:
    here = desk(**SMALL, day_trade_check="both")
    day_trade(here, 3)
    here.hold(5)
    with pytest.raises(OrderRefused, match="pattern day trading"):
        here.sell(5, stop_price_usd=90)
    here.last_minute(AAA=100)
    assert here.sell(5, stop_price_usd=90, time_in_force=TimeInForce.GTC).live
