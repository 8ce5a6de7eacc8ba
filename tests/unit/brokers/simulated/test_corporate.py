from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.domain.account import Position
from ordinis.domain.errors import OrderRefused
from ordinis.domain.events import BrokerEvent, CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.orders import TimeInForce
from simulation.actions import dividend, removal, split
from unit.brokers.simulated.conftest import session_number

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
NEXT = session_number(1)


def overnight(desk: Desk) -> list[BrokerEvent]:
    """Close and open again; what the night has brought."""
    desk.close()
    desk.open()
    return desk.events()


@pytest.mark.parametrize(
    ("ratio", "shares", "average", "last"),
    [
        ("4", "40", "25", "25"),
        ("1.5", "15", "66.66666666666666666666666667", "66.66666666666667"),
        ("0.1", "1", "1E+3", "1000.0"),
    ],
)
def test_a_split_changes_shares_and_prices_and_no_money(
    desk: MakeDesk, ratio: str, shares: str, average: str, last: str
) -> None:
    here = desk(actions=[split("AAA", NEXT.date, ratio)])
    here.hold(10)
    before = here.exchange.account()
    [told] = overnight(here)
    assert isinstance(told, CorporateAction)
    assert (told.at_ns, told.keeps_fractions) == (NEXT.open_ns, True)
    account = here.exchange.account()
    assert account.positions == (Position(symbol="AAA", quantity=Decimal(shares), average_price_usd=Decimal(average)),)
    assert here.exchange.last_price_usd("AAA") == Decimal(last)
    assert account.cash_usd == before.cash_usd
    assert float(account.equity_usd) == pytest.approx(float(before.equity_usd), abs=1e-9)
    assert overnight(here) == []  # Once.


@pytest.mark.parametrize(
    ("held", "ratio", "left", "paid"),
    [(10, "0.3", "3", None), (11, "0.3", "3", "100.00"), (1, "0.3", None, "100.00"), (7, "1.5", "10", "33.33")],
)
def test_fractions_that_are_not_kept_are_paid_at_the_last_price(
    desk: MakeDesk, held: int, ratio: str, left: str | None, paid: str | None
) -> None:
    here = desk(actions=[split("AAA", NEXT.date, ratio)], fractionable=False)
    here.hold(held)
    before = here.exchange.account()
    events = overnight(here)
    flows = [(one.kind, one.symbol, str(one.amount_usd)) for one in here.flows(events)]
    assert flows == ([] if paid is None else [("cash_in_lieu", "AAA", paid)])
    account = here.exchange.account()
    assert [str(one.quantity) for one in account.positions] == ([] if left is None else [left])
    assert account.cash_usd - before.cash_usd == Decimal(paid or 0)
    assert abs(account.equity_usd - before.equity_usd) <= Decimal("0.005")  # The payment is to the cent.


def test_a_split_ends_every_order_of_its_symbol_and_of_no_other(desk: MakeDesk) -> None:
    here = desk(actions=[split("AAA", NEXT.date, "4"), dividend("BBB", NEXT.date, "1")])
    here.hold(10)
    here.hold(10, symbol="BBB")
    good: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
    here.sell(10, stop_price_usd=90, client_order_id="stop", **good)
    here.buy(1, limit_price_usd=50, stop_loss_usd=40, take_profit_usd=60, client_order_id="bracket", **good)
    here.sell(10, "BBB", stop_price_usd=90, client_order_id="other", **good)
    kept = here.exchange.books.reserved_usd
    assert kept == 50
    events = overnight(here)
    ended = {one.client_order_id: one.status.value for one in events if isinstance(one, OrderUpdate)}
    names = {"stop", "bracket", "bracket.stop", "bracket.target"}
    assert ended == dict.fromkeys(names, "canceled")
    assert here.exchange.books.reserved_usd == 0
    assert here.exchange.books.held_for_exit(0) == 0
    kinds = [type(one).__name__ for one in events]
    assert kinds == ["CashFlow", "CorporateAction", "CorporateAction", *["OrderUpdate"] * 4]


def test_a_dividend_is_paid_on_the_shares_of_the_night_before_they_split(desk: MakeDesk) -> None:
    here = desk(actions=[split("AAA", NEXT.date, "4"), dividend("AAA", NEXT.date, "0.333")])
    here.hold("10.5")
    [paid, first, second] = overnight(here)
    assert isinstance(paid, CashFlow)
    assert (paid.kind, paid.symbol, paid.amount_usd) == ("dividend", "AAA", Decimal("3.50"))
    assert [one.id for one in (first, second) if isinstance(one, CorporateAction)] == [
        f"dividend-AAA-{NEXT.date}",
        f"split-AAA-{NEXT.date}",
    ]
    assert here.exchange.account().cash_usd == Decimal("98953.50")


@pytest.mark.parametrize(("amount", "cash"), [("104.125", "1041.25"), ("0", None), (None, "1000.00")])
def test_a_removal_turns_shares_into_cash_and_ends_the_symbol(
    desk: MakeDesk, amount: str | None, cash: str | None
) -> None:
    here = desk(actions=[removal("AAA", NEXT.date, amount)])
    here.hold(10)
    here.sell(10, stop_price_usd=90, client_order_id="stop", time_in_force=TimeInForce.GTC)
    events = overnight(here)
    assert [str(one.amount_usd) for one in here.flows(events)] == ([] if cash is None else [cash])
    [told] = [one for one in events if isinstance(one, CorporateAction)]
    assert told.amount_usd == Decimal("100.0" if amount is None else amount)  # The last price, where nobody says.
    assert here.exchange.positions == ()
    assert here.statuses(events) == [("stop", "canceled")]
    with pytest.raises(OrderRefused, match='asset "AAA" is not active'):
        here.buy(1)
    assert not here.exchange.trades("AAA")
    assert here.exchange.trades("BBB")


def test_what_is_not_traded_here_concerns_nobody(desk: MakeDesk) -> None:
    here = desk(
        actions=[split("ZZZ", NEXT.date, "4"), removal("BBB", NEXT.date), split("BBB", session_number(2).date, "2")]
    )
    assert len(overnight(here)) == 1
    assert overnight(here) == []  # A symbol that is gone splits no more.


def test_without_fractions_a_fractional_order_is_refused(desk: MakeDesk) -> None:
    here = desk(fractionable=False)
    here.minute(AAA=100.0)
    with pytest.raises(OrderRefused, match='asset "AAA" is not fractionable'):
        here.buy("1.5")
