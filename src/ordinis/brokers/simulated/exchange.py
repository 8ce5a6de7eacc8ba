"""The simulated exchange: takes orders, matches them on minute bars, keeps the account's books.

It is the other side of the wire: it shares messages with the trader and nothing else. Time comes in
with sessions and minutes. An order submitted after minute t can first fill on minute t+1's bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from math import isnan
from typing import Final

import numpy as np

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.acceptance import Acceptance
from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.auctions import auction_price, check_auction_time
from ordinis.brokers.simulated.corporate import CorporateDesk
from ordinis.brokers.simulated.groups import Groups
from ordinis.brokers.simulated.minute import Minute
from ordinis.brokers.simulated.notional import convert, estimated
from ordinis.brokers.simulated.order import BrokerOrder, Violation, add_legs, move_trail, new_order
from ordinis.brokers.simulated.overnight import Night
from ordinis.brokers.simulated.pricing import Bar, Pricing, rest_after
from ordinis.brokers.simulated.register import Register
from ordinis.brokers.simulated.regrouping import check_change, check_exit, entry_of, exit_of, is_entry, take_place
from ordinis.brokers.simulated.replacing import check_replaceable, successor
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.brokers.simulated.triggers import Triggers
from ordinis.brokers.simulated.working import WorkingOrders
from ordinis.domain.account import AccountView, Position
from ordinis.domain.errors import DataError
from ordinis.domain.events import ActionKind, BrokerEvent, CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.market import MarketSlice, Session, Universe
from ordinis.domain.money import price_usd
from ordinis.domain.orders import Fill, OrderIntent, OrderStatus, OrderType, ReplaceIntent, Side, TimeInForce

_DAY_NS = 24 * 3600 * 10**9
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT
_STOP: Final = OrderType.STOP
_STOP_LIMIT: Final = OrderType.STOP_LIMIT
_TRAILING_STOP: Final = OrderType.TRAILING_STOP
_GTC: Final = TimeInForce.GTC
_OPG: Final = TimeInForce.OPG
_CLS: Final = TimeInForce.CLS
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_ACCEPTED: Final = OrderStatus.ACCEPTED
_HELD: Final = OrderStatus.HELD
_CANCELED: Final = OrderStatus.CANCELED
_REPLACED: Final = OrderStatus.REPLACED
_REJECTED: Final = OrderStatus.REJECTED
_PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
_FILLED: Final = OrderStatus.FILLED
_EXPIRED: Final = OrderStatus.EXPIRED


class Exchange:
    """One exchange with one account. Not safe for threads: one caller at a time."""

    def __init__(
        self, universe: Universe, settings: ExchangeSettings, *, actions: Iterable[CorporateAction] = ()
    ) -> None:
        self.universe = universe
        self.settings = settings
        self.session: Session | None = None  # None while closed.
        self.now_ns = 0
        self._night = Night(settings.margin_interest_fraction, actions)
        self.books = AccountBooks(universe, settings, self._night)
        self._corporate = CorporateDesk(universe, self.books, keeps_fractions=settings.fractionable)
        self._pricing = Pricing(settings)
        self._working = WorkingOrders(len(universe))
        self._triggers = Triggers(self._pricing, self._working)
        self._register = Register()
        self._live: dict[int, BrokerOrder] = {}  # By number: in order of submission, held legs included.
        self._immediate: list[BrokerOrder] = []  # Immediate or cancel, fill or kill.
        self._outbox: list[BrokerEvent] = []
        self._executions = 0
        self._deposits = 0
        self._acceptance = Acceptance(settings, self.books, self._working)
        self._participation = settings.participation_max / settings.feed_share
        self._groups = Groups(self.books, self._start, self._end)
        self._fills_now = settings.fill_model is FillModel.THIS_CLOSE
        self.fill_cap: Callable[[BrokerOrder, Decimal], Decimal] | None = None  # What a server leaves of a fill.

    # Time.

    def open_session(self, session: Session) -> None:
        """The exchange opens: the night is booked, queued orders start to work, day trades are counted from zero."""
        self.session = session
        self.now_ns = session.open_ns
        self._outbox += self.books.open_session(session)
        self._take_corporate_actions(session)
        for order in self._live.values():
            if order.expires_at_ns is None:
                order.expires_at_ns = session.close_ns

    def announce(self, action: CorporateAction) -> None:
        """A corporate action that is to come, beside those the exchange began with."""
        self._night.announce(action)

    def _take_corporate_actions(self, session: Session) -> None:
        """First what was paid, then what was done, then the orders that ended with the old terms."""
        booked = [one for action in self._night.actions(session) if (one := self._corporate.book(action, session))]
        self._outbox += [one.paid for one in booked if one.paid is not None]
        self._outbox += [one.action for one in booked]
        changed = {action.symbol for _, action in booked if action.kind is not ActionKind.DIVIDEND}
        for order in [one for one in self._live.values() if one.symbol in changed]:
            self._end(order, _CANCELED)  # Its prices and quantities would mean something else now.

    def advance(self, minute: MarketSlice) -> None:
        """A minute has passed: match the working orders on its bars, then mark at its closes.

        Raises DataError when the exchange is closed or time does not go forward.
        """
        if self.session is None or minute.at_ns <= self.now_ns:
            raise DataError(
                f"minute {minute.at_ns} cannot follow {self.now_ns}: minutes go forward, in an open session"
            )
        self.now_ns = minute.at_ns
        block, row = minute.block, minute.row
        if self._working:
            self._work(minute, self.session)
        np.copyto(self.books.last_usd, block.close[row], where=block.present[row])

    def close_session(self) -> None:
        """Day orders expire, fees are charged, the equity of the close is kept."""
        if self.session is None:
            raise DataError("the exchange is closed: open a session before closing it")
        session, self.session = self.session, None
        self.now_ns = session.close_ns
        for order in list(self._live.values()):
            if order.expires_at_ns is not None and order.expires_at_ns <= self.now_ns:
                self._end(order, _EXPIRED)
        self._outbox += self.books.close_session(session)

    # Orders.

    def submit(self, intent: OrderIntent, notional_usd: Decimal | None = None) -> BrokerOrder:
        """Accept an order, or raise OrderRefused with the broker's code and text and change nothing.

        With `notional_usd` it is of so much money, and the intent's quantity is not read.
        """
        if not self._register.takes(intent):
            raise refusals.duplicate_id()
        column = self.universe.column.get(intent.symbol)
        if column is None:
            raise refusals.unknown_asset(intent.symbol)
        if column in self._corporate.removed:
            raise refusals.inactive_asset(intent.symbol)
        if notional_usd is not None:
            last, least = self.books.last_price_usd(column), self.settings.fractional_order_usd_min
            intent = estimated(intent, notional_usd, last, least)
        order = self._made(intent, column, whole=notional_usd is None and intent.quantity % 1 == 0)
        order.notional_usd = notional_usd
        self._accept(order, intent)
        if self._fills_now and self.session is not None and order.type is _MARKET:
            self._fill_now(order)
        return order

    def _made(self, intent: OrderIntent, column: int, whole: bool) -> BrokerOrder:
        """Checked, and changing nothing yet."""
        if not whole and not self.settings.fractionable:
            raise refusals.not_fractionable(intent.symbol)
        accepted = self._acceptance.check(intent, column, whole, today=self._trades_today)
        if intent.time_in_force is _OPG or intent.time_in_force is _CLS:
            check_auction_time(intent.time_in_force, self.session, self.now_ns, self.settings)
        return new_order(
            intent,
            number=len(self._register) + 1 + intent.oco,  # A pair's stop counts before its target.
            column=column,
            whole=whole,
            opens=accepted.opens,
            reserve_price_usd=accepted.reserve_usd,
            at_ns=self.now_ns,
        )

    def _fill_now(self, order: BrokerOrder) -> None:
        if order.number not in self._working.auctions:
            last_usd = self.books.last_usd.item(order.column)
            convert(self.books, order, last_usd)
            self._fill(order, order.quantity, last_usd, self.now_ns)

    def replace(self, broker_order_id: str, change: ReplaceIntent) -> BrokerOrder:
        """A new order in the place of a working one, or OrderRefused and the old one works on."""
        old = self.order(broker_order_id)
        check_replaceable(old, self._trades_today)
        if change.client_order_id in self._register:
            raise refusals.duplicate_id()
        if old.order_class != "simple":
            return self._replace_in_group(old, change)
        intent = successor(old, change)
        new = self._made_beside(old, intent)
        self._end_for(old, new)
        self._accept(new, intent)
        return new

    def _made_beside(self, old: BrokerOrder, intent: OrderIntent) -> BrokerOrder:
        """Checked as if the old one were gone: what it holds is there for its successor."""
        self.books.release(old, old.remaining)
        self._working.remove(old)
        try:
            return self._made(intent, old.column, whole=intent.quantity % 1 == 0)
        finally:
            self.books.hold(old)
            self._working.add(old)

    def _replace_in_group(self, old: BrokerOrder, change: ReplaceIntent) -> BrokerOrder:
        """The new order stands where the old one stood, working or held."""
        check_change(old, change)
        if is_entry(old):
            new = self._made_beside(old, entry_of(old, change))
            new.expires_at_ns = old.expires_at_ns
        else:
            check_exit(old, change, self.books.last_price_usd(old.column))
            new = exit_of(old, change, number=len(self._register) + 1, at_ns=self.now_ns)
        held = old.status is _HELD
        self._end_for(old, new)
        take_place(old, new)
        self._keep(new)
        if held:
            self._report(new, self.now_ns)
        else:
            self._start(new, self.now_ns)
        return new

    def _end_for(self, old: BrokerOrder, new: BrokerOrder) -> None:
        old.replaced_by, new.replaces = new.id, old.id
        self._end(old, _REPLACED)

    def cancel(self, broker_order_id: str) -> None:
        """Take an order back; its legs, its sibling, or a held leg's parent go with it. Raises OrderRefused."""
        order = self.order(broker_order_id)
        if not order.live:
            raise refusals.order_is_final(order)
        if order.parent is not None and order.parent.live:
            order = order.parent
        self._end(order, _CANCELED)
        for other in (*order.legs, order.sibling):
            if other is not None and other.live:
                self._end(other, _CANCELED)

    def reject(self, broker_order_id: str) -> None:
        """The venue sends back what had been accepted; its legs go with it. Raises OrderRefused."""
        order = self.order(broker_order_id)
        if not order.live:
            raise refusals.order_is_final(order)
        for one in (order, *order.legs):
            if one.live:
                self._end(one, _REJECTED)

    def order(self, broker_order_id: str) -> BrokerOrder:
        """Raises OrderRefused (404) when there is none."""
        return self._register.by_id(broker_order_id)

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder:
        """Raises OrderRefused (404) when there is none."""
        return self._register.by_client_id(client_order_id)

    @property
    def orders(self) -> tuple[BrokerOrder, ...]:
        """All orders, legs included, in order of submission."""
        return self._register.all

    # The account.

    def deposit(self, amount_usd: Decimal) -> None:
        """Money comes into the account now; it leaves where the amount is negative."""
        self.books.deposit(amount_usd, self.now_ns)
        self._deposits += 1
        kind = "deposit" if amount_usd > 0 else "withdrawal"
        name = f"{kind}-{self._deposits}"
        self._outbox.append(CashFlow(at_ns=self.now_ns, id=name, kind=kind, amount_usd=amount_usd))

    def account(self) -> AccountView:
        return self.books.view(self.now_ns)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Sorted by symbol."""
        return self.books.positions()

    @property
    def violations(self) -> list[Violation]:
        return self.books.violations

    def last_price_usd(self, symbol: str) -> Decimal | None:
        """The symbol's last price; None before its first bar."""
        return self.books.last_price_usd(self.universe.column[symbol])

    def trades(self, symbol: str) -> bool:
        """Whether the symbol is still traded here."""
        return self.universe.column[symbol] not in self._corporate.removed

    def drain(self) -> list[BrokerEvent]:
        """What happened since the last call, in order of execution."""
        events, self._outbox = self._outbox, []
        return events

    # Acceptance.

    def _accept(self, order: BrokerOrder, intent: OrderIntent) -> None:
        order.expires_at_ns = self._expiry_ns(order.time_in_force)
        if order.type is _TRAILING_STOP:
            move_trail(order, price_usd(self.books.last_usd.item(order.column)))
        self._keep(order)
        self._start(order, self.now_ns)
        if intent.stop_loss_usd is None and intent.take_profit_usd is None:
            return
        add_legs(order, intent, number=order.number - 1 if intent.oco else order.number + 1)
        for leg in order.legs:
            self._keep(leg)
            self._report(leg, self.now_ns)
        if intent.oco:
            self._groups.release_legs(order, self.now_ns)

    @property
    def _trades_today(self) -> bool:
        """What is sent now may still execute in this session."""
        return self.session is not None and self.now_ns < self.session.close_ns

    def _expiry_ns(self, time_in_force: TimeInForce) -> int | None:
        """None: after the close an order waits for the next session and expires with that."""
        if time_in_force is _GTC:
            return self.now_ns + self.settings.gtc_days_max * _DAY_NS
        return self.session.close_ns if self.session is not None and self._trades_today else None

    def _keep(self, order: BrokerOrder) -> None:
        self._register.add(order)
        self._live[order.number] = order

    def _start(self, order: BrokerOrder, at_ns: int) -> None:
        order.status = _ACCEPTED
        if order.holds:
            self.books.hold(order)
        self._working.add(order)
        if order.time_in_force is _IOC or order.time_in_force is _FOK:
            self._immediate.append(order)
        self._report(order, at_ns)

    # Matching.

    def _work(self, minute: MarketSlice, session: Session) -> None:
        """The orders that this minute is about: an opening auction, the bars, a closing auction."""
        acting = self._working.acting(minute.block, minute.row)
        auctions = self._working.auctions
        if acting or auctions:
            here = Minute(minute, self._participation)
            if auctions and here.start_ns == session.open_ns:
                self._hold_auction(_OPG, here, here.start_ns)
            self._match(acting, here)
            if auctions and here.end_ns == session.close_ns:
                self._hold_auction(_CLS, here, here.end_ns)
        if self._immediate:
            self._end_the_immediate()

    def _hold_auction(self, kind: TimeInForce, minute: Minute, at_ns: int) -> None:
        """What does not trade in its auction is taken back."""
        for order in [one for one in self._working.auctions.values() if one.time_in_force is kind]:
            price = auction_price(order, minute)
            if price is not None:
                self._execute(order, price, at_ns, minute)
            if order.live:
                self._end(order, _CANCELED)

    def _end_the_immediate(self) -> None:
        """Their one minute is over."""
        orders, self._immediate = self._immediate, []
        for order in orders:
            if order.live:
                self._end(order, _CANCELED)

    def _match(self, acting: list[BrokerOrder], minute: Minute) -> None:
        """First what executes at the open, then what executes within the bar, each by order of submission."""
        later: list[tuple[BrokerOrder, Bar]] = []
        for order in acting:
            open_usd = minute.open_usd(order.column)
            if isnan(open_usd) or not order.live:  # No bar, no trade; or its sibling has filled.
                continue
            kind = order.acts_as
            prices = self._triggers if kind is _STOP_LIMIT or kind is _TRAILING_STOP else self._pricing
            price = prices.at_open(order, open_usd)
            if price is None:
                if kind is _MARKET or (order.time_in_force is not _IOC and order.time_in_force is not _FOK):
                    later.append((order, minute.bar(order.column)))
                continue
            self._execute(order, price, minute.start_ns, minute)
            if order.order_class != "simple":
                self._groups.follow(later, order, minute.bar(order.column))
        self._match_within(later, minute)

    def _match_within(self, later: list[tuple[BrokerOrder, Bar]], minute: Minute) -> None:
        for order, bar in later:
            if not order.live:
                continue
            kind = order.acts_as
            prices = self._triggers if kind is _STOP_LIMIT or kind is _TRAILING_STOP else self._pricing
            waited_for_usd = order.trigger_usd
            price = prices.within(order, bar)
            if price is None:
                continue
            self._execute(order, price, minute.end_ns, minute)
            if order.order_class != "simple":
                rest = rest_after(order.buys, waited_for_usd, kind, bar)
                if rest is not None:
                    self._groups.follow(later, order, rest)  # The loop comes to them last.

    def _execute(self, order: BrokerOrder, price_usd: float, at_ns: int, minute: Minute) -> None:
        """Fill as much as the minute's volume allows; the rest waits, and a stop's rest takes any price."""
        if not order.holds:
            self._groups.outlive(order, at_ns)
        convert(self.books, order, price_usd)
        quantity = minute.take(order)
        if self.fill_cap is not None:
            quantity = self.fill_cap(order, quantity)
        if quantity:
            self._fill(order, quantity, price_usd, at_ns)
        kind = order.acts_as
        if order.live and (kind is _STOP or kind is _TRAILING_STOP):
            self._working.trigger(order)

    def _fill(self, order: BrokerOrder, quantity: Decimal, estimate_usd: float, at_ns: int) -> None:
        price = price_usd(estimate_usd)
        value = quantity * price
        books = self.books
        books.release(order, quantity)
        order.filled_quantity += quantity
        order.filled_value_usd += value
        book = books.opened if order.opens else books.closed
        book(order, quantity, price, value, at_ns)
        if order.filled_quantity == order.quantity:
            order.status = _FILLED
            order.filled_at_ns = at_ns
            self._retire(order)
        else:
            order.status = _PARTIALLY_FILLED
        self._executions += 1
        fill = Fill(
            execution_id=f"00000000-0000-4000-9000-{self._executions:012x}",
            symbol=order.symbol,
            quantity=quantity if order.buys else -quantity,
            price_usd=price,
            filled_at_ns=at_ns,
        )
        self._report(order, at_ns, fill)
        if order.order_class != "simple":
            self._groups.after_fill(order, quantity, at_ns)

    # The end of an order.

    def _end(self, order: BrokerOrder, status: OrderStatus, at_ns: int | None = None) -> None:
        """Cancel, expire, replace or reject what is left of it."""
        at_ns = self.now_ns if at_ns is None else at_ns
        waiting = order.status is _HELD
        order.status = status
        if status is _EXPIRED:
            order.expired_at_ns = at_ns
        elif status is _REPLACED:
            order.replaced_at_ns = at_ns
        elif status is not _REJECTED:
            order.canceled_at_ns = at_ns
        if waiting:
            order.live = False
            del self._live[order.number]
        else:
            if order.holds:
                self.books.release(order, order.remaining)
            self._retire(order)
        self._report(order, at_ns)

    def _retire(self, order: BrokerOrder) -> None:
        order.live = False
        del self._live[order.number]
        self._working.remove(order)

    def _report(self, order: BrokerOrder, at_ns: int, fill: Fill | None = None) -> None:
        order.updated_at_ns = at_ns
        self._outbox.append(
            OrderUpdate(
                at_ns=at_ns,
                client_order_id=order.client_order_id,
                broker_order_id=order.id,
                symbol=order.symbol,
                status=order.status,
                filled_quantity=order.filled_quantity,
                fill=fill,
            )
        )
