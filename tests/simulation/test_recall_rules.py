"""An engine that recalls weeks under each regime knows of the account's rules what the one knew that lived them."""

from __future__ import annotations

import pytest

from episodes import REGIMES, Episode
from ordinis.app.build import build_engine, build_exchange
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, SessionPhase
from ordinis.domain.orders import OrderIntent
from ordinis.engines.trading import TradingEngine
from ordinis.runtime.loop import trade
from simulation.remembering import differences
from trials import GenerousMarket, UnreliableBroker

SEEDS = range(4)


class Twin:
    """Recalls every step as it is written down, and is held against the one that decides."""

    def __init__(self, first: TradingEngine, second: TradingEngine) -> None:
        self._first = first
        self._second = second
        self.orders: list[OrderIntent] = []

    def append(self, event: Event, decision: Decision) -> None:
        self._second.recall(event, decision)
        self.orders += [one for one in decision.actions if isinstance(one, OrderIntent)]
        if isinstance(event, AccountView | SessionPhase):
            assert differences(self._first, self._second) == [], f"after {event}"

    def close(self) -> None:
        """Nothing was written."""


def lived(episode: Episode) -> Twin:
    first, second = (build_engine(episode.settings, episode.universe, "sip") for _ in range(2))
    exchange = build_exchange(episode.settings, episode.universe, "sip")
    twin = Twin(first, second)
    broker = UnreliableBroker(exchange, episode.draw("broker"))
    trade(first, GenerousMarket(exchange, episode), broker, twin, lambda: False)
    return twin


@pytest.mark.parametrize("regime", REGIMES)
def test_a_twin_that_recalls_weeks_under_a_regime_knows_its_rules_state(regime: str) -> None:
    twins = [lived(Episode(seed, regime, days=6)) for seed in SEEDS]
    orders = [order for twin in twins for order in twin.orders]
    assert len(orders) >= 100
    if regime == "pattern_day_trader":
        assert any(order.swing for order in orders)
        assert any(order.stop_from_ns is not None for order in orders)
