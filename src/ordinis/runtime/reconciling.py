"""Holding our book against the broker's: at the start, every minute, after each lost connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from ordinis.domain.account import Position
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import BookCorrection, Event, Reconciliation
from ordinis.engines.reconcile import Findings, Foreign, OwnBooks, reconcile
from ordinis.ports import StandingBroker

_ROUNDS_MAX = 3  # What comes of one question can raise another: a leg that lives since its parent filled.


class Reconciler:
    """`look` asks; the events it gives are to be handled one by one, before the next is asked for."""

    def __init__(
        self,
        own: Callable[[], OwnBooks],
        broker: StandingBroker,
        foreign: Foreign = "leave",
        foreign_orders: Foreign = "leave",
    ) -> None:
        self._own = own
        self._broker = broker
        self._foreign = foreign
        self._foreign_orders = foreign_orders
        self._correcting = False  # What the last look found will be booked, if this one finds it again.
        self._said: tuple[str, ...] = ()  # In this session.
        self._openings = 0
        self._left_alone: tuple[Position, ...] = ()
        self.findings: Findings | None = None  # The last look's.

    def look(self, *, tell: bool = False) -> Iterator[Event]:
        """News first, then one Reconciliation where something is to be said; `tell`: in any case.

        Orders and positions can disagree for seconds after a fill, so our book is corrected only when two looks in
        a row find the same.
        """
        if self._broker.busy and not tell:
            return
        self._forget_last_session()
        try:
            yield from self._held_together(tell)
        except BrokerError as error:  # Whatever it was may be over in a minute: entries wait, exits go on.
            yield from self._said_once(
                Reconciliation(at_ns=self._broker.now_ns(), differences=(f"the books cannot be compared: {error}",))
            )

    def _held_together(self, tell: bool) -> Iterator[Event]:
        unheard: tuple[str, ...] = ()
        cash_usd = self._broker.account().cash_usd if self._correcting else None  # First: what fills after it is seen.
        for _ in range(_ROUNDS_MAX):
            books = self._broker.books()
            findings = self.findings = reconcile(self._own(), books, self._foreign, self._foreign_orders)
            if not findings.doubtful:
                unheard = ()
                break
            unheard = tuple(name for name in findings.doubtful if not self._broker.inquire(name))
            yield from self._broker.updates()
        event = self._event(books.at_ns, findings, unheard, cash_usd)
        acts = bool(event.corrections or event.adopted)
        yield from self._said_once(event, always=tell or acts or findings.foreign != self._left_alone)
        self._left_alone = findings.foreign

    def _forget_last_session(self) -> None:
        """Our book has forgotten what it was told before an opening: what still differs is to be said again."""
        openings = self._own().openings
        if openings != self._openings:
            self._openings, self._said = openings, ()

    def _said_once(self, event: Reconciliation, *, always: bool = False) -> Iterator[Event]:
        if always or event.differences != self._said:
            self._said = event.differences
            yield event

    def _event(
        self, at_ns: int, findings: Findings, unheard: tuple[str, ...], cash_usd: Decimal | None
    ) -> Reconciliation:
        lines = {_line(one): one for one in findings.corrections}
        confirmed = tuple(one for line, one in lines.items() if line in self._said)
        waiting = {line: one.symbol for line, one in lines.items() if line not in self._said}
        self._correcting = bool(waiting)
        return Reconciliation(
            at_ns=at_ns,
            corrections=confirmed,
            differences=(*waiting, *findings.differences, *(_unheard(name) for name in unheard)),
            foreign=findings.foreign if findings.foreign or self._left_alone else None,
            cash_usd=cash_usd if confirmed else None,
            adopted=tuple(one for one in findings.adopted if one.symbol not in waiting.values()),
        )


def _unheard(client_order_id: str) -> str:
    return f"order {client_order_id} works in our book, and the broker has never heard of it"


def _line(correction: BookCorrection) -> str:
    return f"{correction.symbol}: the broker has {correction.quantity:+f} shares that no fill explains"
