"""The account's rules on the whole way: what is sent, what waits, and what a broker's word does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.decision import Decision, Reason
from ordinis.domain.events import CommandKind, OrderUpdate
from ordinis.domain.orders import Fill, OrderIntent, OrderStatus, Purpose
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountRules
from ordinis.engines.compliance.intraday_margin import MarginRules
from ordinis.engines.compliance.regimes import Regime, RegimeName
from ordinis.engines.compliance.settlement import SettlementRules
from ordinis.engines.execution.desk import ExecutionSettings
from simulation.worlds import EVERY_DAY, Hand, tier_of

CONFIRMED = date(2025, 1, 1)


def under(regime: RegimeName, *, without: str = "", **more: Any) -> AccountRules:
    return AccountRules(
        regime=Regime(regime=regime, source="test", confirmed_on=CONFIRMED),
        days=EVERY_DAY,
        without=frozenset({without} - {""}),
        **more,
    )


def account(rules: AccountRules, *, opens: dict[str, Any] | None = None, **more: Any) -> Hand:
    hand = Hand(**{"cash_usd": 14_999, "execution": ExecutionSettings(protect=False), "rules": rules, **more})
    hand.opens(**(opens or {}))
    return hand


def sent(decision: Decision, purpose: Purpose) -> list[OrderIntent]:
    return [one for one in decision.actions if isinstance(one, OrderIntent) and one.purpose is purpose]


def without_slots(without: str = "") -> Hand:
    """The broker looks at exits only, and there is not one slot."""
    return account(
        under("pattern_day_trader", without=without),
        throttle=Throttle(enabled=True, day_trades_max=0, check="exit", swing_min_confidence=0.0),
        execution=ExecutionSettings(),
        tiers=[tier_of(stop_loss_pct=0.02)],
    )


# Without a slot.


def test_an_entry_without_a_slot_comes_in_the_last_minutes_and_its_stop_after_the_close() -> None:
    hand = without_slots()
    assert not hand.minute(enter="AAA", skip=100).actions
    assert hand.reason() is Reason.DAY_TRADE_SLOTS
    decision = hand.minute(enter="AAA", skip=286)  # Four minutes are left.
    (order,) = sent(decision, Purpose.ENTRY)
    assert order.stop_loss_usd is None
    assert decision.notes == ("AAA: no day-trade slot is free: unprotected today, its stop follows the close",)
    assert not hand.fills(order.client_order_id, order.quantity).actions
    assert hand.engine.state.desk.unprotected == {"AAA"}
    assert not hand.minute().actions
    (stop,) = sent(hand.closes(), Purpose.PROTECT)
    assert (stop.stop_price_usd, stop.quantity) == (Decimal(98), order.quantity)
    assert not hand.engine.state.desk.unprotected


def test_such_a_position_is_not_sold_today_not_even_by_a_person() -> None:
    """The broker would refuse the sale; it goes out in the morning."""
    hand = without_slots()
    (order,) = sent(hand.minute(enter="AAA", skip=386), Purpose.ENTRY)
    hand.fills(order.client_order_id, order.quantity)
    assert not hand.orders(CommandKind.FLATTEN).actions
    assert not hand.minute().actions
    (stop,) = sent(hand.closes(), Purpose.PROTECT)
    hand.opens()
    (cancel,) = hand.minute().actions
    assert cancel.client_order_id == stop.client_order_id


def test_with_the_stop_in_place_at_once_it_could_become_the_day_trade_too_many() -> None:
    """What the rule of the queued stop prevents."""
    (order,) = sent(without_slots("queued_stop").minute(enter="AAA", skip=386), Purpose.ENTRY)
    assert order.stop_loss_usd == Decimal(98)


# Swing mode.


@pytest.mark.parametrize(("without", "leaves_in_session"), [("", 2), ("swing_hold", 0)])
def test_an_entry_from_the_last_slots_is_held_for_two_sessions(without: str, leaves_in_session: int) -> None:
    hand = account(
        under("pattern_day_trader", without=without),
        throttle=Throttle(enabled=True, day_trades_max=1, swing_min_confidence=0.0),
    )
    hand.enters("AAA")
    for session in range(3):
        decision = hand.minute(leave="AAA")
        if session == leaves_in_session:
            assert sent(decision, Purpose.EXIT)
            return
        assert hand.reason() is Reason.HOLD
        hand.closes()
        hand.opens()
    raise AssertionError("it never left")


def test_while_the_last_slots_are_near_a_symbol_cools_down_for_two_hours() -> None:
    def reason(minutes: int) -> Reason:
        hand = account(
            under("pattern_day_trader"),
            throttle=Throttle(enabled=True, day_trades_max=2, swing_min_confidence=0.0),
        )
        hand.enters("AAA")
        (sale,) = sent(hand.minute(leave="AAA"), Purpose.EXIT)
        hand.fills(sale.client_order_id, -sale.quantity)
        hand.minute(enter="AAA", skip=minutes)
        return hand.reason()

    assert reason(119) is Reason.COOLDOWN
    assert reason(120) is Reason.SENT


# Cash.


def bought_with_proceeds(without: str = "") -> Hand:
    """All the cash goes into AAA overnight; the next day AAA is sold and BBB bought with what that brings."""
    hand = account(
        under("cash", without=without, settlement=SettlementRules(buys_unsettled=True)),
        cash_usd=10_000,
        opens={"multiplier": 1},
        tiers=[tier_of(fixed_percent=0.9)],
    )
    hand.enters("AAA")
    hand.closes()
    hand.opens(multiplier=1)
    (sale,) = sent(hand.minute(leave="AAA"), Purpose.EXIT)
    hand.fills(sale.client_order_id, -sale.quantity)
    hand.enters("BBB")
    return hand


def test_an_exit_waits_until_the_money_that_paid_for_the_position_has_settled() -> None:
    hand = bought_with_proceeds()
    assert not hand.minute(leave="BBB").actions
    assert hand.reason("BBB") is Reason.UNSETTLED
    hand.closes()
    hand.opens(multiplier=1)
    assert sent(hand.minute(leave="BBB"), Purpose.EXIT)
    assert sent(bought_with_proceeds("good_faith").minute(leave="BBB"), Purpose.EXIT)


def test_a_person_s_sale_goes_out_and_the_violation_is_counted_and_said() -> None:
    hand = bought_with_proceeds()
    (sale,) = sent(hand.orders(CommandKind.FLATTEN), Purpose.EXIT)
    said = hand.fills(sale.client_order_id, -sale.quantity)
    assert said.notes == ("BBB: good_faith violation by its protective order, 1 good-faith ones in the period",)


# Over night.


@pytest.mark.parametrize(("without", "closed"), [("", ["AAA"]), ("overnight", [])])
def test_a_book_bought_four_times_comes_down_before_the_close(without: str, closed: list[str]) -> None:
    """27,000 USD on 10,000: 7,000 too much with a margin of nothing; the least sure, here the first, goes."""
    margin = MarginRules(overnight_buffer_fraction=0.0)
    hand = account(
        under("intraday_margin", without=without, margin=margin),
        cash_usd=10_000,
        opens={"multiplier": 4},
        tiers=[tier_of(fixed_percent=0.9, max_portfolio_leverage=4.0)],
    )
    for symbol in ("AAA", "BBB", "CCC"):
        hand.enters(symbol)
    hand.minute(skip=355)  # Minute 358.
    assert not sent(hand.minute(), Purpose.EXIT)
    decision = hand.minute()
    assert [one.symbol for one in sent(decision, Purpose.EXIT)] == closed
    if closed:
        assert decision.notes == ("more is held than overnight margin carries, by 7,000.00 USD: AAA closed",)
        assert not sent(hand.minute(), Purpose.EXIT)  # Its sale is under way, and is enough.


# What a broker says in mid-session.


def test_a_changed_account_stops_entries_and_exits_go_on() -> None:
    hand = account(under("intraday_margin"))
    hand.enters("AAA")
    said = hand.figures(multiplier=4)
    assert said.notes == ("entries are stopped: the account's multiplier was 2 at the open and is 4 now",)
    decision = hand.minute(enter="BBB", leave="AAA")
    assert [one.symbol for one in sent(decision, Purpose.EXIT)] == ["AAA"]
    assert hand.reason("BBB") is Reason.RULES_UNSURE
    hand.closes()
    hand.opens(multiplier=4)
    assert sent(hand.minute(enter="BBB"), Purpose.ENTRY)


def test_figures_in_mid_session_rebase_nothing() -> None:
    hand = account(under("intraday_margin"), cash_usd=100_000)
    hand.enters("AAA")
    before = hand.engine.state.halts.session_open_equity_usd
    assert not hand.figures(equity_usd=50_000).notes
    assert hand.engine.state.halts.session_open_equity_usd == before
    assert hand.engine.state.slots.used == 0


def test_positions_that_differ_in_mid_session_stop_entries_until_they_agree() -> None:
    hand = account(under("intraday_margin"))
    hand.enters("AAA")
    said = hand.figures(positions=[])
    assert said.notes == ("entries are halted: AAA: our book holds 14, the broker 0",)
    hand.minute(enter="BBB")
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS
    assert hand.figures().notes == ("our book and the broker's agree again",)
    assert sent(hand.minute(enter="BBB"), Purpose.ENTRY)


def test_a_position_that_an_order_of_ours_changes_may_differ_for_a_moment() -> None:
    hand = account(under("intraday_margin"))
    (order,) = sent(hand.minute(enter="AAA"), Purpose.ENTRY)
    hand.fills(order.client_order_id, 5, status=OrderStatus.PARTIALLY_FILLED)
    assert not hand.figures(positions=[]).notes


def foreign_fill(hand: Hand) -> Decision:
    fill = Fill(execution_id="x-1", symbol="ZZZ", quantity=Decimal(3), price_usd=Decimal(7), filled_at_ns=hand.at_ns)
    return hand.engine.handle(
        OrderUpdate(
            at_ns=hand.at_ns,
            client_order_id="by-hand",
            broker_order_id="b",
            symbol="ZZZ",
            status=OrderStatus.FILLED,
            filled_quantity=Decimal(3),
            fill=fill,
        )
    )


def test_a_fill_of_a_symbol_we_do_not_know_stops_entries_and_is_told_once() -> None:
    hand = account(under("intraday_margin"))
    hand.enters("AAA")
    assert foreign_fill(hand).notes == ("entries are stopped: a fill of 3 ZZZ (by-hand), which is not in the universe",)
    assert foreign_fill(hand).empty
    decision = hand.minute(enter="BBB", leave="AAA")
    assert sent(decision, Purpose.EXIT)
    assert hand.reason("BBB") is Reason.RULES_UNSURE


def test_the_regime_stands_in_the_journal_with_its_source() -> None:
    hand = Hand(rules=under("intraday_margin"))
    assert hand.opens().notes[0] == "regime intraday_margin: test; confirmed on 2025-01-01"
    hand.closes()
    assert not hand.opens().notes
