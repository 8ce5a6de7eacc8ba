"""What was held, as a journal tells it: trips through splits, and fills in the terms of the last day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from ordinis.domain.events import CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.orders import Fill, OrderStatus
from ordinis.journal.trips import trips
from ordinis.research.report.terms import PositionEvent, in_last_terms
from simulation.actions import dividend, removal, split

DAY = date(2025, 1, 16)
MARKS_NS = np.array([60, 120, 180, 240])


def filled(number: int, at_ns: int, quantity: str, price: str = "100") -> OrderUpdate:
    fill = Fill(
        execution_id=f"e{number}",
        symbol="AAA",
        quantity=Decimal(quantity),
        price_usd=Decimal(price),
        filled_at_ns=at_ns,
    )
    return OrderUpdate(
        at_ns=at_ns,
        client_order_id=f"o{number}",
        broker_order_id="",
        symbol="AAA",
        status=OrderStatus.FILLED,
        filled_quantity=abs(fill.quantity),
        fill=fill,
    )


def paid(kind: str, amount: str) -> CashFlow:
    return CashFlow(at_ns=120, id=f"paid-{kind}", kind=kind, amount_usd=Decimal(amount), symbol="AAA")


def at(action: CorporateAction, at_ns: int = 120) -> CorporateAction:
    return msgspec.structs.replace(action, at_ns=at_ns)


HALF = at(dividend("AAA", DAY, "0.5"))
SPLIT, PAID_OUT = at(split("AAA", DAY, "4")), at(removal("AAA", DAY, "104"))


@pytest.mark.parametrize(
    ("events", "left", "result", "closed_at_ns"),
    [
        ([filled(1, 60, "10"), SPLIT, filled(2, 180, "-40", "26")], "0", "40", 180),
        ([filled(1, 60, "10"), SPLIT], "40", None, None),
        (
            [filled(1, 60, "10"), paid("dividend", "5"), at(dividend("AAA", DAY, "0.5")), filled(2, 180, "-10")],
            "0",
            "5",
            180,
        ),
        ([filled(1, 60, "10"), paid("removal", "1040"), PAID_OUT], "0", "40", 120),
        ([paid("dividend", "5"), SPLIT, filled(1, 180, "10")], "10", None, None),
    ],
)
def test_a_trip_is_followed_through_what_companies_do(
    events: list[PositionEvent], left: str, result: str | None, closed_at_ns: int | None
) -> None:
    [trip] = trips(events)
    assert trip.open_quantity == Decimal(left)
    assert trip.result_usd == (None if result is None else Decimal(result))
    assert trip.closed_at_ns == closed_at_ns


def test_fills_are_told_in_the_terms_of_the_last_day() -> None:
    events: list[PositionEvent] = [filled(1, 60, "10"), SPLIT, filled(2, 180, "-8"), at(split("AAA", DAY, "0.5"), 200)]
    fills = [
        (number, event.fill) for number, event in enumerate(events) if isinstance(event, OrderUpdate) and event.fill
    ]
    found = in_last_terms(fills, events, MARKS_NS)
    assert [(number, fill.quantity) for number, fill in found] == [(0, Decimal(20)), (2, Decimal(-4))]


def test_what_a_removal_took_is_gone_from_the_next_minute_on() -> None:
    first = filled(1, 60, "10")
    assert first.fill is not None
    found = in_last_terms([(0, first.fill)], [first, SPLIT, at(removal("AAA", DAY), 180)], MARKS_NS)
    assert [(number, fill.quantity) for number, fill in found] == [(0, Decimal(40)), (3, Decimal(-40))]
