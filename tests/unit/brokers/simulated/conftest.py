"""A desk: an exchange with two symbols, and minutes made by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.domain.events import BrokerEvent, CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe
from ordinis.domain.orders import Fill, OrderIntent, OrderType, Purpose, Side, TimeInForce

sys.path.insert(0, str(Path(__file__).parents[3]))  # For `simulation.actions`.

SYMBOLS = ("AAA", "BBB")
FIRST_OPEN_NS = 1736951400 * 10**9
DAY_NS = 24 * 3600 * 10**9
PLENTY = 1_000_000
NO_FEES = {"sec_usd_per_million": Decimal(0), "taf_usd_per_share": Decimal(0), "cat_usd_per_share": Decimal(0)}

Prices = float | Sequence[float]


def block_of(session: Session, number: int, bars: dict[str, Prices]) -> MarketBlock:
    """Minute `number` of a session. A bar: one price, or open, high, low, close and perhaps volume."""
    table = np.full((5, 1, len(SYMBOLS)), np.nan)
    table[4] = 0
    for symbol, given in bars.items():
        bar = [given] * 4 if isinstance(given, int | float) else list(given)
        table[:, 0, SYMBOLS.index(symbol)] = [*bar, PLENTY][:5]
    return MarketBlock(
        universe=Universe(SYMBOLS),
        session=session,
        closed_at_ns=np.array([session.open_ns + number * MINUTE_NS]),
        open=table[0],
        high=table[1],
        low=table[2],
        close=table[3],
        volume=table[4],
        present=~np.isnan(table[0]),
    )


def session_number(number: int) -> Session:
    open_ns = FIRST_OPEN_NS + number * DAY_NS
    return Session(date=date(2025, 1, 15) + timedelta(number), open_ns=open_ns, close_ns=open_ns + 390 * MINUTE_NS)


class Desk:
    """Sends orders, lets minutes pass, and remembers what the exchange said."""

    block_of = staticmethod(block_of)
    session_number = staticmethod(session_number)

    def __init__(self, *, actions: Sequence[CorporateAction] = (), **settings: Any) -> None:
        chosen: dict[str, Any] = {"cash_usd": Decimal(100_000), "fill_model": FillModel.NEXT_OPEN, **NO_FEES}
        self.exchange = Exchange(Universe(SYMBOLS), ExchangeSettings(**{**chosen, **settings}), actions=actions)
        self.history: list[BrokerEvent] = []
        self._sessions = self._minutes = self._orders = 0
        self.open()

    def open(self) -> None:
        self.exchange.open_session(session_number(self._sessions))
        self._sessions += 1
        self._minutes = 0

    def close(self) -> list[BrokerEvent]:
        self.exchange.close_session()
        return self.events()

    def minute(self, **bars: Prices) -> list[BrokerEvent]:
        """Let a minute pass; what it caused."""
        assert self.exchange.session is not None
        self._minutes += 1
        self.exchange.advance(block_of(self.exchange.session, self._minutes, bars).at(0))
        return self.events()

    def last_minute(self, **bars: Prices) -> list[BrokerEvent]:
        self._minutes = 389
        return self.minute(**bars)

    def events(self) -> list[BrokerEvent]:
        new = self.exchange.drain()
        self.history += new
        return new

    @staticmethod
    def intent(side: Side, quantity: Decimal | str | int, symbol: str = "AAA", **fields: Any) -> OrderIntent:
        """A market order for the day unless the fields say otherwise; prices may be plain strings."""
        for name in ("trail_percent", *(name for name in fields if name.endswith("_usd"))):
            if name in fields:
                fields[name] = Decimal(str(fields[name]))
        kind = OrderType.LIMIT if "limit_price_usd" in fields else OrderType.MARKET
        if "stop_price_usd" in fields:
            kind = OrderType.STOP_LIMIT if "limit_price_usd" in fields else OrderType.STOP
        kind = OrderType.TRAILING_STOP if "trail_usd" in fields or "trail_percent" in fields else kind
        chosen: dict[str, Any] = {"type": kind, "time_in_force": TimeInForce.DAY, "client_order_id": "one", **fields}
        return OrderIntent(
            symbol=symbol,
            side=side,
            quantity=Decimal(str(quantity)),
            purpose=Purpose.ENTRY,
            decided_at_ns=0,
            valid_until_ns=0,
            **chosen,
        )

    def send(self, side: Side, quantity: Decimal | str | int, symbol: str = "AAA", **fields: Any) -> BrokerOrder:
        self._orders += 1
        fields.setdefault("client_order_id", f"order-{self._orders}")
        return self.exchange.submit(self.intent(side, quantity, symbol, **fields))

    def buy(self, quantity: Decimal | str | int, symbol: str = "AAA", **fields: Any) -> BrokerOrder:
        return self.send(Side.BUY, quantity, symbol, **fields)

    def sell(self, quantity: Decimal | str | int, symbol: str = "AAA", **fields: Any) -> BrokerOrder:
        return self.send(Side.SELL, quantity, symbol, **fields)

    def hold(self, quantity: Decimal | str | int, price: float = 100.0, symbol: str = "AAA") -> None:
        """Come to own shares bought at that price, in two minutes of this session."""
        self.minute(**{symbol: price})
        self.buy(quantity, symbol)
        self.minute(**{symbol: price})

    @staticmethod
    def fills(events: list[BrokerEvent]) -> list[Fill]:
        return [event.fill for event in events if isinstance(event, OrderUpdate) and event.fill is not None]

    @staticmethod
    def statuses(events: list[BrokerEvent]) -> list[tuple[str, str]]:
        return [(one.client_order_id, one.status.value) for one in events if isinstance(one, OrderUpdate)]

    @staticmethod
    def flows(events: list[BrokerEvent]) -> list[CashFlow]:
        return [event for event in events if isinstance(event, CashFlow)]

    def kinds(self) -> list[str]:
        return [violation.kind for violation in self.exchange.violations]


@pytest.fixture
def desk() -> Callable[..., Desk]:
    return Desk
