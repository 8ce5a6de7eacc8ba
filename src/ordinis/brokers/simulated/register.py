"""Every order there ever was, under both of its names."""

from __future__ import annotations

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.domain.orders import OrderIntent, leg_id, target_id


class Register:
    """Orders in order of submission, legs included."""

    __slots__ = ("_by_client_id", "_by_id")

    def __init__(self) -> None:
        self._by_id: dict[str, BrokerOrder] = {}
        self._by_client_id: dict[str, BrokerOrder] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, client_order_id: str) -> bool:
        return client_order_id in self._by_client_id

    @property
    def all(self) -> tuple[BrokerOrder, ...]:
        return tuple(self._by_id.values())

    def add(self, order: BrokerOrder) -> None:
        self._by_id[order.id] = order
        self._by_client_id[order.client_order_id] = order

    def takes(self, intent: OrderIntent) -> bool:
        """Whether its name and those of its legs are free."""
        ids, name = self._by_client_id, intent.client_order_id
        return not (
            name in ids
            or (intent.stop_loss_usd is not None and leg_id(name) in ids)
            or (intent.take_profit_usd is not None and not intent.oco and target_id(name) in ids)
        )

    def by_id(self, broker_order_id: str) -> BrokerOrder:
        """Raises OrderRefused (404) when there is none."""
        order = self._by_id.get(broker_order_id)
        if order is None:
            raise refusals.order_not_found(broker_order_id)
        return order

    def by_client_id(self, client_order_id: str) -> BrokerOrder:
        """Raises OrderRefused (404) when there is none."""
        order = self._by_client_id.get(client_order_id)
        if order is None:
            raise refusals.order_not_found(client_order_id)
        return order
