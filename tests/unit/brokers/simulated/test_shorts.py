"""Short sales: what the account must have, what they hold, what they cost, and that nothing goes through zero."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.domain.account import Position
from ordinis.domain.errors import ConfigError, OrderRefused
from ordinis.domain.orders import OrderType, TimeInForce
from simulation.actions import dividend

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
CASH = Decimal(10_000)
HELD = "insufficient qty available for order (requested: {}, available: {})"


def shorting(desk: MakeDesk, **settings: Any) -> Desk:
    return desk(**{"shorting_enabled": True, "participation_max": 0.0, "cash_usd": CASH, **settings})


def short(here: Desk, quantity: int, price: float = 100.0, symbol: str = "AAA") -> None:
    """Come to be short at that price."""
    here.minute(**{symbol: price})
    here.sell(quantity, symbol)
    here.minute(**{symbol: price})


def refused(here: Desk, send: Callable[[], object]) -> tuple[int, int, str]:
    """What the exchange answers, and that the refused order left nothing behind."""
    before = (here.exchange.account(), here.exchange.orders)
    with pytest.raises(OrderRefused) as caught:
        send()
    assert (here.exchange.account(), here.exchange.orders) == before
    return caught.value.http_status, caught.value.code, caught.value.text


def test_a_short_brings_its_proceeds_and_is_marked_against_the_account(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 20)
    here.minute(AAA=110)
    account = here.exchange.account()
    assert account.cash_usd == CASH + 2_000
    assert account.equity_usd == CASH - 200
    assert account.positions == (Position(symbol="AAA", quantity=Decimal(-20), average_price_usd=Decimal(100)),)


def test_the_average_price_moves_with_sales_and_stays_with_covers(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 10)
    short(here, 30, price=120)
    here.buy(20)
    here.minute(AAA=90)
    assert here.exchange.positions == (Position(symbol="AAA", quantity=Decimal(-20), average_price_usd=Decimal(115)),)
    assert here.exchange.account().cash_usd == CASH + 1_000 + 3_600 - 1_800


@pytest.mark.parametrize(
    ("settings", "quantity", "expected"),
    [
        ({"shorting_enabled": False}, 1, (403, 40310000, "account is not allowed to short")),
        ({"multiplier": 1}, 1, (403, 40310000, "short selling needs a margin account with at least $2000 of equity")),
        ({"cash_usd": 1999}, 1, (403, 40310000, "short selling needs a margin account with at least $2000 of equity")),
        ({}, "1.5", (422, 42210000, "fractional orders cannot be sold short")),
        ({"easy_to_borrow": frozenset({"BBB"})}, 1, (422, 42210000, 'asset "AAA" cannot be sold short')),
        ({}, 195, (403, 40310000, "insufficient buying power")),  # 195 x $103 is more than $20,000.
    ],
)
def test_a_short_sale_is_refused_for_each_reason_of_its_own(
    desk: MakeDesk, settings: dict[str, Any], quantity: Any, expected: tuple[int, int, str]
) -> None:
    here = shorting(desk, **settings)
    here.minute(AAA=100)
    assert refused(here, lambda: here.sell(quantity)) == expected


def test_what_fits_each_of_these_limits_is_taken(desk: MakeDesk) -> None:
    cases: tuple[tuple[dict[str, Any], int], ...] = (
        ({}, 194),
        ({"cash_usd": 2_000}, 38),
        ({"easy_to_borrow": frozenset({"AAA"})}, 1),
    )
    for settings, quantity in cases:
        here = shorting(desk, **settings)
        here.minute(AAA=100)
        assert here.sell(quantity).live


def test_equity_that_fell_under_the_minimum_today_opens_no_short(desk: MakeDesk) -> None:
    here = shorting(desk, cash_usd=Decimal(2_100))
    here.hold(20)
    here.minute(AAA=90, BBB=50)
    status, _, text = refused(here, lambda: here.sell(1, "BBB"))
    assert (status, text) == (403, "short selling needs a margin account with at least $2000 of equity")


@pytest.mark.parametrize("first", ["long", "short"])
def test_no_order_goes_through_zero(desk: MakeDesk, first: str) -> None:
    here = shorting(desk)
    if first == "long":
        here.hold(10)
    else:
        short(here, 10)
    through = here.sell if first == "long" else here.buy
    assert refused(here, lambda: through(11)) == (403, 40310000, HELD.format(11, 10))
    through(10)
    here.minute(AAA=100)
    assert list(here.exchange.positions) == []
    through(11)  # Flat, the other side may be opened.
    here.minute(AAA=100)
    [position] = here.exchange.positions
    assert abs(position.quantity) == 11
    assert here.kinds() == []


def test_shares_that_a_cover_holds_cannot_be_covered_again(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 10)
    stop = here.buy(7, stop_price_usd=120)
    with pytest.raises(OrderRefused) as caught:
        here.buy(4)
    assert caught.value.details == {  # type: ignore[attr-defined]
        "symbol": "AAA",
        "available": "3",
        "existing_qty": "10",
        "held_for_orders": "7",
        "related_orders": [stop.id],
    }
    here.exchange.cancel(stop.id)
    assert here.buy(10).live


def test_a_cover_takes_whole_shares(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 10)
    expected = (422, 42210000, "fractional orders cannot cover a short position")
    assert refused(here, lambda: here.buy("2.5")) == expected


@pytest.mark.parametrize(
    ("first", "text"), [("buy", "short sell while a long buy"), ("sell", "long buy while a short sell")]
)
def test_two_orders_cannot_open_both_sides(desk: MakeDesk, first: str, text: str) -> None:
    here = shorting(desk)
    here.minute(AAA=100)
    limit = {"buy": 90, "sell": 110}
    getattr(here, first)(5, limit_price_usd=limit[first])
    other = "sell" if first == "buy" else "buy"
    assert refused(here, lambda: getattr(here, other)(5, limit_price_usd=limit[other])) == (
        403,
        40310000,
        f"cannot open a {text} order is open",
    )


@pytest.mark.parametrize(
    ("fields", "price", "reserved"),
    [
        ({}, 100, 1_030),  # 3 % above the last price,
        ({"limit_price_usd": 90}, 100, 1_030),  # whatever the limit says,
        ({"limit_price_usd": 110}, 100, 1_100),  # unless that is more.
        ({"stop_price_usd": 90}, 100, 1_030),
        ({}, 6, 100),  # Under $10 a share the house wants $5 of it beside the proceeds: twice that of buying power.
        ({}, 2, 50),  # Under $5 it wants $2.50.
    ],
)
@pytest.mark.parametrize("end", ["canceled", "expired", "filled"])
def test_an_open_short_reserves_buying_power_until_it_ends(
    desk: MakeDesk, fields: dict[str, Any], price: float, reserved: int, end: str
) -> None:
    here = shorting(desk)
    here.minute(AAA=price)
    order = here.sell(10, **fields)
    assert here.exchange.account().buying_power_usd == 20_000 - reserved
    if end == "canceled":
        here.exchange.cancel(order.id)
    if end == "filled":
        here.minute(AAA=(price, price * 1.2, price * 0.8, price))
    if end == "expired":
        here.close()
    assert here.exchange.books.reserved_usd == 0
    if end != "filled":
        assert here.exchange.account().buying_power_usd == 20_000


@pytest.mark.parametrize(
    ("multiplier", "price", "quantity", "power", "initial", "maintenance"),
    [
        (2, 100, 40, 16_000, 2_000, 1_200),
        (4, 100, 40, 35_200, 2_000, 1_200),  # 4 x (10,000 - 30 % of 4,000)
        (2, 12, 100, 18_800, 600, 500),  # $5 a share is more than 30 %.
        (4, 12, 100, 38_000, 600, 500),
        (2, 6, 100, 19_000, 500, 500),  # And more than half.
        (2, 4, 100, 19_200, 400, 400),  # All of it from $2.50 to $5,
        (2, 2, 100, 19_500, 250, 250),  # and $2.50 a share below.
        (4, 2, 100, 39_000, 250, 250),
    ],
)
def test_a_short_ties_up_its_margin_by_the_house_table(
    desk: MakeDesk, multiplier: int, price: float, quantity: int, power: int, initial: int, maintenance: int
) -> None:
    here = shorting(desk, multiplier=multiplier)
    short(here, quantity, price)
    books = here.exchange.books
    assert here.exchange.account().buying_power_usd == power
    assert books.initial_margin_usd == initial
    assert books.maintenance_usd == maintenance


@pytest.mark.parametrize(("leverage", "maintenance"), [(2, 2_400), (3, 3_600)])
def test_a_leveraged_fund_sold_short_needs_more(desk: MakeDesk, leverage: int, maintenance: int) -> None:
    here = shorting(desk, fund_leverage={"AAA": leverage})
    short(here, 40)
    assert here.exchange.books.maintenance_usd == maintenance


def test_longs_and_shorts_tie_up_margin_side_by_side(desk: MakeDesk) -> None:
    here = shorting(desk)
    here.hold(50, price=80, symbol="BBB")
    short(here, 40)
    assert here.exchange.account().buying_power_usd == 2 * (10_000 - 2_000 - 2_000)
    assert here.exchange.books.spendable_cash_usd == 10_000 - 4_000 - 2_000


def test_proceeds_buy_nothing_once_margin_is_lost(desk: MakeDesk) -> None:
    here = shorting(desk, cash_usd=Decimal(2_100))
    short(here, 10)
    here.minute(AAA=120)
    here.close()
    here.open()
    account = here.exchange.account()
    assert account.multiplier == 1
    assert account.cash_usd == 3_100
    assert account.buying_power_usd == 3_100 - 1_200 - 600
    here.minute(AAA=120, BBB=50)
    status, _, text = refused(here, lambda: here.buy(27, "BBB", limit_price_usd=50))
    assert (status, text) == (403, "insufficient buying power")


def test_a_cover_needs_no_buying_power(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 190)
    here.minute(AAA=150)
    assert here.exchange.account().buying_power_usd == 0
    here.buy(190)
    here.minute(AAA=150)
    assert here.exchange.account().cash_usd == CASH - 190 * 50


@pytest.mark.parametrize(
    ("multiplier", "quantity", "after", "kinds"),
    [
        (2, 194, 103, []),
        (2, 194, 108, []),  # Half of 20,952 is 476 more than there is: not called.
        (2, 194, 109, ["leverage"]),
        (4, 300, 104, []),
    ],
)
def test_a_fill_that_breaks_a_limit_of_the_account_is_recorded(
    desk: MakeDesk, multiplier: int, quantity: int, after: float, kinds: list[str]
) -> None:
    here = shorting(desk, multiplier=multiplier)
    here.minute(AAA=100)
    here.sell(quantity)
    here.minute(AAA=after)
    assert here.kinds() == kinds


def test_a_cover_of_what_is_not_there_is_recorded(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 10)
    here.buy(10)
    del here.exchange.books.holdings[0]  # As a corporate action would take them away.
    here.exchange.books._short.clear()
    here.minute(AAA=100)
    assert here.kinds() == ["cover_without_position"]


def test_a_dividend_is_paid_by_who_is_short(desk: MakeDesk) -> None:
    here = shorting(desk, actions=[dividend("AAA", date(2025, 1, 16), "0.25")])
    short(here, 40)
    here.close()
    here.open()
    [flow] = here.flows(here.events())
    assert (flow.kind, flow.amount_usd) == ("dividend", Decimal("-10.00"))
    assert here.exchange.account().cash_usd == CASH + 4_000 - 10


@pytest.mark.parametrize(("rate", "fee"), [("0", None), ("0.3", "-10.00")])
def test_borrowed_shares_cost_their_rate_a_night(desk: MakeDesk, rate: str, fee: str | None) -> None:
    """120 shares at $100, 30 % a year, one night of 360."""
    here = shorting(desk, borrow_fee_fraction=Decimal(rate), cash_usd=Decimal(20_000))
    short(here, 120)
    here.close()
    here.open()
    flows = here.flows(here.events())
    assert [(flow.kind, flow.amount_usd, flow.id) for flow in flows] == (
        [] if fee is None else [("interest", Decimal(fee), "borrow-2025-01-16")]
    )


def test_proceeds_of_a_short_do_not_pay_for_a_long(desk: MakeDesk) -> None:
    """$12,000 of longs on $10,000 are a debit of $2,000, though $5,000 of proceeds make the cash $3,000."""
    here = shorting(desk, margin_interest_fraction=Decimal("0.36"))
    here.hold(120, symbol="BBB")
    short(here, 50)
    here.close()
    assert here.exchange.account().cash_usd == 3_000
    here.open()
    assert [flow.amount_usd for flow in here.flows(here.events())] == [Decimal("-2.00")]


@pytest.mark.parametrize(
    ("plan", "count"),
    [
        ([("sell", 10), ("buy", 10)], 1),
        ([("sell", 10), ("buy", 5), ("buy", 5)], 1),
        ([("sell", 5), ("sell", 5), ("buy", 10)], 2),
        ([("buy", 10), ("sell", 10), ("sell", 10), ("buy", 10)], 2),  # A reversal, in the two orders it takes.
        ([("sell", 10), "night", ("buy", 10)], 0),
        ([("sell", 10), "night", ("buy", 10), ("sell", 10), ("buy", 10)], 1),
    ],
)
def test_day_trades_of_shorts_count_as_those_of_longs(desk: MakeDesk, plan: list[Any], count: int) -> None:
    here = shorting(desk, regime="pattern_day_trader", cash_usd=Decimal(30_000))
    here.minute(AAA=100)
    for step in plan:
        if step == "night":
            here.close()
            here.open()
            continue
        getattr(here, step[0])(step[1])
        here.minute(AAA=100)
    assert here.exchange.account().daytrade_count == count


def test_a_cover_that_is_one_day_trade_too_many_is_refused(desk: MakeDesk) -> None:
    here = shorting(desk, regime="pattern_day_trader", day_trades_max=1)
    short(here, 10)
    here.buy(10)
    short(here, 10)
    expected = (403, 40310100, "trade denied due to pattern day trading protection")
    assert refused(here, lambda: here.buy(10)) == expected
    here.close()
    here.open()
    here.minute(AAA=100)
    assert here.buy(10).live


def test_a_short_s_stop_and_target_are_its_mirror_image(desk: MakeDesk) -> None:
    here = shorting(desk)
    here.minute(AAA=100)
    order = here.sell(10, stop_loss_usd=110, take_profit_usd=90)
    assert here.statuses(here.minute(AAA=100)) == [
        ("order-1", "accepted"),
        ("order-1.stop", "held"),
        ("order-1.target", "held"),
        ("order-1", "filled"),
        ("order-1.stop", "accepted"),
        ("order-1.target", "accepted"),
    ]
    assert [(leg.side.value, leg.opens) for leg in order.legs] == [("buy", False), ("buy", False)]
    assert here.exchange.books.held_for_exit(0) == 10  # Once for both.


@pytest.mark.parametrize(
    ("bar", "stop_usd", "target_usd", "entry_s_own_bar"),
    [
        ((100, 111, 89, 100), "110", None, False),
        ((100, 111, 89, 100), "110", None, True),  # Both are touched: the stop, the worse of the two.
        ((100, 100, 89, 95), None, "90", False),
        ((100, 100, 89, 95), None, "90", True),
        ((115, 116, 112, 113), "115", None, False),  # A gap through the stop fills at the open.
        ((85, 86, 84, 85), None, "85", False),  # One through the target too, and that is a gift.
        ((100, 109, 91, 100), None, None, False),
        ((100, 109, 91, 100), None, None, True),
    ],
)
def test_a_bar_decides_a_short_s_bracket_as_a_long_s(
    desk: MakeDesk, bar: tuple[float, ...], stop_usd: str | None, target_usd: str | None, entry_s_own_bar: bool
) -> None:
    here = shorting(desk)
    here.minute(AAA=100)
    order = here.sell(10, stop_loss_usd=110, take_profit_usd=90)
    if not entry_s_own_bar:
        here.minute(AAA=100)
    here.minute(AAA=bar)
    stop, target = order.legs
    assert stop.filled_average_price_usd == (None if stop_usd is None else Decimal(stop_usd))
    assert target.filled_average_price_usd == (None if target_usd is None else Decimal(target_usd))
    flat = stop_usd is not None or target_usd is not None
    assert (here.exchange.positions == ()) is flat


def test_one_cancels_the_other_covers_a_short(desk: MakeDesk) -> None:
    here = shorting(desk)
    short(here, 10)
    pair = here.buy(10, type=OrderType.LIMIT, take_profit_usd=90, stop_loss_usd=110)
    assert here.exchange.books.held_for_exit(0) == 10
    here.minute(AAA=(100, 112, 99, 111))
    assert (pair.status.value, here.exchange.positions) == ("canceled", ())


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_pair_needs_a_position_to_close(desk: MakeDesk, side: str) -> None:
    here = shorting(desk)
    here.minute(AAA=100)
    send = getattr(here, side)
    expected = (422, 42210000, "oco orders must be exit orders")
    assert refused(here, lambda: send(1, type=OrderType.LIMIT, take_profit_usd=90, stop_loss_usd=110)) == expected


@pytest.mark.parametrize(
    ("stop", "target", "text"),
    [
        (100, 90, r"stop_loss.stop_price must be >= base_price \+ 0.01"),
        (110, 100, "take_profit.limit_price must be <= base_price - 0.01"),
    ],
)
def test_a_short_s_legs_lie_on_their_sides_of_the_price(desk: MakeDesk, stop: int, target: int, text: str) -> None:
    here = shorting(desk)
    here.minute(AAA=100)
    with pytest.raises(OrderRefused, match=text):
        here.sell(1, stop_loss_usd=stop, take_profit_usd=target)


@pytest.mark.parametrize(
    ("minutes", "price"),
    [
        ([(100, 100, 90, 91), (91, 93, 91, 93)], "92"),  # The stop has followed the low of 90 down to 92.
        ([(100, 103, 100, 103)], "102"),
    ],
)
def test_a_trailing_stop_covers_above_the_lowest_price_seen(
    desk: MakeDesk, minutes: list[tuple[float, ...]], price: str
) -> None:
    here = shorting(desk)
    short(here, 10)
    stop = here.buy(10, trail_usd=2)
    for bar in minutes:
        here.minute(AAA=bar)
    assert stop.filled_average_price_usd == Decimal(price)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("short_sale_collar", 1.0, r"short_sale_collar must be in \[0, 1\)"),
        ("borrow_fee_fraction", Decimal(-1), r"borrow_fee_fraction must be in \[0, 10\)"),
    ],
)
def test_settings_of_shorts_are_checked(name: str, value: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        ExchangeSettings(cash_usd=CASH, **{name: value})


def test_orders_of_a_short_expire_and_last_as_a_long_s(desk: MakeDesk) -> None:
    """The stop of the day is gone at the close; the one that lasts covers the gap of the morning, at the open."""
    here = shorting(desk)
    short(here, 10)
    of_the_day = here.buy(4, stop_price_usd=110)
    lasting = here.buy(6, stop_price_usd=110, time_in_force=TimeInForce.GTC)
    here.close()
    assert (of_the_day.status.value, lasting.live) == ("expired", True)
    assert here.exchange.books.held_for_exit(0) == 6
    here.open()
    [fill] = here.fills(here.minute(AAA=(125, 126, 120, 121)))
    assert (fill.quantity, fill.price_usd) == (Decimal(6), Decimal(125))


def test_auctions_open_and_cover_a_short(desk: MakeDesk) -> None:
    here = shorting(desk, fill_model=FillModel.SPREAD, half_spread_bps=50.0)
    here.minute(AAA=100)
    sale = here.sell(10, time_in_force=TimeInForce.CLS)
    here.last_minute(AAA=(100, 101, 99, 101))
    here.close()
    cover = here.buy(10, time_in_force=TimeInForce.OPG)
    here.open()
    here.minute(AAA=(98, 99, 97, 99))
    assert (sale.filled_average_price_usd, cover.filled_average_price_usd) == (Decimal(101), Decimal(98))
    assert here.exchange.positions == ()


def test_a_short_s_leg_whose_shares_were_covered_meanwhile_is_cancelled(desk: MakeDesk) -> None:
    here = shorting(desk, participation_max=0.1)
    here.minute(AAA=100)
    order = here.sell(10, stop_loss_usd=110)
    here.minute(AAA=(100, 100, 100, 100, 60))
    assert order.filled_quantity == 6
    here.buy(6, type=OrderType.LIMIT, take_profit_usd=99, stop_loss_usd=120)  # A pair may meet the rest of the entry.
    here.minute(AAA=(98, 98, 98, 98, 10_000))
    assert order.legs[0].status.value == "canceled"
    assert here.exchange.books.quantity(0) == -4
