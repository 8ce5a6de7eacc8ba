"""Rebalancing in the decision path: what is due, what goes out, in what order, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from ordinis.domain.decision import Decision, Reason, RebalancePlan
from ordinis.domain.events import CommandKind
from ordinis.domain.market import FloatArray
from ordinis.domain.orders import CancelIntent, OrderIntent, OrderStatus, OrderType, Purpose, Side
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.settlement import SettlementRules
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.sizing import PositionSizer, SizingMethod
from ordinis.engines.riskguard.limits import Limits
from simulation.worlds import Hand, tier_of
from unit.engines.test_account_rules import under
from unit.engines.test_prospects import daily

HOURLY = RebalanceSettings(check_minutes=0)
CHECKED = RebalanceSettings(every_minutes=0)


def hand_of(settings: RebalanceSettings | None = HOURLY, *, protect: bool = False, **more: Any) -> Hand:
    """A book of 10 % positions with known volatilities."""
    tier = {
        "method": SizingMethod.FIXED_PERCENT,
        "fixed_percent": 0.10,
        "max_position_pct": 0.20,
        "max_positions": 3,
        "default_volatility": None,
        "stop_loss_pct": 0.05 if protect else None,
        **more.pop("tier", {}),
    }
    more.setdefault("throttle", Throttle(enabled=False))
    hand = Hand(tiers=[tier_of(**tier)], execution=ExecutionSettings(protect=protect), rebalance=settings, **more)
    hand.engine.warm_up([], daily())
    hand.opens()
    return hand


def plan_of(decision: Decision) -> RebalancePlan:
    assert decision.plan is not None
    return decision.plan


def hour(hand: Hand, **prices: Any) -> Decision:
    """The minute at which the hourly rebalance is due."""
    return hand.minute(skip=60 - hand.at_minute % 60, **prices)


def cut_of(decision: Decision) -> OrderIntent:
    (order,) = [one for one in decision.actions if isinstance(one, OrderIntent)]
    return order


def test_a_position_that_has_grown_past_its_size_is_cut_back_on_the_hour() -> None:
    hand = hand_of()
    hand.enters("AAA")  # 100 shares at 100: 10 % of 100,000.
    decision = hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    order = cut_of(decision)
    assert (order.side, order.type, order.purpose) == (Side.SELL, OrderType.MARKET, Purpose.EXIT)
    assert order.quantity == 30  # 10 % of 105,000 at 150 is 70.
    assert "-cut-" in order.client_order_id
    plan = plan_of(decision)
    assert plan.triggers == ("schedule",)
    assert plan.turnover == pytest.approx(15_000 / 105_000 - 0.10)
    hand.fills(order.client_order_id, -30, 150)
    assert hand.engine.state.ledger.held("AAA") == 70


def test_between_the_hours_nothing_is_looked_at() -> None:
    hand = hand_of()
    hand.enters("AAA")
    assert all(hand.minute(AAA=150.0, BBB=100.0, CCC=100.0).plan is None for _ in range(30))


def test_without_rebalancing_the_same_book_is_left_alone() -> None:
    hand = hand_of(None)
    hand.enters("AAA")
    decision = hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    assert decision.plan is None
    assert decision.actions == ()


def test_what_stays_of_a_cut_position_has_its_stop_again() -> None:
    hand = hand_of(protect=True)
    entry = hand.enters("AAA")
    decision = hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    (cancel,) = decision.actions
    assert isinstance(cancel, CancelIntent)  # The stop holds the shares.
    (sale,) = hand.says(f"{entry.client_order_id}.stop", OrderStatus.CANCELED).actions
    assert isinstance(sale, OrderIntent)
    assert sale.quantity == 30
    (stop,) = hand.fills(sale.client_order_id, -30, 150).actions
    assert isinstance(stop, OrderIntent)
    assert (stop.type, stop.quantity, stop.purpose) == (OrderType.STOP, Decimal(70), Purpose.PROTECT)


def test_a_cut_that_fills_in_part_leaves_the_rest_protected_in_the_end() -> None:
    hand = hand_of(protect=True)
    entry = hand.enters("AAA")
    hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    (sale,) = hand.says(f"{entry.client_order_id}.stop", OrderStatus.CANCELED).actions
    name = sale.client_order_id
    assert hand.fills(name, -10, 150, status=OrderStatus.PARTIALLY_FILLED).actions == ()
    (stop,) = hand.says(name, OrderStatus.EXPIRED, filled=10).actions
    assert isinstance(stop, OrderIntent)
    assert stop.quantity == 90


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        (Reason.HOLD, {"tier": {"hold_sessions": 2}}),
        (Reason.DAY_TRADE_SLOTS, {"throttle": Throttle(enabled=True, equity_floor_usd=float("inf"))}),
    ],
)
def test_what_may_not_be_sold_today_is_not_cut_and_says_why(reason: Reason, more: dict[str, Any]) -> None:
    hand = hand_of(**more)
    hand.enters("AAA")
    decision = hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    assert decision.actions == ()
    assert [(line.symbol, line.reason) for line in plan_of(decision).lines] == [("AAA", reason)]


def test_what_was_bought_with_money_that_has_not_settled_is_not_cut_and_says_so() -> None:
    """AAA is sold, BBB bought with what that brings; on the same day BBB has grown past its size."""
    tier = {"fixed_percent": 0.9, "max_position_pct": 0.9, "default_volatility": None}
    hand = Hand(
        tiers=[tier_of(method=SizingMethod.FIXED_PERCENT, **tier)],
        execution=ExecutionSettings(protect=False),
        rules=under("cash", settlement=SettlementRules(buys_unsettled=True)),
        cash_usd=10_000,
        rebalance=HOURLY,
    )
    hand.engine.warm_up([], daily())
    hand.opens(multiplier=1)
    hand.enters("AAA", BBB=100.0)
    hand.closes()
    hand.opens(multiplier=1)
    sale = cut_of(hand.minute(leave="AAA", AAA=100.0, BBB=100.0))
    hand.fills(sale.client_order_id, -sale.quantity)
    hand.enters("BBB", AAA=100.0)
    decision = hour(hand, AAA=100.0, BBB=150.0, CCC=100.0)
    assert decision.actions == ()
    assert [(line.symbol, line.reason) for line in plan_of(decision).lines] == [("BBB", Reason.UNSETTLED)]


def test_what_has_no_fresh_price_is_not_cut_and_says_so() -> None:
    hand = hand_of(limits=Limits(price_age_minutes_max=15))
    hand.enters("AAA")
    hand.minute(skip=30, AAA=150.0, BBB=100.0, CCC=100.0)
    decision = hour(hand, BBB=100.0, CCC=100.0)
    assert decision.actions == ()
    assert [(line.symbol, line.reason) for line in plan_of(decision).lines] == [("AAA", Reason.PRICE_STALE)]


@pytest.mark.parametrize("silent_minutes", [6, 20])
def test_while_the_feed_is_silent_nothing_is_cut(silent_minutes: int) -> None:
    """Whatever else stands against an entry: a silent feed is the reason that comes first."""
    hand = hand_of(limits=Limits(price_age_minutes_max=15, feed_age_minutes_max=5))
    hand.enters("AAA")
    hand.minute(skip=60 - silent_minutes - hand.at_minute, AAA=150.0, BBB=100.0, CCC=100.0)
    decision = hour(hand, AAA=None, BBB=None, CCC=None)
    assert decision.actions == ()
    assert [(line.symbol, line.reason) for line in plan_of(decision).lines] == [("AAA", Reason.PRICE_STALE)]


def test_what_has_no_known_volatility_is_not_cut_and_says_so() -> None:
    hand = Hand(
        tiers=[tier_of(method=SizingMethod.FIXED_PERCENT, fixed_percent=0.10, max_positions=3)],
        execution=ExecutionSettings(protect=False),
        rebalance=HOURLY,
    )
    hand.engine.warm_up([], daily("AAA"))
    hand.opens()
    hand.enters("AAA")
    hand.enters("BBB", AAA=100.0)
    decision = hour(hand, AAA=150.0, BBB=150.0, CCC=100.0)
    assert {line.symbol: line.reason for line in plan_of(decision).lines} == {
        "AAA": Reason.VOLATILITY_UNKNOWN,
        "BBB": Reason.SENT,
    }


def test_an_entry_that_still_fills_is_not_cut() -> None:
    hand = hand_of()
    (entry,) = hand.minute(enter="AAA").actions
    assert isinstance(entry, OrderIntent)
    hand.fills(entry.client_order_id, 60, status=OrderStatus.PARTIALLY_FILLED)
    decision = hour(hand, AAA=300.0, BBB=100.0, CCC=100.0)
    assert [(line.symbol, line.reason) for line in plan_of(decision).lines] == [("AAA", Reason.DUPLICATE_ORDER)]


def test_a_cut_that_is_under_way_is_not_sent_twice() -> None:
    hand = hand_of(protect=True)
    hand.enters("AAA")
    hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    again = hour(hand, AAA=150.0, BBB=100.0, CCC=100.0)
    assert again.actions == ()
    assert [line.reason for line in plan_of(again).lines] == [Reason.OPPOSITE_ORDER]


PAST: dict[str, tuple[dict[str, Any], Callable[[Hand], float], float]] = {
    "sector": (
        {"limits": Limits(sector_fraction_max=0.20), "sectors": {"AAA": "metals", "BBB": "metals"}},
        lambda hand: float(weights_of(hand)[:2].sum()),
        0.20,
    ),
    "cluster": (
        {"limits": Limits(cluster_fraction_max=0.20), "outlook": {"cluster_correlation_min": 0.1}},
        lambda hand: float(weights_of(hand).sum()),
        0.20,
    ),
    "beta": (
        {"limits": Limits(beta_min=-0.5, beta_max=0.18)},
        lambda hand: float(weights_of(hand) @ hand.engine._outlook.moves.held_beta),
        0.18,
    ),
    "buffer": ({"tier": {"max_portfolio_leverage": 0.20}}, lambda hand: float(weights_of(hand).sum()), 0.20),
}


def weights_of(hand: Hand) -> FloatArray:
    state = hand.engine.state
    found: FloatArray = state.ledger.quantity * state.book.marks_usd / state.book.equity_usd
    return found


@pytest.mark.parametrize("trigger", PAST)
def test_what_has_drifted_past_a_limit_is_trimmed_at_the_next_check_and_not_only_closed_to_entries(
    trigger: str,
) -> None:
    more, used, limit = PAST[trigger]
    hand = hand_of(CHECKED, **more)
    hand.enters("AAA")
    hand.enters("BBB", AAA=100.0)
    assert used(hand) <= limit
    decision = hand.minute(skip=5 - hand.at_minute % 5, AAA=117.0, BBB=117.0, CCC=100.0)
    assert used(hand) > limit * 1.02
    assert plan_of(decision).triggers[0] == trigger
    for order in [one for one in decision.actions if isinstance(one, OrderIntent)]:
        hand.fills(order.client_order_id, -order.quantity, 117)
    hand.minute(AAA=117.0, BBB=117.0, CCC=100.0)
    assert limit * 0.97 < used(hand) <= limit


def test_cuts_go_out_before_entries_and_an_entry_keeps_its_target() -> None:
    hand = hand_of(tier={"book_volatility_cap": True, "target_volatility": 0.02})
    hand.enters("AAA", BBB=100.0, CCC=100.0)
    decision = hand.minute(skip=60 - hand.at_minute % 60, enter="BBB", AAA=100.0, BBB=100.0, CCC=100.0)
    plan = plan_of(decision)
    orders = [one for one in decision.actions if isinstance(one, OrderIntent)]
    assert [one.side for one in orders] == sorted((one.side for one in orders), key=lambda side: side is Side.BUY)
    assert set(plan.entries) == {"BBB"}
    (size,) = [one.size for one in decision.assessments if one.purpose is Purpose.ENTRY]
    assert size is not None
    assert size.weight <= plan.entries["BBB"] + 1e-9


def test_a_holding_is_sized_in_the_same_book_as_the_candidate_beside_it() -> None:
    """Of RISK_PARITY: both add the same risk, a slot's part of the target's variance."""
    tier = {"method": SizingMethod.RISK_PARITY, "max_position_pct": 1.0, "target_volatility": 0.05, "max_positions": 2}
    hand = hand_of(tier=tier, fractionable=True)
    hand.enters("AAA", BBB=100.0, CCC=100.0)
    decision = hand.minute(skip=60 - hand.at_minute % 60, enter="BBB", AAA=100.0, BBB=100.0, CCC=100.0)
    (line,) = plan_of(decision).lines
    sizes = np.array([line.most, plan_of(decision).entries["BBB"]])
    minutes = hand.engine._minutes
    assert minutes is not None
    covariance = minutes.beliefs.covariance(np.array([0, 1]))
    assert sizes * (covariance @ sizes) == pytest.approx(np.full(2, 0.05**2 / 2))


def test_a_person_who_flattens_is_not_rebalanced_against() -> None:
    hand = hand_of()
    hand.enters("AAA")
    hand.orders(CommandKind.FLATTEN)
    assert hour(hand, AAA=150.0, BBB=100.0, CCC=100.0).plan is None


def test_a_proposal_changes_nothing() -> None:
    hand = hand_of()
    hand.enters("AAA")
    hand.minute(AAA=150.0, BBB=100.0, CCC=100.0)
    plan = hand.engine.proposed_rebalance()
    assert plan is not None
    assert plan.triggers == ("asked",)
    assert [line.quantity for line in plan.lines] == [Decimal(-30)]
    assert plan == hand.engine.proposed_rebalance()
    assert hand.engine.state.desk.of("AAA").leaving is None


def test_a_proposal_mends_a_limit_as_the_trader_would() -> None:
    """4.8 % past the limit, which is less than a band away from its target."""
    more: dict[str, Any] = {"limits": Limits(sector_fraction_max=0.20), "sectors": {"AAA": "metals", "BBB": "metals"}}
    hand = hand_of(CHECKED, **more)
    hand.enters("AAA")
    hand.enters("BBB", AAA=100.0)
    decision = hand.minute(skip=5 - hand.at_minute % 5, AAA=106.0, BBB=106.0, CCC=100.0)
    acted = plan_of(decision)
    assert acted.triggers == ("sector",)
    assert [line.reason for line in acted.lines] == [Reason.SENT, Reason.SENT]
    twin = hand_of(CHECKED, **more)
    twin.enters("AAA")
    twin.enters("BBB", AAA=100.0)
    twin.minute(AAA=106.0, BBB=106.0, CCC=100.0)
    assert twin.engine.proposed_rebalance() == acted


def test_a_book_past_its_target_volatility_is_cut_whatever_the_band() -> None:
    """By a twentieth of 10 %, which is half of what a band would leave alone."""
    calm = {"book_volatility_cap": True, "target_volatility": 1.0}
    hand = hand_of(replace(HOURLY, band_minimum=0.01), tier=calm)
    hand.enters("AAA")
    state = hand.engine.state
    hand.minute(AAA=100.0, BBB=100.0, CCC=100.0)
    plan = hand.engine.proposed_rebalance()
    assert plan is not None
    tight = {"book_volatility_cap": True, "target_volatility": plan.volatility_before / 1.05}
    state.tier = tier_of(method=SizingMethod.FIXED_PERCENT, fixed_percent=0.10, max_position_pct=0.20, **tight)
    state.sizer = PositionSizer(state.tier.sizing)
    decision = hour(hand, AAA=100.0, BBB=100.0, CCC=100.0)
    (line,) = plan_of(decision).lines
    assert (line.reason, line.quantity) == (Reason.SENT, Decimal(-5))


def test_what_a_rebalance_has_cut_is_no_change_of_volatility_at_the_next_look() -> None:
    settings = RebalanceSettings(every_minutes=60, on_signal=False, drift_fraction_max=0.0, drawdown_step=0.0)
    hand = hand_of(settings)
    hand.enters("AAA")
    hand.engine.state.tier = tier_of(method=SizingMethod.FIXED_PERCENT, fixed_percent=0.02)
    hand.engine.state.sizer = PositionSizer(hand.engine.state.tier.sizing)
    order = cut_of(hour(hand, AAA=100.0, BBB=100.0, CCC=100.0))
    assert order.quantity == 80
    hand.fills(order.client_order_id, -80)
    assert hand.minute(skip=5, AAA=100.0, BBB=100.0, CCC=100.0).plan is None


def test_what_was_planned_and_not_bought_is_no_change_of_volatility_either() -> None:
    settings = RebalanceSettings(every_minutes=60, on_signal=False, drift_fraction_max=0.0, drawdown_step=0.0)
    hand = hand_of(settings)
    hand.enters("AAA", BBB=100.0, CCC=100.0)
    decision = hand.minute(skip=60 - hand.at_minute, enter="BBB CCC", AAA=100.0, BBB=100.0, CCC=100.0)
    plan = plan_of(decision)
    assert plan.volatility_after > 1.5 * plan.volatility_before
    for order in [one for one in decision.actions if isinstance(one, OrderIntent)]:
        hand.says(order.client_order_id, OrderStatus.EXPIRED)
    assert hand.minute(skip=5, AAA=100.0, BBB=100.0, CCC=100.0).plan is None


def after_the_sector_is_mended(skill: float) -> FloatArray:
    """AAA was entered with little confidence and BBB with much; together they are past their sector's limit."""
    settings = replace(CHECKED, information_coefficient=skill, band_minimum=0.0)
    hand = hand_of(settings, limits=Limits(sector_fraction_max=0.18), sectors={"AAA": "metals", "BBB": "metals"})
    for symbol, confidence in (("AAA", 0.60), ("BBB", 0.95)):
        hand.enters(symbol, AAA=100.0)
        hand.engine.state.entry_confidence[hand.engine.state.universe.column[symbol]] = confidence
    decision = hand.minute(skip=5 - hand.at_minute % 5, AAA=100.0, BBB=150.0, CCC=100.0)
    for order in [one for one in decision.actions if isinstance(one, OrderIntent)]:
        hand.fills(order.client_order_id, -order.quantity, {"AAA": 100, "BBB": 150}[order.symbol])
    hand.minute(AAA=100.0, BBB=150.0, CCC=100.0)
    return weights_of(hand)


def test_where_a_limit_binds_the_signal_that_is_less_sure_gives_way_first() -> None:
    alike, told = after_the_sector_is_mended(0.0), after_the_sector_is_mended(0.05)
    assert told[:2].sum() == pytest.approx(alike[:2].sum(), abs=0.003)
    assert told[0] < alike[0] - 0.002
    assert told[1] > alike[1] + 0.002
