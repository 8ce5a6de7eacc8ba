from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.decision import Reason, RebalanceLine
from ordinis.engines.portfolio.rebalance.plan import Seat, no_trade_band, trades
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings

SETTINGS = RebalanceSettings()
EQUITY_USD = 100_000.0


def seat(symbol: str, held: str, price_usd: float = 100.0, **more: Any) -> Seat:
    shares = Decimal(held)
    now = float(shares) * price_usd / EQUITY_USD
    return Seat(
        column=ord(symbol) - 65,
        symbol=symbol,
        held=shares,
        price_usd=price_usd,
        now=now,
        side=-1 if now < 0 else 1,
        most=0.2,
        **more,
    )


def planned(seats: list[Seat], targets: list[float], **more: Any) -> list[RebalanceLine]:
    return trades(seats, targets, SETTINGS, equity_usd=EQUITY_USD, minimum_usd=1.0, **more)


@pytest.mark.parametrize(
    ("held", "target", "quantity", "reason"),
    [
        ("200", 0.15, "-50", Reason.SENT),
        ("200", 0.1504, "-50", Reason.SENT),  # 150.4 shares would be left: whole shares, and never above the target.
        ("200", 0.195, "0", Reason.WITHIN_BAND),
        ("200", 0.0, "-200", Reason.SENT),
        ("200.5", 0.15, "-50.5", Reason.SENT),  # A fraction is held, so fractions may be traded.
        ("100", 0.15, "0", Reason.WITHIN_BAND),  # It does not grow.
        ("-200", -0.15, "50", Reason.SENT),
        ("-100", -0.15, "0", Reason.WITHIN_BAND),
    ],
)
def test_a_target_becomes_shares(held: str, target: float, quantity: str, reason: Reason) -> None:
    (line,) = planned([seat("A", held)], [target])
    assert (line.quantity, line.reason) == (Decimal(quantity), reason)
    assert line.notional_usd == pytest.approx(abs(float(quantity)) * 100)
    assert line.cost_usd == pytest.approx(line.notional_usd * SETTINGS.cost_fraction)


@pytest.mark.parametrize(
    ("held", "target", "quantity", "reason"),
    [
        ("100", 0.15, "50", Reason.SENT),
        ("100", 0.1504, "50", Reason.SENT),  # Whole shares stay whole, and never above the target.
        ("100.5", 0.15, "49.5", Reason.SENT),
        ("100", 0.105, "0", Reason.WITHIN_BAND),
        ("-100", -0.15, "-50", Reason.SENT),
        ("200", 0.15, "-50", Reason.SENT),  # What may grow may shrink.
    ],
)
def test_what_may_grow_is_added_to_up_to_its_target(held: str, target: float, quantity: str, reason: Reason) -> None:
    (line,) = planned([seat("A", held, grows_to=0.2)], [target])
    assert (line.quantity, line.reason) == (Decimal(quantity), reason)
    (line,) = planned([seat("A", held, grows_to=0.2)], [target], urgent=[0])
    assert float(line.quantity) * float(held) <= 0.0  # What is past a limit is mended first.


def test_cuts_come_before_additions() -> None:
    lines = planned([seat("A", "50", grows_to=0.2), seat("B", "150"), seat("C", "120")], [0.2, 0.10, 0.10])
    assert [(line.symbol, line.quantity) for line in lines] == [
        ("B", Decimal(-50)),
        ("C", Decimal(-20)),
        ("A", Decimal(150)),
    ]


def test_a_rest_that_is_too_small_for_an_order_is_sold_with_the_others() -> None:
    (line,) = trades([seat("A", "200")], [0.0005], SETTINGS, equity_usd=EQUITY_USD, minimum_usd=100.0)
    assert line.quantity == -200


def test_a_trade_below_the_minimum_is_none() -> None:
    lines = trades([seat("A", "200")], [0.185], SETTINGS, equity_usd=EQUITY_USD, minimum_usd=2_000.0)
    assert [(line.quantity, line.reason) for line in lines] == [(Decimal(0), Reason.BELOW_MINIMUM)]


def test_what_may_not_be_traded_keeps_its_shares_and_says_why() -> None:
    (line,) = planned([seat("A", "200", frozen=Reason.HOLD)], [0.2])
    assert (line.quantity, line.reason) == (Decimal(0), Reason.HOLD)


def test_a_limit_that_is_past_is_mended_whatever_the_band() -> None:
    held, target = [seat("A", "200")], [0.195]
    assert [line.quantity for line in planned(held, target)] == [0]
    assert [line.quantity for line in planned(held, target, urgent=[0])] == [-5]


def test_the_largest_cut_comes_first() -> None:
    lines = planned([seat("A", "100"), seat("B", "150"), seat("C", "200")], [0.10, 0.10, 0.10])
    assert [(line.symbol, line.quantity) for line in lines] == [
        ("C", Decimal(-100)),
        ("B", Decimal(-50)),
        ("A", Decimal(0)),
    ]


def test_a_name_that_is_not_held_has_no_line() -> None:
    assert planned([seat("A", "0")], [0.1]) == []


def test_the_band_grows_with_the_cost_and_shrinks_with_the_fear_of_risk() -> None:
    """(1.5 x 0.0002 / 5 x (0.15 x 0.85)^2)^(1/3) = 0.00992."""
    assert no_trade_band(0.15, SETTINGS) == pytest.approx(0.00992, abs=5e-6)
    assert no_trade_band(0.15, RebalanceSettings(cost_fraction=0.002)) == pytest.approx(
        0.00992 * 10 ** (1 / 3), abs=2e-5
    )
    assert no_trade_band(0.15, RebalanceSettings(risk_aversion=20.0)) == pytest.approx(0.00992 / 4 ** (1 / 3), abs=5e-6)
    assert no_trade_band(0.0, SETTINGS) == SETTINGS.band_minimum


@given(
    held=st.integers(-3000, 3000).filter(bool),
    fraction=st.booleans(),
    price=st.floats(1.0, 900.0),
    target=st.floats(0.0, 0.5),
    grows=st.booleans(),
)
def test_what_is_left_never_passes_the_target_nor_changes_sides(
    held: int, fraction: bool, price: float, target: float, grows: bool
) -> None:
    shares = Decimal(held) + (Decimal("0.25") if fraction else 0)
    one = seat("A", str(shares), price, grows_to=0.5 if grows else None)
    signed = target if shares > 0 else -target
    (line,) = planned([one], [signed])
    left = shares + line.quantity
    assert left * shares >= 0
    assert grows or abs(left) <= abs(shares)
    assert left % 1 == 0 or shares % 1 != 0
    if line.quantity:
        assert float(abs(left)) * price <= target * EQUITY_USD * (1 + 1e-9)
