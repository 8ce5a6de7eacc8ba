"""The one loop. A backtest, a simulation and a live account run it; it cannot tell which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, Phase, SessionPhase
from ordinis.ports import Broker, Journal, Market


class Engine(Protocol):
    def handle(self, event: Event) -> Decision: ...


def trade(engine: Engine, market: Market, broker: Broker, journal: Journal, stopped: Callable[[], bool]) -> bool:
    """Run to the market's end, or until `stopped`; True when it reached the end."""
    for event in timeline(market, broker):
        decision = engine.handle(event)
        journal.append(event, decision)  # Before acting: a crash here loses nothing.
        if decision.actions:
            broker.carry_out(decision.actions)
        if stopped():
            return False
    return True


def timeline(market: Market, broker: Broker) -> Iterator[Event]:
    """All events in the one order: updates caused by a minute's bar, the minute, updates caused by our answer.

    The caller acts on an event before it asks for the next, so what its orders caused comes next.
    At an opening the broker's account follows, before the first minute.
    """
    updates = broker.updates
    for step in market:
        while batch := updates():
            yield from batch
        yield step
        while batch := updates():
            yield from batch
        if type(step) is SessionPhase and step.phase is Phase.OPENING:
            yield broker.account()
            while batch := updates():
                yield from batch
