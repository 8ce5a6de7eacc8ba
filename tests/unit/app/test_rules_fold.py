"""The rules of an account, folded from its journal, stand where the engine's stand."""

from __future__ import annotations

from decimal import Decimal

from ordinis.app.rules_fold import Standing
from ordinis.config import load
from ordinis.domain.account import AccountView
from ordinis.domain.decision import NOTHING
from ordinis.domain.events import BookCorrection, OrderUpdate, Phase, Reconciliation, SessionPhase
from ordinis.domain.market import MINUTE_NS, Session, Universe
from ordinis.domain.orders import OrderStatus, OrderType, Side
from ordinis.domain.standing import StandingOrder
from simulation.worlds import session_of

SESSION: Session = session_of(0, 390)
AT_NS = SESSION.open_ns + MINUTE_NS


def standing(cash_usd: int = 20_000) -> Standing:
    """In a session of an account whose day trades are limited."""
    made = Standing(load(None, ["compliance.regime=cash", "account.multiplier=1"]), Universe(("AAA", "BBB")))
    made.take(SessionPhase(at_ns=SESSION.open_ns, phase=Phase.OPENING, session=SESSION), NOTHING)
    money = Decimal(cash_usd)
    made.take(
        AccountView(
            at_ns=SESSION.open_ns,
            equity_usd=money,
            cash_usd=money,
            buying_power_usd=money,
            last_equity_usd=money,
            multiplier=1,
            non_marginable_buying_power_usd=money,
        ),
        NOTHING,
    )
    return made


def order(name: str, side: Side, *, waits: bool = False) -> StandingOrder:
    return StandingOrder(
        client_order_id=name,
        symbol="AAA",
        quantity=Decimal(10),
        filled_quantity=Decimal(0),
        side=side,
        type=OrderType.LIMIT,
        price_usd=Decimal(90),
        waits=waits,
    )


def test_what_is_adopted_leaves_cash_as_the_broker_has_it() -> None:
    fold = standing()
    found = BookCorrection(id="correction-1", symbol="AAA", quantity=Decimal(10), price_usd=Decimal(100))
    fold.take(Reconciliation(at_ns=AT_NS, corrections=(found,), cash_usd=Decimal("19999.50")), NOTHING)
    assert fold.gate.cash is not None
    assert (fold.ledger.held("AAA"), fold.ledger.cash_usd) == (Decimal(10), Decimal("19999.50"))
    assert fold.gate.cash.settled_usd == Decimal("19999.50")


def test_an_order_of_other_hands_that_opens_waits_in_the_slots_until_it_is_over() -> None:
    fold = standing()
    group = (order("x-1", Side.BUY), order("x-2", Side.SELL, waits=True))
    fold.take(Reconciliation(at_ns=AT_NS, adopted=group), NOTHING)
    assert fold.gate.slots.reserved == 1, "its leg opens nothing"
    over = OrderUpdate(
        at_ns=AT_NS,
        client_order_id="x-1",
        broker_order_id="b-1",
        symbol="AAA",
        status=OrderStatus.CANCELED,
        filled_quantity=Decimal(0),
    )
    fold.take(over, NOTHING)
    assert fold.gate.slots.reserved == 0
