from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.order import Violation
from ordinis.domain.account import Position
from ordinis.domain.errors import OrderRefused

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
CASH = Decimal(10_000)


def test_the_account_shows_cash_positions_and_equity_at_the_last_close(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10, price=100, symbol="BBB")
    here.hold(20, price=50, symbol="AAA")
    here.minute(AAA=60.5)
    account = here.exchange.account()
    assert account.at_ns == here.exchange.now_ns
    assert account.cash_usd == 98_000
    assert account.equity_usd == 98_000 + 1_000 + 20 * Decimal("60.5")
    assert account.last_equity_usd == 100_000
    assert account.multiplier == 2
    assert account.positions == (
        Position(symbol="AAA", quantity=Decimal(20), average_price_usd=Decimal(50)),
        Position(symbol="BBB", quantity=Decimal(10), average_price_usd=Decimal(100)),
    )


def test_the_average_price_moves_with_buys_and_stays_with_sells(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10, price=100)
    here.hold(30, price=120)
    here.sell(20)
    here.minute(AAA=200)
    assert here.exchange.positions == (Position(symbol="AAA", quantity=Decimal(20), average_price_usd=Decimal(115)),)


@pytest.mark.parametrize(
    ("multiplier", "price", "quantity", "expected"),
    [
        (1, 100, 0, 10_000),
        (1, 100, 40, 6_000),
        (2, 100, 0, 20_000),
        (2, 100, 40, 16_000),
        (4, 100, 0, 40_000),
        (4, 100, 40, 35_200),  # 4 x (10,000 - 30 % of 4,000)
        (4, 5, 800, 32_000),  # Half of a stock between $2.50 and $6.
        (4, 2, 2_000, 24_000),  # All of a stock under $2.50.
    ],
)
def test_buying_power_follows_the_multiplier_and_the_house_table(
    desk: MakeDesk, multiplier: int, price: float, quantity: int, expected: int
) -> None:
    here = desk(cash_usd=CASH, multiplier=multiplier)
    here.minute(AAA=price)
    if quantity:
        here.hold(quantity, price=price)
    assert here.exchange.account().buying_power_usd == expected


@pytest.mark.parametrize(("leverage", "expected"), [(2, 32_000), (3, 28_000)])
def test_a_leveraged_fund_needs_more_maintenance(desk: MakeDesk, leverage: int, expected: int) -> None:
    here = desk(cash_usd=CASH, multiplier=4, fund_leverage={"AAA": leverage})
    here.hold(40)
    assert here.exchange.account().buying_power_usd == expected


@pytest.mark.parametrize(("quantity", "rate"), [(2_500, "0.5"), (1_500, "0.3")])
def test_a_concentrated_position_on_a_large_debit_needs_half(desk: MakeDesk, quantity: int, rate: str) -> None:
    here = desk(multiplier=4, participation_max=0.0)
    here.hold(quantity)
    assert here.exchange.books.maintenance_usd == quantity * 100 * Decimal(rate)


@pytest.mark.parametrize(("equity", "multiplier"), [(1_999, 1), (2_000, 2)])
def test_under_two_thousand_dollars_there_is_no_margin(desk: MakeDesk, equity: int, multiplier: int) -> None:
    here = desk(cash_usd=Decimal(equity))
    assert here.exchange.account().multiplier == multiplier
    assert here.exchange.account().buying_power_usd == equity * multiplier


def test_margin_is_lost_at_the_session_after_equity_fell_under_the_minimum(desk: MakeDesk) -> None:
    here = desk(cash_usd=Decimal(2_000))
    here.hold(20)
    here.minute(AAA=90)
    assert here.exchange.account().multiplier == 2
    here.close()
    here.open()
    assert here.exchange.account().multiplier == 1


@pytest.mark.parametrize(
    ("fields", "reserved"),
    [
        ({}, "1040"),  # 4 % above the last price.
        ({"limit_price_usd": 90}, "900"),
        ({"stop_price_usd": 110}, "1144"),
        ({"stop_price_usd": 90}, "1040"),
    ],
)
@pytest.mark.parametrize("end", ["canceled", "expired", "filled"])
def test_an_open_buy_reserves_buying_power_until_it_ends(
    desk: MakeDesk, fields: dict[str, Any], reserved: str, end: str
) -> None:
    here = desk(cash_usd=CASH, multiplier=1)
    here.minute(AAA=100)
    order = here.buy(10, **fields)
    assert here.exchange.account().buying_power_usd == CASH - Decimal(reserved)
    if end == "canceled":
        here.exchange.cancel(order.id)
    if end == "filled":
        here.minute(AAA=(100, 120, 80, 100))
    if end == "expired":
        here.close()
    assert here.exchange.account().buying_power_usd == CASH - order.filled_value_usd
    assert here.exchange.books.reserved_usd == 0


def test_a_part_that_filled_reserves_nothing_any_more(desk: MakeDesk) -> None:
    here = desk(cash_usd=CASH, multiplier=1)
    here.minute(AAA=100)
    here.buy(50)
    here.minute(AAA=(100, 100, 100, 100, 200))
    assert here.exchange.books.reserved_usd == 30 * 104
    assert here.exchange.account().buying_power_usd == 8_000 - 30 * 104


@pytest.mark.parametrize(
    ("multiplier", "held", "price", "most"),
    [(1, 0, 100, 100), (2, 0, 100, 200), (2, 100, 100, 100)],
)
def test_a_limit_buy_passes_up_to_the_last_cent_of_buying_power(
    desk: MakeDesk, multiplier: int, held: int, price: float, most: int
) -> None:
    here = desk(cash_usd=CASH, multiplier=multiplier, market_buy_collar=0.0)
    here.minute(AAA=price)
    if held:
        here.hold(held, price=price)
    power = here.exchange.account().buying_power_usd
    assert power is not None
    if price == 100:
        assert power == most * 100
    shares = int(power / Decimal(str(price)))
    with pytest.raises(OrderRefused, match="insufficient buying power") as caught:
        here.buy(shares + 1, limit_price_usd=price)
    assert caught.value.details == {  # type: ignore[attr-defined]
        "buying_power": f"{power:.2f}",
        "cost_basis": f"{(shares + 1) * Decimal(str(price)):.2f}",
    }
    assert here.buy(shares, limit_price_usd=price).live


def gap(here: Desk, quantity: int, after: float) -> list[Violation]:
    """Buy at a price that jumps before the fill."""
    here.minute(AAA=100)
    here.buy(quantity)
    here.minute(AAA=after)
    return here.exchange.violations


@pytest.mark.parametrize(
    ("multiplier", "quantity", "after", "kinds"),
    [
        (1, 96, 104.1, []),
        (1, 96, 105, ["negative_cash"]),
        (2, 192, 104.1, []),
        (2, 192, 109, []),  # Half of 20,928 is 464 more than there is: not called.
        (2, 192, 110, ["leverage"]),
        (4, 300, 104.1, []),
    ],
)
def test_a_fill_that_breaks_a_limit_of_the_account_is_recorded(
    desk: MakeDesk, multiplier: int, quantity: int, after: float, kinds: list[str]
) -> None:
    here = desk(cash_usd=CASH, multiplier=multiplier, market_buy_collar=0.04)
    found = gap(here, quantity, after)
    assert [violation.kind for violation in found] == kinds
    assert all((one.symbol, one.at_ns) == ("AAA", here.exchange.now_ns - 60 * 10**9) for one in found)


def test_a_fall_in_price_alone_is_no_violation(desk: MakeDesk) -> None:
    here = desk(cash_usd=CASH, multiplier=2)
    here.hold(190)
    here.minute(AAA=60)
    here.sell(10)
    here.minute(AAA=60)
    assert here.exchange.account().buying_power_usd == 0
    assert here.kinds() == []


def test_a_sale_of_what_is_not_there_is_recorded(desk: MakeDesk) -> None:
    here = desk()
    here.hold(10)
    order = here.sell(10)
    del here.exchange.books.holdings[0]  # As a corporate action would take them away.
    here.minute(AAA=100)
    assert here.kinds() == ["sell_without_position"]
    assert order.filled_quantity == 10
