"""Leave out any one rule of the gate, and the judge or the referee finds it: each rule has work that no other does.

Most are found by random episodes. Three need a story: a call that no order of ours has caused, and a broker that
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
DAYS = 50


def episode(seed: int, regime: str) -> Faults:
    return lambda without: play(Episode(seed, regime, DAYS), without).faults


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


SCENARIOS: dict[str, Faults] = {
    "day_trade_slots": episode(1, "pattern_day_trader"),
    "reservation": episode(0, "pattern_day_trader"),
    "emergency_pool": episode(2, "pattern_day_trader"),
    "swing_confidence": episode(2, "pattern_day_trader"),
    "swing_hold": episode(14, "pattern_day_trader"),
    "queued_stop": episode(3, "pattern_day_trader"),
    "flag": episode(1, "pattern_day_trader"),
    "day_trading_power": episode(1, "pattern_day_trader"),
    "intraday_margin": episode(0, "intraday_margin"),
    "margin_restricted": called,
    "minimum_equity": episode(7, "intraday_margin"),
    "overnight": episode(0, "intraday_margin"),
    "settled_cash": episode(1, "cash"),
    "good_faith": episode(12, "cash"),
    "unsure": contradicted,
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_left_out_is_found_and_nothing_is_found_with_all_of_them(rule: str) -> None:
    faults = SCENARIOS[rule]
    assert faults(frozenset()) == []
    assert faults(frozenset({rule})) != []
