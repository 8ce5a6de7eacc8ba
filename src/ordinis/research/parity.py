"""A recorded day against the same day replayed through the backtest: where they differ, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, OrderUpdate, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketSlice
from ordinis.domain.orders import CancelIntent, OrderIntent, ReplaceIntent

Step = tuple[Event, Decision]
What = Literal["decision", "order", "fill"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that went otherwise. `at_ns` is the minute's end."""

    at_ns: int
    what: What
    subject: str  # The order's id, or the minute.
    recorded: str
    replayed: str
    cause: str


class Filled(msgspec.Struct, frozen=True):
    """All fills of one order."""

    at_ns: int  # Of the first.
    symbol: str
    quantity: Decimal
    value_usd: Decimal

    @property
    def price_usd(self) -> Decimal:
        return self.value_usd / self.quantity

    @property
    def text(self) -> str:
        return f"{self.quantity.normalize():f} at {self.price_usd:.4f}"


class DayTold(msgspec.Struct):
    """A day's orders, fills and minutes, as a journal or a replay tells them."""

    orders: dict[str, OrderIntent]
    cancels: dict[str, int]  # The order's id, and when it was decided.
    fills: dict[str, Filled]
    minutes: dict[int, MarketSlice]
    changes: dict[int, bytes]  # What became of the candidates, by minute.


def told(steps: Iterable[Step], day: date) -> DayTold:
    """The part of that day, from its opening on."""
    found, on = DayTold({}, {}, {}, {}, {}), False
    for event, decision in steps:
        if isinstance(event, SessionPhase):
            on = event.session.date == day
        if not on:
            continue
        for action in decision.actions:
            if isinstance(action, OrderIntent):
                found.orders[action.client_order_id] = action
            elif isinstance(action, CancelIntent | ReplaceIntent):
                found.cancels[action.client_order_id] = action.decided_at_ns
        if isinstance(event, MarketSlice):
            found.minutes[event.at_ns] = event
            if decision.changes:
                found.changes[event.at_ns] = decision.changes
        elif isinstance(event, OrderUpdate) and event.fill is not None:
            _add_fill(found.fills, event)
    return found


def _add_fill(fills: dict[str, Filled], update: OrderUpdate) -> None:
    fill = update.fill
    assert fill is not None
    value_usd = fill.quantity * fill.price_usd
    before = fills.get(update.client_order_id)
    if before is None:
        fills[update.client_order_id] = Filled(fill.filled_at_ns, fill.symbol, fill.quantity, value_usd)
        return
    fills[update.client_order_id] = Filled(
        min(before.at_ns, fill.filled_at_ns),
        fill.symbol,
        before.quantity + fill.quantity,
        before.value_usd + value_usd,
    )


def compare(recorded: DayTold, replayed: DayTold) -> list[Difference]:
    """In order of time; the first of a symbol is a cause, what comes after may follow from it."""
    found = [
        *_orders(recorded, replayed),
        *_fills(recorded, replayed),
        *_decisions(recorded, replayed),
    ]
    found.sort(key=lambda one: (one.at_ns, one.what, one.subject))
    return found


def _orders(recorded: DayTold, replayed: DayTold) -> Iterable[Difference]:
    for name in sorted(recorded.orders.keys() | replayed.orders.keys()):
        ours, theirs = recorded.orders.get(name), replayed.orders.get(name)
        if ours == theirs:
            continue
        one = ours or theirs
        assert one is not None
        yield Difference(
            at_ns=one.decided_at_ns,
            what="order",
            subject=name,
            recorded=_order_text(ours),
            replayed=_order_text(theirs),
            cause=_cause(one.symbol, one.decided_at_ns, recorded, replayed),
        )
    for name in sorted(recorded.cancels.keys() ^ replayed.cancels.keys()):
        at_ns = recorded.cancels.get(name) or replayed.cancels[name]
        yield Difference(
            at_ns=at_ns,
            what="order",
            subject=name,
            recorded="taken back" if name in recorded.cancels else "not taken back",
            replayed="taken back" if name in replayed.cancels else "not taken back",
            cause="timing: what it did before went otherwise",
        )


def _order_text(order: OrderIntent | None) -> str:
    if order is None:
        return "none"
    stop = f", stop {order.position_stop_usd}" if order.position_stop_usd is not None else ""
    return f"{order.side.value} {order.quantity.normalize():f} {order.type.value}{stop}"


def _fills(recorded: DayTold, replayed: DayTold) -> Iterable[Difference]:
    for name in sorted(recorded.fills.keys() | replayed.fills.keys()):
        ours, theirs = recorded.fills.get(name), replayed.fills.get(name)
        if ours == theirs:
            continue
        one = ours or theirs
        assert one is not None
        yield Difference(
            at_ns=_minute_end(one.at_ns),
            what="fill",
            subject=name,
            recorded="none" if ours is None else ours.text,
            replayed="none" if theirs is None else theirs.text,
            cause=_fill_cause(ours, theirs, recorded, replayed),
        )


def _fill_cause(ours: Filled | None, theirs: Filled | None, recorded: DayTold, replayed: DayTold) -> str:
    if ours is None or theirs is None:
        one = ours or theirs
        assert one is not None
        return _cause(one.symbol, _minute_end(one.at_ns), recorded, replayed)
    if ours.quantity != theirs.quantity:
        return "quantity: another part of it was filled, or another size was ordered"
    if _minute_end(ours.at_ns) != _minute_end(theirs.at_ns):
        return f"timing: {(ours.at_ns - theirs.at_ns) / 1e9:+,.1f} s, and the price of then"
    if ours.price_usd != theirs.price_usd:
        return f"price: {ours.price_usd - theirs.price_usd:+.4f} USD a share"
    return f"timing: {(ours.at_ns - theirs.at_ns) / 1e9:+,.1f} s, at the same price"


def _decisions(recorded: DayTold, replayed: DayTold) -> Iterable[Difference]:
    for at_ns in sorted(recorded.changes.keys() | replayed.changes.keys()):
        if recorded.changes.get(at_ns) != replayed.changes.get(at_ns):
            known = at_ns in recorded.minutes and at_ns in replayed.minutes
            yield Difference(
                at_ns=at_ns,
                what="decision",
                subject="the minute's reasons",
                recorded=f"{len(recorded.changes.get(at_ns, b'')) // 3} changed",
                replayed=f"{len(replayed.changes.get(at_ns, b'')) // 3} changed",
                cause="follows from what differed before" if known else "missing bar: one of them had no such minute",
            )


def _cause(symbol: str, at_ns: int, recorded: DayTold, replayed: DayTold) -> str:
    """The simplest that fits: a bar that was not there, or something of the symbol that went otherwise before."""
    minute = recorded.minutes.get(_minute_end(at_ns))
    if minute is None:
        return "timing: decided in no minute of the recorded day"
    if not minute.present[minute.universe.column[symbol]]:
        return f"missing bar: {symbol} had none in that minute"
    earlier = _first_fill_that_differs(recorded.fills, replayed.fills, at_ns)
    return "settings or version: no earlier fill differs" if earlier is None else f"price or timing: follows {earlier}"


def _first_fill_that_differs(ours: Mapping[str, Filled], theirs: Mapping[str, Filled], before_ns: int) -> str | None:
    names = [
        name
        for name in ours.keys() | theirs.keys()
        if ours.get(name) != theirs.get(name) and (ours.get(name) or theirs[name]).at_ns <= before_ns
    ]
    return min(names, key=lambda name: ((ours.get(name) or theirs[name]).at_ns, name), default=None)


def _minute_end(at_ns: int) -> int:
    return -(-at_ns // MINUTE_NS) * MINUTE_NS
