from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.intraday_margin import IntradayMargin
from ordinis.domain.errors import OrderRefused

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
FOURFOLD = {"cash_usd": Decimal(10_000), "multiplier": 4, "market_buy_collar": 0.0}


def rules(here: Desk) -> IntradayMargin:
    regime = here.exchange.books.regime
    assert isinstance(regime, IntradayMargin)
    return regime


@pytest.mark.parametrize(
    ("price", "held", "most"),
    [
        (100, 0, 333),  # 30 % of 33,300 are 9,990.
        (100, 100, 233),
        (5, 0, 4_000),  # Half of a stock between $2.50 and $6.
        (2, 0, 5_000),  # All of a stock under $2.50: no debit at all.
    ],
)
def test_the_level_after_an_order_may_not_be_below_zero(desk: MakeDesk, price: float, held: int, most: int) -> None:
    here = desk(**FOURFOLD)
    here.minute(AAA=price)
    if held:
        here.hold(held, price=price)
    with pytest.raises(OrderRefused) as caught:
        here.buy(most + 1, limit_price_usd=price)
    assert (caught.value.http_status, caught.value.code) == (403, 40310000)
    assert here.buy(most, limit_price_usd=price).live


def test_orders_that_work_are_counted_as_if_they_were_filled(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    here.minute(AAA=100, BBB=100)
    here.buy(200, "AAA", limit_price_usd=100)
    assert rules(here).level_usd(here.exchange._working) == 10_000 - 6_000
    with pytest.raises(OrderRefused, match="intraday margin deficit"):
        here.buy(134, "BBB", limit_price_usd=100)
    assert here.buy(133, "BBB", limit_price_usd=100).live


def test_an_order_that_closes_is_never_refused_for_margin(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    here.hold(320)
    here.minute(AAA=90)
    assert rules(here).level_usd() < 0
    assert here.sell(100).live


def test_below_two_thousand_no_debit_is_made_whatever_the_session_began_with(desk: MakeDesk) -> None:
    here = desk(cash_usd=Decimal(2_000), market_buy_collar=0.0)
    here.hold(15)
    here.minute(AAA=90, BBB=100)
    with pytest.raises(OrderRefused, match="insufficient buying power"):
        here.buy(6, "BBB")
    assert here.buy(5, "BBB").live


def gapped(here: Desk, after: float, quantity: int = 333) -> None:
    here.minute(AAA=100)
    here.buy(quantity)
    here.minute(AAA=after)


def test_a_fill_worse_than_asked_leaves_a_deficit(desk: MakeDesk) -> None:
    """Bought at 110, the requirement is 10,989."""
    here = desk(**FOURFOLD)
    gapped(here, 110)
    assert here.kinds() == ["intraday_deficit"]
    assert [one.amount_usd for one in rules(here).deficits.deficits] == [989]
    assert here.exchange.violations[0].text == "deficit of 989.00 USD, the call is due on 2025-01-17"


def test_a_small_one_is_kept_and_is_no_violation(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    gapped(here, 105)
    assert [one.counts for one in rules(here).deficits.deficits] == [False]
    assert here.kinds() == []


def test_a_fall_in_price_alone_is_no_deficit(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    here.hold(300)
    here.minute(AAA=70)
    here.sell(10)
    here.minute(AAA=70)
    assert rules(here).deficits.deficits == []


def test_an_unpaid_deficit_freezes_the_account_and_closing_stays_allowed(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    gapped(here, 110)
    here.sell(233)
    here.minute(AAA=110)
    for _ in range(6):
        here.close()
        here.open()
        here.minute(AAA=80)
    assert here.kinds() == ["intraday_deficit", "margin_freeze"]
    cash = here.exchange.books.cash_usd
    assert cash < 0
    with pytest.raises(OrderRefused, match=r"restricted after an unmet intraday margin call until 2025-04-\d\d"):
        here.buy(1, limit_price_usd=80)
    here.sell(100)
    here.minute(AAA=80)
    assert here.buy(1, limit_price_usd=80).live  # With money of its own.


def test_a_deposit_satisfies_the_deficit_and_comes_as_a_cash_flow(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    gapped(here, 110)
    here.close()
    here.open()
    here.exchange.deposit(Decimal(989))
    (flow,) = here.flows(here.events())
    assert (flow.kind, flow.amount_usd) == ("deposit", Decimal(989))
    here.minute(AAA=110)
    here.close()
    assert [one.outstanding for one in rules(here).deficits.deficits] == [False]


def test_a_withdrawal_lowers_the_level_as_an_order_does(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    here.hold(300)
    here.exchange.deposit(Decimal(-2_000))
    assert [one.amount_usd for one in rules(here).deficits.deficits] == [1_000]
    assert here.kinds() == ["intraday_deficit"]


@pytest.mark.parametrize(("quantity", "sold", "kinds"), [(300, 0, ["overnight_margin"]), (300, 100, []), (200, 0, [])])
def test_a_book_of_the_day_above_twice_its_equity_at_the_close_is_a_violation(
    desk: MakeDesk, quantity: int, sold: int, kinds: list[str]
) -> None:
    here = desk(**FOURFOLD)
    here.hold(quantity)
    if sold:
        here.sell(sold)
        here.minute(AAA=100)
    here.close()
    assert here.kinds() == kinds


def test_older_positions_that_prices_have_pushed_above_it_are_none(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD)
    here.hold(200)
    here.close()
    here.open()
    here.minute(AAA=80)
    here.close()
    assert here.kinds() == []


def test_twice_the_equity_that_falls_on_its_first_day_is_none(desk: MakeDesk) -> None:
    here = desk(**FOURFOLD | {"multiplier": 2})
    here.hold(200)
    here.minute(AAA=90)
    here.close()
    assert here.kinds() == []


SHORTS = {"cash_usd": Decimal(10_000), "multiplier": 4, "shorting_enabled": True, "short_sale_collar": 0.0}


@pytest.mark.parametrize(
    ("price", "most"),
    [
        (100, 333),  # 30 % of 33,300 are 9,990.
        (10, 2_000),  # Five dollars a share at least.
        (4, 2_500),  # All of a share under five dollars.
    ],
)
def test_a_short_sale_may_not_take_the_level_below_zero(desk: MakeDesk, price: float, most: int) -> None:
    here = desk(**SHORTS)
    here.minute(AAA=price)
    with pytest.raises(OrderRefused) as caught:
        here.sell(most + 1, limit_price_usd=price)
    assert caught.value.code == 40310000
    here.sell(most, limit_price_usd=price)
    here.minute(AAA=price)
    assert 0 <= rules(here).level_usd() < 30


def test_a_short_that_works_is_counted_and_a_cover_is_not(desk: MakeDesk) -> None:
    here = desk(**SHORTS, market_buy_collar=0.0)
    here.minute(AAA=100, BBB=100)
    here.sell(200, limit_price_usd=100)
    assert rules(here).level_usd(here.exchange._working) == 4_000
    here.minute(AAA=100)
    here.minute(AAA=130)
    assert rules(here).level_usd() < 0
    assert here.buy(200).live


def test_a_frozen_account_opens_no_short(desk: MakeDesk) -> None:
    here = desk(**SHORTS, market_buy_collar=0.0)
    gapped(here, 110)
    here.sell(333)
    for _ in range(6):
        here.minute(AAA=110)
        here.close()
        here.open()
    assert here.kinds() == ["intraday_deficit", "margin_freeze"]
    here.minute(AAA=110)
    with pytest.raises(OrderRefused, match="restricted after an unmet intraday margin call"):
        here.sell(1)


def test_shorts_of_the_day_count_in_the_book_of_the_night(desk: MakeDesk) -> None:
    here = desk(**SHORTS)
    here.minute(AAA=100)
    here.sell(300)
    here.minute(AAA=100)
    here.close()
    assert here.kinds() == ["overnight_margin"]
