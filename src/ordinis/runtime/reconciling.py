"""Holding our book against the broker's: at the start, every minute, after each lost connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ordinis.domain.account import Position
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import BookCorrection, Event, Reconciliation
from ordinis.engines.reconcile import Findings, Foreign, OwnBooks, reconcile
from ordinis.ports import StandingBroker

_ROUNDS_MAX = 3  # What comes of one question can raise another: a leg that lives since its parent filled.


class Reconciler:
    """`look` asks; the events it gives are to be handled one by one, before the next is asked for."""

    def __init__(self, own: Callable[[], OwnBooks], broker: StandingBroker, foreign: Foreign = "leave") -> None:
        self._own = own
        self._broker = broker
        self._foreign = foreign
        self._said: tuple[str, ...] = ()
        self._left_alone: tuple[Position, ...] = ()
        self.findings: Findings | None = None  # The last look's.

    def look(self, *, tell: bool = False) -> Iterator[Event]:
        """News first, then one Reconciliation where something is to be said; `tell`: in any case.

        Orders and positions can disagree for seconds after a fill, so our book is corrected only when two looks in
        a row find the same.
        """
        if self._broker.busy and not tell:
            return
        try:
            yield from self._held_together(tell)
        except BrokerError as error:  # Whatever it was may be over in a minute: entries wait, exits go on.
            yield from self._said_once(
                Reconciliation(at_ns=self._broker.now_ns(), differences=(f"the books cannot be compared: {error}",))
            )

    def _held_together(self, tell: bool) -> Iterator[Event]:
        unheard: tuple[str, ...] = ()
        for _ in range(_ROUNDS_MAX):
            books = self._broker.books()
            findings = self.findings = reconcile(self._own(), books, self._foreign)
            if not findings.doubtful:
                unheard = ()
                break
            unheard = tuple(name for name in findings.doubtful if not self._broker.inquire(name))
            yield from self._broker.updates()
        event = self._event(books.at_ns, findings, unheard)
        moved = findings.foreign != self._left_alone
        yield from self._said_once(event, always=tell or bool(event.corrections) or moved)
        self._left_alone = findings.foreign

    def _said_once(self, event: Reconciliation, *, always: bool = False) -> Iterator[Event]:
        if always or event.differences != self._said:
            self._said = event.differences
            yield event

    def _event(self, at_ns: int, findings: Findings, unheard: tuple[str, ...]) -> Reconciliation:
        lines = {_line(one): one for one in findings.corrections}
        confirmed = tuple(one for line, one in lines.items() if line in self._said)
        unconfirmed = tuple(line for line in lines if line not in self._said)
        return Reconciliation(
            at_ns=at_ns,
            corrections=confirmed,
            differences=(*unconfirmed, *findings.differences, *(_unheard(name) for name in unheard)),
            foreign=findings.foreign if findings.foreign or self._left_alone else None,
        )


def _unheard(client_order_id: str) -> str:
    return f"order {client_order_id} works in our book, and the broker has never heard of it"


def _line(correction: BookCorrection) -> str:
    return f"{correction.symbol}: the broker has {correction.quantity:+f} shares that no fill explains"
