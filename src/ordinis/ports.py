"""What the shell needs of the edges. Small on purpose: the shell only passes things on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import BrokerEvent, Event, OrderUpdate, SessionPhase
from ordinis.domain.market import DailyBlock, MarketBlock, MarketSlice
from ordinis.domain.orders import Action
from ordinis.domain.standing import BrokerBooks


class Broker(Protocol):
    """Where orders go and their updates come from."""

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Send, in order. A refusal is not an error here: it comes back as an update with a code."""

    def updates(self) -> Sequence[BrokerEvent]:
        """What happened since the last call, in order of execution. Empty when nothing did."""

    def account(self) -> AccountView:
        """The broker's own figures, now."""


class StandingBroker(Broker, Protocol):
    """A broker that outlives us: what became of orders can be asked, whatever we have missed."""

    def books(self) -> BrokerBooks:
        """Positions and open orders, now."""

    def inquire(self, client_order_id: str) -> bool:
        """Ask what became of an order; the news comes with `updates`. False: the broker never heard of it."""

    def now_ns(self) -> int:
        """The broker's clock."""

    @property
    def busy(self) -> bool:
        """Nothing that can wait should be asked now."""

    def recall(self, update: OrderUpdate) -> None:
        """An update that an earlier run was told of: it is no news any more."""


class Market(Protocol):
    """Where time comes from: phases and minutes, in order. Asking for the next one lets time pass."""

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice | None]:
        """None: nothing has passed yet, but the broker may have news."""


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
