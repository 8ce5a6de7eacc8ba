"""The account's requests are nearly used up: what is left is for orders that reduce. By the broker's own count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random

import msgspec
import pytest

from contract.days import UNIVERSE, block_of
from contract.roads import buy, cancel, endpoints, sell
from ordinis.brokers.alpaca.control import Control, ControlAddress
from ordinis.brokers.alpaca.live import LiveLink
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import ServerSettings, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import Purpose

LIMIT, RESERVED = 40, 25


@contextmanager
def limited() -> Iterator[tuple[Exchange, LiveLink, Control]]:
    """A broker that admits so many requests a minute, in its first minute; its time is stepped."""
    day = block_of(0, 8, gaps=False)
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(100_000), participation_max=0.0))
    settings = ServerSettings(requests_a_minute_max=LIMIT)
    with serve(exchange, SimulatedData(days=[day]), settings=settings) as served:
        control = Control(ControlAddress(url=served.addresses.control, token=served.addresses.control_token))
        with LiveLink(
            endpoints(served.addresses),
            UNIVERSE,
            feed="iex",
            generator=Random(1),
            wall_seconds=time.monotonic,
            say=lambda line: None,
            requests_reserved=RESERVED,
        ) as link:
            control.step()
            control.step()
            link.clock.sync()
            yield exchange, link, control
        control.close()


def use_up(link: LiveLink) -> int:
    """Ask until only the reserve is left; how often that was."""
    for asked in range(1, LIMIT):
        link.clock.sync()
        if link.broker.busy:
            return asked
    raise AssertionError("the limit was never near")


def heard(link: LiveLink) -> list[tuple[str, str]]:
    events = link.broker.updates()
    return [(one.client_order_id, one.status.value) for one in events if isinstance(one, OrderUpdate)]


def test_of_the_last_requests_entries_get_none_and_exits_all() -> None:
    with limited() as (exchange, link, control):
        link.broker.carry_out([buy("held", "AAA", "10")])
        control.step()
        link.clock.sync()
        assert not link.broker.busy, "a new minute of the broker's, a new count"
        assert use_up(link) <= LIMIT - RESERVED
        out = msgspec.structs.replace(sell("out", "AAA", "10"), purpose=Purpose.EXIT)
        link.broker.carry_out([buy("entry", "BBB", "5"), out])
        assert [one.client_order_id for one in exchange.orders] == ["held", "out"]
        assert ("entry", "lapsed") in heard(link)
        link.broker.carry_out([cancel("out", "AAA")])
        assert exchange.orders[-1].status.value == "canceled"


@pytest.mark.parametrize("minutes", [1, 2])
def test_the_reserve_is_by_the_broker_s_minute_and_not_by_ours(minutes: int) -> None:
    with limited() as (exchange, link, control):
        use_up(link)
        for _ in range(minutes):
            control.step()
        link.clock.sync()
        assert not link.broker.busy
        link.broker.carry_out([buy("entry", "BBB", "5")])
        assert [one.client_order_id for one in exchange.orders] == ["entry"]
