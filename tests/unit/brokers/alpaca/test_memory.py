from __future__ import annotations

from decimal import Decimal

import pytest

from ordinis.brokers.alpaca.memory import OrderMemory
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import Fill, OrderStatus


def _update(status: OrderStatus, filled: int = 0, execution_id: str | None = None) -> OrderUpdate:
    fill = None
    if execution_id is not None:
        fill = Fill(execution_id=execution_id, symbol="AAA", quantity=Decimal(1), price_usd=Decimal(10), filled_at_ns=1)
    return OrderUpdate(
        at_ns=1,
        client_order_id="a",
        broker_order_id="b",
        symbol="AAA",
        status=status,
        filled_quantity=Decimal(filled),
        fill=fill,
    )


NEW, HELD, CANCELED = _update(OrderStatus.ACCEPTED), _update(OrderStatus.HELD), _update(OrderStatus.CANCELED)
PART, REST = _update(OrderStatus.PARTIALLY_FILLED, 1, "e1"), _update(OrderStatus.FILLED, 2, "e2")


@pytest.mark.parametrize(
    ("told", "news"),
    [
        ([NEW, NEW], [True, False]),
        ([HELD, NEW, NEW], [True, True, False]),
        ([NEW, PART, NEW, PART, REST, REST], [True, True, False, False, True, False]),
        ([NEW, CANCELED, NEW, CANCELED], [True, True, False, False]),
        ([REST, NEW, PART], [True, False, True]),  # An execution is news whenever it comes.
    ],
)
def test_everything_is_told_once(told: list[OrderUpdate], news: list[bool]) -> None:
    memory = OrderMemory()
    assert [memory.learn(one) for one in told] == news


def test_a_leg_keeps_our_name_and_a_stranger_its_own() -> None:
    memory = OrderMemory()
    memory.link("a.stop", "b2")
    assert (memory.our_id("b2", "made-up"), memory.our_id("b9", "theirs")) == ("a.stop", "theirs")
    assert (memory.broker_id("a.stop"), memory.broker_id("x")) == ("b2", None)


def test_what_is_over_is_forgotten_and_what_works_is_not() -> None:
    memory = OrderMemory()
    memory.link("a", "b")
    memory.learn(NEW)
    memory.forget_final()
    assert memory.broker_id("a") == "b"
    memory.learn(CANCELED)
    memory.forget_final()
    assert (memory.broker_id("a"), memory.our_id("b", "?")) == (None, "?")
