"""One run of a script of orders, in process or over the wire, and everything that was heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import numpy as np

from ordinis.brokers.alpaca.control import ControlAddress
from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.simulation import SimulationLink
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults.kinds import Fault
from ordinis.brokers.simulated.faults.plan import FaultPlan
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.events import CorporateAction, SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice
from ordinis.domain.orders import (
    Action,
    CancelIntent,
    OrderIntent,
    OrderType,
    Purpose,
    ReplaceIntent,
    Side,
    TimeInForce,
)
from ordinis.ports import Broker, Market

Script = Mapping[int, Sequence[Action]]  # What is sent after the item of that number, counted from 0.
_TRAILS = {"trail_usd", "trail_percent"}
_KINDS = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}
ROADS = ("in process", "over the wire")


def order(
    name: str,
    symbol: str,
    side: Side,
    quantity: str,
    *,
    limit: str | None = None,
    stop: str | None = None,
    stop_loss: str | None = None,
    good_till: TimeInForce = TimeInForce.DAY,
    **more: Any,
) -> OrderIntent:
    pair = more.pop("oco", False)
    kind = _KINDS[limit is not None or pair, stop is not None]
    kind = OrderType.TRAILING_STOP if more.keys() & _TRAILS else kind
    numbers: dict[str, Any] = {
        field: Decimal(value) if isinstance(value, str) else value for field, value in more.items()
    }
    return OrderIntent(
        client_order_id=name,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        type=kind,
        time_in_force=good_till,
        purpose=Purpose.ENTRY,
        decided_at_ns=0,
        valid_until_ns=2**62,
        limit_price_usd=None if limit is None else Decimal(limit),
        stop_price_usd=None if stop is None else Decimal(stop),
        stop_loss_usd=None if stop_loss is None else Decimal(stop_loss),
        **numbers,
    )


def buy(name: str, symbol: str, quantity: str, **more: Any) -> OrderIntent:
    return order(name, symbol, Side.BUY, quantity, **more)


def sell(name: str, symbol: str, quantity: str, **more: Any) -> OrderIntent:
    return order(name, symbol, Side.SELL, quantity, **more)


def cancel(name: str, symbol: str) -> CancelIntent:
    return CancelIntent(client_order_id=name, symbol=symbol, decided_at_ns=0)


def replace(name: str, old: str, symbol: str, **changes: Any) -> ReplaceIntent:
    fields: dict[str, Any] = {
        key: Decimal(value) if isinstance(value, str) else value for key, value in changes.items()
    }
    return ReplaceIntent(client_order_id=name, replaces=old, symbol=symbol, decided_at_ns=0, **fields)


def heard(
    road: str,
    settings: ExchangeSettings,
    days: Sequence[MarketBlock],
    script: Script,
    actions: Sequence[CorporateAction] = (),
) -> list[Any]:
    """Every event of the run, in order."""
    exchange = Exchange(days[0].universe, settings, actions=actions)
    if road == "in process":
        return _run(SimulatedBroker(exchange), SimulatedMarket(exchange, days), script)
    with serve(exchange, SimulatedData(days=days)) as served, linked(served.addresses, days[0]) as link:
        return _run(link.broker, link.market, script)


def _run(broker: Broker, market: Market, script: Script) -> list[Any]:
    events: list[Any] = [msgspec.structs.replace(broker.account(), at_ns=0)]  # Before any time has passed.
    for number, item in enumerate(market):
        events += broker.updates()
        events.append(item)
        if isinstance(item, SessionPhase):
            events.append(broker.account())
        if number in script:
            broker.carry_out(script[number])
            events.append(broker.account())
            if number % 2:  # Read at once, or only with what the next minute brings.
                events += broker.updates()
    events += broker.updates()
    events.append(broker.account())
    return events


def written(event: Any) -> bytes:
    """An event to the last byte."""
    if isinstance(event, MarketSlice):
        numbers = (event.open, event.high, event.low, event.close, event.volume, event.present)
        text = (str(event.at_ns), repr(event.session), repr(event.universe))
        return "|".join(text).encode() + b"".join(np.ascontiguousarray(one).tobytes() for one in numbers)
    return msgspec.json.encode(event)


def endpoints(addresses: Addresses, **changed: str) -> Endpoints:
    fields = ("rest", "data", "data_stream", "trading_stream", "key", "secret")
    return Endpoints(**({name: getattr(addresses, name) for name in fields} | changed))


@contextmanager
def linked(addresses: Addresses, block: MarketBlock, **more: Any) -> Iterator[SimulationLink]:
    control = ControlAddress(url=addresses.control, token=addresses.control_token)
    with SimulationLink(endpoints(addresses), control, block.universe, generator=Random(1), **more) as link:
        yield link


@contextmanager
def wired(
    days: Sequence[MarketBlock], *, faults: tuple[Fault, ...] = (), cash_usd: int = 100_000, **more: Any
) -> Iterator[tuple[Exchange, SimulationLink]]:
    """A server with faults to come, and a link to it."""
    exchange = Exchange(days[0].universe, ExchangeSettings(cash_usd=Decimal(cash_usd)))
    with (
        serve(exchange, SimulatedData(days=days), faults=FaultPlan(fault=faults)) as served,
        linked(served.addresses, days[0], **more) as link,
    ):
        yield exchange, link
