"""What a run over a wire looks at after every minute, and what it says aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ordinis.domain.decision import Decision
from ordinis.domain.events import Command, CommandKind, Event
from ordinis.engines.state import State
from ordinis.journal.telling import news
from ordinis.journal.times import new_york_text
from ordinis.journal.writer import SqliteJournal
from ordinis.ports import Journal, StandingBroker
from ordinis.runtime.account_look import AccountLook
from ordinis.runtime.reconciling import Reconciler

Say = Callable[[str], None]


class Clocked(Protocol):
    """A connection to a broker."""

    @property
    def broker(self) -> StandingBroker: ...

    @property
    def now_ns(self) -> int: ...


class Watch:
    """After every minute: is there still room to write, may the account trade, and do the books agree."""

    def __init__(self, state: State, reconciler: Reconciler, record: SqliteJournal, link: Clocked) -> None:
        self._account = AccountLook(state, link.broker)
        self._reconciler = reconciler
        self._record = record
        self._link = link
        self._told = False

    def __call__(self) -> Iterator[Event]:
        if self._record.crowded and not self._told:
            self._told = True
            yield Command(
                at_ns=self._link.now_ns,
                kind=CommandKind.REDUCE,
                note="the disk is full: free some space, then start again with --resume",
            )
        yield from self._account.look()
        yield from self._reconciler.look()


class Aloud:
    """A journal that is read aloud: what happened and what it led to is said once it is written down."""

    def __init__(self, record: Journal, say: Say) -> None:
        self._record = record
        self._say = say

    def append(self, event: Event, decision: Decision) -> None:
        self._record.append(event, decision)
        happened = news(event)
        for line in (*([] if happened is None else [happened]), *decision.notes):
            self._say(f"{new_york_text(event.at_ns)}  {line}")

    def close(self) -> None:
        self._record.close()
