"""A trader that dies at a chosen boundary, and a broker that outlives it: in one process, without a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.domain.decision import Decision
from ordinis.domain.events import BrokerEvent, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice
from ordinis.domain.orders import Action, OrderIntent, OrderType, leg_id
from ordinis.domain.standing import BrokerBooks, Reached, StandingOrder
from ordinis.engines.reconcile import own_books
from ordinis.engines.trading import TradingEngine
from ordinis.journal.recorded import recorded
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.ports import Journal, Market, StandingBroker
from ordinis.runtime.loop import trade
from ordinis.runtime.reconciling import Reconciler
from ordinis.runtime.recovery import Relived, catch_up, relive

META = {"symbols": '["AAA", "BBB", "CCC"]'}


class Killed(BaseException):
    """SIGKILL, as far as one process can play it."""


class Death:
    """Comes at the boundary of this number, counted from 0; None: never. `passed` names those that were crossed."""

    def __init__(self, at: int | None = None) -> None:
        self._at = at
        self.passed: list[str] = []

    def near(self, boundary: str) -> None:
        self.passed.append(boundary)
        if self._at == len(self.passed) - 1:
            raise Killed


def unprotected(exchange: Exchange) -> set[str]:
    """Positions without a stop, and without an exit under way."""
    kinds = (OrderType.STOP, OrderType.MARKET)
    safe = {(order.symbol, order.buys) for order in exchange.orders if order.live and order.type in kinds}
    return {one.symbol for one in exchange.positions if (one.symbol, one.quantity < 0) not in safe}


class Guard:
    """No position is without a stop, or an exit under way, for longer than a minute, but where its stop has to wait."""

    def __init__(self, exchange: Exchange, engine: TradingEngine) -> None:
        self._exchange = exchange
        self._engine = engine
        self._before: set[str] = set()

    def __call__(self, event: Event, decision: Decision) -> None:
        if isinstance(event, MarketSlice):
            now = unprotected(self._exchange) - self._engine.state.gate.slots.unprotected
            assert not now & self._before, f"{now} had no stop for a minute at {event.at_ns}"
            self._before = now


class Beyond:
    """What outlives the trader: the exchange, all it has said, and the market's time."""

    def __init__(self, exchange: Exchange, blocks: Sequence[MarketBlock]) -> None:
        self.exchange = exchange
        self.said: list[OrderUpdate] = []
        self.sent: list[str] = []  # Every POST of an order, refused ones too.
        self._time = iter(SimulatedMarket(exchange, blocks))
        self._last: SessionPhase | MarketSlice | None = None
        submit = exchange.submit

        def counted(intent: OrderIntent, *more: Any) -> object:
            self.sent.append(intent.client_order_id)
            return submit(intent, *more)

        exchange.submit = counted  # type: ignore[assignment, method-assign]

    def market(self, reached: Reached | None) -> Iterator[SessionPhase | MarketSlice]:
        """From where a run stood: what it has not taken in comes first."""
        if self._last is not None and _is_after(self._last, reached):
            yield self._last
        for item in self._time:
            self._last = item
            yield item


def _is_after(item: SessionPhase | MarketSlice, reached: Reached | None) -> bool:
    if reached is None or item.at_ns != reached.at_ns:
        return reached is None or item.at_ns > reached.at_ns
    return isinstance(item, SessionPhase) and item.phase is Phase.CLOSED and not reached.closed


class OutlivingBroker(SimulatedBroker):
    """A connection to it: what was said to an earlier one is asked for, not told again."""

    busy = False

    def __init__(self, beyond: Beyond) -> None:
        super().__init__(beyond.exchange)
        self._beyond = beyond
        self._heard: list[OrderUpdate] = []
        self._asked: list[BrokerEvent] = []

    def updates(self) -> Sequence[BrokerEvent]:
        events, self._asked = [*self._asked, *self._told()], []
        return events

    def _told(self) -> list[BrokerEvent]:
        told = list(super().updates())
        news = [one for one in told if isinstance(one, OrderUpdate)]
        self._beyond.said += news
        self._heard += news
        return told

    def books(self) -> BrokerBooks:
        exchange = self._beyond.exchange
        return BrokerBooks(
            at_ns=exchange.now_ns,
            positions=exchange.positions,
            orders=tuple(
                StandingOrder(
                    client_order_id=one.client_order_id,
                    symbol=one.symbol,
                    quantity=one.quantity,
                    filled_quantity=one.filled_quantity,
                )
                for one in exchange.orders
                if one.live
            ),
        )

    def inquire(self, client_order_id: str) -> bool:
        self._asked += self._told()
        ours = (client_order_id, leg_id(client_order_id))
        news = [one for one in self._beyond.said if one.client_order_id in ours and one not in self._heard]
        self._heard += news
        self._asked += news
        return any(one.client_order_id == client_order_id for one in self._beyond.exchange.orders)

    def now_ns(self) -> int:
        return self._beyond.exchange.now_ns

    def recall(self, update: OrderUpdate) -> None:
        self._heard.append(update)


class MortalBroker:
    """Dies before or after an action, or with news in hand."""

    def __init__(self, broker: StandingBroker, death: Death) -> None:
        self._broker = broker
        self._death = death
        self.account = broker.account
        self.books = broker.books
        self.inquire = broker.inquire
        self.recall = broker.recall
        self.busy = False
        self.now_ns = broker.now_ns

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self._death.near(f"before {type(action).__name__}")
            self._broker.carry_out([action])
            self._death.near(f"after {type(action).__name__}")

    def updates(self) -> Sequence[BrokerEvent]:
        events = self._broker.updates()
        if events:
            self._death.near("news in hand")
        return events


class MortalJournal:
    """Dies before or after it has written."""

    def __init__(self, journal: SqliteJournal, death: Death, watch: Callable[[Event, Decision], None]) -> None:
        self._journal = journal
        self._death = death
        self._watch = watch

    def append(self, event: Event, decision: Decision) -> None:
        name = type(event).__name__ + (f" {event.phase.value}" if isinstance(event, SessionPhase) else "")
        self._death.near(f"before the journal has {name}")
        self._journal.append(event, decision)
        self._death.near(f"after the journal has {name}")
        self._watch(event, decision)

    def close(self) -> None:
        self._journal.close()


def live(
    engine: TradingEngine,
    beyond: Beyond,
    path: Path,
    death: Death,
    watch: Callable[[Event, Decision], None] = lambda event, decision: None,
) -> None:
    """One life of a trader, from where the journal ends to the market's end or to its own."""
    lived = relived(engine, path)
    market = beyond.market(None if lived is None else lived.reached)
    trade_on(engine, OutlivingBroker(beyond), market, lived, path, death, watch)


def relived(engine: TradingEngine, path: Path) -> Relived | None:
    return relive(engine, recorded(path)) if path.exists() else None


def trade_on(
    engine: TradingEngine,
    broker: StandingBroker,
    market: Iterable[SessionPhase | MarketSlice],
    lived: Relived | None,
    path: Path,
    death: Death,
    watch: Callable[[Event, Decision], None] = lambda event, decision: None,
) -> None:
    """As every run does it, with death at every boundary."""
    journal = SqliteJournal(path, meta=META, durability=Durability.FULL, record_slices=True)
    mortal = MortalBroker(broker, death)
    reconciler = Reconciler(lambda: own_books(engine.state, "main"), mortal)
    record: Journal = MortalJournal(journal, death, watch)
    try:
        if lived is not None:
            catch_up(engine, lived, mortal, record, reconciler)
        passing: Market = MortalMarket(market, death)
        trade(engine, passing, mortal, record, lambda: False, reconciler.look)
    finally:
        journal.close()


class MortalMarket:
    """Dies with an item in hand that nobody has seen yet."""

    def __init__(self, market: Iterable[SessionPhase | MarketSlice], death: Death) -> None:
        self._market = market
        self._death = death

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice]:
        for item in self._market:
            self._death.near(f"time has passed to {_named(item)}")
            yield item


def _named(item: SessionPhase | MarketSlice) -> str:
    return f"the {item.phase.value}" if isinstance(item, SessionPhase) else "a minute"
