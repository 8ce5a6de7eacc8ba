from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.overnight import Night
from ordinis.domain.events import ActionKind
from ordinis.domain.market import Session
from simulation.actions import action

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
FRIDAY, MONDAY, TUESDAY = (Session(date=date(2025, 1, day), open_ns=day, close_ns=day + 1) for day in (17, 20, 21))
RATE = Decimal("0.0625")


@pytest.mark.parametrize(
    ("cash", "opens", "interest"),
    [
        (Decimal(-36_000), MONDAY, Decimal("-18.75")),  # 36,000 x 0.0625 / 360 is 6.25 a night, three nights.
        (Decimal("-0.01"), MONDAY, Decimal("-0.01")),  # Rounded up, as fees are.
        (Decimal(0), MONDAY, None),
        (Decimal(500), MONDAY, None),
    ],
)
def test_a_debit_costs_interest_for_every_calendar_night(
    cash: Decimal, opens: Session, interest: Decimal | None
) -> None:
    night = Night(RATE, ())
    assert night.interest(FRIDAY) == []
    night.begin(FRIDAY, cash)
    flows = night.interest(opens)
    assert [flow.amount_usd for flow in flows] == ([] if interest is None else [interest])


def test_an_action_takes_effect_once_at_the_first_open_from_its_date_on() -> None:
    saturday, monday = (action("AAA", ActionKind.DIVIDEND, date(2025, 1, day), amount_usd="1") for day in (18, 20))
    split = action("AAA", ActionKind.SPLIT, date(2025, 1, 18), ratio="2")
    night = Night(RATE, [monday, split, saturday])
    assert night.actions(MONDAY) == []  # Before the first session nothing is held.
    night.begin(FRIDAY, Decimal(0))
    assert night.actions(MONDAY) == [saturday, split, monday]
    night.begin(MONDAY, Decimal(0))
    assert night.actions(TUESDAY) == []


def test_the_account_is_paid_before_the_first_minute(desk: MakeDesk) -> None:
    here = desk(cash_usd=Decimal(10_000), margin_interest_fraction=RATE)
    here.hold(120)
    here.close()
    here.open()
    [flow] = here.flows(here.events())
    assert (flow.kind, flow.amount_usd) == ("interest", Decimal("-0.35"))
    assert here.exchange.account().cash_usd == Decimal("-2000.35")
