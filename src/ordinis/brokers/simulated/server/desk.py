"""What the trading API acts on: the exchange, its clock, whoever is told, and what goes wrong with orders."""

from __future__ import annotations

import asyncio
from decimal import ROUND_DOWN, Decimal
from typing import Any

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.director import fits
from ordinis.brokers.simulated.faults.kinds import AccountBlocked, PartialFill, RefuseOrder, RejectOrder
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.refusals import FORBIDDEN, Refusal
from ordinis.brokers.simulated.server.clock import VirtualClock
from ordinis.brokers.simulated.server.configurations import Configurations
from ordinis.brokers.simulated.server.old_positions import OldPositions
from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.brokers.simulated.server.sockets import FOR_GOOD_NS
from ordinis.brokers.simulated.server.trading_stream import TradingStream
from ordinis.brokers.simulated.wire_values import foreign_id
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.money import FRACTION, WHOLE
from ordinis.domain.orders import TimeInForce

_FOK = TimeInForce.FOK


class Desk:
    """`turn` is held while the exchange changes and the streams tell of it, so that news keeps its order."""

    def __init__(self, simulation: Simulation, stream: TradingStream, clock: VirtualClock, faults: Faults) -> None:
        self.simulation = simulation
        self.exchange = simulation.exchange
        self.clock = clock
        self.turn = asyncio.Lock()
        self.configurations = Configurations()
        self.positions = OldPositions(simulation.exchange, faults, clock.now_ns)
        self._stream = stream
        self._faults = faults
        self._made_up_ids = 0
        self._blocked: tuple[AccountBlocked, int] | None = None  # Until when, ns.
        self.exchange.fill_cap = self._cap

    def made_up_id(self, body: Any = None) -> str:
        """For an order that its sender has not named; empty where the body names it."""
        if isinstance(body, dict) and body.get("client_order_id"):
            return ""
        self._made_up_ids += 1
        return foreign_id(f"unnamed/{self._made_up_ids}")

    @property
    def unheard(self) -> int:
        """Trade updates that nobody was there for."""
        return self._stream.unheard

    async def tell(self) -> None:
        """What has happened, to whoever listens."""
        await self.publish(self.simulation.news())

    async def publish(self, updates: list[dict[str, Any]]) -> None:
        if updates:
            self.positions.notice(updates)
            self.simulation.totals.trade_updates += await self._stream.publish(updates)

    # What goes wrong with orders.

    def check_account(self, quantity: Decimal | None = None) -> None:
        """Before anything new is sent. Raises Refusal when the account takes no order, or not in such a quantity."""
        self.configurations.check(quantity)
        if self.blocked() is not None:
            raise Refusal(403, FORBIDDEN, "account is blocked from trading")

    def check_submit(self, symbol: str, side: str, quantity: Decimal | None) -> None:
        """Raises Refusal when no order, or not this one, is taken."""
        self.check_account(quantity)
        if side == "sell" and self.configurations.no_shorting and not self._holds(symbol):
            raise Refusal(403, FORBIDDEN, "account is not allowed to short")
        if not self._faults:
            return
        fault = self._faults.next(RefuseOrder, lambda one: fits(one.symbol, symbol) and fits(one.side, side))
        if fault is not None:
            raise Refusal(fault.status, fault.code, fault.text)

    def _holds(self, symbol: str) -> bool:
        """Long: what is sold of it is no short."""
        column = self.exchange.universe.column.get(symbol)
        return column is None or self.exchange.books.quantity(column) > 0

    def after_submit(self, order: BrokerOrder) -> None:
        """An order that the exchange has taken may be rejected all the same."""
        if self._faults and order.live:
            fault = self._faults.next(RejectOrder, lambda one: _about(one, order))
            if fault is not None:
                self.exchange.reject(order.id)

    def _cap(self, order: BrokerOrder, quantity: Decimal) -> Decimal:
        """What of a fill a fault leaves."""
        if not self._faults or not quantity or order.time_in_force is _FOK:
            return quantity
        fault = self._faults.next(PartialFill, lambda one: _about(one, order))
        if fault is None:
            return quantity
        return (quantity * fault.fraction).quantize(WHOLE if order.whole else FRACTION, rounding=ROUND_DOWN)

    def blocked(self) -> str | None:
        """The account's field that says so while it is blocked."""
        if not self._faults:
            self._blocked = None
        elif self._blocked is None or self.clock.now_ns() >= self._blocked[1]:
            fault = self._faults.next(AccountBlocked)
            self._blocked = None if fault is None else (fault, self._until_ns(fault))
        return None if self._blocked is None else self._blocked[0].field

    def _until_ns(self, fault: AccountBlocked) -> int:
        return self.clock.now_ns() + fault.minutes * MINUTE_NS if fault.minutes else FOR_GOOD_NS


def _about(fault: RejectOrder | PartialFill, order: BrokerOrder) -> bool:
    return fits(fault.symbol, order.symbol) and fits(fault.side, order.side.value)
