"""Entries as limits: marketable up to a collar, taken back when their time is over, the same on every road."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.decision import Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import CancelIntent, OrderIntent, OrderStatus, OrderType, TimeInForce
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.execution.desk import ExecutionSettings, OrderDesk
from simulation.worlds import Hand, day, engine_of, exchange_of, limits_of, play, tier_of

LIMITED = ExecutionSettings(entry_collar_fraction=0.003, entry_life_minutes=3)


def entered(price: float, direction: int) -> OrderIntent:
    desk = OrderDesk(LIMITED)
    return desk.enter("AAA", Decimal(10), None, 0, direction, price_usd=price)


@pytest.mark.parametrize(
    ("price", "direction", "limit"),
    [
        (100.0, 1, "100.30"),
        (33.33, 1, "33.43"),
        (100.0, -1, "99.70"),
        (33.33, -1, "33.23"),
        (0.5, 1, "0.5015"),
        (2.0, 1, "2.01"),  # Nearer than a tick is at the price itself, and nobody sells there.
        (2.0, -1, "1.99"),
    ],
)
def test_the_limit_is_as_far_as_the_collar_on_the_tick_beyond_it(price: float, direction: int, limit: str) -> None:
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


def test_an_entry_that_came_to_nothing_says_so() -> None:
    block = day(0, {"AAA": [100.0, 101.0, 101.0, 101.0, 101.0, 101.0]}, enter={"AAA": [1]})
    tale = play(engine_of(execution=LIMITED), exchange_of(), [block])
    assert tale.reasons["AAA"] == [Reason.SENT, Reason.NO_SIGNAL, Reason.UNFILLED, Reason.NO_SIGNAL]


def test_an_entry_that_filled_and_ended_is_not_said_to_have_come_to_nothing() -> None:
    hand = Hand(execution=LIMITED)
    hand.opens()
    (order,) = [one for one in hand.minute(enter="AAA", AAA=100.0).actions if isinstance(one, OrderIntent)]
    hand.fills(order.client_order_id, 40, status=OrderStatus.PARTIALLY_FILLED)
    hand.says(order.client_order_id, OrderStatus.CANCELED, filled=40)
    assert Reason.UNFILLED not in hand.tale.reasons["AAA"]


def test_what_is_left_of_an_entry_is_taken_back_when_its_time_is_over() -> None:
    """Nothing protects it, so nothing else would take it back: the price that it was decided on is old."""
    hand = Hand(execution=LIMITED)
    hand.opens()
    (order,) = [one for one in hand.minute(enter="AAA", AAA=100.0).actions if isinstance(one, OrderIntent)]
    hand.fills(order.client_order_id, 40, status=OrderStatus.PARTIALLY_FILLED)
    assert hand.minute(skip=2, AAA=100.0).actions == ()
    (cancel,) = hand.minute(AAA=100.0).actions
    assert isinstance(cancel, CancelIntent)
    assert cancel.client_order_id == order.client_order_id


def test_an_entry_that_came_to_nothing_frees_its_slot_its_money_and_its_day_trade() -> None:
    """And nothing cools down: nothing was traded."""
    hand = Hand(
        execution=LIMITED,
        cash_usd=20_000,
        tiers=[tier_of(max_positions=1, fixed_percent=0.9, stop_loss_pct=0.05, cooldown_minutes=60)],
        throttle=Throttle(enabled=True, day_trades_max=1, equity_floor_usd=25_000.0),
    )
    hand.opens()
    state = hand.engine.state
    (order,) = [one for one in hand.minute(enter="AAA", AAA=100.0, BBB=100.0).actions if isinstance(one, OrderIntent)]
    assert (state.desk.opening, state.gate.slots.reserved) == (1, 1)
    assert state.book.open_buys_usd == pytest.approx(18_000.0)
    hand.minute(skip=3, AAA=102.0, BBB=100.0)
    hand.says(order.client_order_id, OrderStatus.CANCELED)
    assert (state.desk.opening, state.desk.entering, state.gate.slots.reserved) == (0, 0, 0)
    assert (state.book.open_buys_usd, list(state.desk.working)) == (0.0, [f"{order.client_order_id}.stop"])
    hand.says(f"{order.client_order_id}.stop", OrderStatus.CANCELED)
    again = hand.minute(enter="AAA BBB", AAA=102.0, BBB=100.0).actions
    assert [one.symbol for one in again if isinstance(one, OrderIntent)] == ["AAA"], "the same one, at a new price"
    assert [one.limit_price_usd for one in again if isinstance(one, OrderIntent)] == [Decimal("102.31")]


def test_an_entry_without_a_slot_that_came_to_nothing_leaves_no_exemption_behind() -> None:
    """What it was let off, its same-day stop, is not what the next entry is let off."""
    hand = Hand(execution=LIMITED, minutes=30, throttle=Throttle(enabled=True, last_minutes=30))
    hand.opens()
    slots = hand.engine.state.gate.slots
    slots.entry_sent("main-x-AAA-entry-1", "AAA", Decimal(10), stop_waits=True)
    assert slots.unprotected == {"AAA"}
    slots.order_over("main-x-AAA-entry-1")
    assert slots.unprotected == set()


def test_the_stop_of_the_next_entry_does_not_wait_for_one_that_never_came() -> None:
    desk = OrderDesk(LIMITED)
    entry = desk.enter("AAA", Decimal("1.5"), Decimal(95), 0, price_usd=100.0, stop_from_ns=10**15)
    desk.follow(said(entry, OrderStatus.CANCELED, 0))
    again = desk.enter("AAA", Decimal("1.5"), Decimal(95), MINUTE_NS, price_usd=100.0)
    (stop,) = desk.update(said(again, OrderStatus.FILLED, Decimal("1.5")), Decimal("1.5"))
    assert isinstance(stop, OrderIntent)
    assert stop.stop_price_usd == Decimal(95)


def said(intent: OrderIntent, status: OrderStatus, filled: Decimal | int) -> OrderUpdate:
    return OrderUpdate(
        at_ns=intent.decided_at_ns,
        client_order_id=intent.client_order_id,
        broker_order_id="b-1",
        symbol=intent.symbol,
        status=status,
        filled_quantity=Decimal(filled),
    )


@pytest.mark.parametrize(
    ("direction", "fractionable", "stop", "kind"),
    [(1, False, 0.05, "gtc"), (1, True, 0.05, "day"), (1, False, None, "day"), (-1, False, 0.05, "gtc")],
)
def test_every_kind_of_entry_is_taken_as_a_limit(
    direction: int, fractionable: bool, stop: float | None, kind: str
) -> None:
    """Whole shares carry their stop, fractions are orders of the day, shorts are sold at a limit below."""
    wishes = {"enter" if direction > 0 else "short": {"AAA": [1]}}
    prices = [137.0, 137.1 if direction > 0 else 136.9, 137.0]
    tiers = [tier_of(stop_loss_pct=stop, fixed_percent=0.00777 if fractionable else 0.1)]
    exchange = exchange_of(shorting_enabled=True, fractionable=fractionable, fill_model=FillModel.SPREAD)
    tale = play(
        engine_of(execution=LIMITED, tiers=tiers, fractionable=fractionable, limits=limits_of(shorting_allowed=True)),
        exchange,
        [day(0, {"AAA": prices}, minutes=30, **wishes)],  # type: ignore[arg-type]
    )
    entry = tale.orders[0]
    assert (entry.type, entry.time_in_force) == (OrderType.LIMIT, TimeInForce(kind))
    assert (entry.quantity % 1 != 0) is fractionable
    (fill, *_) = tale.fills
    assert abs(fill.quantity) == entry.quantity
    assert direction * (fill.price_usd - Decimal(str(prices[1]))) > 0, "it pays the spread, as at the market"
    assert entry.limit_price_usd is not None
    assert direction * (entry.limit_price_usd - fill.price_usd) > 0
