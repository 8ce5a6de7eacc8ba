"""Why a symbol was traded, or was not: everything the journal says of one candidate at one minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from ordinis.domain.decision import Decision
from ordinis.domain.errors import DataError
from ordinis.domain.events import CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import CancelIntent, OrderIntent, leg_id
from ordinis.journal.coding import Kind, decode_decision, decode_event
from ordinis.journal.entries import JournalReader, not_understood, open_journal
from ordinis.journal.story import CandidateStory, OrderStory, WhyStory
from ordinis.journal.telling import render
from ordinis.journal.times import new_york_text, parse_time
from ordinis.journal.trips import Trip, trips
from ordinis.journal.views import Assessed, ReasonChange, decode_changes, reason_of, unpack_changes

_Told = OrderUpdate | CashFlow | CorporateAction
_TELLING = (int(Kind.UPDATE), int(Kind.CASH), int(Kind.CORPORATE))

__all__ = ["CandidateStory", "OrderStory", "WhyStory", "parse_time", "render", "why"]


def why(path: str | Path, symbol: str, at_ns: int | None = None) -> WhyStory:
    """What became of the symbol in the minute of `at_ns` (UTC nanoseconds; None: the journal's last).

    `DataError` for a symbol the run did not have, and for a time the journal does not hold.
    """
    with open_journal(path) as journal:
        column = _column(journal, symbol)
        at_ns = _within(journal, at_ns)
        until_ns = at_ns // MINUTE_NS * MINUTE_NS + MINUTE_NS - 1
        record = _Record(journal, symbol, column, until_ns)
    return WhyStory(
        symbol=symbol,
        at_ns=at_ns,
        in_force=record.in_force,
        candidates=record.candidates(),
        actions=record.actions,
    )


class _Record:
    """One pass over the journal: all that concerns one symbol."""

    def __init__(self, journal: JournalReader, symbol: str, column: int, until_ns: int) -> None:
        self.in_force: ReasonChange | None = None
        self._journal = journal
        self._symbol = symbol
        self._column = column
        self._until_ns = until_ns
        self._latest: list[Assessed] = []
        self._orders: dict[str, OrderIntent] = {}
        self._cancels: list[CancelIntent] = []
        self._told: list[_Told] = []  # All that was said of the symbol, in order.
        for seq, at_ns, told, decision in self._rows():
            self._take(seq, at_ns, told, decision)
        self._updates = [one for one in self._told if isinstance(one, OrderUpdate)]
        self._trips = trips(self._told)

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        known = (one for one in self._told if isinstance(one, CorporateAction))
        return tuple(one for one in known if one.at_ns <= self._until_ns)

    def candidates(self) -> tuple[CandidateStory, ...]:
        return tuple(
            CandidateStory(assessed=one, order=self._order(one.assessment.client_order_id)) for one in self._latest
        )

    def _rows(self) -> Iterator[tuple[int, int, _Told | None, Decision | None]]:
        name = self._symbol.encode()
        for seq, at_ns, kind, payload, packed in self._journal.recorded():
            if packed is None and kind not in _TELLING:
                continue
            try:
                told = decode_event(kind, at_ns, payload) if kind in _TELLING and name in payload else None
                yield seq, at_ns, told if isinstance(told, _Told) else None, _decision(packed, name)
            except msgspec.MsgspecError as error:
                raise not_understood(self._journal.path, f"event {seq}", error) from error

    def _take(self, seq: int, at_ns: int, told: _Told | None, decision: Decision | None) -> None:
        if told is not None and told.symbol == self._symbol:
            self._told.append(told)
        if decision is None:
            return
        for action in decision.actions:
            if isinstance(action, OrderIntent):
                self._orders[action.client_order_id] = action
            elif isinstance(action, CancelIntent):
                self._cancels.append(action)
        if at_ns <= self._until_ns:
            self._take_reason(seq, at_ns, decision.changes)
            self._take_candidates(seq, at_ns, decision)

    def _take_reason(self, seq: int, at_ns: int, changes: bytes) -> None:
        columns, reasons = unpack_changes(changes)
        for number in reasons[columns == self._column].tolist():
            reason = reason_of(self._journal.path, number)
            self.in_force = ReasonChange(seq=seq, at_ns=at_ns, symbol=self._symbol, reason=reason)

    def _take_candidates(self, seq: int, at_ns: int, decision: Decision) -> None:
        for one in decision.assessments:
            if one.symbol != self._symbol:
                continue
            if self._latest and self._latest[-1].at_ns // MINUTE_NS != at_ns // MINUTE_NS:
                self._latest.clear()
            self._latest.append(Assessed(seq=seq, at_ns=at_ns, assessment=one))

    def _order(self, client_order_id: str | None) -> OrderStory | None:
        if client_order_id is None or client_order_id not in self._orders:
            return None
        own = (client_order_id, leg_id(client_order_id))
        return OrderStory(
            intent=self._orders[client_order_id],
            updates=tuple(update for update in self._updates if update.client_order_id in own),
            canceled_at_ns=tuple(one.decided_at_ns for one in self._cancels if one.client_order_id in own),
            trip=self._trip(client_order_id),
        )

    def _trip(self, client_order_id: str) -> Trip | None:
        return next((trip for trip in self._trips if trip.holds(client_order_id)), None)


def _decision(packed: bytes | None, name: bytes) -> Decision | None:
    """Decoded as far as this symbol needs it: most decisions are about others."""
    if packed is None:
        return None
    return decode_decision(packed) if name in packed else Decision(changes=decode_changes(packed))


def _column(journal: JournalReader, symbol: str) -> int:
    symbols = journal.symbols
    if symbol not in symbols:
        raise DataError(f"{journal.path} has no symbol {symbol}. It has: {', '.join(sorted(symbols))}")
    return symbols.index(symbol)


def _within(journal: JournalReader, at_ns: int | None) -> int:
    """The time asked for, or the last there is."""
    times = [row[1] for row in journal.recorded()]
    if not times:
        raise DataError(f"{journal.path} holds no events yet. Run first, then ask")
    first_ns, last_ns = min(times), max(times)
    if at_ns is None:
        return last_ns
    if not first_ns // MINUTE_NS <= at_ns // MINUTE_NS <= last_ns // MINUTE_NS:
        raise DataError(
            f"{journal.path} holds {new_york_text(first_ns)} to {new_york_text(last_ns)} (New York),"
            f" not {new_york_text(at_ns)}. Ask for a time in between"
        )
    return at_ns
