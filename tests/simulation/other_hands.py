"""A broker whose books a test writes: positions and orders of other hands, held against an engine's."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ordinis.domain.account import AccountView, Position
from ordinis.domain.events import BrokerEvent, OrderUpdate, Reconciliation
from ordinis.domain.orders import Action, OrderType, Side
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
        self.orders: dict[str, StandingOrder] = {}  # Of other hands.
        self.cash_usd: Decimal | None = None  # None: as our own book has it.
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
            orders=(
                *(
                    StandingOrder(
                        client_order_id=name, symbol=one.symbol, quantity=one.quantity, filled_quantity=one.filled
                    )
                    for name, one in desk.working.items()
                    if not one.foreign
                ),
                *self.orders.values(),
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
        self.asked.append("account")
        cash_usd = self.hand.engine.state.ledger.cash_usd if self.cash_usd is None else self.cash_usd
        return AccountView(
            at_ns=self.hand.at_ns,
            equity_usd=cash_usd,
            cash_usd=cash_usd,
            buying_power_usd=cash_usd,
            last_equity_usd=cash_usd,
            multiplier=2,
        )


def look(hand: Hand, broker: Said, reconciler: Reconciler) -> list[Reconciliation]:
    found = []
    for event in reconciler.look():
        assert isinstance(event, Reconciliation)
        hand._told(event)
        found.append(event)
    return found


def at_work(
    foreign: Foreign = "leave", foreign_orders: Foreign = "leave", **more: Any
) -> tuple[Hand, Said, Reconciler]:
    hand = Hand(**{"tiers": [tier_of(stop_loss_pct=0.05)], **more})
    hand.opens()
    hand.minute(AAA=100.0, BBB=100.0)
    broker = Said(hand)
    return hand, broker, Reconciler(lambda: own_books(hand.engine.state, "main"), broker, foreign, foreign_orders)


def stray(
    name: str,
    symbol: str,
    side: Side = Side.SELL,
    quantity: int = 100,
    kind: OrderType | None = OrderType.STOP,
    price: float | None = 90,
    **more: Any,
) -> StandingOrder:
    """An open order that nobody here has sent."""
    return StandingOrder(
        client_order_id=name,
        symbol=symbol,
        quantity=Decimal(quantity),
        side=side,
        type=kind,
        price_usd=None if price is None else Decimal(str(price)),
        **{"filled_quantity": Decimal(0), **more},
    )
