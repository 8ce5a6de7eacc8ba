"""Entries as limits: marketable up to a collar, taken back when their time is over, the same on every road."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordinis.domain.orders import CancelIntent, OrderIntent, OrderStatus, OrderType
from ordinis.engines.execution.desk import ExecutionSettings, OrderDesk
from simulation.worlds import Hand, day, engine_of, exchange_of, play

LIMITED = ExecutionSettings(entry_collar_fraction=0.003, entry_life_minutes=3)


def entered(price: float, direction: int) -> OrderIntent:
    desk = OrderDesk(LIMITED)
    return desk.enter("AAA", Decimal(10), None, 0, direction, price_usd=price)


@pytest.mark.parametrize(
    ("price", "direction", "limit"),
    [(100.0, 1, "100.30"), (33.33, 1, "33.42"), (100.0, -1, "99.70"), (33.33, -1, "33.24"), (0.5, 1, "0.5015")],
)
def test_the_limit_is_on_the_tick_and_within_the_collar(price: float, direction: int, limit: str) -> None:
    intent = entered(price, direction)
    assert (intent.type, intent.limit_price_usd) == (OrderType.LIMIT, Decimal(limit))


def test_without_a_collar_entries_are_at_the_market() -> None:
    intent = OrderDesk(ExecutionSettings()).enter("AAA", Decimal(10), None, 0, 1, price_usd=100.0)
    assert (intent.type, intent.limit_price_usd) == (OrderType.MARKET, None)


def test_a_price_that_runs_away_is_not_followed() -> None:
    block = day(0, {"AAA": [100.0, 101.0, 101.0, 101.0, 101.0, 101.0]}, enter={"AAA": [1]})
    exchange = exchange_of()
    tale = play(engine_of(execution=LIMITED), exchange, [block])
    assert tale.fills == []
    assert tale.short == ["1 entry AAA 100", "4 cancel AAA"]
    assert exchange.orders[0].status is OrderStatus.CANCELED


def test_a_price_within_the_collar_is_paid() -> None:
    block = day(0, {"AAA": [100.0, 100.2, 100.2]}, enter={"AAA": [1]})
    (fill,) = play(engine_of(execution=LIMITED), exchange_of(), [block]).fills
    assert fill.price_usd == Decimal("100.2")


def test_an_entry_that_is_taken_back_is_not_taken_back_twice_and_may_be_wished_for_again() -> None:
    hand = Hand(execution=LIMITED)
    hand.opens()
    (order,) = hand.minute(enter="AAA", AAA=100.0).actions
    hand.says(order.client_order_id, OrderStatus.ACCEPTED)
    (cancel,) = hand.minute(skip=3, AAA=102.0).actions
    assert isinstance(cancel, CancelIntent)
    assert hand.minute(AAA=102.0).actions == ()
    hand.says(order.client_order_id, OrderStatus.CANCELED)
    assert len(hand.minute(enter="AAA", AAA=102.0).actions) == 1
