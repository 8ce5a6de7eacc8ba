"""An engine that recalls a journal stands where the one stood that wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from ordinis.domain.events import CommandKind
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose
from ordinis.journal.coding import encode
from simulation import random_runs
from simulation.remembering import differences
from simulation.worlds import Hand, limits_of, play

CHOICES: dict[str, dict[str, Any]] = {
    "fractions": {},
    "whole shares": {"fractionable": False},
    "throttled": {"throttled": True, "cash_usd": 14_999},
    "unprotected": {"protect": False},
    "limits": {"collar": 0.0005},
    "short sales": {"shorts": True},
    "additions": {"adds": True, "leverage": 1.5},
    "additions of whole shares": {"adds": True, "fractionable": False, "participation_max": 0.02},
    "all at once": {"participation_max": 0.0, "leverage": 1.5, "fixed_percent": 0.6},
}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_twin_that_recalls_every_step_knows_what_the_first_knows(name: str, seed: int) -> None:
    chosen = {**random_runs.PLAIN, **CHOICES[name]}
    twin = random_runs.engine(chosen)
    first = random_runs.engine(chosen)
    steps = play(first, random_runs.exchange(chosen), random_runs.bars(seed, shorts=chosen["shorts"])).steps
    assert sum(len(decision.actions) for _, decision in steps) >= 5
    again = random_runs.engine(chosen)
    for number, (event, decision) in enumerate(steps):
        assert encode(again.handle(event)) == encode(decision)  # What is not known is written alike.
        twin.recall(event, decision)
        if number % 7 == 0 or number == len(steps) - 1:
            assert differences(again, twin) == [], f"after {event}"


def test_what_was_decided_is_recalled_whatever_would_be_decided_now() -> None:
    """Settings may change between two starts: what was sent was sent."""
    first, now = Hand(), Hand(limits=limits_of(daily_loss_fraction_max=0.0001))
    first.opens()
    first.enters("AAA")
    first.minute(AAA=90.0)
    first.minute(enter="BBB", AAA=90.0, BBB=50.0)  # With the new limit the day's loss would forbid it.
    for event, decision in first.tale.steps:
        now.engine.recall(event, decision)
    assert set(now.engine.state.desk.working) == set(first.engine.state.desk.working)
    assert now.engine.state.owner == first.engine.state.owner


def test_the_next_id_of_a_minute_is_one_that_was_not_given_out() -> None:
    first, twin = Hand(), Hand()
    first.opens()
    order = first.enters("AAA")
    for event, decision in first.tale.steps:
        twin.engine.recall(event, decision)
    made = twin.engine.state.desk.leave("AAA", order.quantity, order.decided_at_ns)[0]
    assert made not in {order.client_order_id for order in first.tale.orders}
    assert made.startswith(order.client_order_id.rsplit("-", 3)[0])


def test_a_person_s_word_is_recalled_and_lifted() -> None:
    first, twin = Hand(), Hand()
    first.opens()
    first.enters("AAA")
    first.orders(CommandKind.FLATTEN)
    for event, decision in first.tale.steps:
        twin.engine.recall(event, decision)
    assert differences(first.engine, twin.engine) == []
    assert twin.engine.state.halts.command is CommandKind.FLATTEN


def test_an_order_that_lapsed_is_told_and_forgotten() -> None:
    hand = Hand()
    hand.opens()
    (order,) = hand.minute(enter="AAA", AAA=100.0).actions
    told = hand.says(order.client_order_id, OrderStatus.LAPSED)
    assert told.notes == (f"AAA: {order.client_order_id} was not sent in time and lapsed",)
    assert hand.reason("AAA").name == "LAPSED"
    assert not hand.engine.state.desk.working
    assert hand.minute(enter="AAA", AAA=100.0).actions, "a lapsed order is no refusal"


def test_a_lapsed_exit_leaves_the_position_with_a_stop() -> None:
    hand = Hand()
    hand.opens()
    entry = hand.enters("AAA")
    decision = hand.minute(leave="AAA", AAA=100.0)
    (sale,) = [one for one in decision.actions if isinstance(one, OrderIntent)]
    assert (sale.purpose, sale.quantity) == (Purpose.EXIT, entry.quantity)
    hand.says(sale.client_order_id, OrderStatus.LAPSED)
    assert hand.engine.state.desk.may_exit("AAA", hand.at_ns)
