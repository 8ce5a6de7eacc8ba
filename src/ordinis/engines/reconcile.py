"""Our book against the broker's: a pure function of both, and doing it twice changes nothing.

The broker wins on quantity, the journal on intent. What an order of ours can still explain is asked about first; what
is not ours is adopted or left alone by setting; what nobody can explain is said, and stops entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ordinis.domain.account import Position
from ordinis.domain.events import BookCorrection
from ordinis.domain.standing import BrokerBooks, StandingOrder
from ordinis.engines.state import State

Foreign = Literal["leave", "adopt"]
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """An order of ours that is not final, as far as we have heard."""

    symbol: str
    filled_quantity: Decimal
    foreign: bool = False  # Of other hands, adopted.


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBooks:
    """What we hold, what works for us, and what at the broker is none of our business."""

    book: str
    symbols: frozenset[str]  # All that we may trade.
    quantities: Mapping[str, Decimal]  # Shares by symbol, signed.
    prices_usd: Mapping[str, Decimal]  # Average, of what is held.
    orders: Mapping[str, OwnOrder]  # By client order id.
    foreign: Mapping[str, Decimal]  # Left alone since an earlier look, shares by symbol.
    openings: int = 0  # Sessions so far: each forgets what was said of the books before.


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table that a person sees."""

    subject: str
    ours: str
    theirs: str
    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What comes of it. `doubtful` orders are to be asked about, and then books are held together anew.

    `adopted` orders of other hands are gone by as soon as no correction of their symbol waits.
    """

    rows: tuple[Row, ...]
    doubtful: tuple[str, ...] = ()
    corrections: tuple[BookCorrection, ...] = ()
    differences: tuple[str, ...] = ()
    foreign: tuple[Position, ...] = ()
    adopted: tuple[StandingOrder, ...] = ()

    @property
    def agree(self) -> bool:
        return not (self.doubtful or self.corrections or self.differences)


def own_books(state: State, book: str) -> OwnBooks:
    """The engine's side."""
    ledger = state.ledger
    return OwnBooks(
        book=book,
        symbols=frozenset(state.universe.symbols),
        quantities={symbol: one.quantity for symbol, one in ledger.holdings.items()},
        prices_usd={symbol: one.average_price_usd for symbol, one in ledger.holdings.items()},
        orders={
            name: OwnOrder(symbol=one.symbol, filled_quantity=one.filled, foreign=one.foreign)
            for name, one in state.desk.working.items()
        },
        foreign=ledger.foreign,
        openings=state.gate.books.openings,
    )


def reconcile(
    ours: OwnBooks, theirs: BrokerBooks, foreign: Foreign = "leave", foreign_orders: Foreign = "leave"
) -> Findings:
    """What our book and the broker's say differently, and what is to be done about it.

    `foreign` is about positions of other hands, `foreign_orders` about their orders.
    """
    standing = {order.client_order_id: order for order in theirs.orders}
    doubtful = tuple(
        name
        for name, order in ours.orders.items()
        if name not in standing or standing[name].filled_quantity != order.filled_quantity
    )
    unsettled = {ours.orders[name].symbol for name in doubtful}
    rows = [_order_row(name, ours, standing) for name in ours.orders]
    positions = _Positions(ours, theirs, unsettled, foreign)
    alone = frozenset(one.symbol for one in positions.left_alone)
    strays = _Strays(ours, theirs, alone | unsettled, adopts=foreign_orders == "adopt")
    return Findings(
        rows=(*positions.rows, *rows, *strays.rows),
        doubtful=doubtful,
        corrections=tuple(positions.corrections),
        differences=tuple(strays.differences),
        foreign=tuple(positions.left_alone),
        adopted=tuple(strays.adopted),
    )


class _Positions:
    """Each symbol that either side has."""

    def __init__(self, ours: OwnBooks, theirs: BrokerBooks, unsettled: set[str], foreign: Foreign) -> None:
        self.rows: list[Row] = []
        self.corrections: list[BookCorrection] = []
        self.left_alone: list[Position] = []
        self._ours = ours
        self._unsettled = unsettled
        self._adopts = foreign == "adopt"
        self._at_ns = theirs.at_ns
        reported = {position.symbol: position for position in theirs.positions}
        for symbol in sorted(reported.keys() | ours.quantities.keys()):
            self._judge(symbol, reported.get(symbol))

    def _judge(self, symbol: str, reported: Position | None) -> None:
        held = self._ours.quantities.get(symbol, _NONE)
        there = _NONE if reported is None else reported.quantity
        self.rows.append(
            Row(
                subject=symbol,
                ours=f"{held:f}",
                theirs=f"{there:f}",
                finding=self._found(symbol, held, there, reported),
            )
        )

    def _found(self, symbol: str, held: Decimal, there: Decimal, reported: Position | None) -> str:
        surplus = there - held
        left = self._left(symbol, held, surplus)
        if left and reported is not None:
            self.left_alone.append(Position(symbol=symbol, quantity=left, average_price_usd=reported.average_price_usd))
        missing = surplus - left
        if not missing:
            return f"{left:f} not ours, left alone" if left else "agrees"
        if symbol in self._unsettled:
            return "an order of ours is asked about first"
        price_usd = self._ours.prices_usd.get(symbol, _NONE) if reported is None else reported.average_price_usd
        self.corrections.append(
            BookCorrection(
                id=f"correction-{self._at_ns}-{symbol}", symbol=symbol, quantity=missing, price_usd=price_usd
            )
        )
        return f"{missing:+f} adopted" if not held and self._adopts else f"{missing:+f} that nothing explains"

    def _left(self, symbol: str, held: Decimal, surplus: Decimal) -> Decimal:
        """How much of it is none of ours: what was left alone before, as far as it is still there, or all that is
        new in a symbol we do not hold.
        """
        before = self._ours.foreign.get(symbol, _NONE)
        if before:
            return surplus if surplus * before > 0 and (not held or abs(surplus) <= abs(before)) else _NONE
        if held or symbol in self._unsettled:
            return _NONE
        return surplus if symbol not in self._ours.symbols or not self._adopts else _NONE


def _order_row(name: str, ours: OwnBooks, standing: Mapping[str, StandingOrder]) -> Row:
    order = ours.orders[name]
    there = standing.get(name)
    if there is None:
        return Row(subject=name, ours="works", theirs="not open", finding="is asked about")
    same = there.filled_quantity == order.filled_quantity
    agrees = "adopted, agrees" if order.foreign else "agrees"
    return Row(
        subject=name,
        ours=f"works, {order.filled_quantity:f} filled",
        theirs=f"works, {there.filled_quantity:f} filled",
        finding=agrees if same else "is asked about",
    )


class _Strays:
    """Orders at the broker that our book does not know: a symbol's are adopted all together, or left alone.

    Of one that has begun to fill nobody can tell which of its fills the position holds already; of one whose position
    is left alone, what it would do to ours.
    """

    def __init__(self, ours: OwnBooks, theirs: BrokerBooks, not_now: frozenset[str], *, adopts: bool) -> None:
        self.rows: list[Row] = []
        self.differences: list[str] = []
        self.adopted: list[StandingOrder] = []
        strays = [order for order in theirs.orders if order.client_order_id not in ours.orders]
        self._prefix = f"{ours.book}-"
        unfit = {one.symbol for one in strays if not _can_be_adopted(one) or self._is_named_ours(one)}
        adoptable = ours.symbols - unfit - not_now if adopts else frozenset[str]()
        for order in strays:
            self._judge(order, adoptable)

    def _is_named_ours(self, order: StandingOrder) -> bool:
        return order.client_order_id.startswith(self._prefix)

    def _judge(self, order: StandingOrder, adoptable: frozenset[str]) -> None:
        name, finding = order.client_order_id, "not ours, left alone"
        if self._is_named_ours(order):
            finding = "that nothing explains"
            self.differences.append(f"order {name} works at the broker, and our book says that it is over")
        elif order.symbol in adoptable:
            finding = "not ours, adopted"
            self.adopted.append(order)
        theirs = f"works, {order.quantity:f} {order.symbol}"
        self.rows.append(Row(subject=name, ours="none", theirs=theirs, finding=finding))


def _can_be_adopted(order: StandingOrder) -> bool:
    """All of it is known, and none of it is filled."""
    return bool(order.quantity) and not order.filled_quantity and order.side is not None and order.type is not None
