"""Seeded runs that trade a lot: random bars with gaps, random wishes, every kind of account and exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.settings import FillModel
from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.domain.market import MINUTE_NS, MarketBlock, Universe
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.sizing import SizingMethod
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.trading import TradingEngine
from simulation.actions import dividend, removal, split
from simulation.worlds import (
    ENTER,
    LEAVE,
    SHORT,
    Tale,
    Watch,
    Wishful,
    engine_of,
    exchange_of,
    play,
    session_of,
    tier_of,
)

UNIVERSE = Universe(("AAA", "BBB", "CCC", "DDD"))
SESSIONS, MINUTES = 4, 40


def bars(seed: int, sessions: int = SESSIONS, minutes: int = MINUTES, *, shorts: bool = False) -> list[MarketBlock]:
    """Random walks from a few USD to a few hundred; one minute in eight is missing, volume is thin."""
    random = np.random.default_rng(seed)
    shape = (sessions * minutes, len(UNIVERSE))
    first = random.choice([4.0, 25.0, 90.0, 310.0], len(UNIVERSE))
    close = np.round(first * np.exp(np.cumsum(random.normal(0, 0.006, shape), axis=0)), 4)
    opening = np.round(close * (1 + random.normal(0, 0.002, shape)), 4)
    high = np.round(np.maximum(opening, close) * (1 + random.uniform(0, 0.004, shape)), 4)
    low = np.round(np.minimum(opening, close) * (1 - random.uniform(0, 0.004, shape)), 4)
    wish = random.choice([0, ENTER, LEAVE], shape, p=[0.6, 0.25, 0.15])
    if shorts:  # Half of the entries.
        wish[(wish == ENTER) & (random.random(shape) < 0.5)] = SHORT
    volume = random.integers(5, 600, shape) * 100 + random.integers(0, 10, shape) * 10 + wish
    present = random.random(shape) < 7 / 8
    prices = [np.where(present, one, np.nan) for one in (opening, high, low, close)]
    found = []
    for number in range(sessions):
        cut = slice(number * minutes, (number + 1) * minutes)
        session = session_of(number, minutes)
        found.append(
            MarketBlock(
                universe=UNIVERSE,
                session=session,
                closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, minutes + 1, dtype=np.int64),
                open=prices[0][cut],
                high=prices[1][cut],
                low=prices[2][cut],
                close=prices[3][cut],
                volume=np.where(present[cut], volume[cut], 0).astype(float),
                present=present[cut],
            )
        )
    return found


def actions(seed: int, sessions: int = SESSIONS) -> list[CorporateAction]:
    """What companies do on some mornings: a quarter of the symbols each time, and now and then one is gone."""
    random = np.random.default_rng([seed, 1])
    found: list[CorporateAction] = []
    for number, symbol in product(range(1, sessions), UNIVERSE.symbols):
        day, chance = session_of(number, MINUTES).date, random.random()
        if chance < 0.3:
            found.append(split(symbol, day, str(random.choice(["4", "1.5", "0.1", "0.333333333333333"]))))
        if 0.2 < chance < 0.5:
            found.append(dividend(symbol, day, str(random.choice(["0.333", "0.01", "1.25"]))))
        elif 0.5 < chance < 0.68:
            found.append(removal(symbol, day, (None, "17.25", "0")[random.integers(3)]))
    return found


def traded(blocks: Sequence[MarketBlock], told: Sequence[CorporateAction]) -> list[MarketBlock]:
    """The bars on the terms of their days; nothing of a symbol that is gone."""
    found = []
    for block in blocks:
        ratio, gone = np.ones(len(UNIVERSE)), np.zeros(len(UNIVERSE), np.bool_)
        for one in (one for one in told if one.ex_date <= block.session.date):
            ratio[UNIVERSE.column[one.symbol]] *= float(one.ratio)
            gone[UNIVERSE.column[one.symbol]] |= one.kind is ActionKind.REMOVAL
        present = block.present & ~gone
        prices: dict[str, Any] = {
            name: np.where(present, np.round(getattr(block, name) / ratio, 4), np.nan)
            for name in ("open", "high", "low", "close")
        }
        found.append(replace(block, present=present, volume=np.where(present, block.volume * ratio, 0.0), **prices))
    return found


def engine(chosen: Mapping[str, Any]) -> TradingEngine:
    """A trader with tight limits: everything binds now and then."""
    return engine_of(
        universe=UNIVERSE,
        strategies=[Wishful("calm", stop_distance=0.03), Wishful("brisk", stop_distance=0.008)],
        tiers=[
            tier_of(
                name=name,
                equity_min_usd=floor,
                method=SizingMethod.FIXED_PERCENT,
                fixed_percent=chosen["fixed_percent"],
                max_position_pct=0.4,
                max_portfolio_leverage=chosen["leverage"],
                max_positions=3,
                stop_loss_pct=0.02,
                stop_distance_min=0.002,
                whole_share_preference=0.001,  # So that fractions stay fractions.
                cooldown_minutes=cooldown,
                hold_sessions=hold,
                exits_on_daily_bars=hold > 0,
            )
            for name, floor, cooldown, hold in (("small", 0.0, 5, 1), ("standard", 25_000.0, 0, 0))
        ],
        limits=Limits(
            daily_loss_fraction_max=0.05,
            drawdown_fraction_stop=0.15,
            resume_each_session=True,
            shorting_allowed=chosen["shorts"],
            short_price_usd_min=10.0,
        ),
        throttle=Throttle(enabled=chosen["throttled"]),
        execution=ExecutionSettings(
            protect=chosen["protect"],
            entry_collar_fraction=chosen.get("collar"),
            entry_life_minutes=3 if chosen.get("collar") else 0,
        ),
        fractionable=chosen["fractionable"],
        rebalance=RebalanceSettings(every_minutes=1, check_minutes=0, band_minimum=0.002, add=True)
        if chosen.get("adds")
        else None,
    )


def exchange(chosen: Mapping[str, Any], told: Sequence[CorporateAction] = ()) -> Exchange:
    return exchange_of(
        UNIVERSE,
        actions=told,
        fractionable=chosen["fractionable"],
        cash_usd=Decimal(chosen["cash_usd"]),
        multiplier=chosen["multiplier"],
        fill_model=chosen["fill_model"],
        participation_max=chosen["participation_max"],
        market_buy_collar=0.04,
        sec_usd_per_million=Decimal("20.60"),
        taf_usd_per_share=Decimal("0.000195"),
        cat_usd_per_share=Decimal("0.000003"),
        shorting_enabled=chosen["shorts"],
    )


PLAIN: dict[str, Any] = {
    "cash_usd": 50_000,
    "multiplier": 2,
    "fill_model": FillModel.SPREAD,
    "participation_max": 0.1,
    "fractionable": True,
    "protect": True,
    "throttled": False,
    "leverage": 1.0,
    "fixed_percent": 0.25,
    "shorts": False,
    "collar": None,
    "adds": False,
}


def run(seed: int, chosen: Mapping[str, Any] = PLAIN, watch: Watch | None = None) -> tuple[Tale, Exchange]:
    other_side = exchange(chosen)
    return play(engine(chosen), other_side, bars(seed, shorts=chosen["shorts"]), watch=watch), other_side
