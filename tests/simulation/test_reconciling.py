"""What a reconciliation changes: corrections after two looks, entries halted, a stop for what was taken over."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ordinis.domain.account import AccountView, Position
from ordinis.domain.decision import Reason
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import BrokerEvent, CommandKind, OrderUpdate, Reconciliation
from ordinis.domain.orders import Action, OrderIntent, OrderStatus, Purpose, Side
from ordinis.domain.standing import BrokerBooks, StandingOrder
from ordinis.engines.reconcile import Foreign, own_books
from ordinis.runtime.reconciling import Reconciler
from simulation.worlds import Hand, tier_of


class Said:
    """A broker whose books a test writes."""

    busy = False

    def __init__(self, hand: Hand) -> None:
        self.hand = hand
        self.positions: dict[str, int] = {}
        self.asked: list[str] = []
        self.news: list[BrokerEvent] = []

    def books(self) -> BrokerBooks:
        desk = self.hand.engine.state.desk
        return BrokerBooks(
            at_ns=self.hand.at_ns,
            positions=tuple(
                Position(symbol=symbol, quantity=Decimal(quantity), average_price_usd=Decimal(100))
                for symbol, quantity in self.positions.items()
                if quantity
            ),
            orders=tuple(
                StandingOrder(
                    client_order_id=name, symbol=one.symbol, quantity=one.quantity, filled_quantity=one.filled
                )
                for name, one in desk.working.items()
            ),
        )

    def inquire(self, client_order_id: str) -> bool:
        self.asked.append(client_order_id)
        return True

    def updates(self) -> Sequence[BrokerEvent]:
        news, self.news = self.news, []
        return news

    def now_ns(self) -> int:
        return self.hand.at_ns

    def recall(self, update: OrderUpdate) -> None:
        """Nothing was heard before."""

    def carry_out(self, actions: Sequence[Action]) -> None:
        raise AssertionError("a reconciliation sends nothing by itself")

    def account(self) -> AccountView:
        raise AssertionError("a reconciliation does not ask for it")


def look(hand: Hand, broker: Said, reconciler: Reconciler) -> list[Reconciliation]:
    found = []
    for event in reconciler.look():
        assert isinstance(event, Reconciliation)
        hand._told(event)
        found.append(event)
    return found


def at_work(foreign: Foreign = "leave") -> tuple[Hand, Said, Reconciler]:
    hand = Hand(tiers=[tier_of(stop_loss_pct=0.05)])
    hand.opens()
    hand.minute(AAA=100.0, BBB=100.0)
    broker = Said(hand)
    return hand, broker, Reconciler(lambda: own_books(hand.engine.state, "main"), broker, foreign)


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
