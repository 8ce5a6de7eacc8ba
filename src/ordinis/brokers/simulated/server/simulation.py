"""What the server serves: one exchange, the market data it works through, and what it has told so far.

Time is virtual. One clock, the exchange's, drives the matching, the streams and the clock endpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedMarket
from ordinis.brokers.simulated.order import ZERO
from ordinis.brokers.simulated.server.terms import split_block, split_daily
from ordinis.brokers.simulated.wire_account import cash_activity
from ordinis.brokers.simulated.wire_orders import fill_activity, update_bodies
from ordinis.domain.errors import DataError
from ordinis.domain.events import ActionKind, BrokerEvent, CashFlow, CorporateAction, OrderUpdate, SessionPhase
from ordinis.domain.market import MINUTE_NS, DailyBlock, MarketBlock, MarketSlice, Session

ACTIVITIES_MAX = 1_000_000
EQUITIES_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedData:
    """The blocks to work through, oldest first, and what was before them. All of one universe."""

    days: Sequence[MarketBlock]
    history: Sequence[MarketBlock] = ()
    daily: DailyBlock | None = None

    def __post_init__(self) -> None:
        if not self.days:
            raise DataError("the simulated broker needs at least one session of minute bars")

    @property
    def sessions(self) -> list[Session]:
        """Every session that has minutes, oldest first, each once."""
        return list(dict.fromkeys(block.session for block in (*self.history, *self.days)))


class Totals(msgspec.Struct):
    """Messages said to at least one listener since the start: a stepping client waits until it has seen as many."""

    trade_updates: int = 0
    bars: int = 0
    updated_bars: int = 0
    trade_updates_unheard: int = 0  # Said to nobody: who should have heard them was hung up on, or made deaf.
    bars_unheard: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of time: what it was, and what it caused."""

    phase: str  # "opening", "minute", "closed", or "ended" once there is nothing left.
    at_ns: int
    session: Session | None
    updates: list[dict[str, Any]]
    minute: MarketSlice | None = None


class Simulation:
    """An exchange that works through its data step by step."""

    def __init__(self, exchange: Exchange, data: SimulatedData) -> None:
        self.exchange = exchange
        self.data = data
        self.sessions = data.sessions
        self.totals = Totals()
        self.session_number = 1  # Of the session that is on or comes next.
        self.minutes_over = 0  # Of that session.
        self.fills: deque[dict[str, Any]] = deque(maxlen=ACTIVITIES_MAX)  # Activities, oldest first.
        self.cash_flows: deque[dict[str, Any]] = deque(maxlen=ACTIVITIES_MAX)
        self.corporate_actions: list[CorporateAction] = []  # As they were carried out.
        self.equities: deque[tuple[int, float]] = deque(maxlen=EQUITIES_MAX)  # At the end of every minute, USD.
        self.days = list(data.days)  # As they are traded: a split puts what is to come in new terms.
        self.daily = data.daily
        self.splits_tonight: Callable[[int], Iterable[tuple[str, Decimal]]] = lambda session_number: ()
        self._steps: Iterator[SessionPhase | MarketSlice] = iter(SimulatedMarket(exchange, self._traded()))
        self._messages = 0
        self._filled_usd: dict[str, Decimal] = {}  # By order, while it fills.

    @property
    def now_ns(self) -> int:
        """The exchange's time; before its first session the minute before that opens."""
        return self.exchange.now_ns or self.data.days[0].session.open_ns - MINUTE_NS

    @property
    def is_open(self) -> bool:
        session = self.exchange.session
        return session is not None and self.now_ns < session.close_ns

    def step(self) -> Step:
        """Let time pass until the next phase or minute."""
        item = next(self._steps, None)
        updates = self.news()
        if item is None:
            return Step(phase="ended", at_ns=self.now_ns, session=None, updates=updates)
        if isinstance(item, SessionPhase):
            return self._phase(item, updates)
        self.minutes_over += 1
        self.equities.append((item.at_ns, float(self.exchange.books.equity_usd)))
        return Step(phase="minute", at_ns=item.at_ns, session=item.session, updates=updates, minute=item)

    def _traded(self) -> Iterator[MarketBlock]:
        """The blocks in turn; a session's first is asked for as the session before it closes."""
        for place in range(len(self.days)):
            if place and self.days[place].session != self.days[place - 1].session:
                for symbol, ratio in self.splits_tonight(self.session_number + 1):
                    self._split(place, symbol, ratio)
            yield self.days[place]

    def _split(self, place: int, symbol: str, ratio: Decimal) -> None:
        """From the block at `place` on the symbol trades in new terms, and the exchange knows why."""
        column, ex_date = self.exchange.universe.column.get(symbol), self.days[place].session.date
        if column is None:
            return
        self.days[place:] = [split_block(block, column, float(ratio)) for block in self.days[place:]]
        self.daily = None if self.daily is None else split_daily(self.daily, column, float(ratio), ex_date)
        self.exchange.announce(
            CorporateAction(
                at_ns=self.now_ns,
                id=f"split-{symbol}-{ex_date.isoformat()}",
                symbol=symbol,
                kind=ActionKind.SPLIT,
                ex_date=ex_date,
                ratio=ratio,
            )
        )

    def _phase(self, item: SessionPhase, updates: list[dict[str, Any]]) -> Step:
        self.minutes_over = 0
        if self.exchange.session is None:  # It has closed.
            self.session_number += 1
        return Step(phase=item.phase.value, at_ns=item.at_ns, session=item.session, updates=updates)

    def news(self) -> list[dict[str, Any]]:
        """The trade updates that are due, and the activities booked."""
        return [message for event in self.exchange.drain() for message in self._told(event)]

    def _told(self, event: BrokerEvent) -> list[dict[str, Any]]:
        if isinstance(event, CashFlow):
            self.cash_flows.append(cash_activity(event))
            return []
        if isinstance(event, CorporateAction):
            self.corporate_actions.append(event)
            return []
        order = self.exchange.order(event.broker_order_id)
        average_usd = self._average_usd(event)
        if event.fill is not None:
            self.fills.append(fill_activity(event, order))
        position = self.exchange.books.quantity(order.column)
        messages = update_bodies(event, order, average_usd, position, self._messages + 1)
        self._messages += len(messages)
        return messages

    def _average_usd(self, event: OrderUpdate) -> Decimal | None:
        """The average price up to this event, though the order may have filled further by now."""
        filled_usd = self._filled_usd.get(event.broker_order_id, ZERO)
        if event.fill is not None:
            filled_usd += abs(event.fill.quantity) * event.fill.price_usd
            self._filled_usd[event.broker_order_id] = filled_usd
        if event.status.final:
            self._filled_usd.pop(event.broker_order_id, None)
        return filled_usd / event.filled_quantity if event.filled_quantity else None
