"""An account that other hands trade in, too, over the wire: what is adopted follows into our book, to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, StopLossRequest, TakeProfitRequest

from contract.roads import buy, linked, sell
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, OrderUpdate, Reconciliation
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import CancelIntent, OrderIntent, OrderStatus
from ordinis.domain.orders import TimeInForce as Good
from ordinis.engines.reconcile import Foreign, own_books
from ordinis.engines.trading import TradingEngine
from ordinis.journal.recorded import recorded
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.runtime.loop import trade
from ordinis.runtime.reconciling import Reconciler
from ordinis.runtime.recovery import catch_up
from simulation.killing import META, relived
from simulation.worlds import day, engine_of, exchange_of, tier_of

YESTERDAY = day(0, {"AAA": [100.0] * 4, "BBB": [50.0] * 4})
TODAY = day(
    1,
    {
        "AAA": [100.0, 100.0, 100.0, 100.0, 99.0, (95.0, 95.0, 89.0, 89.5), 89.5, 89.5],
        "BBB": [50.0, 50.0, 50.0, (50.0, 50.0, 49.4, 49.6), 49.6, 49.6, 49.6, 49.6],
        "CCC": [20.0] * 8,
    },
    enter={"AAA": [3], "BBB": [3]},
)


@pytest.fixture
def exchange() -> Exchange:
    """With 50 AAA from yesterday, and a stop for them that is good till cancelled."""
    made = exchange_of(cash_usd=Decimal(100_000))
    made.open_session(YESTERDAY.session)
    made.advance(YESTERDAY.at(0))
    made.submit(buy("by-hand", "AAA", "50"))
    for row in (1, 2):
        made.advance(YESTERDAY.at(row))
    made.submit(sell("by-hand-stop", "AAA", "50", stop="90", good_till=Good.GTC))
    made.advance(YESTERDAY.at(3))
    made.close_session()
    made.drain()
    return made


@pytest.fixture
def addresses(exchange: Exchange) -> Iterator[Addresses]:
    with serve(exchange, SimulatedData(days=[TODAY])) as served:
        yield served.addresses


def live(addresses: Addresses, path: Path, *, minutes: int, foreign: Foreign) -> TradingEngine:
    """A life of so many minutes, from where the journal ends."""
    engine = engine_of(tiers=[tier_of(stop_loss_pct=0.05)])
    lived = relived(engine, path)
    journal = SqliteJournal(path, meta=META, durability=Durability.FULL, record_slices=True)
    with linked(addresses, TODAY) as link:
        reconciler = Reconciler(lambda: own_books(engine.state, "main"), link.broker, foreign, foreign)
        if lived is not None:
            catch_up(engine, lived, link.broker, journal, reconciler)
        passed = [0]

        def stopped() -> bool:
            return passed[0] >= minutes

        class Counted:
            def append(self, event: Event, decision: Decision) -> None:
                journal.append(event, decision)
                passed[0] += isinstance(event, MarketSlice)

            def close(self) -> None:
                journal.close()

        trade(
            engine,
            link.market_since(None if lived is None else lived.reached),
            link.broker,
            Counted(),
            stopped,
            reconciler.look,
        )
    journal.close()
    return engine


def bid_for_bbb(addresses: Addresses, good_till: TimeInForce = TimeInForce.DAY, **more: Any) -> None:
    """Somebody else, with Alpaca's own SDK."""
    client = TradingClient(addresses.key, addresses.secret, paper=True, url_override=addresses.rest)
    client.submit_order(
        LimitOrderRequest(
            symbol="BBB",
            qty=20,
            side=OrderSide.BUY,
            time_in_force=good_till,
            limit_price=49.5,
            client_order_id="by-hand-bid",
            **more,
        )
    )


@pytest.mark.parametrize("lives", [(99,), (2, 99), (3, 2, 99)], ids=["one life", "two lives", "three lives"])
def test_what_is_adopted_ends_in_our_book_as_in_the_broker_s(
    exchange: Exchange, addresses: Addresses, tmp_path: Path, lives: tuple[int, ...]
) -> None:
    bid_for_bbb(addresses)
    path = tmp_path / "a.journal"
    for minutes in lives:
        engine = live(addresses, path, minutes=minutes, foreign="adopt")
    state, steps = engine.state, list(recorded(path))
    assert state.ledger.differs_from(exchange.positions) == []
    assert (
        state.ledger.cash_usd == exchange.account().cash_usd == Decimal(100_000) - 5000 + 50 * 90 - 20 * Decimal("49.5")
    )
    adopted = [one.client_order_id for event, _ in steps if isinstance(event, Reconciliation) for one in event.adopted]
    assert sorted(adopted) == ["by-hand-bid", "by-hand-stop"]
    ours = [one for _, decision in steps for one in decision.actions if isinstance(one, OrderIntent)]
    assert [(one.symbol, one.quantity, one.stop_price_usd) for one in ours] == [("BBB", Decimal(20), Decimal("47.02"))]
    assert not [one for _, decision in steps for one in decision.actions if isinstance(one, CancelIntent)]
    assert OrderStatus.REJECTED not in {event.status for event, _ in steps if isinstance(event, OrderUpdate)}
    assert exchange.order_by_client_id(ours[0].client_order_id).live


@pytest.mark.parametrize(
    ("good_till", "ours"), [(TimeInForce.GTC, []), (TimeInForce.DAY, ["main-20250116T1438-BBB-stop-1"])]
)
def test_a_bracket_of_other_hands_protects_what_it_buys_and_ours_follows_when_it_ends(
    exchange: Exchange, addresses: Addresses, tmp_path: Path, good_till: TimeInForce, ours: list[str]
) -> None:
    legs = {"stop_loss": StopLossRequest(stop_price=40.0), "take_profit": TakeProfitRequest(limit_price=60.0)}
    bid_for_bbb(addresses, good_till, order_class=OrderClass.BRACKET, **legs)
    engine = live(addresses, tmp_path / "a.journal", minutes=99, foreign="adopt")
    assert engine.state.ledger.differs_from(exchange.positions) == []
    assert engine.state.ledger.held("BBB") == 20
    assert engine.state.ledger.cash_usd == exchange.account().cash_usd
    steps = list(recorded(tmp_path / "a.journal"))
    sent = [one for _, decision in steps for one in decision.actions if isinstance(one, OrderIntent)]
    assert [one.client_order_id for one in sent] == ours
    theirs = [one for one in exchange.orders if one.symbol == "BBB" and one.parent is not None]
    assert [one.live for one in theirs] == [not ours, not ours]
    assert all(exchange.order_by_client_id(name).live for name in ours)


def test_what_is_left_alone_stays_with_its_owner(exchange: Exchange, addresses: Addresses, tmp_path: Path) -> None:
    engine = live(addresses, tmp_path / "a.journal", minutes=4, foreign="leave")
    assert engine.state.ledger.held("AAA") == 0
    assert engine.state.ledger.foreign == {"AAA": Decimal(50)}
    assert "by-hand-stop" not in engine.state.desk.working
    assert exchange.order_by_client_id("by-hand-stop").live
