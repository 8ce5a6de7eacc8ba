"""Leave out any one rule of the gate, and the judge or the referee finds it: each rule has work that no other does.

Most are found by random episodes. Two need a story: a call that no order of ours has caused, and a broker that
contradicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from episodes import Episode
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import Event, OrderUpdate
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import RULES, AccountRules
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.runtime.loop import trade
from simulation.worlds import EVERY_DAY, UNIVERSE, Price, Tale, day, engine_of, exchange_of, tier_of
from trials import play

Faults = Callable[[frozenset[str]], Sequence[str]]


def called(without: frozenset[str]) -> Sequence[str]:
    """A market order that fills a tenth dearer leaves a deficit; until it is paid nothing more is owed.

    All is sold at once, so that there is room again, and no deposit comes.
    """
    jump: list[Price] = [100.0, 110.0, 110.0, 110.0]
    days = [day(0, {"AAA": jump, "BBB": [10.0] * 4}, enter={"AAA": [1]}, leave={"AAA": [2]}, minutes=390)]
    later = {"AAA": [110.0] * 5, "BBB": [10.0] * 5}
    days += [day(number, later, enter={"BBB": [1]}, leave={"BBB": [3]}, minutes=390) for number in range(1, 8)]
    tier = tier_of(fixed_percent=3.3, max_portfolio_leverage=4.0, max_position_pct=3.3)
    return refused(days, without, tiers=[tier], multiplier=4, cash_usd=Decimal(10_000))


def refused(days: Sequence[Any], without: frozenset[str], *, tiers: Any, **account: Any) -> Sequence[str]:
    """What the exchange refuses of it."""
    engine = engine_of(
        tiers=tiers,
        execution=ExecutionSettings(protect=False),
        throttle=Throttle(enabled=False),
        rules=AccountRules(days=EVERY_DAY, without=without),
    )
    exchange, tale = exchange_of(**account), Tale()
    trade(engine, SimulatedMarket(exchange, days), SimulatedBroker(exchange), tale, lambda: False)
    updates = [event for event, _ in tale.steps if isinstance(event, OrderUpdate)]
    return [one.error_text or "" for one in updates if one.status is OrderStatus.REJECTED]


class Liar(SimulatedBroker):
    """From some day on its account tells of a day trade that nobody made."""

    def account(self) -> AccountView:
        view = super().account()
        return replace(view, daytrade_count=1) if lies(self._exchange) else view


def lies(exchange: Exchange) -> bool:
    """When our own record covers the whole window."""
    return exchange.session is not None and exchange.session.date > date(2025, 1, 21)


def contradicted(without: frozenset[str]) -> Sequence[str]:
    """Entries while the broker's count cannot be explained."""
    days = [day(number, {"AAA": [100.0] * 5}, enter={"AAA": [2]}, leave={"AAA": [1]}) for number in range(9)]
    engine = engine_of(
        tiers=[tier_of()],
        execution=ExecutionSettings(protect=False),
        rules=AccountRules(days=EVERY_DAY, without=without),
    )
    exchange = exchange_of(regime="pattern_day_trader", cash_usd=Decimal(14_999))
    entries: list[str] = []

    def watch(event: Event, decision: Decision) -> None:
        if lies(exchange):
            sent = (action for action in decision.actions if isinstance(action, OrderIntent))
            entries.extend(order.client_order_id for order in sent if order.purpose is Purpose.ENTRY)

    trade(engine, SimulatedMarket(exchange, days), Liar(exchange), Tale(UNIVERSE, watch), lambda: False)
    return entries


# The regime whose random episodes find it, and how many of their sessions are enough.
EPISODES = {
    "day_trade_slots": ("pattern_day_trader", 3),
    "reservation": ("pattern_day_trader", 3),
    "emergency_pool": ("pattern_day_trader", 3),
    "swing_confidence": ("pattern_day_trader", 3),
    "swing_hold": ("pattern_day_trader", 10),
    "queued_stop": ("pattern_day_trader", 6),
    "flag": ("pattern_day_trader", 30),
    "day_trading_power": ("pattern_day_trader", 6),
    "intraday_margin": ("intraday_margin", 6),
    "minimum_equity": ("intraday_margin", 12),
    "overnight": ("intraday_margin", 4),
    "settled_cash": ("cash", 3),
    "good_faith": ("cash", 3),
}
STORIES: dict[str, Faults] = {"margin_restricted": called, "unsure": contradicted}
SEEDS = 40


def test_every_rule_has_its_place_here() -> None:
    assert {*EPISODES, *STORIES} == set(RULES)


@pytest.mark.parametrize("rule", EPISODES)
def test_a_rule_left_out_is_found_by_an_episode_that_finds_nothing_with_it(rule: str) -> None:
    regime, days = EPISODES[rule]
    for seed in range(SEEDS):
        if play(Episode(seed, regime, days), frozenset({rule})).faults:
            assert play(Episode(seed, regime, days)).faults == []
            return
    pytest.fail(f"{rule} was left out of {SEEDS} episodes of {regime}, and nothing came of it")


@pytest.mark.parametrize("rule", STORIES)
def test_a_rule_left_out_is_found_by_a_story_that_finds_nothing_with_it(rule: str) -> None:
    assert STORIES[rule](frozenset()) == []
    assert STORIES[rule](frozenset({rule})) != []
