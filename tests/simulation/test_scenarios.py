"""Whole lives of positions over the simulated exchange, told as `minute action symbol quantity`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.events import OrderUpdate
from ordinis.domain.market import MarketBlock
from ordinis.domain.orders import OrderIntent, TimeInForce
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import RULES, AccountRules
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.trading import TradingEngine
from simulation.worlds import EVERY_DAY, Price, Tale, day, engine_of, exchange_of, play, tier_of

FLAT: Sequence[Price] = [100.0] * 8
STOPPED = tier_of(fixed_percent=0.10, stop_loss_pct=0.02)
CRASH: Price = (100.0, 100.0, 97.0, 99.0)  # Through the stop at 98, and back.


def told(
    blocks: Sequence[MarketBlock], *, exchange: dict[str, Any] | None = None, **engine: Any
) -> tuple[Tale, TradingEngine]:
    trader = engine_of(**{"tiers": [STOPPED], **engine})
    other_side = exchange_of(**(exchange or {}))
    tale = play(trader, other_side, blocks)
    assert other_side.violations == []
    assert trader.state.refused == 0
    assert trader.state.ledger.cash_usd == other_side.account().cash_usd
    return tale, trader


def endings(tale: Tale) -> dict[str, str]:
    """What each order came to."""
    updates = [event for event, _ in tale.steps if isinstance(event, OrderUpdate)]
    return {one.client_order_id.removeprefix("main-"): one.status.value for one in updates}


def test_an_entry_of_whole_shares_is_stopped_by_its_leg() -> None:
    tale, engine = told([day(0, {"AAA": [100.0, 100.0, CRASH, 99.0]}, enter={"AAA": [1]})])
    assert tale.short == ["1 entry AAA 100"]
    assert [(int(fill.quantity), float(fill.price_usd)) for fill in tale.fills] == [(100, 100), (-100, 98)]
    (trip,) = engine.state.trips
    assert (trip.pnl_usd, trip.risk_usd, trip.strategy) == (Decimal(-200), Decimal(200), "wishful")


def test_an_exit_takes_the_leg_back_and_then_sells_within_the_minute() -> None:
    tale, engine = told([day(0, {"AAA": FLAT}, enter={"AAA": [1]}, leave={"AAA": [4]})])
    assert tale.short == ["1 entry AAA 100", "4 cancel AAA", "4 exit AAA 100"]
    assert endings(tale) == {
        "20250115T1431-AAA-entry-1": "filled",
        "20250115T1431-AAA-entry-1.stop": "canceled",
        "20250115T1434-AAA-exit-1": "filled",
    }
    assert engine.state.ledger.holdings == {}


def test_the_exit_s_story_carries_the_id_of_the_sale() -> None:
    tale, _ = told([day(0, {"AAA": FLAT}, enter={"AAA": [1]}, leave={"AAA": [4]})])
    entry, exit_ = tale.orders
    assert [one.client_order_id for one in tale.assessments] == [entry.client_order_id, exit_.client_order_id]


def fraction(**more: Any) -> dict[str, Any]:
    return {"fractionable": True, "tiers": [tier_of(fixed_percent=0.1, stop_loss_pct=0.02, **more)]}


def test_a_fraction_has_a_day_stop_that_is_sent_again_as_soon_as_it_expires() -> None:
    """12.5 shares of 800 USD; the stop expires at the close, its successor waits for the open and fires there."""
    prices: list[Price] = [800.0] * 5
    days = [
        day(0, {"AAA": prices}, enter={"AAA": [1]}),
        day(1, {"AAA": prices}),
        day(2, {"AAA": [800.0, (800.0, 800.0, 780.0, 790.0), 790.0]}),
    ]
    tale, engine = told(days, exchange={"cash_usd": Decimal(100_000)}, **fraction(whole_share_preference=0.0))
    stops = [one for one in tale.orders if one.purpose.value == "protect"]
    assert [(one.quantity, one.time_in_force, one.stop_price_usd) for one in stops] == [
        (Decimal("12.5"), TimeInForce.DAY, Decimal(784))
    ] * 3
    assert list(endings(tale).values()) == ["filled", "expired", "expired", "filled"]
    assert engine.state.ledger.holdings == {}


def test_a_stop_at_the_broker_covers_the_gap_of_the_morning() -> None:
    tale, _ = told([day(0, {"AAA": FLAT}, enter={"AAA": [1]}), day(1, {"AAA": [90.0, 91.0]})])
    assert [(int(fill.quantity), float(fill.price_usd)) for fill in tale.fills] == [(100, 100), (-100, 90)]


def test_a_partial_fill_is_taken_back_and_what_is_held_gets_its_stop() -> None:
    """100 shares wanted, 10 % of 300 to be had: 30 are bought, 70 come back, 30 are protected."""
    tale, engine = told([day(0, {"AAA": FLAT}, enter={"AAA": [1]}, volume=300)], exchange={"participation_max": 0.1})
    assert tale.short == ["1 entry AAA 100", "1 cancel AAA", "2 protect AAA 30"]
    assert engine.state.ledger.held("AAA") == 30
    (stop,) = [one for one in tale.orders if one.purpose.value == "protect"]
    assert (stop.time_in_force, stop.stop_price_usd) == (TimeInForce.GTC, Decimal(98))


def test_an_exit_that_fills_in_part_goes_on_and_is_protected_over_night() -> None:
    """30 shares a minute; the rest of the exit expires with the day and its stop is back before the next."""
    thin = day(1, {"AAA": [100.0] * 3}, leave={"AAA": [1]}, volume=300)
    tale, engine = told(
        [day(0, {"AAA": FLAT}, enter={"AAA": [1]}, volume=1_000), thin, day(2, {"AAA": FLAT}, volume=300)],
        exchange={"participation_max": 0.1},
    )
    assert tale.short == ["1 entry AAA 100", "1 cancel AAA", "1 exit AAA 100", "3 protect AAA 40"]
    assert engine.state.ledger.held("AAA") == 40


def test_daily_exits_go_out_at_the_next_open() -> None:
    """The bar of the second session votes for leaving, and the hold of two sessions is over on the third."""
    tier = tier_of(fixed_percent=0.1, hold_sessions=2, exits_on_daily_bars=True)
    days = [
        day(0, {"AAA": FLAT}, enter={"AAA": [1]}, leave={"AAA": [3]}),
        day(1, {"AAA": FLAT}, leave={"AAA": [8]}),
        day(2, {"AAA": FLAT}),
    ]
    tale, _ = told(days, tiers=[tier], execution=ExecutionSettings(protect=False))
    assert tale.short == ["1 entry AAA 100", "1 exit AAA 100"]
    exit_ = tale.orders[-1]
    assert exit_.decided_at_ns == days[2].session.open_ns + 60 * 10**9


def test_a_daily_exit_is_for_positions_that_were_held_at_the_close() -> None:
    """Left at the open by the vote of the first session, entered again at minute 4: that is another position."""
    tier = tier_of(fixed_percent=0.1, exits_on_daily_bars=True)
    days = [day(0, {"AAA": FLAT}, enter={"AAA": [1, 2]}), day(1, {"AAA": FLAT}, enter={"AAA": [4]})]
    tale, _ = told(days, tiers=[tier], execution=ExecutionSettings(protect=False))
    assert tale.short == ["1 entry AAA 100", "1 exit AAA 100", "4 entry AAA 100"]


BARE: dict[str, Any] = {"execution": ExecutionSettings(protect=False), "tiers": [tier_of()]}


def test_an_exit_on_slower_bars_waits_for_the_bar_to_close() -> None:
    """The wish of minute 8 is known once its bar of five minutes is complete."""
    day_ = day(0, {"AAA": [100.0] * 12}, enter={"AAA": [1]}, leave={"AAA": [8]})
    quick, _ = told([day_], **BARE)
    slow, _ = told([day_], exit_minutes={"wishful": 5}, **BARE)
    assert quick.short == ["1 entry AAA 100", "8 exit AAA 100"]
    assert slow.short == ["1 entry AAA 100", "10 exit AAA 100"]


def test_a_slow_bar_s_vote_is_not_about_a_position_that_was_opened_since() -> None:
    """Left by the bar that ended at minute 10; what is bought after it stays until the next bar that says leave."""
    prices: list[Price] = [100.0] * 22
    days = [day(0, {"AAA": prices}, enter={"AAA": [1, 12]}, leave={"AAA": [8, 18]})]
    tale, _ = told(days, exit_minutes={"wishful": 5}, **BARE)
    assert tale.short == ["1 entry AAA 100", "10 exit AAA 100", "12 entry AAA 100", "20 exit AAA 100"]


def test_a_strategy_that_leaves_by_day_does_so_in_a_tier_that_leaves_by_minutes() -> None:
    days = [
        day(0, {"AAA": FLAT}, enter={"AAA": [1]}),
        day(1, {"AAA": FLAT}, leave={"AAA": [2]}),
        day(2, {"AAA": FLAT}, enter={"AAA": [3]}, leave={"AAA": [5]}),
    ]
    tale, _ = told(days, always_by_day=[0], **BARE)
    assert tale.short == ["1 entry AAA 100", "1 exit AAA 100", "3 entry AAA 100"]
    assert tale.orders[1].decided_at_ns == days[2].session.open_ns + 60 * 10**9  # By the bar of the second session.


def test_without_protection_there_is_no_stop() -> None:
    tale, _ = told(
        [day(0, {"AAA": [100.0, 100.0, CRASH]}, enter={"AAA": [1]})], execution=ExecutionSettings(protect=False)
    )
    assert tale.short == ["1 entry AAA 100"]
    assert len(tale.fills) == 1


# The throttle, with the exchange as the judge.

PATTERN: dict[str, Any] = {"regime": "pattern_day_trader", "cash_usd": Decimal(14_999)}
PLAINLY: dict[str, Any] = {"approach_slots_left": 0, "swing_cooldown_minutes": 0, "last_minutes": 0}  # No modes.
THROTTLED: dict[str, Any] = {"throttle": Throttle(enabled=True, **PLAINLY)}
UP_AND_DOWN: dict[str, Any] = {"enter": {"AAA": [1, 4, 7, 10, 13, 16]}, "leave": {"AAA": [2, 5, 8, 11, 14, 17]}}


def test_the_fourth_day_trade_is_not_entered_and_the_exchange_finds_no_violation() -> None:
    blocks = [day(number, {"AAA": [100.0] * 20}, **UP_AND_DOWN) for number in range(7)]
    tale, engine = told(
        blocks, exchange=PATTERN, tiers=[tier_of()], execution=ExecutionSettings(protect=False), **THROTTLED
    )
    days = [trip.opened_at_ns // (86_400 * 10**9) for trip in engine.state.trips]
    assert [days.count(first) for first in sorted(set(days))] == [3, 3]  # Three on the first and three on the sixth.
    assert len(set(days)) == 2
    assert days[3] - days[0] == 5
    assert Reason.DAY_TRADE_SLOTS in tale.reasons["AAA"]


def test_without_the_throttle_the_same_account_is_refused_by_the_exchange() -> None:
    """The judge judges: otherwise the test above would prove nothing."""
    other_side = exchange_of(**PATTERN)
    without = AccountRules(days=EVERY_DAY, without=frozenset(RULES))
    engine = engine_of(
        tiers=[tier_of()],
        execution=ExecutionSettings(protect=False),
        rules=without,
        throttle=Throttle(enabled=False, **PLAINLY),
    )
    play(engine, other_side, [day(0, {"AAA": [100.0] * 20}, **UP_AND_DOWN)])
    assert engine.state.refused > 0


def test_an_entry_that_is_bought_on_the_next_day_has_its_slot_there() -> None:
    """Three day trades are the limit, two are used. AAA's entry finds no bar before the close and is bought in the
    morning, where its stop may sell it the same day; so BBB, stopped the same day too, must not be entered.
    """
    first = day(
        0,
        {"AAA": [100.0] * 9 + [None], "CCC": [100.0] * 10},
        enter={"CCC": [1, 4], "AAA": [9]},
        leave={"CCC": [2, 5]},
    )
    second = day(
        1,
        {"AAA": [100.0, 100.0, 100.0, CRASH], "BBB": [100.0, 100.0, 100.0, CRASH]},
        enter={"BBB": [1]},
    )
    tale, engine = told([first, second], exchange=PATTERN, tiers=[STOPPED], **THROTTLED)
    assert engine.state.slots.used <= 3
    bought = [fill.symbol for fill in tale.fills if fill.quantity > 0]
    assert not {"AAA", "BBB"} <= set(bought)


# Time.


@pytest.mark.parametrize(("minute", "entered"), [(112, False), (113, True)])
def test_a_cooldown_counts_minutes_of_the_session_not_of_the_night(minute: int, entered: bool) -> None:
    """Sold at minute 386 of 390, bought again no earlier than 120 session minutes later."""
    tier = tier_of(cooldown_minutes=120)
    first = day(0, {"AAA": [100.0] * 390}, enter={"AAA": [380]}, leave={"AAA": [383]})
    second = day(1, {"AAA": [100.0] * 200}, enter={"AAA": [minute]}, minutes=390)
    tale, _ = told([first, second], tiers=[tier], execution=ExecutionSettings(protect=False))
    sold = tale.fills[1]
    assert (sold.filled_at_ns - first.session.open_ns) // (60 * 10**9) == 383
    again = [one for one in tale.orders if isinstance(one, OrderIntent)][2:]
    assert bool(again) is entered
