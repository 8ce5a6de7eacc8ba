"""The one loop. A backtest, a simulation and a live account run it; it cannot tell which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import Event, Phase, Reconciliation, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.ports import Broker, Journal, Market


class Engine(Protocol):
    def handle(self, event: Event) -> Decision: ...


Look = Callable[[], Iterator[Event]]


def trade(
    engine: Engine,
    market: Market,
    broker: Broker,
    journal: Journal,
    stopped: Callable[[], bool],
    look: Look | None = None,
) -> bool:
    """Run to the market's end, or until `stopped`; True when it reached the end. `look` is had after each minute."""
    for event in timeline(market, broker, look):
        if event is not None:
            act(engine, event, broker, journal)
        if stopped():
            return False
    return True


def act(engine: Engine, event: Event, broker: Broker, journal: Journal) -> None:
    """One event: decide, write down, carry out."""
    decision = engine.handle(event)
    journal.append(event, decision)  # Before acting: a crash here loses nothing.
    if decision.actions:
        broker.carry_out(decision.actions)


def _account(broker: Broker, at_ns: int) -> AccountView | Reconciliation:
    """The broker's figures. Where they cannot be read entries wait, and it is asked again in the next minute."""
    try:
        return broker.account()
    except BrokerError as error:
        return Reconciliation(at_ns=at_ns, differences=(f"the account cannot be read: {error}",))


def timeline(market: Market, broker: Broker, look: Look | None = None) -> Iterator[Event | None]:
    """All events in the one order: updates caused by a minute's bar, the minute, updates caused by our answer.

    The caller acts on an event before it asks for the next, so what its orders caused comes next.
    None where nothing has happened. At an opening the broker's account follows, before the first minute.
    """
    updates = broker.updates
    account_due = False
    for step in market:
        while batch := updates():
            yield from batch
        if step is None:
            yield None
            continue
        yield step
        while batch := updates():
            yield from batch
        account_due = account_due or (type(step) is SessionPhase and step.phase is Phase.OPENING)
        if account_due:
            seen = _account(broker, step.at_ns)
            account_due = type(seen) is not AccountView
            yield seen
            while batch := updates():
                yield from batch
        elif look is not None and type(step) is MarketSlice:
            yield from look()
