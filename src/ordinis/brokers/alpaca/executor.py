"""The Alpaca side of `ports.Broker`: orders out through the official SDK, what became of them in.

An order is sent at most once for sure: under an id of ours, without the SDK's retries, and after any
doubtful answer it is looked up by that id. What the broker says on both roads, answer and stream, is
passed on once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.feeds import Stream
from ordinis.brokers.alpaca.inquiries import Inquiries
from ordinis.brokers.alpaca.memory import OrderMemory
from ordinis.brokers.alpaca.rest import (
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    Doubtful,
    RateGauge,
    Refusal,
    RestLimits,
    once,
    repeated,
)
from ordinis.brokers.alpaca.wire import WireAccount, WireCashActivity, WireOrder, WirePosition, WireTradeUpdate
from ordinis.domain.account import AccountView
from ordinis.domain.errors import BrokerError, OutcomeUnknown
from ordinis.domain.events import BrokerEvent, CorporateAction, OrderUpdate
from ordinis.domain.market import Session
from ordinis.domain.orders import Action, CancelIntent, OrderIntent, OrderStatus, Purpose, ReplaceIntent
from ordinis.domain.standing import BrokerBooks

if TYPE_CHECKING:
    from alpaca.trading.client import TradingClient

_DUPLICATE = "client_order_id must be unique"
_SENDS_MAX = 2  # Once, and once more after a lookup that found nothing.
_ACTIVITIES_PAGE = 100  # Alpaca's largest.
_ACTIVITY_PAGES_MAX = 100


def _nothing_to_await() -> None:
    """Live: the stream speaks when it speaks."""


class AlpacaBroker:
    """Orders over REST, updates over the trading stream.

    `now_ns` is the broker's clock, for what carries no time of its own (refusals, account figures).
    `settle` waits until the stream has caught up; a stepped simulation passes one, live needs none.
    `overheard` is called when an inquiry brings what the stream should have said.
    """

    def __init__(
        self,
        client: TradingClient,
        stream: Stream[WireTradeUpdate],
        *,
        now_ns: Callable[[], int],
        limits: RestLimits,
        generator: Random,
        settle: Callable[[], None] = _nothing_to_await,
        gauge: RateGauge | None = None,
        overheard: Callable[[], None] = _nothing_to_await,
    ) -> None:
        self._client = client
        self._stream = stream
        self._now_ns = now_ns
        self._limits = limits
        self._generator = generator
        self._settle = settle
        self._gauge = gauge or RateGauge()
        self._overheard = overheard
        self._memory = OrderMemory()
        self._inbox: list[BrokerEvent] = []
        self._doubtful: dict[str, OrderIntent] = {}  # Sent, perhaps: to be asked about before anything else.
        self._owed: list[tuple[str, date, int]] = []  # Money of sessions that could not be asked for yet.
        self._inquiries = Inquiries(self._get, self._memory, self._tell)

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Send, in order. A refusal becomes an update; an order without a certain answer is left to `inquire`.

        Errors: BrokerError for a refused key.
        """
        for action in actions:
            if isinstance(action, CancelIntent):
                self._cancel(action)
            elif isinstance(action, ReplaceIntent):
                self._replace(action)
            else:
                self._submit(action)
            self._settle()  # What an action causes at once is told before what the next one causes.
            self._listen()

    def updates(self) -> Sequence[BrokerEvent]:
        """What happened since the last call, in order. Errors: BrokerError once the stream is lost."""
        self._listen()
        inbox, self._inbox = self._inbox, []
        return inbox

    def account(self) -> AccountView:
        account = wire.read(self._get("/account"), WireAccount, "account")
        positions = wire.read(self._get("/positions"), list[WirePosition], "positions")
        return wire.account_view(account, positions, self._now_ns())

    def books(self) -> BrokerBooks:
        """Positions and open orders, now. Errors: BrokerError."""
        self._collect()
        return self._inquiries.books(self._now_ns())

    def now_ns(self) -> int:
        """The broker's clock."""
        return self._now_ns()

    def inquire(self, client_order_id: str) -> bool:
        """Ask what became of an order; the news comes with `updates`. False: the broker never heard of it.

        One that was sent without an answer and never arrived is sent again, or lapses.
        """
        self._listen()
        heard = len(self._inbox)
        known = self._inquiries.ask(client_order_id)
        doubtful = self._doubtful.pop(client_order_id, None)
        if doubtful is not None and not known:
            self._submit(doubtful)
            return True
        if len(self._inbox) > heard:
            self._overheard()
        return known

    @property
    def busy(self) -> bool:
        """Of the broker's rate limit only what is kept for reducing orders is left."""
        return self._gauge.low(self._now_ns())

    def recall(self, update: OrderUpdate) -> None:
        """What an earlier run has heard of an order of ours is no news in this one."""
        if update.broker_order_id:
            self._memory.link(update.client_order_id, update.broker_order_id)
        self._memory.learn(update)

    def begin_session(self, session: Session, actions: Sequence[CorporateAction] = ()) -> None:
        """Before the first minute: what the night has brought becomes events, what it did to orders last."""
        self._owed.append(("INT,DIV,SPLIT,MA", session.date, session.open_ns))
        self._collect()
        self._inbox.extend(actions)
        self._listen()

    def end_session(self, session: Session) -> None:
        """After the close: the day's fees become events, and orders that are over are forgotten."""
        self._listen()
        self._owed.append(("FEE", session.date, session.close_ns))
        self._collect()
        self._memory.forget_final()

    def _collect(self) -> None:
        """Money that moved without a trade. What cannot be asked for now is asked for with the next look."""
        with suppress(BrokerError):
            while self._owed:
                kinds, day, at_ns = self._owed[0]
                self._inbox.extend(wire.cash_flow(one, at_ns) for one in self._activities(kinds, day))
                del self._owed[0]

    # Orders out.

    def _submit(self, intent: OrderIntent) -> None:
        crowded = self.busy and intent.purpose is Purpose.ENTRY
        if crowded or self._now_ns() > intent.valid_until_ns:
            self._tell(self._ended(intent, OrderStatus.LAPSED))
            return
        try:
            payload = wire.order_payload(intent)
            order = self._sent(intent.client_order_id, lambda: self._client.post("/orders", payload))
        except Refusal as refusal:
            self._inbox.append(self._rejection(intent, refusal))
            return
        except OutcomeUnknown:
            self._doubtful[intent.client_order_id] = intent
            return
        self._acknowledge(intent, order)

    def _sent(self, client_order_id: str, send: Callable[[], Any]) -> WireOrder:
        """The order as the broker took it. Errors: Refusal, OutcomeUnknown."""
        for _ in range(_SENDS_MAX):
            try:
                return self._order(once(send))
            except Doubtful:
                found = self._looked_up(client_order_id)
            except Refusal as refusal:
                if refusal.http_status != TOO_MANY_REQUESTS and refusal.text != _DUPLICATE:
                    raise
                found = self._looked_up(client_order_id)
            if found is not None:
                return found
        raise OutcomeUnknown(client_order_id)

    def _replace(self, intent: ReplaceIntent) -> None:
        """The old order ends as replaced, and the new one is acknowledged."""
        payload = wire.replace_payload(intent)
        try:
            old_id = self._broker_id(intent.replaces)
            order = self._sent(intent.client_order_id, lambda: self._client.patch(f"/orders/{old_id}", payload))
        except Refusal as refusal:
            self._inbox.append(self._rejection(intent, refusal))
            return
        self._listen()  # What the old one has filled is told before its end.
        self._tell(
            OrderUpdate(
                at_ns=wire.submitted_at_ns(order),
                client_order_id=intent.replaces,
                broker_order_id=old_id,
                symbol=intent.symbol,
                status=OrderStatus.REPLACED,
                filled_quantity=self._memory.filled_quantity(intent.replaces),
            )
        )
        self._memory.link(intent.client_order_id, order.id)
        self._tell(wire.acknowledgement(order, intent.client_order_id))

    def _broker_id(self, client_order_id: str) -> str:
        """Errors: Refusal for an order that the broker does not know."""
        known = self._memory.broker_id(client_order_id)
        return self._order(self._by_client_order_id(client_order_id)).id if known is None else known

    def _looked_up(self, client_order_id: str) -> WireOrder | None:
        """The order with its legs, or None where the broker has none. Errors: OutcomeUnknown without an answer."""
        try:
            found = self._order(self._by_client_order_id(client_order_id))
            return self._order(self._get(f"/orders/{found.id}", {"nested": "true"}))
        except Doubtful as error:
            raise OutcomeUnknown(client_order_id) from error
        except Refusal as refusal:
            if refusal.http_status == NOT_FOUND:
                return None
            raise OutcomeUnknown(client_order_id) from refusal

    def _acknowledge(self, intent: OrderIntent, order: WireOrder) -> None:
        """The order and its legs, as news. Fills are left to the stream: it names their execution ids."""
        self._memory.link(intent.client_order_id, order.id)
        self._tell(wire.acknowledgement(order, intent.client_order_id))
        for leg in order.legs or ():
            name = wire.leg_name(leg, intent.client_order_id)
            self._memory.link(name, leg.id)
            self._tell(wire.acknowledgement(leg, name))

    def _rejection(self, intent: Action, refusal: Refusal) -> OrderUpdate:
        return self._ended(intent, OrderStatus.REJECTED, error_code=refusal.code, error_text=refusal.text)

    def _ended(self, intent: Action, status: OrderStatus, **said: Any) -> OrderUpdate:
        """An order that the broker does not have."""
        return OrderUpdate(
            at_ns=self._now_ns(),
            client_order_id=intent.client_order_id,
            broker_order_id="",
            symbol=intent.symbol,
            status=status,
            filled_quantity=Decimal(0),
            **said,
        )

    def _cancel(self, intent: CancelIntent) -> None:
        """Taken back, or too late: either way the stream says what became of it. An unknown order is refused."""
        try:
            broker_order_id = self._broker_id(intent.client_order_id)
        except Refusal as refusal:
            self._inbox.append(self._rejection(intent, refusal))
            return
        with suppress(Refusal):  # Not cancelable: it is over, and the stream has told or will tell how.
            self._repeated(lambda: self._client.delete(f"/orders/{broker_order_id}"))

    # What became of them.

    def _listen(self) -> None:
        for message in self._stream.take():
            name = self._memory.our_id(message.order.id, message.order.client_order_id)
            self._tell(wire.order_update(message, name))

    def _tell(self, update: OrderUpdate) -> None:
        if self._memory.learn(update):
            self._inbox.append(update)

    def _activities(self, kinds: str, day: date) -> list[WireCashActivity]:
        """Oldest first."""
        query: dict[str, Any] = {
            "activity_types": kinds,
            "date": day.isoformat(),
            "direction": "asc",
            "page_size": _ACTIVITIES_PAGE,
        }
        rows: list[WireCashActivity] = []
        for _ in range(_ACTIVITY_PAGES_MAX):
            page = wire.read(self._get("/account/activities", query), list[WireCashActivity], f"{kinds} activities")
            rows.extend(page)
            if len(page) < _ACTIVITIES_PAGE:
                break
            query["page_token"] = page[-1].id
        return rows

    # The way there.

    def _by_client_order_id(self, client_order_id: str) -> Any:
        return self._get("/orders:by_client_order_id", {"client_order_id": client_order_id})

    def _get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self._repeated(lambda: self._client.get(path, query))

    def _repeated(self, call: Callable[[], Any]) -> Any:
        return repeated(call, self._limits, self._generator)

    @staticmethod
    def _order(answer: Any) -> WireOrder:
        return wire.read(answer, WireOrder, "order")
