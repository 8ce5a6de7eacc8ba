from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.settlement import CashAccount
from ordinis.domain.errors import OrderRefused
from ordinis.domain.events import ActionKind, CorporateAction

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
WEDNESDAY = 2
CASH = {"cash_usd": Decimal(10_000), "regime": "cash", "market_buy_collar": 0.0}


def rules(here: Desk) -> CashAccount:
    regime = here.exchange.books.regime
    assert isinstance(regime, CashAccount)
    return regime


def next_day(here: Desk) -> None:
    here.close()
    here.open()


def sold(here: Desk, quantity: int, symbol: str = "AAA", price: float = 100.0) -> None:
    here.sell(quantity, symbol)
    here.minute(**{symbol: price})


def test_a_cash_account_has_its_cash_and_no_more(desk: MakeDesk) -> None:
    here = desk(**CASH, multiplier=4)
    assert here.exchange.account().multiplier == 1
    assert here.exchange.account().buying_power_usd == 10_000


def test_the_account_shows_its_type_and_its_settled_cash(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.hold(60)
    sold(here, 60)
    view = here.exchange.account()
    assert (view.account_type, view.non_marginable_buying_power_usd) == ("cash", Decimal(4_000))


def test_proceeds_settle_on_the_next_trading_day(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.hold(60)
    sold(here, 60)
    assert (rules(here).settled_usd, rules(here).unsettled_usd) == (Decimal(4_000), Decimal(6_000))
    assert here.exchange.account().buying_power_usd == 10_000
    next_day(here)
    assert (rules(here).settled_usd, rules(here).unsettled_usd) == (Decimal(10_000), Decimal(0))


def good_faith(here: Desk) -> None:
    """Sell what fell due yesterday, buy with the proceeds, sell that before they settle."""
    here.hold(100)
    next_day(here)
    sold(here, 100)
    here.hold(100, symbol="BBB")
    sold(here, 100, "BBB")
    next_day(here)


def test_sold_before_the_proceeds_that_paid_for_it_settled_is_a_good_faith_violation(desk: MakeDesk) -> None:
    here = desk(**CASH)
    good_faith(here)
    assert here.kinds() == ["good_faith"]


@pytest.mark.parametrize(("bought", "kinds"), [(40, []), (41, ["good_faith"])])
def test_bought_with_settled_cash_it_may_be_sold_the_same_day(desk: MakeDesk, bought: int, kinds: list[str]) -> None:
    here = desk(**CASH)
    here.hold(60)
    next_day(here)
    sold(here, 60)
    here.hold(bought, symbol="BBB")
    sold(here, bought, "BBB")
    assert here.kinds() == kinds


def test_sold_a_day_later_it_is_none(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.hold(100)
    next_day(here)
    sold(here, 100)
    here.hold(100, symbol="BBB")
    next_day(here)
    sold(here, 100, "BBB")
    assert here.kinds() == []


def test_the_oldest_shares_are_sold_first(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.hold(60)
    here.hold(40, symbol="BBB")
    next_day(here)
    sold(here, 60)
    here.hold(30, symbol="BBB")  # With what settles tomorrow.
    sold(here, 40, "BBB")
    assert here.kinds() == []
    sold(here, 1, "BBB")
    assert here.kinds() == ["good_faith"]


def test_an_order_that_fills_in_parts_is_one_violation(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.hold(100)
    next_day(here)
    sold(here, 100)
    here.hold(100, symbol="BBB")
    here.sell(100, "BBB")
    for _ in range(2):
        here.minute(BBB=(100, 100, 100, 100, 500))
    assert here.kinds() == ["good_faith"]


def test_after_three_in_a_year_only_settled_cash_buys_for_ninety_days(desk: MakeDesk) -> None:
    here = desk(**CASH)
    for _ in range(3):
        while here.exchange.session is None or here.exchange.session.date.weekday() != WEDNESDAY:
            next_day(here)
        good_faith(here)
    next_day(here)
    here.hold(60)
    sold(here, 60)
    assert here.exchange.account().buying_power_usd == 4_000
    with pytest.raises(OrderRefused, match="insufficient buying power"):
        here.buy(41, limit_price_usd=100)
    assert here.buy(40, limit_price_usd=100).live
    assert rules(here).settled_only_until is not None
    assert (rules(here).settled_only_until - rules(here).good_faith[-1]).days == 90  # type: ignore[operator]


def test_sold_while_it_was_never_paid_for_is_free_riding(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.minute(AAA=100)
    here.buy(100)
    here.minute(AAA=110)
    assert here.kinds() == ["negative_cash"]
    sold(here, 100, price=120)
    assert here.kinds() == ["negative_cash", "free_riding"]
    assert rules(here).settled_only_until is not None


def test_paid_for_in_time_it_is_none(desk: MakeDesk) -> None:
    here = desk(**CASH)
    here.minute(AAA=100)
    here.buy(100)
    here.minute(AAA=110)
    here.exchange.deposit(Decimal(1_000))
    sold(here, 100, price=120)
    assert here.kinds() == ["negative_cash"]


def test_lots_follow_a_split(desk: MakeDesk) -> None:
    """Sixty old shares and forty new ones, all doubled: the first 120 sold are the old ones."""
    split = CorporateAction(
        at_ns=0, id="split", symbol="BBB", kind=ActionKind.SPLIT, ex_date=date(2025, 1, 17), ratio=Decimal(2)
    )
    here = desk(actions=[split], **CASH)
    here.hold(60)
    here.hold(40, symbol="BBB")
    next_day(here)
    sold(here, 60)
    here.hold(30, symbol="BBB")
    next_day(here)
    (lots,) = [lots for lots in rules(here)._lots.values() if lots]
    assert [lot.quantity for lot in lots] == [80, 60]
