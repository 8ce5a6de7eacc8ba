"""Every rule that needs a size: it approves a hair inside, resizes, and refuses what is left below the minimum."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Reason, Verdict, VerdictAction
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import OrderStatus
from ordinis.engines.portfolio.sizing import SizingConfig, SizingMethod
from ordinis.engines.riskguard.asked import Asked
from ordinis.engines.riskguard.book import Book
from ordinis.engines.riskguard.guard import RiskGuard
from ordinis.engines.riskguard.limits import Limits

APPROVE, RESIZE, REFUSE = VerdictAction.APPROVE, VerdictAction.RESIZE, VerdictAction.REFUSE
EQUITY_USD = 100_000.0


def book_of(*, cash: float = EQUITY_USD, held: float = 0.0, positions: int = 0, multiplier: int | None = 2) -> Book:
    book = Book()
    book.cash_usd, book.long_usd, book.equity_usd, book.positions = cash, held, cash + held, positions
    if multiplier is not None:
        equity = Decimal(str(cash + held))
        book.account = AccountView(
            at_ns=0,
            equity_usd=equity,
            cash_usd=Decimal(str(cash)),
            buying_power_usd=equity * multiplier,
            last_equity_usd=equity,
            multiplier=multiplier,
        )
    return book


def sizing_of(**changes: Any) -> SizingConfig:
    loose: dict[str, Any] = {
        "method": SizingMethod.FIXED_PERCENT,
        "max_position_pct": 10.0,
        "max_portfolio_leverage": 10.0,
        "max_positions": 10,
    }
    return SizingConfig(**{**loose, **changes})


def guard_of(**changes: Any) -> RiskGuard:
    loose: dict[str, Any] = {"cash_buffer_fraction": 0.0, "market_buy_collar_fraction": 0.0}
    return RiskGuard(Limits(**{**loose, **changes}))


def verdict(action: VerdictAction, quantity: str | int, reason: Reason) -> Verdict:
    return Verdict(action=action, quantity=Decimal(quantity), reason=reason)


@pytest.mark.parametrize(
    ("held", "quantity", "expected"),
    [
        (4, 10, verdict(APPROVE, 10, Reason.SENT)),
        (5, 10, verdict(REFUSE, 0, Reason.POSITIONS_FULL)),
        (6, 10, verdict(REFUSE, 0, Reason.POSITIONS_FULL)),
    ],
)
def test_a_slot_is_free_or_not(held: int, quantity: int, expected: Verdict) -> None:
    book = book_of(positions=held)
    assert guard_of().review(Decimal(quantity), Asked(100.0), book, sizing_of(max_positions=5)) == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("150", verdict(APPROVE, 150, Reason.SENT)),  # Exactly 15 %.
        ("151", verdict(RESIZE, 150, Reason.POSITION_WEIGHT)),
        ("150.5", verdict(RESIZE, 150, Reason.POSITION_WEIGHT)),
        ("999", verdict(RESIZE, 150, Reason.POSITION_WEIGHT)),
    ],
)
def test_no_position_weighs_more_than_the_tier_allows(quantity: str, expected: Verdict) -> None:
    assert guard_of().review(Decimal(quantity), Asked(100.0), book_of(), sizing_of(max_position_pct=0.15)) == expected


@pytest.mark.parametrize(
    ("leverage", "buffer", "held", "quantity", "expected"),
    [
        (1.0, 0.10, 80_000.0, 100, verdict(APPROVE, 100, Reason.SENT)),  # 90 % of equity.
        (1.0, 0.10, 80_000.0, 101, verdict(RESIZE, 100, Reason.CASH_BUFFER)),
        (1.0, 0.10, 90_000.0, 1, verdict(REFUSE, 0, Reason.CASH_BUFFER)),
        (1.0, 0.00, 90_000.0, 100, verdict(APPROVE, 100, Reason.SENT)),
        (1.5, 0.10, 125_000.0, 100, verdict(APPROVE, 100, Reason.SENT)),  # 135 % gross.
        (1.5, 0.10, 125_000.0, 101, verdict(RESIZE, 100, Reason.CASH_BUFFER)),
        (1.5, 0.10, 140_000.0, 1, verdict(REFUSE, 0, Reason.CASH_BUFFER)),
    ],
)
def test_gross_exposure_stays_inside_leverage_less_the_buffer(
    leverage: float, buffer: float, held: float, quantity: int, expected: Verdict
) -> None:
    book = book_of(cash=EQUITY_USD - held, held=held, multiplier=4)
    sizing = sizing_of(max_portfolio_leverage=leverage)
    assert guard_of(cash_buffer_fraction=buffer).review(Decimal(quantity), Asked(100.0), book, sizing) == expected


@pytest.mark.parametrize(
    ("multiplier", "cash", "held", "collar", "fits"),
    [
        (1, 10_000.0, 90_000.0, 0.0, 100),
        (1, 10_000.0, 90_000.0, 0.04, 96),  # 10,000 / 1.04 = 9,615 USD.
        (1, 10_400.0, 89_600.0, 0.04, 100),
        (None, 10_400.0, 89_600.0, 0.04, 100),  # Unknown: as strict as cash.
        (2, 10_000.0, 90_000.0, 0.0, 1_100),  # 2 x (100,000 - 45,000).
        (2, 10_000.0, 90_000.0, 0.04, 1_057),  # 110,000 / 1.04 = 105,769 USD.
        (2, 100_000.0, 0.0, 0.04, 1_923),
        (4, 10_000.0, 90_000.0, 0.04, 1_057),  # No more than what may stay overnight.
    ],
)
def test_buying_power_is_what_the_broker_counts_with_its_collar(
    multiplier: int | None, cash: float, held: float, collar: float, fits: int
) -> None:
    guard = guard_of(market_buy_collar_fraction=collar)
    book = book_of(cash=cash, held=held, multiplier=multiplier)
    assert guard.review(Decimal(fits), Asked(100.0), book, sizing_of()) == verdict(APPROVE, fits, Reason.SENT)
    assert guard.review(Decimal(fits + 1), Asked(100.0), book, sizing_of()) == verdict(
        RESIZE, fits, Reason.BUYING_POWER
    )


@pytest.mark.parametrize(("multiplier", "cash", "held"), [(1, 0.0, 100_000.0), (2, -100_000.0, 200_000.0)])
def test_without_buying_power_nothing_is_bought(multiplier: int, cash: float, held: float) -> None:
    book = book_of(cash=cash, held=held, multiplier=multiplier)
    assert guard_of().review(Decimal(1), Asked(100.0), book, sizing_of()) == verdict(REFUSE, 0, Reason.BUYING_POWER)


@pytest.mark.parametrize(
    ("changes", "limits", "reason"),
    [
        ({"max_positions": 0, "max_position_pct": 0.0, "max_portfolio_leverage": 0.0}, {}, Reason.POSITIONS_FULL),
        ({"max_position_pct": 0.5, "max_portfolio_leverage": 0.5}, {}, Reason.POSITION_WEIGHT),
        ({"max_position_pct": 0.6, "max_portfolio_leverage": 0.5}, {}, Reason.CASH_BUFFER),
        ({"max_position_pct": 0.5, "max_portfolio_leverage": 0.5}, {"cash_buffer_fraction": 0.1}, Reason.CASH_BUFFER),
    ],
)
def test_the_rule_that_leaves_least_is_named_and_of_equals_the_first(
    changes: dict[str, Any], limits: dict[str, Any], reason: Reason
) -> None:
    assert guard_of(**limits).review(Decimal(9_999), Asked(100.0), book_of(), sizing_of(**changes)).reason is reason


@pytest.mark.parametrize(
    ("asked", "price", "expected"),
    [
        ("1200", 100.0, verdict(RESIZE, "1000", Reason.CASH_BUFFER)),
        ("1200", 99.0, verdict(RESIZE, "1010", Reason.CASH_BUFFER)),  # Whole stays whole.
        ("1200.5", 99.0, verdict(RESIZE, "1010.10101010", Reason.CASH_BUFFER)),
        ("2", 100_001.0, verdict(REFUSE, 0, Reason.CASH_BUFFER)),
    ],
)
def test_a_resized_order_keeps_its_kind_of_shares(asked: str, price: float, expected: Verdict) -> None:
    said = guard_of().review(Decimal(asked), Asked(price), book_of(), sizing_of(max_portfolio_leverage=1.0))
    assert (said.action, said.reason) == (expected.action, expected.reason)
    assert float(said.quantity) == pytest.approx(float(expected.quantity), abs=1e-8)
    assert said.quantity * Decimal(str(price)) <= Decimal(100_000)


@pytest.mark.parametrize(("room", "action"), [(5.0, RESIZE), (4.99, REFUSE)])
def test_what_is_left_below_the_least_order_is_refused(room: float, action: VerdictAction) -> None:
    book = book_of(cash=room, held=EQUITY_USD - room, multiplier=1)
    guard = guard_of(minimum_notional_usd=5.0)
    assert guard.review(Decimal("1.5"), Asked(10.0), book, sizing_of()).action is action


# A batch.


def test_the_second_order_of_a_minute_sees_what_the_first_has_taken() -> None:
    guard, book = guard_of(), book_of()
    sizing = sizing_of(max_portfolio_leverage=1.0, max_positions=3)
    answers = []
    for number in range(4):
        said = guard.review(Decimal(400), Asked(100.0), book, sizing)
        answers.append((said.action, int(said.quantity), said.reason))
        if said.quantity:
            book.commit(f"order-{number}", float(said.quantity), 100.0)
    assert answers == [
        (APPROVE, 400, Reason.SENT),
        (APPROVE, 400, Reason.SENT),
        (RESIZE, 200, Reason.CASH_BUFFER),
        (REFUSE, 0, Reason.POSITIONS_FULL),
    ]


def update(status: OrderStatus, filled: int) -> OrderUpdate:
    return OrderUpdate(
        at_ns=0,
        client_order_id="one",
        broker_order_id="1",
        symbol="AAA",
        status=status,
        filled_quantity=Decimal(filled),
    )


@pytest.mark.parametrize(
    ("updates", "open_usd"),
    [
        ([], 20_000.0),
        ([update(OrderStatus.ACCEPTED, 0)], 20_000.0),
        ([update(OrderStatus.PARTIALLY_FILLED, 50)], 15_000.0),
        ([update(OrderStatus.PARTIALLY_FILLED, 50), update(OrderStatus.PARTIALLY_FILLED, 150)], 5_000.0),
        ([update(OrderStatus.PARTIALLY_FILLED, 50), update(OrderStatus.CANCELED, 50)], 0.0),
        ([update(OrderStatus.FILLED, 200)], 0.0),
        ([update(OrderStatus.REJECTED, 0)], 0.0),
    ],
)
@pytest.mark.parametrize("another", [0, 100])
def test_open_buys_hold_room_until_they_fill_or_end(updates: list[OrderUpdate], open_usd: float, another: int) -> None:
    book = book_of()
    book.commit("one", 200.0, 100.0)
    if another:
        book.commit("another", another, 100.0)
    for one in updates:
        book.follow(one)
    assert book.open_buys_usd == pytest.approx(open_usd + another * 100.0)


def test_an_open_buy_takes_room_of_every_kind() -> None:
    book = book_of(multiplier=1)
    book.commit("one", 600.0, 100.0)
    by_cash = guard_of(market_buy_collar_fraction=0.0).review(Decimal(500), Asked(100.0), book, sizing_of())
    by_buffer = guard_of().review(Decimal(500), Asked(100.0), book, sizing_of(max_portfolio_leverage=1.0))
    assert by_cash == verdict(RESIZE, 400, Reason.BUYING_POWER)
    assert by_buffer == verdict(RESIZE, 400, Reason.CASH_BUFFER)


def test_a_reducing_order_is_never_touched() -> None:
    assert guard_of().reduce(Decimal("12.5")) == verdict(APPROVE, "12.5", Reason.SENT)


def test_the_guard_counts_the_rules_it_evaluated() -> None:
    guard = guard_of()
    guard.review(Decimal(1), Asked(100.0), book_of(), sizing_of())
    assert guard.rules_evaluated == 4


SHORT = Asked(100.0, direction=-1)


@pytest.mark.parametrize(
    ("limits", "sizing", "asked", "expected"),
    [
        ({}, {"max_portfolio_leverage": 1.0}, SHORT, verdict(RESIZE, 200, Reason.CASH_BUFFER)),  # 50 + 30 % are used.
        ({"gross_exposure_max": 1.0}, {}, SHORT, verdict(RESIZE, 200, Reason.GROSS_EXPOSURE)),
        ({"net_exposure_max": 0.1}, {}, SHORT, verdict(RESIZE, 300, Reason.NET_EXPOSURE)),  # From +20 to -10 %.
        ({"net_exposure_max": 0.3}, {}, Asked(100.0), verdict(RESIZE, 100, Reason.NET_EXPOSURE)),  # From +20 to +30 %.
        ({}, {}, SHORT, verdict(RESIZE, 1200, Reason.BUYING_POWER)),  # 2 x (100 - half of 80) %.
    ],
)
def test_shorts_count_by_their_side(
    limits: dict[str, Any], sizing: dict[str, Any], asked: Asked, expected: Verdict
) -> None:
    """50 % long, 30 % short; the cash has the short's proceeds."""
    book = book_of(cash=80_000.0, held=20_000.0)
    book.short_usd = 30_000.0
    assert guard_of(**limits).review(Decimal(2_000), asked, book, sizing_of(**sizing)) == expected


def test_a_cash_account_buys_nothing_with_what_shorts_tie_up() -> None:
    """Margin is gone, the short is still there: $130,000 of cash, $45,000 of it the short's."""
    book = book_of(cash=130_000.0, held=-30_000.0, multiplier=1)
    book.short_usd = 30_000.0
    assert guard_of().review(Decimal(1_000), Asked(100.0), book, sizing_of()) == verdict(
        RESIZE, 850, Reason.BUYING_POWER
    )


@pytest.mark.parametrize(
    ("multiplier", "equity", "expected"),
    [
        (2, EQUITY_USD, verdict(APPROVE, 10, Reason.SENT)),
        (4, EQUITY_USD, verdict(APPROVE, 10, Reason.SENT)),
        (1, EQUITY_USD, verdict(REFUSE, 0, Reason.SHORTING)),
        (None, EQUITY_USD, verdict(REFUSE, 0, Reason.SHORTING)),
        (2, 1_999.0, verdict(REFUSE, 0, Reason.SHORTING)),
    ],
)
def test_a_short_needs_margin_and_equity(multiplier: int | None, equity: float, expected: Verdict) -> None:
    book = book_of(cash=equity, multiplier=multiplier)
    assert guard_of(shorting_allowed=True).review(Decimal(10), SHORT, book, sizing_of()) == expected


def test_an_open_short_holds_room_until_it_fills_or_ends() -> None:
    book = book_of()
    book.commit("one", 200.0, 100.0, direction=-1)
    book.commit("two", 100.0, 100.0)
    assert (book.open_shorts_usd, book.open_buys_usd, book.open_usd) == (20_000.0, 10_000.0, 30_000.0)
    guard = guard_of(net_exposure_max=0.3)
    assert guard.review(Decimal(900), SHORT, book, sizing_of()) == verdict(RESIZE, 100, Reason.NET_EXPOSURE)
    assert guard.review(Decimal(900), Asked(100.0), book, sizing_of()) == verdict(RESIZE, 200, Reason.NET_EXPOSURE)
    book.follow(update(OrderStatus.PARTIALLY_FILLED, 50))
    assert (book.open_shorts_usd, book.open_buys_usd) == (15_000.0, 10_000.0)
    book.follow(update(OrderStatus.CANCELED, 50))
    assert (book.open_shorts_usd, book.open_buys_usd) == (0.0, 10_000.0)
