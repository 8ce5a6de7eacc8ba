"""What the shell needs of the edges. Small on purpose: the shell only passes things on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import BrokerEvent, Event, SessionPhase
from ordinis.domain.market import DailyBlock, MarketBlock, MarketSlice
from ordinis.domain.orders import Action


class Broker(Protocol):
    """Where orders go and their updates come from."""

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Send, in order. A refusal is not an error here: it comes back as an update with a code."""

    def updates(self) -> Sequence[BrokerEvent]:
        """What happened since the last call, in order of execution. Empty when nothing did."""

    def account(self) -> AccountView:
        """The broker's own figures, now."""


class Market(Protocol):
    """Where time comes from: phases and minutes, in order. Asking for the next one lets time pass."""

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice]: ...


class History(Protocol):
    """What was before the first minute: for warm-up."""

    def minutes(self) -> Iterable[MarketBlock]:
        """Sessions before the run, oldest first."""

    def daily(self) -> DailyBlock:
        """Daily bars before the run, oldest first."""


class Journal(Protocol):
    """The one record. `append` returns only when it is as durable as the mode asks."""

    def append(self, event: Event, decision: Decision) -> None: ...

    def close(self) -> None: ...
