"""The Alpaca executor when the other side is slow, silent, gone, or says no."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from contract.days import UNIVERSE, block_of
from contract.roads import buy, cancel, endpoints, linked, wired
from ordinis.brokers.alpaca.backoff import Backoff
from ordinis.brokers.alpaca.control import Control, ControlAddress
from ordinis.brokers.alpaca.feeds import StreamLimits
from ordinis.brokers.alpaca.rest import RestLimits
from ordinis.brokers.alpaca.simulation import SimulationLink
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults.kinds import Fault, HttpError, LostAnswer
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import TimeInForce

DAYS = [block_of(0)]
DAYS_CASH = Decimal(100_000)
QUICK = RestLimits(connect_seconds_max=1.0, answer_seconds_max=0.4, backoff=Backoff(first_seconds=0.01, attempts_max=2))
STREAMS = StreamLimits(wait_seconds_max=1.0, backoff=Backoff(first_seconds=0.01, attempts_max=2))


def _updates(link: SimulationLink) -> list[tuple[str, str]]:
    return [(one.client_order_id, one.status.value) for one in link.broker.updates() if isinstance(one, OrderUpdate)]


def _opened(link: SimulationLink) -> Iterator[Any]:
    market = iter(link.market)
    next(market)
    next(market)
    return market


@pytest.mark.parametrize(
    "fault",
    [
        LostAnswer(method="POST", status=504),
        LostAnswer(method="POST", seconds=1.0, status=403),  # Only who does not wait for it gets on.
        HttpError(method="POST", status=503),
    ],
    ids=["accepted behind a 504", "accepted without an answer", "lost on the way"],
)
def test_a_doubtful_order_is_looked_up_and_stands_once(fault: Fault) -> None:
    with wired(DAYS, faults=(fault,), rest_limits=QUICK) as (exchange, link):
        _opened(link)
        link.broker.carry_out([buy("a", "AAA", "3", stop_loss="50.00")])
        assert _updates(link) == [("a", "accepted"), ("a.stop", "held")]
        assert [one.client_order_id for one in exchange.orders] == ["a", "a.stop"]


def test_an_order_that_is_lost_twice_is_asked_about_and_then_sent_again() -> None:
    lost = HttpError(method="POST", status=504, count=2)
    with wired(DAYS, faults=(lost,), rest_limits=QUICK) as (exchange, link):
        _opened(link)
        link.broker.carry_out([buy("a", "AAA", "3")])
        assert (exchange.orders, _updates(link)) == ((), [])
        assert link.broker.inquire("a")
        assert _updates(link) == [("a", "accepted")]
        assert [one.client_order_id for one in exchange.orders] == ["a"]


def test_an_order_that_is_lost_until_its_time_has_passed_lapses() -> None:
    lost = HttpError(method="POST", status=504, count=2)
    with wired(DAYS, faults=(lost,), rest_limits=QUICK) as (exchange, link):
        market = _opened(link)
        late = msgspec.structs.replace(buy("a", "AAA", "3"), valid_until_ns=link.now_ns)
        link.broker.carry_out([late])
        next(market)
        assert link.broker.inquire("a")
        assert (_updates(link), exchange.orders) == ([("a", "lapsed")], ())


def test_too_many_requests_is_waited_out() -> None:
    with wired(DAYS, faults=(HttpError(method="POST", status=429),), rest_limits=QUICK) as (exchange, link):
        _opened(link)
        link.broker.carry_out([buy("a", "AAA", "3")])
        assert [one.client_order_id for one in exchange.orders] == ["a"]


def test_an_id_that_is_taken_means_that_the_order_was_sent() -> None:
    with wired(DAYS) as (exchange, link):
        market = _opened(link)
        exchange.submit(buy("a", "AAA", "3", stop_loss="50.00"))  # By us, before a crash.
        link.broker.carry_out([buy("a", "AAA", "3", stop_loss="50.00")])
        next(market)
        link.broker.carry_out([cancel("a.stop", "AAA")])  # Under our own name for the leg.
        heard = _updates(link)
        assert heard[:2] == [("a", "accepted"), ("a.stop", "held")]
        assert heard[-1] == ("a.stop", "canceled")


def test_a_cancel_finds_an_order_of_an_earlier_run() -> None:
    with wired(DAYS) as (exchange, link):
        _opened(link)
        exchange.submit(buy("old", "AAA", "3", limit="50.00"))
        link.broker.carry_out([cancel("old", "AAA")])
        assert _updates(link) == [("old", "accepted"), ("old", "canceled")]


def test_a_wrong_secret_says_so_and_is_never_shown() -> None:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=DAYS_CASH))
    with serve(exchange, SimulatedData(days=DAYS)) as served:
        wrong = endpoints(served.addresses, secret="not-the-secret")
        control = ControlAddress(url=served.addresses.control, token=served.addresses.control_token)
        with pytest.raises(BrokerError) as refused:
            SimulationLink(wrong, control, UNIVERSE, generator=Random(1), stream_limits=STREAMS)
    assert "refused the key" in str(refused.value)
    assert "not-the-secret" not in str(refused.value)
    assert "not-the-secret" not in repr(wrong) + repr(control)
    assert served.addresses.control_token not in repr(control) + repr(served.addresses)


def test_nobody_at_the_address_says_so_soon() -> None:
    port = _free_port()
    nowhere = Addresses(
        rest=f"http://127.0.0.1:{port}",
        data=f"http://127.0.0.1:{port}",
        data_stream=f"ws://127.0.0.1:{port}/v2/iex",
        trading_stream=f"ws://127.0.0.1:{port}/stream",
        control=f"http://127.0.0.1:{port}",
        control_token="t",
        key="k",
        secret="s",
    )
    with (
        pytest.raises(BrokerError, match=r"the trading stream at .* is lost after 2 attempts"),
        linked(nowhere, DAYS[0], stream_limits=STREAMS),
    ):
        pass


def test_a_broker_that_goes_away_is_an_error_not_a_hang() -> None:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=DAYS_CASH))
    served = serve(exchange, SimulatedData(days=DAYS))
    with linked(served.addresses, DAYS[0], rest_limits=QUICK, stream_limits=STREAMS) as link:
        market = _opened(link)
        served.stop()
        with pytest.raises(BrokerError, match="did not answer"):
            next(market)
        with pytest.raises(BrokerError, match="did not answer"):
            link.broker.account()
        with pytest.raises(BrokerError, match="is lost after"):
            _read_on(link)


def test_who_waits_for_messages_of_a_stream_that_is_lost_waits_no_longer() -> None:
    patient = StreamLimits(wait_seconds_max=60.0, backoff=Backoff(first_seconds=20.0))
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=DAYS_CASH))
    served = serve(exchange, SimulatedData(days=DAYS))
    with linked(served.addresses, DAYS[0], stream_limits=patient) as link:
        served.stop()
        began = time.monotonic()
        assert not link._updates.wait_for(1, 0)
        assert time.monotonic() - began < 10.0


def test_a_stream_that_we_hang_up_on_ourselves_is_not_given_up() -> None:
    """After a restart every order that has news says that the stream may be mute."""
    with wired(DAYS, stream_limits=STREAMS) as (_, link):
        for _ in range(3 * STREAMS.backoff.attempts_max):
            link._updates.renew()
        assert link._updates.drops == 3 * STREAMS.backoff.attempts_max
        assert len(list(link.market)) == DAYS[0].rows + 2


def test_who_comes_late_is_told_what_has_passed_and_waits_for_nothing_that_was_told_before() -> None:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=DAYS_CASH))
    with serve(exchange, SimulatedData(days=DAYS)) as served:
        control = Control(ControlAddress(url=served.addresses.control, token=served.addresses.control_token))
        for _ in range(4):
            control.step()
        control.close()
        with linked(served.addresses, DAYS[0], stream_limits=STREAMS) as link:
            assert len(list(link.market)) == DAYS[0].rows + 2


def test_orders_that_are_over_are_forgotten_at_the_close() -> None:
    with wired(DAYS) as (_, link):
        market = _opened(link)
        link.broker.carry_out([buy("a", "AAA", "3"), buy("b", "AAA", "3", limit="50.00", good_till=TimeInForce.GTC)])
        assert len(list(market)) == DAYS[0].rows
        known = [link.broker._memory.broker_id(name) is not None for name in ("a", "b")]
        assert known == [False, True]


def test_messages_that_do_not_come_are_waited_for_no_longer_than_the_limit() -> None:
    with wired(DAYS, stream_limits=STREAMS) as (_, link):
        _opened(link)
        with pytest.raises(BrokerError, match=r"gave \d+ of \d+ published messages within 1 s"):
            link._updates.wait_for(link._updates.received + 1, link._updates.drops)


def test_a_wrong_control_token_is_refused() -> None:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=DAYS_CASH))
    with serve(exchange, SimulatedData(days=DAYS)) as served:
        control = ControlAddress(url=served.addresses.control, token="wrong")
        with pytest.raises(BrokerError, match="control token is missing or wrong"):
            SimulationLink(endpoints(served.addresses), control, UNIVERSE, generator=Random(1))


def _read_on(link: SimulationLink) -> None:
    for _ in range(100):
        link.broker.updates()
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_data_that_goes_back_in_time_stops_the_run_with_the_exchange_s_words() -> None:
    with wired([block_of(0), block_of(0)]) as (_, link), pytest.raises(BrokerError, match="minutes go forward"):
        for _ in link.market:
            pass
