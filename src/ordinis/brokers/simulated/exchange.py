"""The simulated exchange: takes orders, matches them on minute bars, keeps the account's books.

It is the other side of the wire: it shares messages with the trader and nothing else. Time comes in
with sessions and minutes. An order submitted after minute t can first fill on minute t+1's bar.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.order import ZERO, BrokerOrder, Violation
from ordinis.brokers.simulated.pricing import Bar, Pricing, rest_after_entry
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.brokers.simulated.validity import check_form, check_stop_loss
from ordinis.brokers.simulated.working import WorkingOrders
from ordinis.domain.account import AccountView, Position
from ordinis.domain.errors import DataError
from ordinis.domain.events import BrokerEvent, CashFlow, OrderUpdate
from ordinis.domain.market import MINUTE_NS, MarketBlock, MarketSlice, Session, Universe
from ordinis.domain.money import FRACTION, WHOLE, price_usd, shares
from ordinis.domain.orders import Fill, OrderIntent, OrderStatus, OrderType, Side, TimeInForce, leg_id

_DAY_NS = 24 * 3600 * 10**9
_BUY, _SELL = Side.BUY, Side.SELL
_MARKET, _LIMIT, _STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP
_DAY = TimeInForce.DAY
_ACCEPTED, _HELD, _CANCELED = OrderStatus.ACCEPTED, OrderStatus.HELD, OrderStatus.CANCELED
_PARTIALLY_FILLED, _FILLED, _EXPIRED = OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.EXPIRED


class Exchange:
    """One exchange with one account. Not safe for threads: one caller at a time."""

    def __init__(self, universe: Universe, settings: ExchangeSettings) -> None:
        self.universe = universe
        self.settings = settings
        self.session: Session | None = None  # None while closed.
        self.now_ns = 0
        self.books = AccountBooks(universe, settings)
        self._pricing = Pricing(settings)
        self._working = WorkingOrders(len(universe))
        self._orders: dict[str, BrokerOrder] = {}
        self._by_client_id: dict[str, BrokerOrder] = {}
        self._live: dict[int, BrokerOrder] = {}  # By number: in order of submission, held legs included.
        self._outbox: list[BrokerEvent] = []
        self._executions = 0
        self._collar = 1 + Decimal(str(settings.market_buy_collar))
        self._volume_share = settings.participation_max / settings.feed_share
        self._fills_now = settings.fill_model is FillModel.THIS_CLOSE

    # Time.

    def open_session(self, session: Session) -> None:
        """The exchange opens: queued orders start to work, today's day trades are counted from zero."""
        self.session = session
        self.now_ns = session.open_ns
        self.books.open_session()
        for order in self._live.values():
            if order.expires_at_ns is None:
                order.expires_at_ns = session.close_ns

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
            self._match(block, row)
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
        self._charge_fees(session)
        self.books.close_session()

    def _charge_fees(self, session: Session) -> None:
        for name, amount in self.books.fees.settle():
            self.books.cash_usd -= amount
            self._outbox.append(
                CashFlow(
                    at_ns=self.now_ns,
                    id=f"fee-{name.lower()}-{session.date.isoformat()}",
                    kind="fee",
                    amount_usd=-amount,
                    note=f"{name} fee of {session.date.isoformat()}",
                )
            )

    # Orders.

    def submit(self, intent: OrderIntent) -> BrokerOrder:
        """Accept an order, or raise OrderRefused with the broker's code and text and change nothing."""
        if intent.client_order_id in self._by_client_id:
            raise refusals.duplicate_id()
        column = self.universe.column.get(intent.symbol)
        if column is None:
            raise refusals.unknown_asset(intent.symbol)
        whole = intent.quantity % 1 == 0
        check_form(intent, whole)
        reserve = ZERO
        if intent.side is _BUY:
            reserve = self._check_buy(intent, column, whole)
        else:
            self._check_sale(intent, column, whole)
        self._check_wash(intent, column)
        if intent.side is _SELL and self.books.throttles_day_trades:
            self.books.check_day_trade(column, intent.quantity, self._selling())
        order = self._accept(intent, column, whole, reserve)
        if self._fills_now and self.session is not None and order.type is _MARKET:
            self._fill(order, order.quantity, self.books.last_usd.item(column), self.now_ns)
        return order

    def cancel(self, broker_order_id: str) -> None:
        """Take an order back; its leg, or the unfilled parent of a held leg, goes with it. Raises OrderRefused."""
        order = self.order(broker_order_id)
        if not order.live:
            raise refusals.order_is_final(order)
        if order.parent is not None and order.parent.live:
            order = order.parent
        self._end(order, _CANCELED)
        if order.leg is not None and order.leg.live:
            self._end(order.leg, _CANCELED)

    def order(self, broker_order_id: str) -> BrokerOrder:
        """Raises OrderRefused (404) when there is none."""
        order = self._orders.get(broker_order_id)
        if order is None:
            raise refusals.order_not_found(broker_order_id)
        return order

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder:
        """Raises OrderRefused (404) when there is none."""
        order = self._by_client_id.get(client_order_id)
        if order is None:
            raise refusals.order_not_found(client_order_id)
        return order

    @property
    def orders(self) -> tuple[BrokerOrder, ...]:
        """All orders, legs included, in order of submission."""
        return tuple(self._orders.values())

    # The account.

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

    def drain(self) -> list[BrokerEvent]:
        """What happened since the last call, in order of execution."""
        events, self._outbox = self._outbox, []
        return events

    # Acceptance.

    def _check_buy(self, intent: OrderIntent, column: int, whole: bool) -> Decimal:
        """What a share reserves, USD."""
        last = self.books.last_price_usd(column)
        base = intent.limit_price_usd or intent.stop_price_usd or last
        if base is None:
            raise refusals.unprocessable(f'asset "{intent.symbol}" has not traded yet')
        if intent.stop_loss_usd is not None:
            self._check_leg(intent, base)
        reserve = base if intent.type is _LIMIT else max(base, last or base) * self._collar
        if not whole and intent.quantity * base < self.settings.fractional_order_usd_min:
            raise refusals.below_minimum(self.settings.fractional_order_usd_min)
        self.books.check_buy(reserve * intent.quantity)
        return reserve

    def _check_leg(self, intent: OrderIntent, base_usd: Decimal) -> None:
        assert intent.stop_loss_usd is not None
        if leg_id(intent.client_order_id) in self._by_client_id:
            raise refusals.duplicate_id()
        check_stop_loss(intent.stop_loss_usd, base_usd)

    def _check_sale(self, intent: OrderIntent, column: int, whole: bool) -> None:
        books = self.books
        if intent.stop_loss_usd is not None:  # A stop above a sale protects a short, and there are none.
            raise books.short_refusal()
        books.check_sale(
            column, intent.quantity, whole, [order for order in self._working.of(column) if not order.buys]
        )
        if whole or intent.quantity == books.quantity(column):  # What is left of a position can always be closed.
            return
        price = intent.limit_price_usd or intent.stop_price_usd or books.last_price_usd(column) or ZERO
        if intent.quantity * price < self.settings.fractional_order_usd_min:
            raise refusals.below_minimum(self.settings.fractional_order_usd_min)

    def _check_wash(self, intent: OrderIntent, column: int) -> None:
        """An opposite pair could trade with itself, unless both are limits that do not cross."""
        for other in self._working.of(column):
            if other.side is intent.side:
                continue
            if other.type is not _LIMIT or intent.type is not _LIMIT:
                raise refusals.wash_trade(other, "opposite side market/stop order exists")
            buy, sell = (intent, other) if intent.side is _BUY else (other, intent)
            assert buy.limit_price_usd is not None
            assert sell.limit_price_usd is not None
            if buy.limit_price_usd >= sell.limit_price_usd:
                raise refusals.wash_trade(other, "opposite side limit order exists")

    def _selling(self) -> dict[int, Decimal]:
        """Shares in working sells by column, stop legs left out."""
        selling: dict[int, Decimal] = {}
        for order in self._working:
            if not order.buys and order.parent is None:
                selling[order.column] = selling.get(order.column, ZERO) + order.remaining
        return selling

    def _accept(self, intent: OrderIntent, column: int, whole: bool, reserve: Decimal) -> BrokerOrder:
        number = len(self._orders) + 1
        now = self.now_ns
        price = intent.limit_price_usd or intent.stop_price_usd
        order = BrokerOrder(
            number=number,
            id=f"00000000-0000-4000-8000-{number:012x}",
            client_order_id=intent.client_order_id,
            symbol=intent.symbol,
            column=column,
            side=intent.side,
            buys=intent.side is _BUY,
            type=intent.type,
            time_in_force=intent.time_in_force,
            quantity=intent.quantity,
            whole=whole,
            limit_price_usd=intent.limit_price_usd,
            stop_price_usd=intent.stop_price_usd,
            trigger_usd=0.0 if price is None else float(price),
            reserve_price_usd=reserve,
            created_at_ns=now,
            submitted_at_ns=now,
            updated_at_ns=now,
            expires_at_ns=self._expiry_ns(intent.time_in_force),
        )
        self._register(order)
        self._start(order, now)
        if intent.stop_loss_usd is not None:
            self._accept_leg(order, intent.stop_loss_usd)
        return order

    def _accept_leg(self, parent: BrokerOrder, stop_usd: Decimal) -> None:
        number = parent.number + 1
        leg = BrokerOrder(
            number=number,
            id=f"00000000-0000-4000-8000-{number:012x}",
            client_order_id=leg_id(parent.client_order_id),
            symbol=parent.symbol,
            column=parent.column,
            side=_SELL,
            buys=False,
            type=_STOP,
            time_in_force=parent.time_in_force,
            quantity=parent.quantity,
            whole=parent.whole,
            stop_price_usd=stop_usd,
            trigger_usd=float(stop_usd),
            order_class="oto",
            parent=parent,
            status=_HELD,
            created_at_ns=parent.created_at_ns,
            submitted_at_ns=parent.submitted_at_ns,
            updated_at_ns=parent.updated_at_ns,
            expires_at_ns=parent.expires_at_ns,
        )
        parent.leg = leg
        parent.order_class = "oto"
        self._register(leg)
        self._report(leg, self.now_ns)

    def _expiry_ns(self, time_in_force: TimeInForce) -> int | None:
        """None: after the close a day order waits for the next session and expires with that."""
        if time_in_force is not _DAY:
            return self.now_ns + self.settings.gtc_days_max * _DAY_NS
        open_now = self.session is not None and self.now_ns < self.session.close_ns
        return self.session.close_ns if self.session is not None and open_now else None

    def _register(self, order: BrokerOrder) -> None:
        self._orders[order.id] = order
        self._by_client_id[order.client_order_id] = order
        self._live[order.number] = order

    def _start(self, order: BrokerOrder, at_ns: int) -> None:
        order.status = _ACCEPTED
        self.books.hold(order)
        self._working.add(order)
        self._report(order, at_ns)

    # Matching.

    def _match(self, block: MarketBlock, row: int) -> None:
        """First what executes at the open, then what executes within the bar, each by order of submission."""
        start_ns = self.now_ns - MINUTE_NS
        left: dict[int, float] = {}  # Shares of the minute that may still be taken, by column.
        later: list[tuple[int, BrokerOrder, Bar]] = []
        for order in self._working.acting(block, row):
            column = order.column
            open_usd = block.open.item(row, column)
            if open_usd != open_usd:  # No bar, no trade.
                continue
            price = self._pricing.at_open(order, open_usd)
            if price is None:
                later.append((order.number, order, _bar(block, row, column)))
                continue
            self._execute(order, price, start_ns, left, block, row)
            if order.leg is not None and order.leg.status is _ACCEPTED:
                later.append((order.leg.number, order.leg, _bar(block, row, column)))
        if later:
            later.sort(key=_first)
            self._match_within(later, left, block, row)

    def _match_within(
        self, later: list[tuple[int, BrokerOrder, Bar]], left: dict[int, float], block: MarketBlock, row: int
    ) -> None:
        for _, order, bar in later:
            price = self._pricing.within(order, bar) if order.live else None
            if price is None:
                continue
            self._execute(order, price, self.now_ns, left, block, row)
            if order.leg is not None and order.leg.status is _ACCEPTED:
                rest = rest_after_entry(order, bar)
                if rest is not None:
                    later.append((order.leg.number, order.leg, rest))  # The loop comes to it last.

    def _execute(
        self, order: BrokerOrder, price: float, at_ns: int, left: dict[int, float], block: MarketBlock, row: int
    ) -> None:
        """Fill as much as the minute's volume allows."""
        quantity = order.remaining
        if self._volume_share:
            column = order.column
            room = left.get(column)
            if room is None:
                room = block.volume.item(row, column) * self._volume_share
            if room < quantity:
                quantity = shares(room, WHOLE if order.whole else FRACTION)
            left[column] = room - float(quantity)
        if quantity > 0:
            self._fill(order, quantity, price, at_ns)
        if order.live and order.type is _STOP and not order.triggered:
            self._working.trigger(order)

    def _fill(self, order: BrokerOrder, quantity: Decimal, estimate_usd: float, at_ns: int) -> None:
        price = price_usd(estimate_usd)
        value = quantity * price
        books = self.books
        books.release(order, quantity)
        order.filled_quantity += quantity
        order.filled_value_usd += value
        if order.buys:
            books.bought(order, quantity, price, value, at_ns)
        else:
            books.sold(order, quantity, price, value, at_ns)
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
        if order.leg is not None and order.status is _FILLED:
            self._release_leg(order.leg, at_ns)

    def _release_leg(self, leg: BrokerOrder, at_ns: int) -> None:
        """The parent is filled: its stop lives, unless its shares have been sold meanwhile."""
        if leg.quantity <= self.books.quantity(leg.column) - self.books.held_for_sale(leg.column):
            self._start(leg, at_ns)
        else:
            self._end(leg, _CANCELED, at_ns)

    # The end of an order.

    def _end(self, order: BrokerOrder, status: OrderStatus, at_ns: int | None = None) -> None:
        """Cancel or expire what is left of it."""
        at_ns = self.now_ns if at_ns is None else at_ns
        waiting = order.status is _HELD
        order.status = status
        if status is _EXPIRED:
            order.expired_at_ns = at_ns
        else:
            order.canceled_at_ns = at_ns
        if waiting:
            order.live = False
            del self._live[order.number]
        else:
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


def _bar(block: MarketBlock, row: int, column: int) -> Bar:
    return Bar(
        block.open.item(row, column),
        block.high.item(row, column),
        block.low.item(row, column),
        block.close.item(row, column),
    )


def _first(entry: tuple[int, BrokerOrder, Bar]) -> int:
    return entry[0]
