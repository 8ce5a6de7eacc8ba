"""What companies do to their shares, in our books: shares, stops, results, and who may still be bought."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.events import CashFlow, CommandKind, CorporateAction
from ordinis.domain.orders import CancelIntent, Fill, OrderIntent, OrderStatus
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.execution.desk import ExecutionSettings, OrderDesk
from ordinis.engines.ledger import Ledger
from ordinis.engines.round_trip import RoundTrip
from simulation.actions import dividend, removal, split
from simulation.worlds import UNIVERSE, Hand, Tale, Wishful, day, engine_of, exchange_of, play, session_of, tier_of

NEXT = session_of(1, 10).date


def fill(number: int, quantity: str, price: str) -> Fill:
    return Fill(
        execution_id=f"e{number}",
        symbol="AAA",
        quantity=Decimal(quantity),
        price_usd=Decimal(price),
        filled_at_ns=number,
    )


def paid(kind: str, amount: str) -> CashFlow:
    return CashFlow(at_ns=2, id=f"paid-{kind}", kind=kind, amount_usd=Decimal(amount), symbol="AAA")


def holding(quantity: str, price: str, stop: str | None = None) -> Ledger:
    ledger = Ledger(UNIVERSE, Decimal(10_000))
    ledger.apply_fill(fill(1, quantity, price), "trend", None if stop is None else Decimal(stop))
    return ledger


def whole(action: CorporateAction) -> CorporateAction:
    return msgspec.structs.replace(action, keeps_fractions=False)


# The ledger.


@pytest.mark.parametrize(
    ("ratio", "quantity", "average"), [("4", "40", "25"), ("1.5", "15", None), ("0.1", "1", "1000"), ("3", "30", None)]
)
def test_a_split_changes_shares_and_their_average_price_and_no_money(
    ratio: str, quantity: str, average: str | None
) -> None:
    ledger = holding("10", "100.00")
    assert ledger.apply_action(split("AAA", NEXT, ratio)) is None
    assert str(ledger.held("AAA")) == quantity
    assert ledger.quantity[0] == float(quantity)
    assert ledger.holdings["AAA"].average_price_usd == (Decimal(average) if average else 1000 / Decimal(quantity))
    assert ledger.cash_usd == 9_000
    ledger.apply_action(split("AAA", NEXT, ratio))  # Told twice.
    assert str(ledger.held("AAA")) == quantity


def test_a_round_trip_through_a_split_is_told_in_the_new_terms() -> None:
    ledger = holding("10", "100.00", stop="98.00")
    ledger.apply_action(split("AAA", NEXT, "4"))
    assert ledger.apply_fill(fill(2, "-40", "26.00")) == RoundTrip(
        symbol="AAA",
        strategy="trend",
        quantity=Decimal(40),
        entry_price_usd=Decimal(25),
        exit_price_usd=Decimal(26),
        opened_at_ns=1,
        closed_at_ns=2,
        pnl_usd=Decimal(40),
        risk_usd=Decimal(20),  # Ten shares stopped two USD below their price: what it was before the split.
    )


def test_a_dividend_belongs_to_the_result_of_its_position() -> None:
    ledger = holding("10", "100.00")
    ledger.apply_cash(paid("dividend", "2.50"))
    ledger.apply_action(dividend("AAA", NEXT, "0.25"))
    ledger.apply_cash(CashFlow(at_ns=2, id="of another", kind="dividend", amount_usd=Decimal(9), symbol="BBB"))
    trip = ledger.apply_fill(fill(3, "-10", "99.00"))
    assert trip is not None
    assert (trip.pnl_usd, trip.income_usd, trip.exit_price_usd) == (Decimal("-7.50"), Decimal("2.50"), Decimal(99))
    assert ledger.cash_usd == Decimal("10001.50")


def test_what_is_paid_for_a_fraction_is_the_price_of_its_sale() -> None:
    ledger = holding("7", "100.00")
    ledger.apply_cash(paid("cash_in_lieu", "33.33"))
    assert ledger.apply_action(whole(split("AAA", NEXT, "1.5"))) is None
    assert str(ledger.held("AAA")) == "10"
    trip = ledger.apply_fill(fill(3, "-10", "70.00"))
    assert trip is not None
    assert trip.pnl_usd == Decimal("33.33")  # 700 and 33.33 for what cost 700.
    assert trip.quantity == Decimal("10.5")


def test_a_position_of_less_than_a_share_is_paid_out() -> None:
    ledger = holding("2", "100.00")
    ledger.apply_cash(paid("cash_in_lieu", "190.00"))
    trip = ledger.apply_action(whole(split("AAA", NEXT, "0.1")))
    assert trip is not None
    assert (trip.pnl_usd, trip.exit_price_usd, trip.quantity) == (Decimal(-10), Decimal(950), Decimal("0.2"))
    assert (ledger.holdings, ledger.quantity[0]) == ({}, 0.0)


@pytest.mark.parametrize(("amount", "result"), [("1041.25", "41.25"), (None, "-1000")])
def test_a_removal_closes_the_position_at_what_was_paid(amount: str | None, result: str) -> None:
    ledger = holding("10", "100.00")
    if amount is not None:
        ledger.apply_cash(paid("removal", amount))
    trip = ledger.apply_action(removal("AAA", NEXT, "104.125"))
    assert trip is not None
    assert trip.pnl_usd == Decimal(result)
    assert trip.exit_price_usd == Decimal(amount or 0) / 10
    assert ledger.holdings == {}


@pytest.mark.parametrize(
    ("ratio", "flow", "left", "result"), [("4", None, "-40", "100"), ("0.25", "-200", "-2", "300")]
)
def test_a_short_position_splits_likewise_and_keeps_no_fraction(
    ratio: str, flow: str | None, left: str, result: str
) -> None:
    """Ten shares sold at 100; what is less than a share is bought back at 400."""
    ledger = holding("-10", "100.00")
    ledger.apply_cash(paid("dividend", "-100"))
    if flow is not None:
        ledger.apply_cash(paid("cash_in_lieu", flow))
    ledger.apply_action(split("AAA", NEXT, ratio))
    assert (str(ledger.held("AAA")), ledger.shorts) == (left, 1)
    trip = ledger.apply_fill(fill(2, left[1:], {"4": "20.00", "0.25": "200.00"}[ratio]))
    assert trip is not None
    assert (trip.pnl_usd, trip.short, ledger.shorts) == (Decimal(result), True, 0)


def test_a_removal_ends_a_short_position() -> None:
    ledger = holding("-10", "100.00")
    ledger.apply_cash(paid("removal", "-900"))
    trip = ledger.apply_action(removal("AAA", NEXT, "90"))
    assert trip is not None
    assert (trip.pnl_usd, trip.short, trip.exit_price_usd, ledger.shorts) == (Decimal(100), True, Decimal(90), 0)


def test_the_stop_of_a_short_position_stays_as_far_away() -> None:
    desk = OrderDesk(ExecutionSettings())
    desk.of("AAA").stop_usd = Decimal("100.01")
    desk.split("AAA", Decimal(3), Decimal(-30), 0)
    assert desk.of("AAA").stop_usd == Decimal("33.34")
    desk.split("AAA", Decimal(3), Decimal(90), 0)
    assert desk.of("AAA").stop_usd == Decimal("11.11")


# The whole path, over the exchange.

STOPPED: dict[str, Any] = {"strategies": [Wishful(stop_distance=0.05)], "tiers": [tier_of(stop_loss_pct=0.05)]}


def two_days(action: CorporateAction, price: float, **more: Any) -> tuple[Any, Tale]:
    """AAA is bought at 100, held over the night, and costs `price` the next day."""
    engine = engine_of(**STOPPED)
    days = [
        day(0, {"AAA": [100.0] * 10, "BBB": [50.0] * 10}, enter={"AAA": [1]}),
        day(1, {"AAA": [price] * 10, "BBB": [50.0] * 10}, **more),
    ]
    return engine, play(engine, exchange_of(actions=[action]), days)


def test_a_split_moves_the_stop_before_the_session_and_sets_it_off_no_more() -> None:
    engine, tale = two_days(split("AAA", NEXT, "4"), 25.0)
    assert tale.short == ["1 entry AAA 100", "0 cancel AAA", "0 protect AAA 400"]
    stop = tale.orders[-1]
    assert (stop.stop_price_usd, stop.decided_at_ns) == (Decimal("23.75"), session_of(1, 10).open_ns)
    kinds = [type(event).__name__ for event, _ in tale.steps]
    night = kinds[kinds.index("CorporateAction") :]
    assert night[:4] == ["CorporateAction", "OrderUpdate", "OrderUpdate", "SessionPhase"]
    assert tale.notes[-1] == ("AAA: split, 4 new shares for an old one; 100 shares became 400, stop at 23.75 USD")
    assert engine.state.ledger.held("AAA") == 400
    assert engine.state.halts.reason is None
    assert set(engine.curve.equity_usd.tolist()) == {100_000.0}


def test_the_stop_in_the_new_terms_is_live() -> None:
    engine, tale = two_days(split("AAA", NEXT, "4"), 23.0)
    assert engine.state.ledger.holdings == {}
    assert [trip.quantity for trip in engine.state.trips] == [Decimal(400)]
    assert [one.quantity for one in tale.fills] == [Decimal(100), Decimal(-400)]


def test_without_the_news_of_it_the_old_stop_would_have_sold_everything() -> None:
    engine, _ = two_days(split("BBB", NEXT, "4"), 25.0)
    assert engine.state.ledger.holdings == {}


def test_a_dividend_is_told_and_counted() -> None:
    engine, tale = two_days(dividend("AAA", NEXT, "0.25"), 99.75, leave={"AAA": [2]})
    assert tale.notes[-1] == "AAA: dividend of 0.25 USD a share"
    assert [(trip.pnl_usd, trip.income_usd) for trip in engine.state.trips] == [(Decimal(0), Decimal(25))]


def test_a_symbol_that_is_gone_is_out_of_the_book_and_not_bought_again() -> None:
    engine, tale = two_days(removal("AAA", NEXT, "104"), 104.0, enter={"AAA": [3], "BBB": [3]})
    assert [(trip.symbol, trip.pnl_usd) for trip in engine.state.trips] == [("AAA", Decimal(400))]
    assert set(engine.state.ledger.holdings) == {"BBB"}
    assert tale.reasons["AAA"].count(Reason.REMOVED) == 2  # As it happened, and when a strategy asked again.
    assert "AAA: traded no more, 104 USD a share; 100 shares became 0" in tale.notes
    assert engine.state.refused == 0
    assert [one.symbol for one in tale.orders] == ["AAA", "BBB"]


def test_a_symbol_that_is_not_ours_is_no_news() -> None:
    engine, tale = two_days(split("ZZZ", NEXT, "4"), 100.0)
    assert not [event for event, _ in tale.steps if isinstance(event, CorporateAction)]
    hand = Hand()
    assert hand.engine.handle(split("ZZZ", NEXT, "4")).empty
    assert engine.state.ledger.held("AAA") == 100


def test_a_split_of_a_symbol_that_is_not_held_needs_no_word() -> None:
    _, tale = two_days(split("BBB", NEXT, "2"), 100.0)
    assert [decision.empty for event, decision in tale.steps if isinstance(event, CorporateAction)] == [True]


def test_a_split_is_no_day_trade() -> None:
    engine = engine_of(**STOPPED, throttle=Throttle(enabled=True))
    days = [
        day(0, {"AAA": [100.0] * 10}, enter={"AAA": [1]}),
        day(1, {"AAA": [25.0] * 10}, leave={"AAA": [2]}),
        day(2, {"AAA": [25.0] * 10}, enter={"AAA": [1]}, leave={"AAA": [5]}),
        day(3, {"AAA": [12.5] * 10}),
    ]
    for block in days[1:]:
        block.volume[:] *= 4  # In new shares, wishes and all.
    actions = [split("AAA", NEXT, "4"), split("AAA", session_of(3, 10).date, "2")]
    play(engine, exchange_of(actions=actions), days)
    assert engine.state.slots.used == 1  # The third day's own, in the same terms on both sides.


# By hand: what a broker may do otherwise.


def held_over_night() -> tuple[Hand, OrderIntent]:
    hand = Hand(**STOPPED)
    hand.opens()
    entry = hand.enters()
    hand.says(f"{entry.client_order_id}.stop", OrderStatus.ACCEPTED)
    hand.closes()
    return hand, entry


def test_a_broker_that_leaves_the_old_stop_is_asked_to_take_it_back_first() -> None:
    hand, entry = held_over_night()
    (cancel,) = hand.engine.handle(split("AAA", NEXT, "4")).actions
    assert isinstance(cancel, CancelIntent)
    assert cancel.client_order_id == f"{entry.client_order_id}.stop"
    (stop,) = hand.says(cancel.client_order_id, OrderStatus.CANCELED).actions
    assert isinstance(stop, OrderIntent)
    assert (stop.quantity, stop.stop_price_usd) == (entry.quantity * 4, Decimal("23.75"))


def test_a_removal_forgets_a_stop_and_asks_for_it_back() -> None:
    hand, entry = held_over_night()
    decision = hand.engine.handle(removal("AAA", NEXT))
    assert [type(one) for one in decision.actions] == [CancelIntent]
    assert decision.notes == ("AAA: traded no more, at no price known; 100 shares became 0",)
    assert hand.says(f"{entry.client_order_id}.stop", OrderStatus.CANCELED).empty
    assert not hand.engine.state.desk.unprotected


def test_a_person_s_word_between_a_split_and_the_first_minute_waits_for_prices() -> None:
    hand, entry = held_over_night()
    hand.engine.handle(split("AAA", NEXT, "4"))
    hand.says(f"{entry.client_order_id}.stop", OrderStatus.CANCELED)
    hand.opens()
    assert not hand.orders(CommandKind.FLATTEN).assessments
    decision = hand.minute(AAA=25.0)
    assert [(one.symbol, one.price_usd) for one in decision.assessments] == [("AAA", 25.0)]
