"""The one loop: the order of events within a minute, and what happens before what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from ordinis.domain.account import AccountView
from ordinis.domain.decision import NOTHING, Decision
from ordinis.domain.events import (
    BrokerEvent,
    CashFlow,
    Command,
    CorporateAction,
    Event,
    Phase,
    Reconciliation,
    SessionPhase,
)
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import Action, CancelIntent
from ordinis.runtime.loop import timeline, trade
from simulation.worlds import OPEN_NS, day, session_of

BLOCK = day(0, {"AAA": [100.0] * 3})
OPENING = SessionPhase(at_ns=OPEN_NS, phase=Phase.OPENING, session=session_of(0, 3))
CLOSED = SessionPhase(at_ns=OPEN_NS + 3, phase=Phase.CLOSED, session=session_of(0, 3))


def flow(name: str) -> CashFlow:
    return CashFlow(at_ns=0, id=name, kind="news", amount_usd=Decimal(0))


def cancel(name: str) -> CancelIntent:
    return CancelIntent(client_order_id=name, symbol="AAA", decided_at_ns=0)


def name_of(event: Event | Action) -> str:
    if isinstance(event, CashFlow | CorporateAction):
        return event.id
    if isinstance(event, MarketSlice):
        return f"minute {event.row + 1}"
    if isinstance(event, SessionPhase):
        return event.phase.value
    if isinstance(event, Command):
        return event.kind.value
    if isinstance(event, Reconciliation):
        return "reconciliation"
    return "account" if isinstance(event, AccountView) else event.client_order_id


class Script:
    """A market and a broker that write down who was asked for what, in order."""

    def __init__(self, answers: dict[str, list[str]] | None = None) -> None:
        self.diary: list[str] = []
        self._pending: list[BrokerEvent] = []
        self._answers = answers or {}  # What a step, or an order that is carried out, causes at the broker.

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice]:
        for step in (OPENING, BLOCK.at(0), BLOCK.at(1), CLOSED):
            self.diary.append(f"time passes to {name_of(step)}")
            self._cause(name_of(step))
            yield step

    def updates(self) -> Sequence[BrokerEvent]:
        told, self._pending = self._pending[:2], self._pending[2:]  # Two at a time, as a stream might.
        return told

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self.diary.append(f"send {name_of(action)}")
            self._cause(name_of(action))

    def account(self) -> AccountView:
        return AccountView(
            at_ns=OPEN_NS,
            equity_usd=Decimal(1),
            cash_usd=Decimal(1),
            buying_power_usd=Decimal(1),
            last_equity_usd=Decimal(1),
            multiplier=1,
        )

    def handle(self, event: Event) -> Decision:
        """The engine: cancels `to X` in answer to X, where the script wants it."""
        self.diary.append(f"decide on {name_of(event)}")
        wanted = f"order after {name_of(event)}"
        return Decision(actions=(cancel(wanted),)) if wanted in self._answers else NOTHING

    def append(self, event: Event, decision: Decision) -> None:
        self.diary.append(f"write {name_of(event)}")

    def close(self) -> None:
        raise AssertionError("the loop does not close what it was lent")

    def _cause(self, name: str) -> None:
        self._pending += [flow(one) for one in self._answers.get(name, [])]


def events(script: Script) -> list[str]:
    return ["nothing" if event is None else name_of(event) for event in timeline(script, script)]


def test_the_account_follows_the_opening_and_comes_before_the_first_minute() -> None:
    assert events(Script()) == ["opening", "account", "minute 1", "minute 2", "closed"]


def test_what_a_minute_s_bar_caused_comes_before_the_minute_in_order_of_execution() -> None:
    script = Script({"minute 1": ["a", "b", "c", "d", "e"], "closed": ["fee"], "opening": ["overnight"]})
    assert events(script) == [
        *("overnight", "opening", "account"),
        *("a", "b", "c", "d", "e", "minute 1"),
        "minute 2",
        *("fee", "closed"),
    ]


def test_what_our_answer_caused_comes_right_after_it_and_before_time_passes() -> None:
    script = Script(
        {"order after minute 1": ["filled", "leg"], "order after filled": ["accepted"], "minute 2": ["late"]}
    )
    assert trade(script, script, script, script, lambda: False)
    decided = [line.removeprefix("decide on ") for line in script.diary if line.startswith("decide")]
    assert decided == [
        *("opening", "account", "minute 1"),
        *("filled", "leg", "accepted"),
        *("late", "minute 2", "closed"),
    ]
    assert script.diary.index("decide on accepted") < script.diary.index("time passes to minute 2")


def test_what_is_caused_by_an_answer_to_the_opening_account_comes_before_the_first_minute() -> None:
    script = Script({"order after account": ["accepted"]})
    trade(script, script, script, script, lambda: False)
    assert script.diary.index("decide on accepted") < script.diary.index("time passes to minute 1")


def test_every_decision_is_written_before_it_is_sent() -> None:
    script = Script({"order after minute 1": []})
    trade(script, script, script, script, lambda: False)
    at = script.diary.index("decide on minute 1")
    assert script.diary[at : at + 3] == ["decide on minute 1", "write minute 1", "send order after minute 1"]


@pytest.mark.parametrize(("after", "last"), [(1, "opening"), (3, "minute 1"), (4, "minute 2")])
def test_a_run_ends_between_two_events_when_it_is_asked_to(after: int, last: str) -> None:
    script = Script()
    asked = iter(range(1, 100))
    assert trade(script, script, script, script, lambda: next(asked) >= after) is False
    assert [line for line in script.diary if line.startswith("write")][-1] == f"write {last}"
    assert len([line for line in script.diary if line.startswith("decide")]) == after


def test_the_orders_of_the_last_decision_are_still_sent() -> None:
    script = Script({"order after minute 1": []})
    asked = iter(range(1, 100))
    trade(script, script, script, script, lambda: next(asked) >= 3)
    assert script.diary[-1] == "send order after minute 1"


def test_an_engine_that_fails_leaves_nothing_unwritten_or_sent() -> None:
    class Failing(Script):
        def handle(self, event: Event) -> Decision:
            if name_of(event) == "minute 2":
                raise RuntimeError("no")
            return super().handle(event)

    script = Failing()
    with pytest.raises(RuntimeError):
        trade(script, script, script, script, lambda: False)
    assert script.diary[-2:] == ["write minute 1", "time passes to minute 2"]
