"""The life of an order, a symbol at a time: entry, protective stop, exit.

The sequence is always the same. An entry goes out alone or with its stop as a leg; a stop follows every
fill that has none; an exit first takes the stop back and goes out when the broker has confirmed that, for
a broker refuses to sell shares that another order holds. More of a position is bought in the same way, for a
broker takes no buy against a working sell stop; what has not filled by the next minute is taken back. An order
that ends unfilled leaves the position with a stop again.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ordinis.domain import money
from ordinis.domain.decision import Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import (
    Action,
    CancelIntent,
    OrderIntent,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    TimeInForce,
    leg_id,
)
from ordinis.domain.standing import StandingOrder
from ordinis.engines.execution.ids import ADD, CUT, OrderIds, leg_of
from ordinis.engines.execution.symbol_orders import Addition, Backoff, SymbolOrders, WorkingOrder, adopted

_ENTRY: Final = Purpose.ENTRY
_EXIT: Final = Purpose.EXIT
_PROTECT: Final = Purpose.PROTECT
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_MARKET: Final = OrderType.MARKET
_STOP: Final = OrderType.STOP
_LIMIT: Final = OrderType.LIMIT
_DAY: Final = TimeInForce.DAY
_GTC: Final = TimeInForce.GTC
_DUPLICATE: Final = Reason.DUPLICATE_ORDER
_OPPOSITE: Final = Reason.OPPOSITE_ORDER
_FILLED: Final = OrderStatus.FILLED
_REJECTED: Final = OrderStatus.REJECTED
_LAPSED: Final = OrderStatus.LAPSED
_REPLACED: Final = OrderStatus.REPLACED


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSettings:
    """How orders are sent."""

    book: str = "main"
    protect: bool = True  # Keep a stop at the broker for every position that has a stop price.
    intent_valid_minutes: int = 2
    retry_minutes: int = 1  # After a refused exit; doubled each time, up to the maximum.
    retry_minutes_max: int = 60
    entry_collar_fraction: float | None = None  # Entries are limits so far beyond the price; None: at the market.
    entry_life_minutes: int = 0  # What is left of an entry by then is taken back; 0: at the session's end.


class OrderDesk:
    """Sequences each symbol's orders. Its answers are actions; it never talks to a broker."""

    def __init__(self, settings: ExecutionSettings) -> None:
        self._settings = settings
        self.protects = settings.protect
        self._ids = OrderIds(settings.book)
        self._valid_ns = settings.intent_valid_minutes * MINUTE_NS
        self.working: dict[str, WorkingOrder] = {}
        self.sent = 0  # Orders since the start, legs counted.
        self.opening = 0  # Entries that have not filled at all yet.
        self.entering = 0  # Entries that work.
        self.unprotected: set[str] = set()  # Held under a stop price, with no stop at the broker for now.
        self.held_back: dict[str, str] = {}  # Id -> symbol, of additions of this minute that have not gone out.
        self._symbols: dict[str, SymbolOrders] = {}

    def of(self, symbol: str) -> SymbolOrders:
        orders = self._symbols.get(symbol)
        if orders is None:
            orders = self._symbols[symbol] = SymbolOrders()
        return orders

    def busy(self, symbol: str) -> bool:
        """An entry or an exit works, so the position changes: what a broker says of it may be older or newer."""
        orders = self._symbols.get(symbol)
        if orders is None:
            return False
        return bool(orders.entry or orders.exit) or any(one.purpose is not _PROTECT for one in orders.foreign)

    def objection(self, symbol: str) -> Reason | None:
        """Why no entry may be sent for this symbol now, as far as its orders say."""
        orders = self._symbols.get(symbol)
        if orders is None:
            return None
        if orders.entry is not None or (orders.foreign and any(one.purpose is _ENTRY for one in orders.foreign)):
            return _DUPLICATE
        return _OPPOSITE if orders.exit or orders.stop or orders.leaving or orders.foreign else None

    def enter(
        self,
        symbol: str,
        quantity: Decimal,
        stop_usd: Decimal | None,
        at_ns: int,
        direction: int = 1,
        *,
        price_usd: float | None = None,
        stop_from_ns: int | None = None,
        swing: bool = False,
    ) -> OrderIntent:
        """Buy, or with -1 sell short: at the market, or where a collar is set and the price given at a limit beyond it.

        Whole shares carry their stop with them; a stop that has to wait until `stop_from_ns` goes out by itself.
        """
        limit_usd = self._limit_usd(price_usd, direction)
        stop_usd = stop_usd if self.protects else None
        with_leg = stop_usd is not None and quantity % 1 == 0 and stop_from_ns is None
        intent = OrderIntent(
            client_order_id=self._ids.next(at_ns, symbol, "entry"),
            symbol=symbol,
            side=_BUY if direction > 0 else _SELL,
            quantity=quantity,
            type=_MARKET if limit_usd is None else _LIMIT,
            time_in_force=_GTC if with_leg else _DAY,
            purpose=_ENTRY,
            decided_at_ns=at_ns,
            valid_until_ns=at_ns + self._valid_ns,
            stop_loss_usd=stop_usd if with_leg else None,
            position_stop_usd=stop_usd,
            limit_price_usd=limit_usd,
            stop_from_ns=stop_from_ns,
            swing=swing,
        )
        self._take(intent, self.of(symbol))
        return intent

    def add(
        self, symbol: str, held: Decimal, quantity: Decimal, stop_usd: Decimal | None, at_ns: int, *, price_usd: float
    ) -> tuple[OrderIntent, list[Action]]:
        """More of a position, `quantity` unsigned; from the first fill on all of it is under `stop_usd`.

        The order, which is held back where a stop has to be taken back first, and what to do now.
        """
        direction = 1 if held > 0 else -1
        limit_usd = self._limit_usd(price_usd, direction)
        intent = OrderIntent(
            client_order_id=self._ids.next(at_ns, symbol, ADD),
            symbol=symbol,
            side=_BUY if direction > 0 else _SELL,
            quantity=quantity,
            type=_MARKET if limit_usd is None else _LIMIT,
            time_in_force=_DAY,
            purpose=_ENTRY,
            decided_at_ns=at_ns,
            valid_until_ns=at_ns + self._valid_ns,
            position_stop_usd=stop_usd if self.protects else None,
            limit_price_usd=limit_usd,
        )
        self.hold_back(intent, held)
        return intent, self._add(symbol, self.of(symbol), held, at_ns)

    def hold_back(self, intent: OrderIntent, held: Decimal) -> None:
        """An addition that is decided, to a position of `held` shares."""
        self._ids.recall(intent.client_order_id)
        self.held_back[intent.client_order_id] = intent.symbol
        self.of(intent.symbol).adding = Addition(intent, held)

    def let_go(self) -> list[str]:
        """Additions that did not go out in their minute never will: the ids. Stops come back as they are confirmed."""
        for symbol in self.held_back.values():
            self.of(symbol).adding = None
        given_up = list(self.held_back)
        self.held_back.clear()
        return given_up

    def _add(self, symbol: str, orders: SymbolOrders, held: Decimal, at_ns: int) -> list[Action]:
        """Send it if all is as it was decided on; otherwise the position has its stop again."""
        assert orders.adding is not None
        intent, expected = orders.adding
        if held != expected or at_ns > intent.valid_until_ns or orders.foreign:
            orders.adding = None
            return self._protect(symbol, orders, held, at_ns)
        if orders.stop is not None:
            return [] if orders.stop.cancelling else [self._cancel(orders.stop, at_ns)]
        self._take(intent, orders)
        return [intent]

    def _limit_usd(self, price_usd: float | None, direction: int) -> Decimal | None:
        """As far as the collar allows, on the tick beyond that: of a price in few dollars it is less than a tick."""
        collar = self._settings.entry_collar_fraction
        if collar is None or price_usd is None:
            return None
        beyond = money.price_usd(price_usd) * (1 + direction * Decimal(str(collar)))
        return money.tick_above(beyond) if direction > 0 else money.tick_below(beyond)

    def outlived(self, at_ns: int) -> list[Action]:
        """Take back what is left of entries whose time is over: what they were decided on is old."""
        life_ns = self._settings.entry_life_minutes * MINUTE_NS
        if not life_ns:
            return []
        return [
            self._cancel(order, at_ns)
            for order in list(self.working.values())
            if order.purpose is _ENTRY and not order.foreign and not order.cancelling and at_ns >= order.at_ns + life_ns
        ]

    def withdraw_entries(self, at_ns: int) -> list[Action]:
        """Take back every entry that works; what is held back does not go out."""
        for symbol in self.held_back.values():
            self.of(symbol).adding = None
        entries = [order for order in self.working.values() if order.purpose is _ENTRY and not order.cancelling]
        return [self._cancel(order, at_ns) for order in entries]

    def may_exit(self, symbol: str, at_ns: int) -> bool:
        """No exit is under way and none was refused a moment ago."""
        orders = self.of(symbol)
        return orders.leaving is None and orders.exit is None and at_ns >= orders.free_at_ns(_EXIT)

    def leave(
        self, symbol: str, held: Decimal, at_ns: int, quantity: Decimal | None = None
    ) -> tuple[str, list[Action]]:
        """Close the position, long or short, or cut it by `quantity` shares, unsigned.

        At once, or first what holds its shares is taken back; what stays gets its stop again when the cut has filled.
        Returns the id that the exit has, or will have, and what to do now.
        """
        orders = self.of(symbol)
        orders.adding = None
        orders.leaving = self._ids.next(at_ns, symbol, "exit" if quantity is None else CUT)
        orders.cut = quantity
        return orders.leaving, self._leave(symbol, orders, held, at_ns)

    def _leave(self, symbol: str, orders: SymbolOrders, held: Decimal, at_ns: int) -> list[Action]:
        waits = orders.in_the_way()
        return self._take_back(waits, at_ns) if waits else self._close(symbol, orders, held, at_ns)

    def _take_back(self, orders: list[WorkingOrder], at_ns: int) -> list[Action]:
        return [self._cancel(one, at_ns) for one in orders if not one.cancelling]

    def update(self, update: OrderUpdate, held: Decimal) -> list[Action]:
        """Follow an order, and say what its symbol needs now. `held` is the position after this update, in shares."""
        return self.protect(update.symbol, held, update.at_ns) if self.follow(update) else []

    def follow(self, update: OrderUpdate) -> bool:
        """Keep book of an order that we go by; False for any other."""
        order = self.working.get(update.client_order_id)
        if order is None:
            return False
        orders = self.of(order.symbol)
        if order.adds and update.filled_quantity and order.stop_usd is not None:
            orders.stop_usd = order.stop_usd
        if order.opens and (update.filled_quantity or update.status.final):
            order.opens = False
            self.opening -= 1
        order.filled = max(order.filled, update.filled_quantity)  # Messages can overtake each other.
        if update.status.final:
            del self.working[order.client_order_id]
            self.entering -= order.purpose is _ENTRY
            orders.drop(order)
            ended = self._foreign_ended if order.foreign else self._ended
            ended(order, orders, update)
        return True

    def adopt(self, order: StandingOrder, held: Decimal) -> WorkingOrder:
        """An order of other hands that we go by from here on. What is held is looked after in the next minute."""
        working = self.working[order.client_order_id] = adopted(order, held)
        self.of(order.symbol).foreign.append(working)
        self.opening += working.opens
        self.entering += working.purpose is _ENTRY
        if held:
            self.unprotected.add(order.symbol)
        return working

    def split(self, symbol: str, ratio: Decimal, held: Decimal, at_ns: int) -> list[Action]:
        """New shares for old ones: the stop has a new price, and what works in the old terms is taken back.

        A broker may do that by itself. Whoever does it, its confirmation brings the stop in the new terms.
        """
        orders = self.of(symbol)
        orders.adding = None
        if orders.stop_usd is not None:
            farther = money.tick_below if held > 0 else money.tick_above  # Never nearer than it was meant.
            orders.stop_usd = farther(orders.stop_usd / ratio)
        return self._withdraw(orders, at_ns)

    def forget(self, symbol: str, at_ns: int) -> list[Action]:
        """The symbol is traded no more: nothing is to follow."""
        orders = self.of(symbol)
        orders.leaving = orders.stop_usd = orders.adding = None
        self.unprotected.discard(symbol)
        return self._withdraw(orders, at_ns)

    def _withdraw(self, orders: SymbolOrders, at_ns: int) -> list[Action]:
        first = orders.entry or orders.exit or orders.stop  # An entry takes its leg with it.
        return self._take_back([*([] if first is None else [first]), *orders.foreign], at_ns)

    def close_session(self, at_ns: int) -> list[Action]:
        """Take back entries that the session has left unfilled: tomorrow's open is not what was decided on.

        Only those with a stop as a leg outlive the close; the others are day orders.
        """
        entries = [order for order in self.working.values() if order.purpose is _ENTRY and not order.cancelling]
        return [self._cancel(order, at_ns) for order in entries if leg_id(order.client_order_id) in self.working]

    def protect(self, symbol: str, held: Decimal, at_ns: int) -> list[Action]:
        """What the symbol needs now: a step of its exit, or a stop for exactly what is held."""
        orders = self.of(symbol)
        if not held:
            return self._clear(symbol, orders, at_ns)
        if orders.leaving is not None:
            return self._leave(symbol, orders, held, at_ns)
        if orders.adding is not None:
            return self._add(symbol, orders, held, at_ns)
        return self._protect(symbol, orders, held, at_ns)

    def _ended(self, order: WorkingOrder, orders: SymbolOrders, update: OrderUpdate) -> None:
        """The leg of an entry ends with it, unless it was filled; a refusal is remembered, not repeated.

        An addition that came to nothing is as good as refused: a stop is not taken back for it again and again.
        """
        if order.purpose is _ENTRY and orders.stop is not None and update.status is not _FILLED:
            orders.stop.cancelling = True
        if order.purpose is _ENTRY and not order.filled and not order.adds:
            orders.backoff.pop(_PROTECT, None)  # Its stop was to wait, and is not to come.
        if update.status is not _REJECTED and (not order.adds or order.filled):
            if orders.backoff:
                orders.backoff.pop(order.purpose, None)
            if update.status is _LAPSED:
                self._never_was(order, orders)
            return
        earlier = orders.backoff.get(order.purpose)
        doubled = earlier.minutes * 2 if earlier else self._settings.retry_minutes
        minutes = min(doubled, self._settings.retry_minutes_max)
        orders.backoff[order.purpose] = Backoff(minutes, update.at_ns + minutes * MINUTE_NS)
        self._never_was(order, orders)

    @staticmethod
    def _foreign_ended(order: WorkingOrder, orders: SymbolOrders, update: OrderUpdate) -> None:
        """What stands in its place now is heard of by the next look at the broker's books."""
        if update.status is _REPLACED:
            orders.backoff[_PROTECT] = Backoff(1, update.at_ns + MINUTE_NS)

    def _never_was(self, order: WorkingOrder, orders: SymbolOrders) -> None:
        """The leg of an entry that the broker does not have."""
        if order.purpose is _ENTRY and orders.stop is not None:
            self.working.pop(orders.stop.client_order_id, None)
            orders.stop = None

    def _clear(self, symbol: str, orders: SymbolOrders, at_ns: int) -> list[Action]:
        """Flat: what would close a position would open one."""
        if orders.entry is not None or any(one.purpose is _ENTRY for one in orders.foreign):
            return []
        orders.leaving = orders.adding = None
        self.unprotected.discard(symbol)
        return self._take_back(orders.in_the_way(), at_ns)

    def _protect(self, symbol: str, orders: SymbolOrders, held: Decimal, at_ns: int) -> list[Action]:
        """A stop for exactly what is held.

        Protection outranks size: while an entry still works, the broker takes no stop against it, so what is
        left of an entry that filled in part is taken back.
        """
        if orders.stop_usd is None or orders.exit is not None:
            return []
        if orders.entry is not None:
            return [] if orders.entry.cancelling else [self._cancel(orders.entry, at_ns)]
        stop = orders.stop
        if stop is None:
            return self._arm_alone(symbol, orders, held, at_ns)
        if stop.quantity - stop.filled == abs(held) or stop.cancelling:
            return []
        return [self._cancel(stop, at_ns)]

    def _arm_alone(self, symbol: str, orders: SymbolOrders, held: Decimal, at_ns: int) -> list[Action]:
        """Other hands' stops will do where they cover what is held; otherwise theirs have to go before ours."""
        if not orders.foreign:
            return self._arm(symbol, orders, held, at_ns)
        if orders.covered(held):
            self.unprotected.discard(symbol)
            return []
        self.unprotected.add(symbol)
        return self._take_back(orders.foreign, at_ns)

    def _arm(self, symbol: str, orders: SymbolOrders, held: Decimal, at_ns: int) -> list[Action]:
        if at_ns < orders.free_at_ns(_PROTECT):
            self.unprotected.add(symbol)
            return []
        whole = held % 1 == 0
        intent = OrderIntent(
            client_order_id=self._ids.next(at_ns, symbol, "stop"),
            symbol=symbol,
            side=_SELL if held > 0 else _BUY,
            quantity=abs(held),
            type=_STOP,
            time_in_force=_GTC if whole else _DAY,  # Fractions take day orders only.
            purpose=_PROTECT,
            decided_at_ns=at_ns,
            valid_until_ns=at_ns + self._valid_ns,
            stop_price_usd=orders.stop_usd,
        )
        self._take(intent, orders)
        return [intent]

    def _close(self, symbol: str, orders: SymbolOrders, held: Decimal, at_ns: int) -> list[Action]:
        assert orders.leaving is not None
        quantity = abs(held) if orders.cut is None else min(abs(held), orders.cut)
        intent = OrderIntent(
            client_order_id=orders.leaving,
            symbol=symbol,
            side=_SELL if held > 0 else _BUY,
            quantity=quantity,
            type=_MARKET,
            time_in_force=_DAY,
            purpose=_EXIT,
            decided_at_ns=at_ns,
            valid_until_ns=at_ns + self._valid_ns,
        )
        self._take(intent, orders)
        return [intent]

    def recall(self, action: Action) -> None:
        """An action that was decided before: recovery takes recorded decisions in, it makes none."""
        if isinstance(action, CancelIntent):
            if action.client_order_id in self.working:
                self.working[action.client_order_id].cancelling = True
        elif isinstance(action, OrderIntent):
            self._ids.recall(action.client_order_id)
            self._take(action, self.of(action.symbol))

    def recall_exit(self, symbol: str, client_order_id: str, quantity: Decimal) -> None:
        """An exit that was decided before, and may wait for the stop to be taken back; a cut is of so many shares."""
        self._ids.recall(client_order_id)
        orders = self.of(symbol)
        orders.leaving, orders.adding = client_order_id, None
        orders.cut = quantity if leg_of(client_order_id) == CUT else None

    def settle(self, symbol: str, held: Decimal) -> None:
        """After what was recorded: a position that has no stop now is looked after in the next minute."""
        orders = self.of(symbol)
        if orders.stop is None:
            orders.adding = None  # It went out, or its time had passed.
        if held:
            busy = orders.entry or orders.exit or orders.leaving
            if orders.stop is None and orders.stop_usd is not None and not busy:
                follow = self.unprotected.discard if orders.covered(held) else self.unprotected.add
                follow(symbol)
        elif orders.entry is None:
            orders.leaving = None
            self.unprotected.discard(symbol)

    def _take(self, intent: OrderIntent, orders: SymbolOrders) -> None:
        """An order that is decided is ours from here on."""
        name, symbol, purpose, quantity = intent.client_order_id, intent.symbol, intent.purpose, intent.quantity
        direction = 1 if (intent.side is _BUY) is (purpose is _ENTRY) else -1  # Of the position.
        order = self._track(name, symbol, purpose, quantity, direction)
        order.at_ns = intent.decided_at_ns
        if purpose is _EXIT:
            orders.exit, orders.leaving = order, None
        elif purpose is _PROTECT:
            orders.stop = order
            self.unprotected.discard(symbol)
        elif leg_of(name) == ADD:
            self._take_addition(order, intent, orders)
        else:
            orders.entry, orders.stop_usd = order, intent.position_stop_usd
            order.opens = True
            self.opening += 1
            self.entering += 1
            if intent.stop_from_ns is not None:
                orders.backoff[_PROTECT] = Backoff(self._settings.retry_minutes, intent.stop_from_ns)
            if intent.stop_loss_usd is not None:
                orders.stop = self._track(leg_id(name), symbol, _PROTECT, quantity, direction)

    def _take_addition(self, order: WorkingOrder, intent: OrderIntent, orders: SymbolOrders) -> None:
        """The position has no stop until it fills, or, in the next minute, is taken back."""
        order.adds, order.stop_usd = True, intent.position_stop_usd
        orders.entry, orders.adding = order, None
        self.entering += 1
        self.held_back.pop(intent.client_order_id, None)
        if orders.stop_usd is not None:
            self.unprotected.add(intent.symbol)

    def _track(
        self, client_order_id: str, symbol: str, purpose: Purpose, quantity: Decimal, direction: int
    ) -> WorkingOrder:
        order = self.working[client_order_id] = WorkingOrder(client_order_id, symbol, purpose, quantity, direction)
        self.sent += 1
        return order

    def _cancel(self, order: WorkingOrder, at_ns: int) -> CancelIntent:
        order.cancelling = True
        return CancelIntent(client_order_id=order.client_order_id, symbol=order.symbol, decided_at_ns=at_ns)
