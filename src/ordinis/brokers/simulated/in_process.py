"""The exchange without a wire: the broker and the market of a backtest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.order import ZERO
from ordinis.domain.account import AccountView
from ordinis.domain.errors import OrderRefused
from ordinis.domain.events import BrokerEvent, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice, Session
from ordinis.domain.orders import Action, OrderIntent, OrderStatus, ReplaceIntent


class SimulatedBroker:
    """ports.Broker on an exchange in the same process."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._outbox: list[BrokerEvent] = []

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Send, in order. A refusal becomes a REJECTED update; a cancel that comes too late is silent."""
        for action in actions:
            try:
                self._send(action)
            except OrderRefused as refusal:
                self._outbox += self._exchange.drain()
                self._outbox.append(self._rejection(action, refusal))

    def _send(self, action: Action) -> None:
        if isinstance(action, OrderIntent):
            self._exchange.submit(action)
            return
        if isinstance(action, ReplaceIntent):
            self._exchange.replace(self._exchange.order_by_client_id(action.replaces).id, action)
            return
        order = self._exchange.order_by_client_id(action.client_order_id)
        if order.live:  # Otherwise its last update has been, or is about to be, read.
            self._exchange.cancel(order.id)

    def _rejection(self, action: Action, refusal: OrderRefused) -> OrderUpdate:
        return OrderUpdate(
            at_ns=self._exchange.now_ns,
            client_order_id=action.client_order_id,
            broker_order_id="",
            symbol=action.symbol,
            status=OrderStatus.REJECTED,
            filled_quantity=ZERO,
            error_code=refusal.code,
            error_text=refusal.text,
        )

    def updates(self) -> Sequence[BrokerEvent]:
        """What happened since the last call, in order of execution."""
        if not self._outbox:
            return self._exchange.drain()
        events, self._outbox = self._outbox, []
        events += self._exchange.drain()
        return events

    def account(self) -> AccountView:
        return self._exchange.account()


class SimulatedMarket:
    """ports.Market: time passes at the exchange as the blocks are read, one minute a step."""

    def __init__(self, exchange: Exchange, blocks: Iterable[MarketBlock]) -> None:
        self._exchange = exchange
        self._blocks = blocks

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice]:
        session: Session | None = None
        for block in self._blocks:
            if block.session != session:
                if session is not None:
                    yield self._close(session)
                session = block.session
                yield self._open(session)
            for row in range(block.rows):
                minute = block.at(row)
                self._exchange.advance(minute)
                yield minute
        if session is not None:
            yield self._close(session)

    def _open(self, session: Session) -> SessionPhase:
        self._exchange.open_session(session)
        return SessionPhase(at_ns=session.open_ns, phase=Phase.OPENING, session=session)

    def _close(self, session: Session) -> SessionPhase:
        self._exchange.close_session()
        return SessionPhase(at_ns=session.close_ns, phase=Phase.CLOSED, session=session)
