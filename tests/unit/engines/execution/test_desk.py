"""The life of an order, a symbol at a time, with a broker played by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import Action, CancelIntent, OrderIntent, OrderStatus, OrderType, Side, TimeInForce, leg_id
from ordinis.engines.execution.desk import ExecutionSettings, OrderDesk
from simulation.worlds import OPEN_NS

FILLED, PART, CANCELED, EXPIRED, REJECTED, ACCEPTED, HELD = (
    OrderStatus.FILLED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
    OrderStatus.ACCEPTED,
    OrderStatus.HELD,
)
STOP_USD = Decimal("98.00")


class Broker:
    """Sends what the desk wants, and answers."""

    def __init__(self, **settings: int | bool) -> None:
        self.desk = OrderDesk(ExecutionSettings(**settings))  # type: ignore[arg-type]
        self.minute = 1
        self.held = Decimal(0)

    @property
    def at_ns(self) -> int:
        return OPEN_NS + self.minute * MINUTE_NS

    def enter(self, quantity: str = "10", stop_usd: Decimal | None = STOP_USD) -> OrderIntent:
        return self.desk.enter("AAA", Decimal(quantity), stop_usd, self.at_ns)

    def leave(self) -> list[Action]:
        return self.desk.leave("AAA", self.held, self.at_ns)[1]

    def says(
        self, order: OrderIntent | str, status: OrderStatus, filled: str | int = 0, held: str | int | None = None
    ) -> list[Action]:
        """An update, after which `held` shares are held."""
        if held is not None:
            self.held = Decimal(held)
        name = order if isinstance(order, str) else order.client_order_id
        update = OrderUpdate(
            at_ns=self.at_ns,
            client_order_id=name,
            broker_order_id="1",
            symbol="AAA",
            status=status,
            filled_quantity=Decimal(filled),
        )
        return self.desk.update(update, self.held)

    def holds(self, quantity: str = "10") -> OrderIntent:
        """Come to hold a position, its stop at the broker; the entry."""
        entry = self.enter(quantity)
        for stop in self.says(entry, FILLED, quantity, quantity):
            self.says(order(stop), ACCEPTED)
        return entry


def order(action: Action) -> OrderIntent:
    assert isinstance(action, OrderIntent)
    return action


def kinds(actions: Sequence[Action]) -> list[str]:
    return [
        f"cancel {one.client_order_id.split('-', 3)[3]}"
        if isinstance(one, CancelIntent)
        else f"{order(one).purpose.value} {order(one).quantity.normalize():f} {order(one).time_in_force.value}"
        for one in actions
    ]


# The close.


def test_an_entry_with_a_leg_that_bought_nothing_is_taken_back_at_the_close() -> None:
    broker = Broker()
    broker.says(broker.enter("10"), ACCEPTED)
    assert kinds(broker.desk.close_session(broker.at_ns)) == ["cancel entry-1"]
    assert broker.desk.close_session(broker.at_ns) == []


def test_the_close_leaves_day_orders_to_the_broker_and_stops_where_they_are() -> None:
    fraction, position = Broker(), Broker()
    fraction.says(fraction.enter("10.5"), ACCEPTED)
    position.holds("10")
    assert fraction.desk.close_session(fraction.at_ns) == []
    assert position.desk.close_session(position.at_ns) == []


# Entries.


def test_whole_shares_carry_their_stop_and_wait_for_it() -> None:
    entry = Broker().enter("10")
    assert (entry.side, entry.type, entry.time_in_force) == (Side.BUY, OrderType.MARKET, TimeInForce.GTC)
    assert entry.stop_loss_usd == STOP_USD


def test_fractions_go_out_alone_for_the_day() -> None:
    entry = Broker().enter("10.5")
    assert (entry.time_in_force, entry.stop_loss_usd) == (TimeInForce.DAY, None)


@pytest.mark.parametrize("quantity", ["10", "10.5"])
def test_without_a_stop_price_or_without_protection_the_entry_is_plain(quantity: str) -> None:
    for broker, stop_usd in ((Broker(), None), (Broker(protect=False), STOP_USD)):
        entry = broker.enter(quantity, stop_usd)
        assert (entry.time_in_force, entry.stop_loss_usd) == (TimeInForce.DAY, None)
        assert broker.says(entry, FILLED, quantity, quantity) == []
        assert not broker.desk.unprotected


def test_an_order_is_valid_for_some_minutes() -> None:
    broker = Broker(intent_valid_minutes=7)
    entry = broker.enter()
    assert entry.valid_until_ns - entry.decided_at_ns == 7 * MINUTE_NS


def test_a_filled_entry_with_a_leg_needs_no_other_stop() -> None:
    broker = Broker()
    entry = broker.enter("10")
    assert broker.says(entry, ACCEPTED) == []
    assert broker.says(leg_id(entry.client_order_id), HELD) == []
    assert broker.says(entry, FILLED, 10, 10) == []
    assert broker.says(leg_id(entry.client_order_id), ACCEPTED) == []


def test_a_fractional_fill_is_followed_by_a_stop_for_the_day() -> None:
    broker = Broker()
    entry = broker.enter("10.5")
    (stop,) = map(order, broker.says(entry, FILLED, "10.5", "10.5"))
    assert (stop.side, stop.type, stop.quantity) == (Side.SELL, OrderType.STOP, Decimal("10.5"))
    assert (stop.time_in_force, stop.stop_price_usd) == (TimeInForce.DAY, STOP_USD)


def test_a_stop_that_expired_is_sent_again() -> None:
    broker = Broker()
    entry = broker.enter("10.5")
    (first,) = map(order, broker.says(entry, FILLED, "10.5", "10.5"))
    (second,) = map(order, broker.says(first, EXPIRED))
    assert (second.quantity, second.stop_price_usd, second.purpose) == (
        first.quantity,
        first.stop_price_usd,
        first.purpose,
    )
    assert second.client_order_id != first.client_order_id


def test_a_partial_fill_takes_the_rest_back_and_is_protected_as_it_is() -> None:
    broker = Broker()
    entry = broker.enter("10")
    leg = leg_id(entry.client_order_id)
    assert kinds(broker.says(entry, PART, 4, 4)) == ["cancel entry-1"]
    assert broker.says(entry, PART, 6, 6) == []  # More came before the cancel did: asked once is enough.
    assert broker.says(entry, CANCELED, 6) == []  # The leg's own end is still to come.
    assert kinds(broker.says(leg, CANCELED)) == ["protect 6 gtc"]


def test_a_partial_fill_of_fractions_is_protected_for_the_day() -> None:
    broker = Broker()
    entry = broker.enter("10.5")
    assert kinds(broker.says(entry, PART, "4.25", "4.25")) == ["cancel entry-1"]
    assert kinds(broker.says(entry, CANCELED, "4.25")) == ["protect 4.25 day"]


def test_a_rest_that_filled_before_it_could_be_taken_back_keeps_its_leg() -> None:
    broker = Broker()
    entry = broker.enter("10")
    broker.says(entry, PART, 4, 4)
    assert broker.says(entry, FILLED, 10, 10) == []
    assert broker.says(leg_id(entry.client_order_id), ACCEPTED) == []
    assert not broker.desk.unprotected


def test_an_entry_that_ends_unfilled_leaves_nothing_behind() -> None:
    for status in (CANCELED, EXPIRED):
        broker = Broker()
        entry = broker.enter("10")
        assert broker.says(entry, status) == []
        assert broker.says(leg_id(entry.client_order_id), status) == []
        assert (broker.desk.objection("AAA"), broker.desk.opening, broker.desk.working) == (None, 0, {})


# Exits.


def test_an_exit_takes_the_stop_back_waits_for_that_and_then_sells() -> None:
    broker = Broker()
    entry = broker.holds("10")
    leg = leg_id(entry.client_order_id)
    assert kinds(broker.leave()) == ["cancel entry-1.stop"]
    assert not broker.desk.may_exit("AAA", broker.at_ns)
    (sale,) = map(order, broker.says(leg, CANCELED))
    assert (sale.side, sale.type, sale.quantity, sale.time_in_force) == (
        Side.SELL,
        OrderType.MARKET,
        Decimal(10),
        TimeInForce.DAY,
    )
    assert broker.says(sale, FILLED, 10, 0) == []
    assert (broker.desk.objection("AAA"), broker.desk.working) == (None, {})


def test_an_exit_without_a_stop_sells_at_once() -> None:
    broker = Broker(protect=False)
    broker.holds("10")
    assert kinds(broker.leave()) == ["exit 10 day"]


def test_an_exit_has_its_id_from_its_decision_however_long_its_stop_takes_to_go() -> None:
    broker = Broker()
    leg = leg_id(broker.holds("10").client_order_id)
    decided, _ = broker.desk.leave("AAA", broker.held, broker.at_ns)
    broker.minute += 2
    (sale,) = map(order, broker.says(leg, CANCELED))
    assert sale.client_order_id == decided


def test_a_stop_that_is_being_taken_back_is_not_taken_back_twice() -> None:
    broker = Broker()
    broker.holds("10")
    assert kinds(broker.leave()) == ["cancel entry-1.stop"]
    assert broker.leave() == []


def test_a_stop_that_fills_while_the_exit_waits_ends_the_exit() -> None:
    broker = Broker()
    entry = broker.holds("10")
    broker.leave()
    assert broker.says(leg_id(entry.client_order_id), FILLED, 10, 0) == []
    assert (broker.desk.objection("AAA"), broker.desk.working) == (None, {})
    assert broker.desk.may_exit("AAA", broker.at_ns)


def test_a_stop_that_fills_in_part_while_the_exit_waits_leaves_the_rest_to_sell() -> None:
    broker = Broker()
    leg = leg_id(broker.holds("10").client_order_id)
    broker.leave()
    assert broker.says(leg, PART, 4, 6) == []
    assert kinds(broker.says(leg, CANCELED, 4)) == ["exit 6 day"]


def test_a_stop_that_fills_in_part_goes_on_with_the_rest() -> None:
    broker = Broker()
    leg = leg_id(broker.holds("10").client_order_id)
    assert broker.says(leg, PART, 4, 6) == []
    assert broker.says(leg, FILLED, 10, 0) == []
    assert broker.desk.working == {}


def test_an_exit_that_ends_with_shares_left_is_protected_again() -> None:
    broker = Broker()
    leg = leg_id(broker.holds("10").client_order_id)
    broker.leave()
    (sale,) = map(order, broker.says(leg, CANCELED))
    assert broker.says(sale, PART, 4, 6) == []
    assert kinds(broker.says(sale, EXPIRED, 4)) == ["protect 6 gtc"]


def test_an_exit_while_the_entry_still_buys_takes_the_entry_back_first() -> None:
    broker = Broker()
    entry = broker.enter("10")
    leg = leg_id(entry.client_order_id)
    broker.says(entry, PART, 4, 4)
    assert broker.leave() == []  # The rest has been asked back already.
    assert broker.says(entry, CANCELED, 4) == []
    assert kinds(broker.says(leg, CANCELED)) == ["exit 4 day"]


def test_flat_means_no_stop_is_left_that_could_open_a_short() -> None:
    broker = Broker()
    entry = broker.enter("10.5")
    broker.says(entry, FILLED, "10.5", "10.5")
    assert kinds(broker.desk.protect("AAA", Decimal(0), broker.at_ns)) == ["cancel stop-2"]
    assert kinds(broker.desk.protect("AAA", Decimal(0), broker.at_ns)) == []


# Refusals.


def test_a_refused_exit_leaves_the_position_protected_and_waits_twice_as_long_each_time() -> None:
    broker = Broker(retry_minutes=1, retry_minutes_max=8)
    stop = leg_id(broker.holds("10").client_order_id)
    waits = []
    for _ in range(6):
        broker.leave()
        (sale,) = map(order, broker.says(stop, CANCELED))
        actions = broker.says(sale, REJECTED)
        assert kinds(actions) == ["protect 10 gtc"]  # No second sale in answer to the refusal: that would be a loop.
        stop = order(actions[0]).client_order_id
        refused_at = broker.minute
        while not broker.desk.may_exit("AAA", broker.at_ns):
            broker.minute += 1
        waits.append(broker.minute - refused_at)
    assert waits == [1, 2, 4, 8, 8, 8]


def test_an_exit_that_was_taken_forgets_earlier_refusals() -> None:
    broker = Broker(protect=False)
    broker.holds("10")
    for _ in range(3):
        (sale,) = map(order, broker.leave())
        broker.says(sale, REJECTED)
        broker.minute += 60
    (sale,) = map(order, broker.leave())
    broker.says(sale, EXPIRED)
    (sale,) = map(order, broker.leave())
    broker.says(sale, REJECTED)
    assert not broker.desk.may_exit("AAA", broker.at_ns)
    broker.minute += 1
    assert broker.desk.may_exit("AAA", broker.at_ns)


def test_a_refused_stop_is_an_unprotected_position_and_is_tried_again_after_its_wait() -> None:
    broker = Broker()
    entry = broker.enter("10.5")
    (stop,) = map(order, broker.says(entry, FILLED, "10.5", "10.5"))
    assert broker.says(stop, REJECTED) == []
    assert broker.desk.unprotected == {"AAA"}
    assert broker.desk.protect("AAA", broker.held, broker.at_ns) == []
    broker.minute += 1
    (again,) = map(order, broker.desk.protect("AAA", broker.held, broker.at_ns))
    assert broker.desk.unprotected == set()
    assert broker.says(again, REJECTED) == []
    broker.minute += 1
    assert broker.desk.protect("AAA", broker.held, broker.at_ns) == []  # Two minutes now.
    broker.minute += 1
    assert kinds(broker.desk.protect("AAA", broker.held, broker.at_ns)) == ["protect 10.5 day"]


def test_a_position_that_is_gone_is_no_longer_unprotected() -> None:
    broker = Broker()
    entry = broker.enter("10.5")
    (stop,) = map(order, broker.says(entry, FILLED, "10.5", "10.5"))
    broker.says(stop, REJECTED)
    (sale,) = map(order, broker.leave())
    broker.says(sale, FILLED, "10.5", 0)
    assert broker.desk.unprotected == set()


def test_a_refused_entry_takes_its_leg_along_and_is_not_repeated_at_once() -> None:
    broker = Broker()
    entry = broker.enter("10")
    assert broker.says(entry, REJECTED) == []
    assert (broker.desk.objection("AAA"), broker.desk.opening, broker.desk.working) == (None, 0, {})
    assert broker.desk.of("AAA").free_at_ns(entry.purpose) == broker.at_ns + MINUTE_NS


def test_an_update_of_an_order_nobody_sent_changes_nothing() -> None:
    broker = Broker()
    assert broker.says("a-b-AAA-c", FILLED, 5, 0) == []


# What stands against another entry.


def test_a_working_order_stands_against_another_entry() -> None:
    broker = Broker()
    assert broker.desk.objection("AAA") is None
    entry = broker.enter("10")
    assert broker.desk.objection("AAA") is Reason.DUPLICATE_ORDER
    assert broker.desk.objection("BBB") is None
    broker.says(entry, FILLED, 10, 10)
    assert broker.desk.objection("AAA") is Reason.OPPOSITE_ORDER  # Its stop sells.
    broker.leave()
    assert broker.desk.objection("AAA") is Reason.OPPOSITE_ORDER


def test_entries_that_have_bought_nothing_are_counted_once() -> None:
    broker = Broker()
    entry = broker.enter("10")
    assert broker.desk.opening == 1
    broker.says(entry, PART, 4, 4)
    broker.says(entry, PART, 6, 6)
    broker.says(entry, CANCELED, 6)
    assert broker.desk.opening == 0


# Names.


def test_the_same_decisions_have_the_same_ids() -> None:
    names = []
    for broker in (Broker(), Broker()):
        entry = broker.holds("10")
        broker.minute += 3
        names.append([entry.client_order_id, broker.desk.leave("AAA", broker.held, broker.at_ns)[0]])
    assert names[0] == names[1] == ["main-20250115T1431-AAA-entry-1", "main-20250115T1434-AAA-exit-1"]
