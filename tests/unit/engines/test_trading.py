"""handle(event) -> Decision: every rule where it alone binds, what is said of a candidate, what always passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from ordinis.domain.account import AccountView
from ordinis.domain.decision import NOTHING, Decision, Reason, VerdictAction
from ordinis.domain.errors import AccountError, StrategyError
from ordinis.domain.events import CashFlow, OrderUpdate
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.portfolio.sizing import SizingMethod
from ordinis.engines.signalcore import SignalSettings
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns, entries
from simulation.worlds import OPEN_NS, Hand, Wishful, limits_of, settled, tier_of

REJECTED, ACCEPTED, CANCELED = OrderStatus.REJECTED, OrderStatus.ACCEPTED, OrderStatus.CANCELED
PLAIN = ExecutionSettings(protect=False)
DRAWDOWNS = limits_of(drawdown_fraction_warn=0.01, drawdown_fraction_halve=0.02, drawdown_fraction_stop=0.05)
PROTECTED = {"execution": ExecutionSettings(), "tiers": [tier_of(stop_loss_pct=0.02)]}


def bought(decision: Decision) -> dict[str, Decimal]:
    return {
        one.symbol: one.quantity
        for one in decision.actions
        if isinstance(one, OrderIntent) and one.purpose is Purpose.ENTRY
    }


def opened(**more: Any) -> Hand:
    hand = Hand(**{"execution": PLAIN, **more})
    hand.opens()
    return hand


# An entry, and its story.


def test_an_entry_goes_out_with_its_whole_story() -> None:
    hand = opened(tiers=[tier_of(fixed_percent=0.10, stop_loss_pct=0.02)], execution=ExecutionSettings(book="paper"))
    decision = hand.minute(enter="AAA", AAA=100.0, BBB=50.0)
    (order,), (story,) = decision.actions, decision.assessments
    assert isinstance(order, OrderIntent)
    assert (order.client_order_id, order.quantity) == ("paper-20250115T1431-AAA-entry-1", Decimal(100))
    assert order.stop_loss_usd == Decimal("98.00")
    assert (order.decided_at_ns, order.valid_until_ns) == (OPEN_NS + MINUTE_NS, OPEN_NS + 3 * MINUTE_NS)
    assert (story.symbol, story.purpose, story.strategy, story.price_usd) == (
        "AAA",
        Purpose.ENTRY,
        "wishful",
        100.0,
    )
    assert (story.verdict.action, story.verdict.quantity, story.client_order_id) == (
        VerdictAction.APPROVE,
        Decimal(100),
        order.client_order_id,
    )
    assert story.size is not None
    assert (story.size.shares, story.size.weight) == (Decimal(100), 0.1)
    assert story.size.risk_contribution == pytest.approx(0.002)
    # CCC has no bar yet, so no strategy can speak of it.
    assert hand.tale.reasons == {"AAA": [Reason.SENT], "BBB": [], "CCC": [Reason.WARMING_UP]}


def test_a_minute_in_which_nothing_is_new_says_nothing() -> None:
    hand = opened()
    assert hand.minute() is NOTHING
    hand.minute(enter="AAA")
    hand.minute()
    assert hand.minute() is NOTHING


def test_the_stop_of_an_entry_lies_on_the_tick_below() -> None:
    hand = opened(
        tiers=[tier_of(stop_loss_pct=0.03)],
        strategies=[Wishful(stop_distance=0.0123)],
        execution=ExecutionSettings(),
    )
    (order,) = hand.minute(enter="AAA", AAA=99.99, BBB=1.0).actions
    assert isinstance(order, OrderIntent)
    assert order.stop_loss_usd == Decimal("98.76")  # 98.760123 rounded down.


def test_the_best_of_a_minute_come_first_and_take_what_there_is() -> None:
    """Three want 40 % each of an account that holds at most one: the confident, then the high score, then the order."""
    hand = opened(tiers=[tier_of(fixed_percent=0.40)], strategies=[Scored()])
    decision = hand.minute(enter="AAA BBB CCC", AAA=100.0, BBB=300.0, CCC=200.0)
    shares = {symbol: int(quantity) for symbol, quantity in bought(decision).items()}
    assert list(shares.items()) == [("BBB", 133), ("CCC", 200), ("AAA", 201)]
    assert [one.verdict.action.value for one in decision.assessments] == ["approve", "approve", "resize"]
    assert (hand.reason("AAA"), hand.reason("BBB")) == (Reason.RESIZED, Reason.SENT)


class Scored(Wishful):
    """The higher the price, the better."""

    def advance(self, bars: OwnBars) -> StrategyColumns:
        plain = super().advance(bars)
        return replace(plain, score=np.nan_to_num(bars.close))


def test_only_so_many_are_looked_at_in_a_minute_and_the_best_of_them() -> None:
    hand = opened(candidates_max=2, strategies=[Scored()])
    assert list(bought(hand.minute(enter="AAA BBB CCC", AAA=100.0, BBB=300.0, CCC=200.0))) == ["BBB", "CCC"]
    assert hand.reason("AAA") is Reason.OUTRANKED
    assert not [one for one in hand.tale.assessments if one.symbol == "AAA"]


def test_a_refusal_is_told_once_until_its_reason_changes() -> None:
    hand = opened(tiers=[tier_of(fixed_percent=0.005)])  # 500 USD.
    for _ in range(3):
        hand.minute(enter="AAA", AAA=501.0)
    assert hand.reason() is Reason.BELOW_MINIMUM
    assert len(hand.tale.assessments) == 1
    hand.minute(enter="AAA", AAA=499.0)
    assert hand.reason() is Reason.SENT


# Every rule where it alone binds.


def _twice(hand: Hand) -> Decision:
    hand.minute(enter="AAA")
    return hand.minute(enter="AAA")


def _while_a_stop_works(hand: Hand) -> Decision:
    """The entry ended unfilled; the end of its leg has not been told yet."""
    (order,) = hand.minute(enter="AAA").actions
    hand.says(order.client_order_id, CANCELED)
    return hand.minute(enter="AAA")


def _held(hand: Hand) -> Decision:
    hand.enters("AAA")
    return hand.minute(enter="AAA")


def _fallen(price: float) -> Callable[[Hand], Decision]:
    def play(hand: Hand) -> Decision:
        hand.enters("BBB", 100.0)
        return hand.minute(enter="AAA", AAA=100.0, BBB=price)

    return play


def _entered(*symbols: str) -> Callable[[Hand], Decision]:
    def play(hand: Hand) -> Decision:
        for symbol in symbols:
            hand.enters(symbol)
        return hand.minute(enter="AAA")

    return play


def _at(minute: int) -> Callable[[Hand], Decision]:
    return lambda hand: hand.minute(enter="AAA", skip=minute)


def _traded(pause: int) -> Callable[[Hand], Decision]:
    """A round trip, then an entry so many minutes after the exit was filled."""

    def play(hand: Hand) -> Decision:
        hand.enters("AAA")
        (sale,) = hand.minute(leave="AAA").actions
        hand.fills(sale.client_order_id, -hand.engine.state.ledger.held("AAA"))
        return hand.minute(enter="AAA", skip=pause)

    return play


def _day_traded(times: int) -> Callable[[Hand], Decision]:
    def play(hand: Hand) -> Decision:
        for _ in range(times):
            hand.enters("BBB")
            (sale,) = hand.minute(leave="BBB").actions
            hand.fills(sale.client_order_id, -hand.engine.state.ledger.held("BBB"))
        return hand.minute(enter="AAA")

    return play


RULES: list[tuple[Reason, dict[str, Any], Callable[[Hand], Decision], bool]] = [
    # The reason that is reported, the setting, what happens; True: it binds, False: a hair inside its limit.
    (Reason.OUTSIDE_SESSION, {"limits": limits_of(last_entry_minutes_before_close=5)}, _at(386), True),
    (Reason.OUTSIDE_SESSION, {"limits": limits_of(last_entry_minutes_before_close=5)}, _at(385), False),
    (Reason.DAILY_LOSS, {"limits": limits_of(daily_loss_fraction_max=0.03)}, _fallen(70.0), True),
    (Reason.DAILY_LOSS, {"limits": limits_of(daily_loss_fraction_max=0.03)}, _fallen(70.01), False),
    (Reason.DRAWDOWN, {"limits": DRAWDOWNS}, _fallen(50.0), True),
    (Reason.DRAWDOWN, {"limits": DRAWDOWNS}, _fallen(50.01), False),
    (Reason.ALREADY_HELD, {}, _held, True),
    (Reason.DUPLICATE_ORDER, {}, _twice, True),
    (Reason.OPPOSITE_ORDER, PROTECTED, _while_a_stop_works, True),
    (Reason.COOLDOWN, {"tiers": [tier_of(cooldown_minutes=120)]}, _traded(119), True),
    (Reason.COOLDOWN, {"tiers": [tier_of(cooldown_minutes=120)]}, _traded(120), False),
    (Reason.LOW_CONFIDENCE, {"tiers": [tier_of(min_confidence=0.01)]}, _at(1), True),  # There is no history.
    (Reason.LOW_CONFIDENCE, {"tiers": [tier_of(min_confidence=0.0)]}, _at(1), False),
    (Reason.DAY_TRADE_SLOTS, {"throttle": Throttle(enabled=True, equity_floor_usd=1e9)}, _day_traded(3), True),
    (Reason.DAY_TRADE_SLOTS, {"throttle": Throttle(enabled=True, equity_floor_usd=1e9)}, _day_traded(2), False),
    (Reason.DAY_TRADE_SLOTS, {"throttle": Throttle(enabled=True, equity_floor_usd=100_000)}, _day_traded(3), False),
    (
        Reason.VOLATILITY_UNKNOWN,
        {"tiers": [tier_of(method=SizingMethod.VOLATILITY_ADJUSTED, default_volatility=None)]},
        _at(1),
        True,
    ),
    (
        Reason.VOLATILITY_UNKNOWN,
        {"tiers": [tier_of(method=SizingMethod.VOLATILITY_ADJUSTED, default_volatility=0.4)]},
        _at(1),
        False,
    ),
    (
        Reason.NO_EVIDENCE,
        {"tiers": [tier_of(method=SizingMethod.HALF_KELLY, kelly_fallback=None)]},
        _at(1),
        True,
    ),
    (Reason.POSITIONS_FULL, {"tiers": [tier_of(max_positions=2)]}, _entered("BBB", "CCC"), True),
    (Reason.POSITIONS_FULL, {"tiers": [tier_of(max_positions=2)]}, _entered("BBB"), False),
    (Reason.CASH_BUFFER, {"tiers": [tier_of(fixed_percent=0.5)]}, _entered("BBB", "CCC"), True),
    (Reason.CASH_BUFFER, {"tiers": [tier_of(fixed_percent=0.5)]}, _entered("BBB"), False),
    (
        Reason.BUYING_POWER,
        {"tiers": [tier_of(fixed_percent=1.0, max_portfolio_leverage=4.0)]},
        _entered("BBB", "CCC"),
        True,
    ),
    (Reason.BELOW_MINIMUM, {"tiers": [tier_of(fixed_percent=0.0009)]}, _at(1), True),
    (Reason.BELOW_MINIMUM, {"tiers": [tier_of(fixed_percent=0.001)]}, _at(1), False),
]


@pytest.mark.parametrize(
    ("reason", "given", "happens", "binds"),
    RULES,
    ids=[
        f"{reason.name}-{'binds' if binds else 'inside'}-{number}" for number, (reason, _, _, binds) in enumerate(RULES)
    ],
)
def test_each_rule_refuses_where_it_alone_binds_and_not_a_hair_inside(
    reason: Reason, given: dict[str, Any], happens: Callable[[Hand], Decision], binds: bool
) -> None:
    decision = happens(opened(**given))
    last = [one for one in bought(decision) if one == "AAA"]
    assert bool(last) is not binds


@pytest.mark.parametrize(
    ("reason", "given", "happens"),
    [(reason, given, happens) for reason, given, happens, binds in RULES if binds],
    ids=[reason.name for reason, _, _, binds in RULES if binds],
)
def test_the_reason_that_is_reported_is_the_rule_s(
    reason: Reason, given: dict[str, Any], happens: Callable[[Hand], Decision]
) -> None:
    hand = opened(**given)
    happens(hand)
    assert hand.reason() is reason


class Stubborn(Wishful):
    """Wants everything, always."""

    def advance(self, bars: OwnBars) -> StrategyColumns:
        plain = super().advance(bars)
        return replace(plain, direction=entries(np.ones(plain.exit.shape, np.bool_)))


def test_without_a_bar_there_is_no_wish_so_an_old_price_is_never_bought() -> None:
    hand = opened(strategies=[Stubborn()], tiers=[tier_of(fixed_percent=0.0001)])  # Too small to be sent.
    hand.minute(AAA=100.0, BBB=100.0)
    assert hand.reason("AAA") is Reason.BELOW_MINIMUM
    hand.minute(BBB=100.0)
    assert (hand.reason("AAA"), hand.reason("BBB")) == (Reason.NO_SIGNAL, Reason.BELOW_MINIMUM)


# The broker's word at the open.


def test_nothing_is_opened_before_the_broker_has_told_its_figures() -> None:
    hand = opened()
    hand.closes()
    hand.bell()
    assert not hand.minute(enter="AAA").actions
    assert hand.reason() is Reason.ACCOUNT_UNKNOWN
    hand.figures()
    assert bought(hand.minute(enter="AAA")) == {"AAA": 100}


def test_nothing_is_opened_while_the_broker_holds_something_else() -> None:
    hand = Hand(execution=PLAIN)
    said = hand.opens(positions=[settled("BBB", 5)])
    assert "entries are halted: BBB: our book holds 0, the broker 5" in said.notes
    assert not hand.minute(enter="AAA").actions
    assert hand.reason() is Reason.BOOK_DIFFERS
    hand.closes()
    hand.opens(positions=[])
    assert bought(hand.minute(enter="AAA"))


@pytest.mark.parametrize("equity", ["0", "-0.01"])
def test_an_account_without_equity_is_an_error_that_says_what_to_do(equity: str) -> None:
    hand = Hand()
    with pytest.raises(AccountError, match=f"equity is {equity} USD.*deposit first"):
        hand.engine.handle(
            AccountView(
                at_ns=OPEN_NS,
                equity_usd=Decimal(equity),
                cash_usd=Decimal(0),
                buying_power_usd=Decimal(0),
                last_equity_usd=Decimal(0),
                multiplier=1,
            )
        )


def test_cash_that_moves_without_a_trade_is_booked() -> None:
    hand = opened()
    fee = CashFlow(at_ns=hand.at_ns, id="fee-1", kind="fee", amount_usd=Decimal("-12.34"))
    assert hand.engine.handle(fee) is NOTHING
    assert hand.engine.state.ledger.cash_usd == Decimal("99987.66")


# What was sent and what became of it.


def test_a_refused_entry_is_told_and_not_repeated_the_same_minute() -> None:
    hand = opened(execution=ExecutionSettings(protect=False, retry_minutes=5))
    (order,) = hand.minute(enter="AAA").actions
    said = hand.says(order.client_order_id, REJECTED, code=40310000)
    assert said.notes == ("AAA: main-20250115T1431-AAA-entry-1 refused: 40310000 no",)
    assert hand.reason() is Reason.REFUSED_BY_BROKER
    assert hand.engine.state.refused == 1
    assert not hand.minute(enter="AAA").actions
    assert hand.reason() is Reason.COOLDOWN
    assert bought(hand.minute(enter="AAA", skip=4))


def test_an_acceptance_moves_nothing() -> None:
    hand = opened()
    (order,) = hand.minute(enter="AAA").actions
    assert hand.says(order.client_order_id, ACCEPTED) is NOTHING


def test_entries_of_one_minute_share_slots_and_cash() -> None:
    hand = opened(tiers=[tier_of(fixed_percent=0.4, max_positions=2)])
    assert bought(hand.minute(enter="AAA BBB CCC")) == {"AAA": 400, "BBB": 400}
    assert hand.reason("CCC") is Reason.POSITIONS_FULL


def test_an_entry_that_works_still_holds_its_slot_and_its_cash_in_the_next_minute() -> None:
    hand = opened(tiers=[tier_of(fixed_percent=0.6, max_positions=3)])
    hand.minute(enter="AAA")
    assert bought(hand.minute(enter="BBB")) == {"BBB": 400}
    assert hand.reason("BBB") is Reason.RESIZED


@pytest.mark.parametrize(
    "given",
    [
        {"tiers": [tier_of(max_positions=1)]},
        {"throttle": Throttle(enabled=True, day_trades_max=1, equity_floor_usd=1e9)},
    ],
)
def test_where_nothing_can_be_opened_nothing_is_sized_and_an_order_that_works_is_enough(given: dict[str, Any]) -> None:
    hand = opened(**given)
    hand.minute(enter="AAA")
    assert not hand.minute(enter="BBB").assessments
    assert hand.reason("BBB") in (Reason.POSITIONS_FULL, Reason.DAY_TRADE_SLOTS)


@pytest.mark.parametrize("status", [REJECTED, CANCELED, OrderStatus.EXPIRED])
def test_an_entry_that_ends_unfilled_gives_back_what_it_held(status: OrderStatus) -> None:
    throttle = Throttle(enabled=True, day_trades_max=1, equity_floor_usd=1e9)
    hand = opened(throttle=throttle, tiers=[tier_of(max_positions=1, fixed_percent=0.8)])
    (order,) = hand.minute(enter="AAA").actions
    hand.says(order.client_order_id, status)
    assert bought(hand.minute(enter="BBB")) == {"BBB": 800}


def test_each_symbol_cools_down_by_itself() -> None:
    """AAA was bought at minute 1 and BBB at minute 2: AAA's ten minutes are over first."""
    hand = opened(tiers=[tier_of(cooldown_minutes=10)])
    for symbol in ("AAA", "BBB"):
        hand.enters(symbol)
    for order in hand.minute(leave="AAA BBB").actions:
        if order.symbol == "BBB":
            hand.at_minute += 1
        hand.fills(order.client_order_id, -100)
    hand.minute(enter="AAA BBB", skip=9)  # Minute 13: sold at the third and at the fourth.
    assert (hand.reason("AAA"), hand.reason("BBB")) == (Reason.SENT, Reason.COOLDOWN)


def test_the_cash_is_taken_from_the_broker_once_and_kept_by_our_own_book_from_then_on() -> None:
    hand = opened(cash_usd=100_000)
    hand.closes()
    hand.opens(equity_usd=90_000)
    assert hand.engine.state.ledger.cash_usd == 100_000


def test_day_trade_slots_are_reserved_within_a_minute() -> None:
    hand = opened(throttle=Throttle(enabled=True, day_trades_max=2, equity_floor_usd=1e9))
    assert list(bought(hand.minute(enter="AAA BBB CCC"))) == ["AAA", "BBB"]
    assert hand.reason("CCC") is Reason.DAY_TRADE_SLOTS


def test_a_drawdown_halves_new_risk() -> None:
    hand = opened(limits=limits_of(drawdown_fraction_warn=0.01, drawdown_fraction_halve=0.05))
    hand.enters("BBB", 100.0)
    assert bought(hand.minute(enter="AAA", AAA=100.0, BBB=50.0)) == {"AAA": 47}  # Half of 10 % of 95,000 USD.
    (story,) = hand.tale.assessments[-1:]
    assert story.size is not None
    assert "risk_state_scale" in [step.name for step in story.size.chain]


def test_results_become_the_evidence_that_kelly_reads() -> None:
    """Thirty trades of 2 to 1, half of them won: b is (30 x 2 + 20) / 50, f = 0.5 - 0.5 / 1.6, half of it 9.375 %."""
    hand = opened(
        tiers=[tier_of(method=SizingMethod.HALF_KELLY, kelly_fallback=SizingMethod.FIXED_PERCENT, fixed_percent=0.01)]
    )
    methods = []
    for number in range(31):
        order = hand.enters("AAA")
        methods.append(hand.tale.assessments[-1].size)
        (sale,) = hand.minute(leave="AAA").actions
        hand.fills(sale.client_order_id, -order.quantity, 102.0 if number % 2 else 99.0)
        if number == 29:
            assert hand.engine.state.by_strategy.evidence("wishful").trades == 30
    names = [size.sizing_method for size in methods if size is not None]
    assert names == ["FIXED_PERCENT"] * 30 + ["HALF_KELLY"]
    last = methods[-1]
    assert last is not None
    assert {step.name: step.weight for step in last.chain}["HALF_KELLY"] == pytest.approx(0.09375)
    assert hand.engine.state.by_symbol().total_trades["AAA"] == 31
    assert len(hand.engine.state.trips) == 31


def test_a_fill_that_is_told_twice_counts_once_everywhere() -> None:
    """As after a stream that broke and was read again."""
    hand = opened(throttle=Throttle(enabled=True, equity_floor_usd=1e9))
    hand.enters("AAA")
    (sale,) = hand.minute(leave="AAA").actions
    hand.fills(sale.client_order_id, -100)
    state = hand.engine.state

    def counted() -> tuple[int, int, int, Decimal]:
        return state.entries_filled, state.slots.used, len(state.trips), state.ledger.cash_usd

    once = counted()
    for event, _ in list(hand.tale.steps):
        if isinstance(event, OrderUpdate):
            hand.engine.handle(event)
    assert counted() == once == (1, 1, 1, Decimal(100_000))


# Exits.


def test_only_the_strategy_that_entered_may_leave() -> None:
    class Other(Wishful):
        def advance(self, bars: OwnBars) -> StrategyColumns:
            plain = super().advance(bars)
            return replace(plain, direction=np.zeros_like(plain.direction), exit=np.ones_like(plain.exit))

    hand = opened(strategies=[Wishful(), Other("other")])
    hand.enters("AAA")
    assert not hand.minute().actions
    assert hand.minute(leave="AAA").actions


def test_an_exit_that_is_under_way_is_not_sent_again() -> None:
    hand = opened(**PROTECTED)
    order = hand.enters("AAA")
    assert len(hand.minute(leave="AAA").actions) == 1  # The stop is taken back.
    assert not hand.minute(leave="AAA").actions
    (sale,) = hand.says(f"{order.client_order_id}.stop", CANCELED).actions
    assert not hand.minute(leave="AAA").actions
    assert sale.client_order_id == hand.tale.assessments[-1].client_order_id


@pytest.mark.parametrize(("sessions", "leaves"), [(0, True), (1, False), (2, False)])
def test_an_exit_waits_out_the_minimum_hold(sessions: int, leaves: bool) -> None:
    hand = opened(tiers=[tier_of(hold_sessions=sessions)])
    hand.enters("AAA")
    assert bool(hand.minute(leave="AAA").actions) is leaves
    assert hand.reason() is (Reason.SENT if leaves else Reason.HOLD)
    for session in range(1, sessions + 1):
        hand.closes()
        hand.opens()
        assert bool(hand.minute(leave="AAA").actions) is (session == sessions)


def full_and_halted() -> Hand:
    """An account past every limit, that leaves no room."""
    return Hand(
        execution=ExecutionSettings(),
        tiers=[tier_of(fixed_percent=0.30, max_positions=1, cooldown_minutes=500, stop_loss_pct=0.02)],
        limits=limits_of(
            daily_loss_fraction_max=0.01,
            drawdown_fraction_warn=0.01,
            drawdown_fraction_halve=0.01,
            drawdown_fraction_stop=0.01,
            cash_buffer_fraction=0.9,
            last_entry_minutes_before_close=390,
        ),
        throttle=Throttle(enabled=True, day_trades_max=0, equity_floor_usd=1e9),
    )


def test_an_exit_passes_every_limit() -> None:
    """Halted by the day's loss and the drawdown, full, over the buffer, out of day trades, too near the close."""
    hand = Hand(execution=PLAIN)
    hand.opens()
    hand.enters("AAA")
    state, strict = hand.engine.state, full_and_halted().engine.state
    state.guard.limits, state.tier = strict.guard.limits, strict.tier
    state.halts, state.gate, state.slots = strict.halts, strict.gate, strict.slots
    state.halts.session_opens(100_000.0, date(2025, 1, 15))
    state.slots.opens(date(2025, 1, 15), 1_000.0, {})
    decision = hand.minute(leave="AAA", enter="BBB", skip=388, AAA=50.0, BBB=100.0)
    assert (state.halts.daily_latched, state.halts.drawdown_latched, state.slots.full) == (True, True, True)
    (sale,) = decision.actions
    assert isinstance(sale, OrderIntent)
    assert (sale.purpose, sale.quantity) == (Purpose.EXIT, Decimal(100))
    assert hand.reason("BBB") is not Reason.SENT


def test_an_exit_goes_out_while_the_books_differ() -> None:
    hand = opened()
    hand.enters("AAA")
    hand.closes()
    hand.opens(positions=[])
    assert [one.symbol for one in hand.minute(leave="AAA", enter="BBB").actions] == ["AAA"]
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS


def test_protection_follows_fills_while_everything_is_halted() -> None:
    hand = opened(
        execution=ExecutionSettings(),
        fractionable=True,
        tiers=[tier_of(stop_loss_pct=0.02)],
        limits=limits_of(daily_loss_fraction_max=0.01),
    )
    hand.enters("BBB", 100.0)
    (order,) = hand.minute(enter="AAA", AAA=8_000.0, BBB=100.0).actions
    assert isinstance(order, OrderIntent)
    hand.minute(BBB=50.0)
    assert hand.engine.state.halts.reason is Reason.DAILY_LOSS
    (stop,) = hand.fills(order.client_order_id, order.quantity, 8_000).actions
    assert isinstance(stop, OrderIntent)
    assert (stop.purpose, stop.quantity, stop.stop_price_usd) == (Purpose.PROTECT, Decimal("1.25"), Decimal(7_840))


def test_an_unprotected_position_is_tried_again_every_minute_until_its_stop_is_taken() -> None:
    hand = opened(
        execution=ExecutionSettings(retry_minutes=1),
        fractionable=True,
        tiers=[tier_of(stop_loss_pct=0.02, fixed_percent=0.0255, whole_share_preference=0.0)],
    )
    order = hand.minute(enter="AAA").actions[0]
    assert isinstance(order, OrderIntent)
    stops = list(hand.fills(order.client_order_id, order.quantity).actions)
    sent_at = []
    for _ in range(12):
        if stops:
            sent_at.append(hand.at_minute)
            assert not hand.says(stops[0].client_order_id, REJECTED, code=403).actions
        stops = list(hand.minute().actions)
    assert sent_at == [1, 2, 4, 8]  # Waits of 1, 2, 4 and 8 minutes: never a loop.
    assert hand.engine.state.desk.unprotected == {"AAA"}


# Strategies that fail.


class Raising(Wishful):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        raise ZeroDivisionError("no bars of my own")


class Unsure(Wishful):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        plain = super().advance(bars)
        return replace(plain, score=np.full(plain.score.shape, np.nan))


class Unready(Wishful):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        plain = super().advance(bars)
        return replace(plain, ready=np.zeros_like(plain.ready))


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (Raising("mine"), "strategy mine raised ZeroDivisionError: no bars of my own, reading the minute that closed "),
        (Unready("mine"), "strategy mine gave an entry with ready False for BBB at the minute that closed "),
        (Unsure("mine"), "strategy mine gave score nan for BBB at the minute that closed "),
        (Wishful("mine", stop_distance=-0.1), "strategy mine gave stop_distance -0.1 for BBB at the minute"),
        (Wishful("mine", stop_distance=float("inf")), "strategy mine gave stop_distance inf for BBB at the minute"),
    ],
)
def test_a_strategy_that_fails_is_named_with_symbol_and_minute(strategy: Wishful, said: str) -> None:
    hand = opened(strategies=[strategy])
    with pytest.raises(StrategyError, match="2025-01-15T14:31:00 UTC") as failure:
        hand.minute(enter="BBB")
    assert str(failure.value).startswith(said)


# Confidence is a rank among past scores.


def test_an_entry_needs_a_rank_and_a_rank_needs_a_history() -> None:
    hand = opened(tiers=[tier_of(min_confidence=0.7)], signals=SignalSettings(score_history_min=3))
    for _ in range(3):
        hand.minute(enter="AAA BBB CCC")
        hand.minute()
    assert set(hand.tale.reasons["AAA"]) == {Reason.LOW_CONFIDENCE, Reason.NO_SIGNAL}
    hand.closes()
    hand.opens()
    assert list(bought(hand.minute(enter="AAA"))) == ["AAA"]
    assert hand.tale.assessments[-1].confidence == 1.0


def test_a_feed_that_falls_silent_is_said_once_in_the_minute_that_stops_entries() -> None:
    hand = opened(limits=limits_of(feed_age_minutes_max=3))
    hand.minute()
    said = [hand.minute(AAA=None).notes for _ in range(6)]
    alarm = "no symbol has had a bar for 4 minutes: entries are stopped until one has"
    assert said == [(), (), (), (alarm,), (), ()]
    assert [hand.minute(enter="AAA", AAA=100.0).notes, bool(hand.tale.orders)] == [(), True]
    assert [hand.minute(AAA=None).notes for _ in range(4)] == [(), (), (), (alarm,)]
