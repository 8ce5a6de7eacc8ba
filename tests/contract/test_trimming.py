"""A sector, a cluster, a beta and the buffer past their limits are trimmed: in a backtest and over the wire, alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.roads import ROADS, linked
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import SimulatedData, serve
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.sizing import SizingMethod
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.trading import TradingEngine
from ordinis.journal import reading
from simulation.killing import Death, trade_on
from simulation.worlds import day, engine_of, exchange_of, play, tier_of
from unit.engines.test_prospects import daily

RISEN = [100.0, 100.0, 100.0, 117.0, 117.0, 117.0, 117.0, 117.0]
DAYS = [day(0, {"AAA": RISEN, "BBB": RISEN, "CCC": [100.0] * 8}, enter={"AAA": [1], "BBB": [1]})]
LIMIT, LOW = 0.20, 0.18  # The symbols' betas are a little below 1.
PAST: dict[str, dict[str, Any]] = {
    "sector": {"limits": Limits(sector_fraction_max=LIMIT), "sectors": {"AAA": "metals", "BBB": "metals"}},
    "cluster": {"limits": Limits(cluster_fraction_max=LIMIT), "outlook": {"cluster_correlation_min": 0.1}},
    "beta": {"limits": Limits(beta_min=-0.5, beta_max=LOW)},
    "buffer": {"tier": {"max_portfolio_leverage": LIMIT}},
}


def trader(trigger: str) -> TradingEngine:
    """A tenth of the account in each, under a stop; the book is looked at every five minutes."""
    more = {"limits": Limits(), **PAST[trigger]}
    tier = {"fixed_percent": 0.0999, "max_position_pct": 0.2, "stop_loss_pct": 0.05, "default_volatility": None}
    engine = engine_of(
        tiers=[tier_of(method=SizingMethod.FIXED_PERCENT, **tier, **more.pop("tier", {}))],
        execution=ExecutionSettings(),
        rebalance=RebalanceSettings(every_minutes=0, check_minutes=5),
        **more,
    )
    engine.warm_up([], daily())
    return engine


def traded(road: str, trigger: str, path: Path) -> tuple[TradingEngine, Exchange, list[str]]:
    engine, other_side = trader(trigger), exchange_of()
    if road == ROADS[0]:
        steps = play(engine, other_side, DAYS).steps
        plans = [decision.plan for _, decision in steps if decision.plan is not None]
    else:
        with serve(other_side, SimulatedData(days=DAYS)) as served, linked(served.addresses, DAYS[0]) as link:
            trade_on(engine, link.broker, link.market_since(None), None, path, Death())
        plans = [plan for _, plan in reading.plans(path)]
    return engine, other_side, [plan.triggers[0] for plan in plans]


def used(engine: TradingEngine, trigger: str) -> float:
    """Of equity at the last prices: what the limit is about."""
    state = engine.state
    weights = state.ledger.quantity * state.book.marks_usd / state.book.equity_usd
    betas = trader(trigger)._outlook.moves.held_beta  # As of the session's open.
    return float(weights @ betas if trigger == "beta" else weights.sum())


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("trigger", PAST)
def test_what_has_drifted_past_its_limit_is_sold_down_to_it(trigger: str, road: str, tmp_path: Path) -> None:
    engine, other_side, triggers = traded(road, trigger, tmp_path / "a.journal")
    assert triggers[0] == trigger
    cuts = [one for one in other_side.orders if "-cut-" in one.client_order_id and one.filled_quantity]
    assert cuts, "not only closed to entries"
    limit = LOW if trigger == "beta" else LIMIT
    assert limit * 0.95 < used(engine, trigger) <= limit
    held = {one.symbol: one.quantity for one in other_side.positions}
    stops = {one.symbol: one.quantity for one in other_side.orders if one.live}
    assert stops == held, "what stays has its stop"
