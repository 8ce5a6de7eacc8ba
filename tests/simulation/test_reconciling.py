"""What a reconciliation changes: corrections after two looks, entries halted, a stop for what was taken over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.account import AccountView, Position
from ordinis.domain.decision import Reason
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import CommandKind
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose, Side
from ordinis.domain.standing import BrokerBooks
from ordinis.engines.compliance.gate import AccountRules
from ordinis.engines.compliance.regimes import Regime
from ordinis.engines.reconcile import own_books
from ordinis.runtime.reconciling import Reconciler
from simulation.other_hands import Said, at_work, look, stray
from simulation.worlds import EVERY_DAY, Hand, limits_of, settled


def test_books_that_agree_are_not_spoken_of() -> None:
    hand, broker, reconciler = at_work()
    hand.enters("AAA")
    broker.positions["AAA"] = int(hand.engine.state.ledger.held("AAA"))
    assert look(hand, broker, reconciler) == []


def test_our_book_is_corrected_only_when_two_looks_find_the_same() -> None:
    hand, broker, reconciler = at_work()
    hand.enters("AAA")
    held = int(hand.engine.state.ledger.held("AAA"))
    broker.positions["AAA"] = held - 3
    (first,) = look(hand, broker, reconciler)
    assert (first.corrections, len(first.differences)) == ((), 1)
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS
    (second,) = look(hand, broker, reconciler)
    assert [one.quantity for one in second.corrections] == [-3]
    assert hand.engine.state.ledger.held("AAA") == held - 3
    assert look(hand, broker, reconciler) == []


def test_what_was_corrected_keeps_entries_halted_until_a_person_resumes() -> None:
    hand, broker, reconciler = at_work()
    hand.enters("AAA")
    broker.positions["AAA"] = int(hand.engine.state.ledger.held("AAA")) - 3
    for _ in range(3):
        look(hand, broker, reconciler)
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS
    hand.orders(CommandKind.RESUME)
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.SENT


def test_a_difference_that_goes_away_by_itself_halts_nothing_for_long() -> None:
    """Orders and positions can disagree for seconds after a fill."""
    hand, broker, reconciler = at_work()
    hand.enters("AAA")
    broker.positions["AAA"] = 0
    look(hand, broker, reconciler)
    broker.positions["AAA"] = int(hand.engine.state.ledger.held("AAA"))
    look(hand, broker, reconciler)
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.SENT


def test_a_corrected_position_has_a_stop_of_its_size_in_the_next_minute() -> None:
    hand, broker, reconciler = at_work()
    hand.enters("AAA")
    held = int(hand.engine.state.ledger.held("AAA"))
    broker.positions["AAA"] = held - 3
    for _ in range(2):
        look(hand, broker, reconciler)
    (cancel,) = hand.minute(AAA=100.0, BBB=100.0).actions
    (stop,) = hand.says(cancel.client_order_id, OrderStatus.CANCELED).actions
    assert isinstance(stop, OrderIntent)
    assert (stop.purpose, stop.side, stop.quantity) == (Purpose.PROTECT, Side.SELL, Decimal(held - 3))


def test_an_adopted_position_is_held_and_under_the_tier_s_stop() -> None:
    hand, broker, reconciler = at_work("adopt")
    broker.positions["BBB"] = 7
    for _ in range(2):
        look(hand, broker, reconciler)
    assert hand.engine.state.ledger.held("BBB") == 7
    (stop,) = hand.minute(AAA=100.0, BBB=100.0).actions
    assert isinstance(stop, OrderIntent)
    assert (stop.symbol, stop.quantity, stop.stop_price_usd) == ("BBB", Decimal(7), Decimal("95.00"))


def test_a_position_that_is_left_alone_halts_nothing_and_is_said_once() -> None:
    hand, broker, reconciler = at_work()
    broker.positions["BBB"] = 7
    (event,) = look(hand, broker, reconciler)
    assert [one.symbol for one in event.foreign or ()] == ["BBB"]
    assert look(hand, broker, reconciler) == []
    hand.minute(enter="AAA", AAA=100.0, BBB=100.0)
    assert hand.reason("AAA") is Reason.SENT
    hand.closes()
    hand.opens(positions=[Position(symbol="BBB", quantity=Decimal(7), average_price_usd=Decimal(100))])
    assert not any("halted" in note for note in hand.tale.notes)


def test_books_that_cannot_be_compared_stop_entries_until_they_can() -> None:
    hand, broker, reconciler = at_work()
    books, broker.books = broker.books, _nobody  # type: ignore[method-assign]
    (event,) = look(hand, broker, reconciler)
    assert event.differences == ("the books cannot be compared: nobody answers",)
    assert look(hand, broker, reconciler) == [], "it is said once"
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS
    broker.books = books  # type: ignore[method-assign]
    look(hand, broker, reconciler)
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.SENT


def _nobody() -> BrokerBooks:
    raise BrokerError("nobody answers")


def test_a_later_view_that_contradicts_our_book_stops_entries_and_not_exits() -> None:
    hand, *_ = at_work()
    hand.enters("AAA")
    less = Position(symbol="AAA", quantity=Decimal(1), average_price_usd=Decimal(100))
    notes = hand.figures(positions=[less]).notes
    held = hand.engine.state.ledger.held("AAA")
    assert notes == (f"entries are halted: AAA: our book holds {held}, the broker 1",)
    assert hand.minute(enter="BBB", leave="AAA", AAA=100.0, BBB=100.0).actions
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS
    hand.orders(CommandKind.RESUME)
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.SENT


def test_what_was_corrected_counts_for_the_account_s_rules() -> None:
    """Bought by us, sold by other hands, on one day: a day trade."""
    hand, broker, reconciler = at_work()
    hand.enters("AAA")
    broker.positions["AAA"] = 0
    for _ in range(2):
        look(hand, broker, reconciler)
    slots = hand.engine.state.gate.slots
    assert slots.ledger.held("AAA") == 0
    assert slots.used == 1


def test_an_adopted_position_costs_nothing_of_the_cash_that_excludes_it_already() -> None:
    """It was paid before we looked for the first time: cash is the broker's, to the cent."""
    hand, broker, reconciler = at_work("adopt")
    broker.positions["BBB"], broker.cash_usd = 7, Decimal("99999.37")  # A fee of the night that nobody told.
    look(hand, broker, reconciler)
    assert broker.asked == [], "cash is asked for when there is something to book"
    (event,) = look(hand, broker, reconciler)
    assert (broker.asked, event.cash_usd) == (["account"], Decimal("99999.37"))
    assert hand.engine.state.ledger.cash_usd == Decimal("99999.37")
    assert hand.engine.state.ledger.held("BBB") == 7
    assert "cash is 99999.37 USD, as the broker has it" in hand.tale.notes


def test_shares_that_other_hands_have_sold_bring_what_the_broker_says() -> None:
    hand, broker, reconciler = at_work()
    hand.enters("AAA")  # 100 at $100.
    broker.positions["AAA"], broker.cash_usd = 97, Decimal("90330.00")  # Three were sold at $110.
    for _ in range(2):
        look(hand, broker, reconciler)
    assert hand.engine.state.ledger.cash_usd == Decimal("90330.00")


def test_cash_that_is_found_has_settled() -> None:
    """A cash account's settled cash excludes what was paid for the position, too."""
    regime = Regime(regime="cash", source="a test", confirmed_on=None)
    hand, broker, reconciler = at_work("adopt", rules=AccountRules(days=EVERY_DAY, regime=regime))
    broker.positions["BBB"], broker.cash_usd = 7, Decimal(100_000)
    for _ in range(2):
        look(hand, broker, reconciler)
    cash = hand.engine.state.gate.cash
    assert cash is not None
    assert (cash.settled_usd, hand.engine.state.ledger.cash_usd) == (Decimal(100_000), Decimal(100_000))


@pytest.mark.parametrize("cannot_be_read", [False, True])
def test_what_still_differs_after_an_opening_is_said_again(cannot_be_read: bool) -> None:
    """The session's first view of the account forgets what was found before, and knows positions only."""
    hand, broker, reconciler = at_work()
    broker.orders["main-old"] = stray("main-old", "AAA")
    if cannot_be_read:
        broker.books = _nobody  # type: ignore[method-assign]
    (before,) = look(hand, broker, reconciler)
    assert look(hand, broker, reconciler) == []
    hand.closes()
    hand.opens()
    hand.minute(AAA=100.0, BBB=100.0)
    (again,) = look(hand, broker, reconciler)
    assert again.differences == before.differences != ()
    hand.minute(enter="BBB", AAA=100.0, BBB=100.0)
    assert hand.reason("BBB") is Reason.BOOK_DIFFERS
    assert look(hand, broker, reconciler) == []


def test_what_was_gone_and_is_back_is_said_again() -> None:
    hand, broker, reconciler = at_work()
    broker.orders["main-old"] = stray("main-old", "AAA")
    look(hand, broker, reconciler)
    broker.orders.clear()
    (gone,) = look(hand, broker, reconciler)
    assert gone.differences == ()
    broker.orders["main-old"] = stray("main-old", "AAA")
    (back,) = look(hand, broker, reconciler)
    assert back.differences == ("order main-old works at the broker, and our book says that it is over",)


def test_a_person_who_resumes_trades_on_with_what_our_book_says() -> None:
    hand, broker, reconciler = at_work()
    broker.orders["main-old"] = stray("main-old", "AAA")
    look(hand, broker, reconciler)
    hand.orders(CommandKind.RESUME)
    assert look(hand, broker, reconciler) == [], "he knows"


@pytest.mark.parametrize("allocation_usd", [None, 20_000.0])
def test_what_is_left_alone_is_no_loss_and_nothing_to_trade_with(allocation_usd: float | None) -> None:
    """Half of the account is in shares that are none of ours: the day has not lost that."""
    hand = Hand(limits=limits_of(daily_loss_fraction_max=0.03), allocation_usd=allocation_usd)
    hand.bell()
    hand.engine.handle(
        AccountView(
            at_ns=hand.at_ns,
            equity_usd=Decimal(100_000),
            cash_usd=Decimal(50_000),
            buying_power_usd=Decimal(100_000),
            last_equity_usd=Decimal(100_000),
            multiplier=2,
            positions=(settled("BBB", 500),),
        )
    )
    broker = Said(hand)
    broker.positions["BBB"] = 500
    hand.minute(AAA=100.0, BBB=100.0)
    look(hand, broker, Reconciler(lambda: own_books(hand.engine.state, "main"), broker))
    (order,) = hand.minute(enter="AAA", AAA=100.0, BBB=100.0).actions
    assert isinstance(order, OrderIntent)
    assert order.quantity == (50 if allocation_usd is None else 20)


@pytest.mark.parametrize(
    ("theirs", "wish", "reason"),
    [
        (7, "short", Reason.HELD_BY_OTHERS),  # The broker would sell their shares.
        (-7, "enter", Reason.HELD_BY_OTHERS),  # And cover their short.
        (7, "enter", Reason.SENT),
        (-7, "short", Reason.SENT),
    ],
)
def test_an_entry_never_closes_a_position_that_is_left_alone(theirs: int, wish: str, reason: Reason) -> None:
    hand, broker, reconciler = at_work(limits=limits_of(shorting_allowed=True))
    broker.positions["BBB"] = theirs
    look(hand, broker, reconciler)
    wishes: dict[str, Any] = {wish: "BBB"}
    hand.minute(AAA=100.0, BBB=100.0, **wishes)
    assert hand.reason("BBB") is reason
