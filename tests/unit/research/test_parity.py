"""What went otherwise is named with its cause."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe
from ordinis.domain.orders import Fill, OrderIntent, OrderStatus, OrderType, Purpose, Side, TimeInForce
from ordinis.research.parity import Difference, Step, compare, told

OPEN_NS = 1_735_828_200 * 10**9
DAY = date(2025, 1, 2)
SESSION = Session(date=DAY, open_ns=OPEN_NS, close_ns=OPEN_NS + 4 * MINUTE_NS)
UNIVERSE = Universe(("AAA", "BBB"))


def minute(number: int, *, missing: bool = False) -> Event:
    prices = np.array([[100.0, np.nan if missing else 50.0]])
    block = MarketBlock(
        universe=UNIVERSE,
        session=SESSION,
        closed_at_ns=np.array([OPEN_NS + number * MINUTE_NS]),
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=np.full((1, 2), 1.0),
        present=~np.isnan(prices),
    )
    return block.at(0)


def order(name: str, symbol: str, number: int, quantity: int = 10) -> Decision:
    intent = OrderIntent(
        client_order_id=name,
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(quantity),
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        purpose=Purpose.ENTRY,
        decided_at_ns=OPEN_NS + number * MINUTE_NS,
        valid_until_ns=2**62,
    )
    return Decision(actions=(intent,))


def fill(name: str, symbol: str, seconds: int, price: str = "100", quantity: int = 10) -> Event:
    at_ns = OPEN_NS + seconds * 10**9
    return OrderUpdate(
        at_ns=at_ns,
        client_order_id=name,
        broker_order_id="1",
        symbol=symbol,
        status=OrderStatus.FILLED,
        filled_quantity=Decimal(quantity),
        fill=Fill(
            execution_id=f"{name}-{seconds}",
            symbol=symbol,
            quantity=Decimal(quantity),
            price_usd=Decimal(price),
            filled_at_ns=at_ns,
        ),
    )


def steps(filled: Event, later: Decision, *, missing: bool = False) -> list[Step]:
    opening = SessionPhase(at_ns=OPEN_NS, phase=Phase.OPENING, session=SESSION)
    return [
        (opening, Decision()),
        (minute(1), order("a", "AAA", 1)),
        (filled, Decision()),
        (minute(2), Decision()),
        (minute(3, missing=missing), later),
    ]


WHOLE = steps(fill("a", "AAA", 60), order("b", "BBB", 3))


def differences(recorded: list[Step]) -> list[Difference]:
    return compare(told(recorded, DAY), told(WHOLE, DAY))


def test_a_day_that_repeats_itself_has_no_difference() -> None:
    assert differences(WHOLE) == []


@pytest.mark.parametrize(
    ("recorded", "what", "cause"),
    [
        (steps(fill("a", "AAA", 60, "100.02"), order("b", "BBB", 3)), "fill", r"price: \+0\.0200 USD a share"),
        (steps(fill("a", "AAA", 150, "100.02"), order("b", "BBB", 3)), "fill", r"timing: \+90\.0 s, and the price"),
        (steps(fill("a", "AAA", 63), order("b", "BBB", 3)), "fill", r"timing: \+3\.0 s, and the price"),
        (steps(fill("a", "AAA", 60, quantity=4), order("b", "BBB", 3)), "fill", "quantity: "),
        (steps(fill("a", "AAA", 60), Decision(), missing=True), "order", "missing bar: BBB had none in that minute"),
        (steps(fill("a", "AAA", 60), order("b", "BBB", 3, 9)), "order", "settings or version: no earlier fill differs"),
    ],
)
def test_what_differs_is_said_with_its_cause(recorded: list[Step], what: str, cause: str) -> None:
    (found,) = differences(recorded)
    assert found.what == what
    assert re.match(cause, found.cause)


def test_an_order_after_a_fill_that_differs_follows_it() -> None:
    first, second = differences(steps(fill("a", "AAA", 60, "101"), order("b", "BBB", 3, 9)))
    assert (first.subject, second.cause) == ("a", "price or timing: follows a")


def test_reasons_that_differ_are_a_difference() -> None:
    recorded = [(event, decision) for event, decision in WHOLE]
    event, decision = recorded[3]
    recorded[3] = (event, msgspec.structs.replace(decision, changes=b"\x00\x00\x0a"))
    (found,) = differences(recorded)
    assert (found.what, found.recorded, found.replayed) == ("decision", "1 changed", "0 changed")


def test_another_day_s_steps_do_not_count() -> None:
    assert told(WHOLE, date(2025, 1, 3)).orders == {}
