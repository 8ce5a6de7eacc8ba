"""Adding to a position: when a rebalance buys more of it, how its stop goes and comes back, and what overtakes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.decision import Decision, Reason, RebalanceLine, RebalancePlan
from ordinis.domain.events import CommandKind
from ordinis.domain.orders import Action, CancelIntent, OrderIntent, OrderStatus, OrderType, Purpose, Side
from ordinis.engines import prospects
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.screen import ELIGIBLE
from simulation.remembering import differences
from simulation.worlds import Hand
from unit.engines.test_rebalancing import hand_of, hour, plan_of

ADDING = RebalanceSettings(check_minutes=0, add=True)
WIDE = {"stop_loss_pct": 0.30}  # Far enough below that prices may fall.
FELL: dict[str, Any] = {"AAA": 85.0, "BBB": 100.0, "CCC": 100.0}  # 100 shares are 8,500 of 98,500 USD: 8.63 %.


def holding(**more: Any) -> tuple[Hand, OrderIntent]:
    """100 AAA bought at 100, a tenth of the account, with the stop at 70."""
    tier = {**WIDE, **more.pop("tier", {})}
    hand = hand_of(more.pop("settings", ADDING), protect=True, tier=tier, **more)
    return hand, hand.enters("AAA")


def wants_more(hand: Hand, enter: str = "AAA") -> Decision:
    """On the hour its price has fallen, and its strategy would buy it again."""
    return hour(hand, enter=enter, **FELL)


def line_of(decision: Decision, symbol: str = "AAA") -> RebalanceLine:
    (line,) = [one for one in plan_of(decision).lines if one.symbol == symbol]
    return line


def order(actions: tuple[Action, ...]) -> OrderIntent:
    (one,) = actions
    assert isinstance(one, OrderIntent)
    return one


def stop_of(entry: OrderIntent) -> str:
    return f"{entry.client_order_id}.stop"


def bought_more(hand: Hand, entry: OrderIntent) -> OrderIntent:
    """The addition, when the broker has taken the stop back."""
    wants_more(hand)
    return order(hand.says(stop_of(entry), OrderStatus.CANCELED).actions)


def test_a_holding_below_its_size_is_bought_up_to_it_once_its_stop_is_taken_back() -> None:
    hand, entry = holding()
    decision = wants_more(hand)
    (cancel,) = decision.actions
    assert isinstance(cancel, CancelIntent)
    assert cancel.client_order_id == stop_of(entry)
    (held_back,) = decision.held_back
    line = line_of(decision)
    assert (line.quantity, line.reason) == (Decimal(15), Reason.SENT)  # 10 % of 98,500 at 85 are 115 whole shares.
    (told,) = [one for one in decision.assessments if one.purpose is Purpose.ENTRY]
    assert told.size is not None
    assert (told.size.shares, told.verdict.quantity) == (Decimal(115), Decimal(15))
    bought = order(hand.says(stop_of(entry), OrderStatus.CANCELED).actions)
    assert bought == held_back
    assert (bought.side, bought.type, bought.quantity) == (Side.BUY, OrderType.MARKET, Decimal(15))
    stop = order(hand.fills(bought.client_order_id, 15, 85).actions)
    assert (stop.purpose, stop.quantity, stop.stop_price_usd) == (Purpose.PROTECT, Decimal(115), Decimal("70.00"))
    assert hand.engine.state.ledger.held("AAA") == 115
    assert hand.engine.state.entries_filled == 1  # No new position.


@pytest.mark.parametrize(
    ("case", "settings", "enter"),
    [
        ("off, as it comes", RebalanceSettings(check_minutes=0), "AAA"),
        ("nobody would buy it now", ADDING, ""),
        ("another one is asked for", ADDING, "BBB"),
    ],
)
def test_nothing_is_added_where(case: str, settings: RebalanceSettings, enter: str) -> None:
    hand, _ = holding(settings=settings)
    decision = wants_more(hand, enter)
    assert not [one for one in decision.actions if one.symbol == "AAA"], case
    assert line_of(decision).target == pytest.approx(line_of(decision).current)


def test_a_signal_of_the_other_side_adds_nothing() -> None:
    hand, _ = holding(limits=Limits(shorting_allowed=True))
    decision = hour(hand, short="AAA", **FELL)
    assert hand.engine._minutes is not None
    assert hand.engine._minutes.screened.reasons[0, 0] == ELIGIBLE  # A short might be sold, were nothing held.
    assert decision.held_back == ()


def test_how_a_holding_moves_with_itself_does_not_make_it_smaller() -> None:
    """Alone in the book all of it has its full size."""
    hand, _ = holding(tier={"marginal_risk_ratio_max": 1.0})
    (held_back,) = wants_more(hand).held_back
    assert held_back.quantity == 15


@pytest.mark.interpreted  # A function is replaced.
def test_what_moves_with_the_rest_of_the_book_is_added_to_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospects, "_average_correlation", lambda state, draft: 0.6)
    hand, _ = holding(tier={"marginal_risk_ratio_max": 1.0, "fixed_percent": 0.15, "max_position_pct": 0.4})
    hand.enters("BBB", AAA=100.0)
    (held_back,) = hour(hand, enter="AAA", AAA=75.0, BBB=100.0, CCC=100.0).held_back
    (told,) = [one for one in hand.tale.steps[-1][1].assessments if one.purpose is Purpose.ENTRY]
    assert told.size is not None
    steps = {step.name: step.weight for step in told.size.chain}
    assert steps["marginal_risk_scale"] < steps["FIXED_PERCENT"]
    assert held_back.quantity == told.size.shares - 150


def test_what_is_missing_has_to_be_worth_the_trade() -> None:
    hand, _ = holding()
    decision = hour(hand, enter="AAA", AAA=97.0, BBB=100.0, CCC=100.0)  # 9.73 %: a quarter of a percent is missing.
    assert decision.actions == ()
    assert line_of(decision).reason is Reason.WITHIN_BAND


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tier": {"cooldown_minutes": 90}}, Reason.WITHIN_BAND),  # Too soon after the entry.
        ({"limits": Limits(drawdown_fraction_warn=0.01, drawdown_fraction_halve=0.01)}, Reason.WITHIN_BAND),  # Half.
        ({"throttle": Throttle(enabled=True, equity_floor_usd=float("inf"))}, Reason.DAY_TRADE_SLOTS),  # Of today.
    ],
)
def test_what_would_stop_an_entry_or_shrink_it_stops_an_addition(more: dict[str, Any], reason: Reason) -> None:
    hand, _ = holding(**more)
    decision = wants_more(hand)
    assert decision.actions == ()
    assert line_of(decision).reason is reason


@pytest.mark.parametrize(
    ("gross", "bbb", "quantity"),
    [
        (0.200, 106.0, 8),  # Of 99,100 USD 19,820 may be held, 19,100 are.
        (0.197, 110.0, 0),  # 425 USD are a crumb: no stop is taken back for that.
    ],
)
def test_an_addition_is_cut_to_what_the_rules_leave(gross: float, bbb: float, quantity: int) -> None:
    hand, _ = holding(limits=Limits(gross_exposure_max=gross))
    hand.enters("BBB", AAA=100.0)
    decision = hour(hand, enter="AAA", AAA=85.0, BBB=bbb, CCC=100.0)
    assert [int(one.quantity) for one in decision.held_back] == [quantity] * bool(quantity)
    line = line_of(decision)
    assert (int(line.quantity), line.notional_usd) == (quantity, 85.0 * quantity)
    assert line.reason is (Reason.SENT if quantity else Reason.GROSS_EXPOSURE)


def test_a_full_book_may_add_for_that_takes_no_slot() -> None:
    hand, entry = holding(tier={"max_positions": 1})
    assert bought_more(hand, entry).quantity == 15
    assert hand.engine.state.desk.opening == 0
    assert hand.minute(**FELL).actions != ()  # Not filled in its minute: it is taken back.
    assert hand.engine.state.book.positions == 1


def test_an_addition_in_a_limit_s_breach_waits() -> None:
    """What is past a limit is mended first."""
    sectors = {"AAA": "metals", "BBB": "metals"}
    settings = RebalanceSettings(check_minutes=0, add=True)
    hand, _ = holding(settings=settings, limits=Limits(sector_fraction_max=0.2), sectors=sectors)
    hand.enters("BBB", AAA=100.0)
    decision = hour(hand, enter="AAA", AAA=85.0, BBB=160.0, CCC=100.0)
    assert plan_of(decision).triggers[0] == "sector"
    assert decision.held_back == ()
    assert {one.symbol for one in decision.actions} == {"BBB"}


@pytest.mark.parametrize("filled", [False, True])
def test_the_stop_comes_back_nearer_where_an_entry_of_now_would_have_it_nearer(filled: bool) -> None:
    """Bought at 100 with the stop at 70; at 140 a new one stands at 98. Until it has filled the old one holds."""
    hand, entry = holding(limits=Limits(order_volume_fraction_max=0.00005, trade_risk_fraction_max=0.99))
    assert entry.quantity == 50  # The volume left no more.
    decision = hour(hand, enter="AAA", AAA=140.0, BBB=100.0, CCC=100.0)
    (bought,) = decision.held_back
    assert bought.position_stop_usd == Decimal("98.00")
    again = order(hand.says(stop_of(entry), OrderStatus.CANCELED).actions)
    if filled:
        following = hand.fills(again.client_order_id, again.quantity, 140)
    else:
        following = hand.says(again.client_order_id, OrderStatus.REJECTED, code=40310000)
    assert order(following.actions).stop_price_usd == Decimal("98.00" if filled else "70.00")


# What can go wrong on the way.


def test_a_stop_that_is_not_confirmed_in_the_minute_stays_and_nothing_is_bought() -> None:
    hand, entry = holding()
    wants_more(hand)
    free = hand.engine.state.book.open_usd
    assert free == pytest.approx(15 * 85)
    assert hand.minute(**FELL).actions == ()
    assert hand.engine.state.book.open_usd == 0.0  # What it held is free again.
    stop = order(hand.says(stop_of(entry), OrderStatus.CANCELED).actions)  # Late: only the stop comes back.
    assert (stop.purpose, stop.quantity) == (Purpose.PROTECT, Decimal(100))


def test_a_stop_that_fills_on_the_way_ends_it() -> None:
    hand, entry = holding()
    wants_more(hand)
    assert hand.fills(stop_of(entry), -100, 70).actions == ()
    assert hand.engine.state.ledger.held("AAA") == 0
    assert hand.engine.state.desk.of("AAA").adding is None
    hand.minute(**FELL)
    assert hand.engine.state.book.open_usd == 0.0


def test_a_stop_that_fills_in_part_on_the_way_ends_it_and_the_rest_has_its_stop() -> None:
    hand, entry = holding()
    wants_more(hand)
    hand.fills(stop_of(entry), -30, 70, status=OrderStatus.PARTIALLY_FILLED)
    stop = order(hand.says(stop_of(entry), OrderStatus.CANCELED, filled=30).actions)
    assert (stop.purpose, stop.quantity) == (Purpose.PROTECT, Decimal(70))


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.LAPSED, OrderStatus.EXPIRED])
def test_a_buy_that_comes_to_nothing_brings_the_stop_back_at_once(status: OrderStatus) -> None:
    hand, entry = holding()
    bought = bought_more(hand, entry)
    stop = order(hand.says(bought.client_order_id, status).actions)
    assert (stop.purpose, stop.quantity, stop.stop_price_usd) == (Purpose.PROTECT, Decimal(100), Decimal("70.00"))
    assert hand.engine.state.book.open_usd == 0.0


def test_a_buy_that_fills_in_part_is_taken_back_and_all_that_is_held_has_its_stop() -> None:
    hand, entry = holding()
    bought = bought_more(hand, entry)
    (cancel,) = hand.fills(bought.client_order_id, 4, 85, status=OrderStatus.PARTIALLY_FILLED).actions
    assert isinstance(cancel, CancelIntent)
    stop = order(hand.says(bought.client_order_id, OrderStatus.CANCELED, filled=4).actions)
    assert (stop.purpose, stop.quantity) == (Purpose.PROTECT, Decimal(104))


def test_a_buy_that_has_not_filled_by_the_next_minute_is_taken_back() -> None:
    """A position is without its stop for a minute and a confirmation at most."""
    hand, entry = holding()
    bought = bought_more(hand, entry)
    (cancel,) = hand.minute(**FELL).actions
    assert isinstance(cancel, CancelIntent)
    assert cancel.client_order_id == bought.client_order_id
    stop = order(hand.says(bought.client_order_id, OrderStatus.CANCELED).actions)
    assert (stop.purpose, stop.quantity) == (Purpose.PROTECT, Decimal(100))


def test_an_addition_that_came_to_nothing_is_not_tried_again_at_once() -> None:
    """A stop is not taken back again and again for what does not fill: the wait doubles."""
    hand, entry = holding(settings=RebalanceSettings(every_minutes=1, check_minutes=0, add=True))
    stop, tried = stop_of(entry), []
    hand.minute(skip=59, **FELL)
    for minute in range(12):
        decision = hand.minute(enter="AAA", **FELL)
        if decision.held_back:
            tried.append(minute)
            bought = order(hand.says(stop, OrderStatus.CANCELED).actions)
            hand.minute(**FELL)
            again = order(hand.says(bought.client_order_id, OrderStatus.CANCELED).actions)
            stop = again.client_order_id
    assert tried == [0, 1, 3, 7]  # Each of them took a minute more.


@pytest.mark.parametrize("sent", [False, True])
def test_an_exit_overtakes_it(sent: bool) -> None:
    hand, entry = holding()
    wants_more(hand)
    working = stop_of(entry)
    if sent:
        working = order(hand.says(working, OrderStatus.CANCELED).actions).client_order_id
    hand.minute(leave="AAA", **FELL)
    sale = order(hand.says(working, OrderStatus.CANCELED).actions)
    assert (sale.purpose, sale.side, sale.quantity) == (Purpose.EXIT, Side.SELL, Decimal(100))


@pytest.mark.parametrize("kind", [CommandKind.REDUCE, CommandKind.FLATTEN])
def test_a_person_s_word_overtakes_it(kind: CommandKind) -> None:
    hand, entry = holding()
    wants_more(hand)
    hand.orders(kind)
    following = order(hand.says(stop_of(entry), OrderStatus.CANCELED).actions)
    assert following.purpose is (Purpose.PROTECT if kind is CommandKind.REDUCE else Purpose.EXIT)


# One after the other.


def test_additions_and_entries_of_one_minute_share_what_is_left() -> None:
    """Gross may be 19 %: the addition to AAA comes first, BBB finds less, and the slot that is left."""
    hand, _ = holding(limits=Limits(gross_exposure_max=0.19), tier={"max_positions": 2})
    decision = hour(hand, enter="AAA BBB", **FELL)
    assert [one.quantity for one in decision.held_back] == [Decimal(15)]
    (entry,) = [one for one in decision.actions if isinstance(one, OrderIntent)]
    equity_usd, held_usd, added_usd = 98_500.0, 8_500.0, 15 * 85.0
    assert int(entry.quantity) == (0.19 * equity_usd - held_usd - added_usd) // 100


def test_what_is_sold_goes_out_before_what_is_bought() -> None:
    hand, _ = holding()
    hand.enters("BBB", AAA=100.0)
    decision = hour(hand, enter="AAA", AAA=85.0, BBB=150.0, CCC=100.0)
    assert [line.symbol for line in plan_of(decision).lines] == ["BBB", "AAA"]
    assert [one.symbol for one in decision.actions] == ["BBB", "AAA"]


def test_a_proposal_names_the_addition_and_changes_nothing() -> None:
    hand, _ = holding()
    hand.minute(enter="AAA", **FELL)
    before = hand.engine.state.desk.of("AAA")
    plan: RebalancePlan | None = hand.engine.proposed_rebalance()
    assert plan is not None
    assert [line.quantity for line in plan.lines] == [Decimal(15)]
    assert plan == hand.engine.proposed_rebalance()
    assert (before.adding, before.stop is not None and before.stop.cancelling) == (None, False)
    assert hand.engine.state.book.open_usd == 0.0


# Recalled.


@pytest.mark.parametrize("steps", range(5))
def test_a_twin_that_recalls_it_knows_what_the_first_knows(steps: int) -> None:
    """Decided; the stop is back; bought; the stop is there; a minute later."""
    hand, entry = holding()
    wants_more(hand)
    if steps >= 1:
        bought = order(hand.says(stop_of(entry), OrderStatus.CANCELED).actions)
    if steps >= 2:
        hand.fills(bought.client_order_id, 4, 85, status=OrderStatus.PARTIALLY_FILLED)
    if steps >= 3:
        hand.says(bought.client_order_id, OrderStatus.CANCELED, filled=4)
    if steps >= 4:
        hand.minute(**FELL)
    assert differences(hand.engine, recalled(hand).engine) == []


def recalled(hand: Hand) -> Hand:
    """Another engine that bought AAA alike, and takes in what was recorded since."""
    twin, _ = holding()
    for event, decision in hand.tale.steps[len(twin.tale.steps) :]:
        twin.engine.recall(event, decision)
    return twin


@pytest.mark.parametrize("overtaken", ["by an exit", "by a person", "by the next minute"])
@pytest.mark.parametrize("sent", [False, True])
def test_a_twin_recalls_what_overtook_it(overtaken: str, sent: bool) -> None:
    hand, entry = holding()
    wants_more(hand)
    if sent:
        hand.says(stop_of(entry), OrderStatus.CANCELED)
    if overtaken == "by a person":
        hand.orders(CommandKind.FLATTEN)
    else:
        hand.minute(leave="AAA" if overtaken == "by an exit" else "", **FELL)
    assert differences(hand.engine, recalled(hand).engine) == []
