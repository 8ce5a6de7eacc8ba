"""The life of an intraday margin deficit: call, satisfaction, freeze, history."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ordinis.engines.compliance.business_days import weekdays
from ordinis.engines.compliance.deficits import DeficitLedger
from ordinis.engines.compliance.intraday_margin import MarginRules

MONDAY = date(2026, 8, 3)


def business_day(number: int) -> date:
    return MONDAY if number == 0 else weekdays().business_day_after(MONDAY, number)


def ledger(level_usd: float = -2_500.0, equity_usd: float = 10_000.0, **rules: float) -> DeficitLedger:
    """The facts' example: equity 10,000, 50,000 bought at 25 %, a requirement of 12,500."""
    made = DeficitLedger(MarginRules(**rules), weekdays())  # type: ignore[arg-type]
    made.reduced(MONDAY, level_usd)
    made.day_ends(MONDAY, level_usd, equity_usd)
    return made


def test_a_deficit_is_the_largest_negative_level_after_a_reducing_transaction() -> None:
    made = DeficitLedger(MarginRules(), weekdays())
    assert made.reduced(MONDAY, 0.0) is None
    assert made.reduced(MONDAY, -2_500.0) == ("intraday margin deficit of 2,500.00 USD; the call is due on 2026-08-05")
    assert made.reduced(MONDAY, -1_000.0) is None  # It survives a recovery.
    assert made.reduced(MONDAY, -3_000.0) is not None
    (one,) = made.deficits
    assert (one.amount_usd, one.call_due) == (3_000.0, business_day(2))
    assert (one.freezes_on, one.expires_on) == (business_day(5), business_day(15))
    assert made.outstanding_usd == 3_000.0


@pytest.mark.parametrize(
    ("amount_usd", "equity_usd", "state"),
    [
        (500.0, 10_000.0, "small"),  # 5 % of equity.
        (500.01, 10_000.0, "outstanding"),
        (1_000.0, 100_000.0, "small"),
        (1_000.01, 100_000.0, "outstanding"),
    ],
)
def test_a_small_deficit_is_not_counted(amount_usd: float, equity_usd: float, state: str) -> None:
    assert ledger(-amount_usd, equity_usd).deficits[0].state == state


@pytest.mark.parametrize(
    ("deposit_usd", "level_usd", "satisfied"),
    [
        (2_500.0, -2_500.0, True),
        (2_499.0, -2_500.0, False),
        (0.0, 0.0, True),  # The level rose by as much.
        (0.0, -1.0, False),
    ],
)
def test_deposits_or_gains_of_the_level_satisfy_it(deposit_usd: float, level_usd: float, satisfied: bool) -> None:
    made = ledger()
    made.deposited(deposit_usd)
    notes = made.day_ends(business_day(1), level_usd, 10_000.0)
    assert (made.deficits[0].state == "satisfied") is satisfied
    assert bool(notes) is satisfied


def test_one_deposit_satisfies_several() -> None:
    made = ledger()
    made.reduced(business_day(1), -2_000.0)
    made.day_ends(business_day(1), -2_500.0, 10_000.0)
    made.deposited(2_500.0)
    made.day_ends(business_day(2), -2_500.0, 10_000.0)
    assert [one.state for one in made.deficits] == ["satisfied", "satisfied"]


def test_unmet_at_the_fifth_close_it_freezes_for_ninety_days_and_expires_at_the_fifteenth() -> None:
    made = ledger()
    for number in range(1, 5):
        made.day_ends(business_day(number), -2_500.0, 10_000.0)
        assert not made.frozen(business_day(number))
    (note,) = made.day_ends(business_day(5), -2_500.0, 10_000.0)
    last = business_day(5) + timedelta(days=90)
    assert note == f"the deficit of 2026-08-03 was not met: no new debit or short until {last} is over"
    for number in range(6, 16):
        assert made.day_ends(business_day(number), -2_500.0, 10_000.0) == []
        assert made.deficits[0].state == ("outstanding" if number < 15 else "expired")
    assert made.frozen(last)
    assert not made.frozen(last + timedelta(days=1))
    assert made.outstanding_usd == 0.0


def test_every_date_and_threshold_is_a_setting() -> None:
    made = ledger(call_days=1, freeze_after_days=2, expires_after_days=3, freeze_days=10)
    for number in range(1, 4):
        made.day_ends(business_day(number), -2_500.0, 10_000.0)
    assert made.deficits[0].call_due == business_day(1)
    assert made.frozen_until == business_day(2) + timedelta(days=10)
    assert made.deficits[0].state == "expired"
    assert ledger(small_usd=3_000.0, small_fraction=0.5).deficits[0].state == "small"
