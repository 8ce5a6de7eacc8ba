"""What somebody who looks on is told of an event."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ordinis.domain.events import Event, OrderUpdate, Phase
from ordinis.domain.orders import Fill, OrderStatus
from ordinis.journal.telling import news

UPDATE = OrderUpdate(
    at_ns=1,
    client_order_id="main-AAPL-entry-1",
    broker_order_id="b",
    symbol="AAPL",
    status=OrderStatus.FILLED,
    filled_quantity=Decimal("1.50"),
    fill=Fill(execution_id="e", symbol="AAPL", quantity=Decimal("1.50"), price_usd=Decimal("200.125"), filled_at_ns=1),
)


def sold(quantity: str) -> OrderUpdate:
    assert UPDATE.fill is not None
    return msgspec.structs.replace(UPDATE, fill=msgspec.structs.replace(UPDATE.fill, quantity=Decimal(quantity)))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (UPDATE, "bought 1.5 AAPL at $200.125 (main-AAPL-entry-1)"),
        (sold("-7"), "sold 7 AAPL at $200.125 (main-AAPL-entry-1)"),
        (msgspec.structs.replace(UPDATE, fill=None, status=OrderStatus.ACCEPTED), None),
    ],
)
def test_fills_are_news_and_acknowledgements_are_not(event: Event, said: str | None) -> None:
    assert news(event) == said


def test_a_session_s_ends_are_news_and_its_minutes_are_not(material: Any) -> None:
    assert news(material.phase(Phase.OPENING)) == "the session opens, 390 minutes long"
    assert news(material.phase(Phase.CLOSED)) == "the session is closed"
    assert news(material.block().at(0)) is None
