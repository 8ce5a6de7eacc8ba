"""Start and recovery are one path: relive the journal, hear what was missed, send what is still to be sent, go.

Nothing is decided anew, and nothing is sent before the broker was asked whether it has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import Action, CancelIntent, OrderIntent
from ordinis.domain.standing import Reached
from ordinis.engines.trading import TradingEngine
from ordinis.ports import Journal, StandingBroker
from ordinis.runtime.loop import act
from ordinis.runtime.reconciling import Reconciler


@dataclass(slots=True)
class Relived:
    """Where a journal ends: how far the market had come, and what may be under way at the broker."""

    reached: Reached | None = None
    account_due: bool = False  # A session has opened, and the broker's figures were not written down.
    intents: dict[str, OrderIntent] = field(default_factory=dict)  # Of orders that are not over, by their id.
    updates: list[OrderUpdate] = field(default_factory=list)  # Of this session, or of orders that are not over.
    events: int = 0


def relive(engine: TradingEngine, steps: Iterable[tuple[Event, Decision]]) -> Relived:
    """Bring a warm engine to where the journal ends. Errors: JournalError from the steps."""
    lived = Relived()
    for event, decision in steps:
        engine.recall(event, decision)
        lived.events += 1
        lived.intents |= {one.client_order_id: one for one in decision.actions if isinstance(one, OrderIntent)}
        _remember(lived, event, engine.state.desk.working.keys())
    return lived


def _remember(lived: Relived, event: Event, working: Iterable[str]) -> None:
    if isinstance(event, OrderUpdate):
        lived.updates.append(event)
    elif isinstance(event, MarketSlice):
        lived.reached = Reached(session=event.session, closed=False, at_ns=event.at_ns)
    elif isinstance(event, AccountView):
        lived.account_due = False
    elif isinstance(event, SessionPhase):
        closed = event.phase is Phase.CLOSED
        lived.reached = Reached(session=event.session, closed=closed, at_ns=event.at_ns)
        lived.account_due = not closed
        if closed:
            open_still = set(working)
            lived.intents = {name: one for name, one in lived.intents.items() if name in open_still}
            lived.updates = [one for one in lived.updates if one.client_order_id in open_still]


def catch_up(
    engine: TradingEngine, lived: Relived, broker: StandingBroker, journal: Journal, reconciler: Reconciler
) -> None:
    """At the broker: ask about every order of ours, send what never arrived, hear the rest, hold the books."""
    for update in lived.updates:
        broker.recall(update)
    for name in list(engine.state.desk.working):
        known = broker.inquire(name)
        broker.carry_out(_still_to_do(engine, lived, name, known))
    while batch := broker.updates():
        for event in batch:
            act(engine, event, broker, journal)
    if lived.account_due:
        act(engine, broker.account(), broker, journal)
    for found in reconciler.look(tell=True):
        act(engine, found, broker, journal)


def _still_to_do(engine: TradingEngine, lived: Relived, name: str, known: bool) -> list[Action]:
    """An order that the broker never had is sent, if its time has not passed; a cancel is sent again: it does no harm
    twice. A leg goes with its parent.
    """
    order = engine.state.desk.working[name]
    intent = lived.intents.get(name)
    if not known and intent is not None:
        return [intent]
    if known and order.cancelling:
        at_ns = 0 if lived.reached is None else lived.reached.at_ns
        return [CancelIntent(client_order_id=name, symbol=order.symbol, decided_at_ns=at_ns)]
    return []
