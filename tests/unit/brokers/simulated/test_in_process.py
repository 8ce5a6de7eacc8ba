from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis import ports
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.domain.events import OrderUpdate, Phase, SessionPhase
from ordinis.domain.orders import CancelIntent, OrderStatus, Side

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]


def cancel(client_order_id: str) -> CancelIntent:
    return CancelIntent(client_order_id=client_order_id, symbol="AAA", decided_at_ns=0)


def updates(broker: ports.Broker) -> list[tuple[str, str]]:
    return [(one.client_order_id, one.status.value) for one in broker.updates() if isinstance(one, OrderUpdate)]


def test_a_refusal_comes_back_as_an_update_in_its_place(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    broker: ports.Broker = SimulatedBroker(here.exchange)
    good, bad, late = (here.intent(Side.BUY, 1, client_order_id=name) for name in ("good", "good", "late"))
    broker.carry_out([good, bad, late])
    events = broker.updates()
    assert [event.status.value for event in events if isinstance(event, OrderUpdate)] == [
        "accepted",
        "rejected",
        "accepted",
    ]
    assert events[1] == OrderUpdate(
        at_ns=here.exchange.now_ns,
        client_order_id="good",
        broker_order_id="",
        symbol="AAA",
        status=OrderStatus.REJECTED,
        filled_quantity=Decimal(0),
        error_code=40010001,
        error_text="client_order_id must be unique",
    )
    assert broker.updates() == []


def test_a_cancel_names_the_order_by_our_id_and_too_late_is_silent(desk: MakeDesk) -> None:
    here = desk()
    here.minute(AAA=100)
    broker = SimulatedBroker(here.exchange)
    broker.carry_out([here.intent(Side.BUY, 1, client_order_id="one"), cancel("one"), cancel("one")])
    assert updates(broker) == [("one", "accepted"), ("one", "canceled")]


def test_a_cancel_of_an_order_that_never_was_is_rejected(desk: MakeDesk) -> None:
    broker = SimulatedBroker(desk().exchange)
    broker.carry_out([cancel("none")])
    [update] = broker.updates()
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.error_code) == (OrderStatus.REJECTED, 40410000)


def test_the_account_is_the_exchanges(desk: MakeDesk) -> None:
    here = desk()
    assert SimulatedBroker(here.exchange).account() == here.exchange.account()


@pytest.mark.parametrize("split", [False, True])
def test_reading_the_market_lets_time_pass_at_the_exchange(desk: MakeDesk, split: bool) -> None:
    here = desk()
    here.close()
    first, second = here.session_number(1), here.session_number(2)
    blocks = [
        here.block_of(first, 1, {"AAA": 100}),
        here.block_of(first, 2, {"AAA": 101}),
        here.block_of(second, 1, {"AAA": 102}),
    ]
    if split:
        blocks = [block.row_block(0) for block in blocks]
    market: ports.Market = SimulatedMarket(here.exchange, blocks)
    seen = []
    for event in market:
        assert event is not None
        assert event.at_ns == here.exchange.now_ns
        closed = isinstance(event, SessionPhase) and event.phase is Phase.CLOSED
        assert here.exchange.session is (None if closed else event.session)
        seen.append(event.phase.value if isinstance(event, SessionPhase) else "minute")
    assert seen == ["opening", "minute", "minute", "closed", "opening", "minute", "closed"]
    assert here.exchange.last_price_usd("AAA") == 102
