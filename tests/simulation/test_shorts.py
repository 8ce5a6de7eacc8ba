"""A short from its signal to its round trip: opened, stopped from above, covered, and counted right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.domain.decision import Reason
from ordinis.domain.events import CommandKind
from ordinis.domain.market import MarketBlock
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose, Side
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns
from ordinis.engines.trading import TradingEngine
from simulation.worlds import (
    Hand,
    Price,
    Tale,
    Wishful,
    day,
    engine_of,
    exchange_of,
    limits_of,
    play,
    tier_of,
)

FLAT: list[Price] = [100.0] * 8
RALLY: Price = (100.0, 103.0, 100.0, 103.0)
ALLOWED = limits_of(shorting_allowed=True)
STOPPED = tier_of(fixed_percent=0.1, stop_loss_pct=0.02)


def told(blocks: Sequence[MarketBlock], *, exchange: Any = None, **more: Any) -> tuple[Tale, TradingEngine, Exchange]:
    """A run with shorts allowed on both sides, that broke no rule and whose books agree at its end."""
    trader = engine_of(**{"limits": ALLOWED, "tiers": [STOPPED], **more})
    other_side = exchange_of(**{"shorting_enabled": True, **(exchange or {})})
    tale = play(trader, other_side, blocks)
    assert other_side.violations == []
    assert trader.state.refused == 0
    assert trader.state.ledger.cash_usd == other_side.account().cash_usd
    return tale, trader, other_side


def test_a_short_is_sold_with_a_stop_above_it_and_stopped_out() -> None:
    tale, engine, _ = told([day(0, {"AAA": [100.0, 100.0, RALLY, 101.0]}, short={"AAA": [1]})])
    (order,) = tale.orders
    assert (order.side, order.quantity, order.stop_loss_usd) == (Side.SELL, Decimal(100), Decimal(102))
    assert [(int(fill.quantity), float(fill.price_usd)) for fill in tale.fills] == [(-100, 100), (100, 102)]
    (trip,) = engine.state.trips
    assert trip.short
    assert [trip.quantity, trip.pnl_usd, trip.risk_usd] == [100, -200, 200]
    assert [trip.entry_price_usd, trip.exit_price_usd] == [100, 102]


def test_an_exit_takes_the_stop_back_and_covers() -> None:
    prices: list[Price] = [100.0, 100.0, 95.0, 95.0, 95.0]
    tale, engine, _ = told([day(0, {"AAA": prices}, short={"AAA": [1]}, leave={"AAA": [3]})])
    assert tale.short == ["1 entry AAA 100", "3 cancel AAA", "3 exit AAA 100"]
    assert [order.side for order in tale.orders] == [Side.SELL, Side.BUY]
    (trip,) = engine.state.trips
    assert [trip.pnl_usd, trip.exit_price_usd] == [500, 95]
    assert engine.state.by_strategy.evidence("wishful").trades == 1
    assert engine.state.by_strategy.wins["wishful"] == 1
    assert tale.assessments[-1].verdict.quantity == 100


def test_a_short_that_fills_in_part_is_protected_as_far_as_it_goes() -> None:
    tale, engine, _ = told([day(0, {"AAA": FLAT}, short={"AAA": [1]}, volume=300)], exchange={"participation_max": 0.1})
    assert tale.short == ["1 entry AAA 100", "1 cancel AAA", "2 protect AAA 30"]
    (stop,) = [one for one in tale.orders if one.purpose is Purpose.PROTECT]
    assert (stop.side, stop.stop_price_usd, engine.state.ledger.held("AAA")) == (Side.BUY, Decimal(102), Decimal(-30))


def test_a_reversal_is_a_cover_and_then_an_entry() -> None:
    blocks = [day(0, {"AAA": FLAT}, short={"AAA": [1]}, leave={"AAA": [3]}, enter={"AAA": [5]})]
    tale, engine, _ = told(blocks)
    assert [int(fill.quantity) for fill in tale.fills] == [-100, 100, 100]
    assert engine.state.ledger.held("AAA") == 100
    assert engine.state.ledger.shorts == 0


def test_a_short_is_of_whole_shares_where_a_long_is_of_fractions() -> None:
    tiers = [tier_of(fixed_percent=0.1, whole_share_preference=0.0)]
    prices: list[Price] = [300.0] * 4
    tale, _, _ = told(
        [day(0, {"AAA": prices, "BBB": prices}, short={"AAA": [1]}, enter={"BBB": [1]})],
        tiers=tiers,
        fractionable=True,
    )
    assert [order.quantity % 1 == 0 for order in sorted(tale.orders, key=lambda one: one.symbol)] == [True, False]


def test_a_short_held_over_night_is_left_on_daily_bars() -> None:
    tiers = [tier_of(fixed_percent=0.1, hold_sessions=1, exits_on_daily_bars=True)]
    blocks = [
        day(0, {"AAA": FLAT}, short={"AAA": [1]}),
        day(1, {"AAA": FLAT}, leave={"AAA": [8]}),
        day(2, {"AAA": FLAT}),
    ]
    tale, engine, _ = told(blocks, tiers=tiers)
    assert [int(fill.quantity) for fill in tale.fills] == [-100, 100]
    assert engine.state.ledger.holdings == {}


class OneWay(Wishful):
    """Its exits are of longs alone, or of shorts alone."""

    def __init__(self, *, leaves_longs: bool) -> None:
        super().__init__()
        self._leaves_longs = leaves_longs

    def advance(self, bars: OwnBars) -> StrategyColumns:
        columns = super().advance(bars)
        never = np.zeros_like(columns.exit)
        exits, covers = (columns.exit, never) if self._leaves_longs else (never, columns.exit)
        return replace(columns, exit=exits, cover=covers)


@pytest.mark.parametrize("by_day", [False, True])
@pytest.mark.parametrize(("leaves_longs", "left"), [(True, "AAA"), (False, "BBB")])
def test_a_strategy_may_leave_longs_and_shorts_for_reasons_of_their_own(
    leaves_longs: bool, left: str, by_day: bool
) -> None:
    blocks = [
        day(0, {"AAA": FLAT, "BBB": FLAT}, enter={"AAA": [1]}, short={"BBB": [1]}),
        day(1, {"AAA": FLAT, "BBB": FLAT}, leave={"AAA": [8], "BBB": [8]}),
        day(2, {"AAA": FLAT, "BBB": FLAT}),
    ]
    tiers = [tier_of(fixed_percent=0.1, exits_on_daily_bars=by_day)]
    tale, engine, _ = told(blocks, tiers=tiers, strategies=[OneWay(leaves_longs=leaves_longs)])
    exits = [order.symbol for order in tale.orders if order.purpose is Purpose.EXIT]
    assert exits == [left]
    assert left not in engine.state.ledger.holdings


# What the rules make of it.


def hand_of(**more: Any) -> Hand:
    hand = Hand(**{"limits": ALLOWED, "tiers": [STOPPED], **more})
    hand.opens()
    hand.minute(AAA=100.0, BBB=100.0, CCC=100.0)
    return hand


def sent(hand: Hand, **minute: Any) -> dict[str, Decimal]:
    """Entries of that minute, signed shares by symbol."""
    orders = [one for one in hand.minute(**minute).actions if isinstance(one, OrderIntent)]
    return {one.symbol: one.quantity if one.side is Side.BUY else -one.quantity for one in orders}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"shorting_allowed": False}, Reason.SHORTING),
        ({"short_price_usd_min": 100.01}, Reason.SHORTING),
        ({"short_equity_usd_min": 100_001.0}, Reason.SHORTING),
        ({}, Reason.SENT),
        ({"short_price_usd_min": 100.0, "short_equity_usd_min": 100_000.0}, Reason.SENT),
    ],
)
def test_a_short_needs_leave_a_price_and_equity(limits: dict[str, Any], reason: Reason) -> None:
    hand = hand_of(limits=limits_of(**{"shorting_allowed": True, **limits}))
    assert bool(sent(hand, short="AAA")) is (reason is Reason.SENT)
    assert hand.reason() is reason


def test_a_cash_account_sells_nothing_short() -> None:
    hand = Hand(limits=ALLOWED, tiers=[STOPPED])
    hand.bell()
    hand.figures(multiplier=1)
    assert sent(hand, short="AAA") == {}
    assert hand.reason() is Reason.SHORTING


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"gross_exposure_max": 0.15}, {"AAA": 100, "BBB": -50}),
        ({"net_exposure_max": 0.15}, {"AAA": 100, "BBB": -100, "CCC": -50}),
    ],
)
def test_exposure_counts_the_entries_of_the_same_minute_by_their_side(
    limits: dict[str, Any], expected: dict[str, int]
) -> None:
    hand = hand_of(limits=limits_of(shorting_allowed=True, **limits))
    assert sent(hand, enter="AAA", short="BBB CCC") == expected


def test_shorts_take_their_part_of_the_leverage_and_give_none_of_it_back() -> None:
    """60 % short and 40 % long are a full book: proceeds buy nothing more."""
    hand = hand_of(tiers=[tier_of(fixed_percent=0.6, max_portfolio_leverage=1.0)])
    assert sent(hand, short="AAA") == {"AAA": -600}
    hand.fills("main-20250115T1432-AAA-entry-1", Decimal(-600), 100.0)
    assert sent(hand, enter="BBB") == {"BBB": 400}
    assert hand.engine.state.book.equity_usd == 100_000.0
    assert hand.engine.curve.short_usd[-1] == 60_000.0


def test_a_rising_short_costs_equity() -> None:
    hand = hand_of()
    sent(hand, short="AAA")
    hand.fills("main-20250115T1432-AAA-entry-1", Decimal(-100), 100.0)
    hand.minute(AAA=103.0)
    assert hand.engine.state.book.equity_usd == 99_700.0


def test_a_person_s_flatten_covers_a_short() -> None:
    hand = hand_of()
    (order,) = [one for one in hand.minute(short="AAA").actions if isinstance(one, OrderIntent)]
    hand.fills(order.client_order_id, -order.quantity)
    hand.orders(CommandKind.FLATTEN)
    decision = hand.says(f"{order.client_order_id}.stop", OrderStatus.CANCELED)
    (cover,) = decision.actions
    assert isinstance(cover, OrderIntent)
    assert (cover.side, cover.quantity, cover.purpose) == (Side.BUY, Decimal(100), Purpose.EXIT)
