"""A person's word: pause, reduce, flatten, resume."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordinis.domain.decision import Decision, Reason
from ordinis.domain.events import Command, CommandKind
from ordinis.domain.orders import CancelIntent, OrderIntent, OrderStatus, Purpose
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.journal import reading
from ordinis.journal.writer import Durability, SqliteJournal
from simulation.worlds import Hand, limits_of, tier_of

PAUSE, REDUCE, FLATTEN, RESUME = CommandKind.PAUSE, CommandKind.REDUCE, CommandKind.FLATTEN, CommandKind.RESUME
PLAIN = ExecutionSettings(protect=False)
CANCELED, FILLED, REJECTED = OrderStatus.CANCELED, OrderStatus.FILLED, OrderStatus.REJECTED


def opened(execution: ExecutionSettings = PLAIN, **more: Any) -> Hand:
    hand = Hand(execution=execution, tiers=[tier_of(stop_loss_pct=0.02)], **more)
    hand.opens()
    return hand


def short(decision: Decision) -> list[str]:
    return [
        f"{one.purpose.value} {one.symbol}" if isinstance(one, OrderIntent) else f"cancel {one.client_order_id}"
        for one in decision.actions
    ]


@pytest.mark.parametrize("kind", [PAUSE, REDUCE, FLATTEN])
def test_nothing_is_opened_until_a_person_resumes(kind: CommandKind) -> None:
    hand = opened()
    hand.orders(kind)
    for _ in range(2):
        assert not hand.minute(enter="AAA").actions
        assert hand.reason() is Reason.HALTED
        hand.closes()
        hand.opens()
    assert hand.orders(RESUME).notes == (f"{kind.value} lifted",)
    assert short(hand.minute(enter="AAA")) == ["entry AAA"]


@pytest.mark.parametrize("kind", [PAUSE, REDUCE])
def test_strategies_may_still_leave(kind: CommandKind) -> None:
    hand = opened()
    hand.enters("AAA")
    assert short(hand.orders(kind)) == []
    assert not hand.minute().actions  # The position stays.
    assert short(hand.minute(leave="AAA")) == ["exit AAA"]


@pytest.mark.parametrize(("kind", "taken_back"), [(PAUSE, False), (REDUCE, True), (FLATTEN, True)])
def test_entries_that_work_go_on_under_pause_only(kind: CommandKind, taken_back: bool) -> None:
    hand = opened()
    (order,) = hand.minute(enter="AAA").actions
    said = hand.orders(kind)
    assert short(said) == ([f"cancel {order.client_order_id}"] if taken_back else [])
    assert not [one for one in hand.orders(kind).actions if isinstance(one, CancelIntent)]  # Asked for once.


def test_flatten_closes_every_position_at_once_and_tells_it() -> None:
    hand = opened()
    for symbol in ("BBB", "AAA"):
        hand.enters(symbol)
    said = hand.orders(FLATTEN, "holidays")
    assert short(said) == ["exit AAA", "exit BBB"]
    assert [one.quantity for one in said.actions if isinstance(one, OrderIntent)] == [Decimal(100), Decimal(100)]
    assert [(one.symbol, one.purpose, one.price_usd) for one in said.assessments] == [
        ("AAA", Purpose.EXIT, 100.0),
        ("BBB", Purpose.EXIT, 100.0),
    ]
    assert said.notes == ("flatten ordered: nothing is opened until a person resumes (holidays)",)
    assert not hand.minute().actions  # They are on their way: not sent again.


def test_flatten_takes_a_stop_back_before_it_sells() -> None:
    hand = opened(execution=ExecutionSettings())
    order = hand.enters("AAA")
    assert short(hand.orders(FLATTEN)) == [f"cancel {order.client_order_id}.stop"]
    assert short(hand.says(f"{order.client_order_id}.stop", CANCELED)) == ["exit AAA"]


def test_flatten_holds_for_what_is_filled_later() -> None:
    hand = opened()
    (order,) = hand.minute(enter="AAA").actions
    hand.orders(FLATTEN)
    hand.fills(order.client_order_id, 100)  # Before the cancel arrived.
    assert short(hand.minute()) == ["exit AAA"]


def test_flatten_tries_a_refused_sale_again_after_a_wait_and_never_in_a_loop() -> None:
    hand = opened()
    hand.enters("AAA")
    (sale,) = hand.orders(FLATTEN).actions
    sent_at = []
    for _ in range(8):
        hand.says(sale.client_order_id, REJECTED, code=403)
        for _ in range(20):
            actions = hand.minute().actions
            if actions:
                (sale,) = actions
                sent_at.append(hand.at_minute)
                break
    waits = [after - before for before, after in zip([1, *sent_at], sent_at, strict=False)]
    assert waits[:4] == [1, 2, 4, 8]


def test_flatten_outside_the_session_waits_for_its_first_minute() -> None:
    hand = opened()
    hand.enters("AAA")
    hand.closes()
    assert not hand.orders(FLATTEN).actions
    assert not hand.opens().actions
    assert short(hand.minute()) == ["exit AAA"]


def test_flatten_before_the_first_minute_of_all_only_latches() -> None:
    hand = opened()
    assert not hand.orders(FLATTEN).actions
    assert not hand.minute(enter="AAA").actions


def test_flatten_goes_before_a_minimum_hold() -> None:
    hand = Hand(execution=PLAIN, tiers=[tier_of(hold_sessions=5)])
    hand.opens()
    hand.enters("AAA")
    assert not hand.minute(leave="AAA").actions
    assert short(hand.orders(FLATTEN)) == ["exit AAA"]


def test_resume_lifts_what_is_latched_and_rebases_it() -> None:
    limits = limits_of(drawdown_fraction_warn=0.01, drawdown_fraction_halve=0.02, drawdown_fraction_stop=0.05)
    hand = opened(limits=limits)
    hand.enters("BBB", 100.0)
    hand.minute(enter="AAA", AAA=100.0, BBB=50.0)
    assert hand.reason() is Reason.DRAWDOWN
    said = hand.orders(RESUME, "looked into it")
    assert said.notes == ("drawdown stop resumed; the high-water mark is 95,000.00 USD now (looked into it)",)
    assert short(hand.minute(enter="AAA", AAA=100.0, BBB=50.0)) == ["entry AAA"]


def test_resume_opens_a_symbol_that_was_shut_for_its_refusals() -> None:
    hand = opened(limits=limits_of(symbol_refusals_max=1))
    (order,) = hand.minute(enter="AAA").actions
    hand.says(order.client_order_id, REJECTED, code=403)
    hand.minute(enter="AAA", skip=5)
    assert hand.reason() is Reason.REFUSED_TOO_OFTEN
    hand.orders(RESUME)
    assert short(hand.minute(enter="AAA")) == ["entry AAA"]


def test_resume_does_not_lift_what_is_not_a_person_s_to_lift() -> None:
    hand = opened()
    hand.closes()
    hand.bell()  # The broker has not told its figures.
    hand.orders(PAUSE)
    hand.minute(enter="AAA")
    assert hand.reason() is Reason.HALTED  # Of two that apply, the first.
    hand.orders(RESUME)
    hand.minute(enter="AAA")
    assert hand.reason() is Reason.ACCOUNT_UNKNOWN


def test_a_command_is_journaled_with_what_it_caused(tmp_path: Path) -> None:
    hand = opened()
    hand.enters("AAA")
    path = tmp_path / "one.journal"
    command = Command(at_ns=hand.at_ns, kind=FLATTEN, note="enough")
    meta = {"symbols": '["AAA", "BBB", "CCC"]'}
    with SqliteJournal(path, meta=meta, durability=Durability.FULL) as journal:
        journal.append(command, hand.engine.handle(command))
    with reading.open_journal(path) as journal_read:
        (entry,) = journal_read.entries()
    assert (entry.kind, entry.event) == (reading.Kind.COMMAND, command)
    assert short(entry.decision) == ["exit AAA"]
    reading.export(path, tmp_path / "one.jsonl")
    assert '"kind":"command","event":{"kind":"flatten","note":"enough"}' in (tmp_path / "one.jsonl").read_text()
