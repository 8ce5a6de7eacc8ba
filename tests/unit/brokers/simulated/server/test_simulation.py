"""What the server tells of each step."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server.simulation import SimulatedData, Simulation
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.brokers.simulated.wire_orders import order_request
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe

OPEN_NS = 1_735_828_200 * 10**9
CLOSES = [10.0, 10.0, 20.0, 40.0]


def _simulation() -> Simulation:
    rows = len(CLOSES)
    prices = np.array(CLOSES)[:, np.newaxis]
    block = MarketBlock(
        universe=Universe(("AAA",)),
        session=Session(date=date(2025, 1, 2), open_ns=OPEN_NS, close_ns=OPEN_NS + rows * MINUTE_NS),
        closed_at_ns=OPEN_NS + MINUTE_NS * np.arange(1, rows + 1, dtype=np.int64),
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=np.full((rows, 1), 100.0),
        present=np.ones((rows, 1), dtype=np.bool_),
    )
    settings = ExchangeSettings(cash_usd=Decimal(10_000), fill_model=FillModel.NEXT_OPEN)
    return Simulation(Exchange(block.universe, settings), SimulatedData(days=[block]))


def _buys(simulation: Simulation, quantity: str) -> None:
    body = {"symbol": "AAA", "qty": quantity, "side": "buy", "type": "market", "time_in_force": "day"}
    simulation.exchange.submit(order_request(body, simulation.now_ns, "mine"))


def test_a_step_is_a_phase_or_a_minute() -> None:
    simulation = _simulation()
    assert simulation.now_ns == OPEN_NS - MINUTE_NS
    steps = [simulation.step() for _ in range(len(CLOSES) + 3)]
    assert [one.phase for one in steps] == ["opening", *["minute"] * 4, "closed", "ended"]
    assert [one.minute is not None for one in steps] == [False, *[True] * 4, False, False]
    assert not simulation.is_open


def test_parts_of_an_order_show_the_average_so_far_and_book_activities() -> None:
    simulation = _simulation()
    for _ in range(2):
        simulation.step()
    _buys(simulation, "25")  # Ten shares a minute: a tenth of the volume.
    steps = [simulation.step() for _ in range(4)]
    fills: list[dict[str, Any]] = [
        one for step in steps for one in step.updates if one["event"] in {"fill", "partial_fill"}
    ]
    assert [(one["event"], one["qty"], one["price"]) for one in fills] == [
        ("partial_fill", "10", "10.0"),
        ("partial_fill", "10", "20.0"),
        ("fill", "5", "40.0"),
    ]
    assert [Decimal(one["order"]["filled_avg_price"]) for one in fills] == [10, 15, 20]
    assert [one["leaves_qty"] for one in simulation.fills] == ["15", "5", "0"]
    assert simulation.cash_flows[0]["activity_type"] == "FEE"
