"""What the orders of a group do to each other as they fill: parents and their legs, stops and their targets."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.pricing import Bar
from ordinis.domain.orders import OrderStatus

_ACCEPTED: Final = OrderStatus.ACCEPTED
_CANCELED: Final = OrderStatus.CANCELED
_FILLED: Final = OrderStatus.FILLED


class Groups:
    """`start` lets an order work, `end` ends one; both are the exchange's."""

    __slots__ = ("_books", "_end", "_start")

    def __init__(
        self,
        books: AccountBooks,
        start: Callable[[BrokerOrder, int], None],
        end: Callable[[BrokerOrder, OrderStatus, int | None], None],
    ) -> None:
        self._books = books
        self._start = start
        self._end = end

    @staticmethod
    def follow(later: list[tuple[BrokerOrder, Bar]], entry: BrokerOrder, bar: Bar) -> None:
        """The legs that an entry has brought to life meet what is left of its bar, the stop first."""
        if entry.sibling is None:
            later += [(leg, bar) for leg in entry.legs if leg.status is _ACCEPTED]

    def outlive(self, stop: BrokerOrder, at_ns: int) -> None:
        """The stop of a pair executes: its target ends, and the shares are the stop's to hold."""
        if stop.sibling is not None:
            self._end(stop.sibling, _CANCELED, at_ns)
        stop.holds = True
        self._books.hold(stop)

    def after_fill(self, order: BrokerOrder, quantity: Decimal, at_ns: int) -> None:
        if order.sibling is not None:
            self._resize_sibling(order.sibling, quantity, at_ns)
        elif order.status is _FILLED:
            self.release_legs(order, at_ns)

    def _resize_sibling(self, stop: BrokerOrder, sold: Decimal, at_ns: int) -> None:
        """The target of a pair has filled: its stop protects what is left."""
        if not stop.live:  # Or the stop itself has filled, which ended the target.
            return
        if sold == stop.quantity:
            self._end(stop, _CANCELED, at_ns)
        else:
            stop.quantity -= sold

    def release_legs(self, parent: BrokerOrder, at_ns: int) -> None:
        """Held legs live from now on, unless the parent's shares have been closed meanwhile."""
        is_there = self._books.quantity(parent.column) > 0 if parent.buys else self._books.quantity(parent.column) < 0
        fits = is_there and parent.quantity <= self._books.free_to_exit(parent.column)
        lives = parent.sibling is not None or fits  # A pair's shares are held already.
        for leg in parent.legs:
            if lives:
                self._start(leg, at_ns)
            else:
                self._end(leg, _CANCELED, at_ns)
