"""Cash accounts by the day: what has settled, what paid for a lot, which sale would be a violation."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.engines.compliance.business_days import weekdays
from ordinis.engines.compliance.settlement import SettledCash, SettlementRules

MONDAY, TUESDAY = date(2025, 1, 13), date(2025, 1, 14)
THOUSAND = Decimal(1000)


def account(cash: int = 0, *, unsettled: bool = True, held: str = "XXX", **rules: Any) -> SettledCash:
    """Holds 10 of a symbol, bought long ago."""
    made = SettledCash(SettlementRules(buys_unsettled=unsettled, **rules), weekdays())
    made.begin(Decimal(cash), {held: Decimal(10)}, None)
    return made


def bought_with_proceeds() -> SettledCash:
    """Monday: XXX is sold, and UUU bought with what that brought."""
    made = account()
    made.sold("XXX", Decimal(10), THOUSAND, MONDAY, protective=False)
    made.bought("UUU", Decimal(10), THOUSAND)
    return made


def test_proceeds_settle_on_the_next_business_day() -> None:
    made = account()
    made.sold("XXX", Decimal(10), THOUSAND, date(2025, 1, 17), protective=False)  # A Friday.
    assert made.pending == [(date(2025, 1, 20), THOUSAND)]
    made.opens(date(2025, 1, 19))
    assert made.settled_usd == 0
    made.opens(date(2025, 1, 20))
    assert (made.settled_usd, made.pending) == (THOUSAND, [])


def test_selling_before_the_money_has_settled_is_a_good_faith_violation() -> None:
    made = bought_with_proceeds()
    assert made.would_violate("UUU", MONDAY)
    assert made.free_on("UUU", MONDAY) == TUESDAY
    assert not made.would_violate("UUU", TUESDAY)
    assert made.free_on("UUU", TUESDAY) is None
    assert not made.would_violate("XXX", MONDAY)
    (said,) = made.sold("UUU", Decimal(10), THOUSAND, MONDAY, protective=True)
    assert said == "UUU: good_faith violation by its protective order, 1 good-faith ones in the period"
    assert [(one.kind, one.protective) for one in made.violations] == [("good_faith", True)]


def test_the_day_after_it_is_none() -> None:
    made = bought_with_proceeds()
    assert made.sold("UUU", Decimal(10), THOUSAND, TUESDAY, protective=False) == []


def test_settled_cash_pays_first_so_that_lot_may_be_sold_at_once() -> None:
    made = account(cash=1000)
    made.sold("XXX", Decimal(10), THOUSAND, MONDAY, protective=False)
    made.bought("UUU", Decimal(10), THOUSAND)
    assert not made.would_violate("UUU", MONDAY)
    made.bought("VVV", Decimal(10), THOUSAND)
    assert made.would_violate("VVV", MONDAY)


def test_selling_what_was_never_paid_for_is_free_riding_and_restricts_at_once() -> None:
    made = account(cash=100)
    made.bought("UUU", Decimal(10), THOUSAND)
    assert made.settled_usd == -900
    (said,) = made.sold("UUU", Decimal(10), THOUSAND, MONDAY, protective=False)
    assert said.startswith("UUU: free_riding violation by a sale that was asked for")
    assert made.restricted(MONDAY + timedelta(days=90))
    assert not made.restricted(MONDAY + timedelta(days=91))


def test_three_good_faith_violations_in_a_year_leave_settled_cash_only() -> None:
    made = account(held="XXX")
    day = MONDAY
    for number in range(3):
        made.lots.clear()
        made.begin(Decimal(0), {"XXX": Decimal(10)}, None)
        made.sold("XXX", Decimal(10), THOUSAND, day, protective=False)
        made.bought("UUU", Decimal(10), THOUSAND)
        assert not made.restricted(day), number
        made.sold("UUU", Decimal(10), THOUSAND, day, protective=True)
        made.pending.clear()
        day += timedelta(days=7)
    assert made.restricted(day)
    made.waits(THOUSAND, weekdays().business_day_after(day, 1))
    assert made.spendable_usd(day) == made.settled_usd


@pytest.mark.parametrize(("unsettled", "spendable"), [(True, 1500), (False, 500)])
def test_unsettled_proceeds_are_spent_only_where_the_settings_say_so(unsettled: bool, spendable: int) -> None:
    made = account(cash=500, unsettled=unsettled)
    made.sold("XXX", Decimal(10), THOUSAND, MONDAY, protective=False)
    assert made.spendable_usd(MONDAY) == spendable


def test_the_broker_s_settled_cash_outranks_the_whole_cash() -> None:
    made = SettledCash(SettlementRules(), weekdays())
    made.begin(Decimal(5000), {}, Decimal(2000))
    assert made.settled_usd == 2000


def test_a_split_changes_lots_and_a_removal_ends_them() -> None:
    made = bought_with_proceeds()
    split = CorporateAction(at_ns=0, id="s", symbol="UUU", kind=ActionKind.SPLIT, ex_date=TUESDAY, ratio=Decimal(2))
    made.transformed(split)
    assert made.lots["UUU"][0].quantity == 20
    made.sold("UUU", Decimal(20), THOUSAND, MONDAY, protective=True)
    assert len(made.violations) == 1
    gone = CorporateAction(at_ns=0, id="r", symbol="XXX", kind=ActionKind.REMOVAL, ex_date=TUESDAY)
    other = account()
    other.transformed(gone)
    assert not other.lots["XXX"]
