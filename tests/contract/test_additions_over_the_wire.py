"""A position that is added to has its stop again, whatever goes wrong on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.test_faults_and_the_trader import Ended, traded
from ordinis.brokers.simulated.faults.kinds import (
    DropSocket,
    DuplicateEvent,
    Fault,
    HttpError,
    LostAnswer,
    MissingEvent,
    MuteSocket,
    RefuseOrder,
    RejectOrder,
    ReorderEvents,
)
from ordinis.engines.execution.ids import ADD, leg_of
from simulation.killing import Guard, unprotected

ADDED, NOT_ADDED = 213, 200
THEN: dict[str, Any] = {"from_session": 2}  # The day on which AAA is added to; BBB is, too, and is sold in the end.
CASES: dict[str, tuple[Fault | None, int]] = {
    "nothing": (None, ADDED),
    "the addition is refused": (RefuseOrder(side="buy", symbol="AAA", count=0, **THEN), NOT_ADDED),
    "the addition is rejected later": (RejectOrder(side="buy", symbol="AAA", count=0, **THEN), NOT_ADDED),
    "the addition is accepted behind a 504": (LostAnswer(method="POST", **THEN), ADDED),
    "the addition is lost behind a 500": (HttpError(method="POST", status=500, **THEN), ADDED),
    "the cancel is lost behind a 500": (HttpError(method="DELETE", status=500, **THEN), ADDED),
    "the stop's end is not told": (MissingEvent(stream="trading", event="canceled", **THEN), ADDED),
    "the addition's fill is not told": (MissingEvent(stream="trading", event="fill", **THEN), ADDED),
    "everything is told twice": (DuplicateEvent(stream="trading", count=0, **THEN), ADDED),
    "fills in the wrong order": (ReorderEvents(stream="trading", event="partial_fill", **THEN), ADDED),
    "the stream is lost at the stop's end": (DropSocket(stream="trading", event="canceled", **THEN), ADDED),
    "the stream is mute from the stop's end on": (MuteSocket(stream="trading", event="canceled", **THEN), ADDED),
}


def check_both_sides(ended: Ended) -> None:
    """Same shares and same cash, so each fill was booked once, however often it was told; no order was sent twice."""
    ledger = ended.engine.state.ledger
    assert ledger.differs_from(ended.exchange.positions) == []
    assert ledger.cash_usd == ended.exchange.account().cash_usd
    names = [one.client_order_id for one in ended.exchange.orders]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", CASES)
def test_no_position_is_without_its_stop_for_longer_than_a_minute(name: str, tmp_path: Path) -> None:
    fault, held = CASES[name]
    ended = traded([fault] if fault else [], tmp_path / "a.journal", "adding", Guard)
    check_both_sides(ended)
    assert any(decision.held_back for _, decision in ended.steps)
    assert ended.positions == {"AAA": held}
    (stop,) = [one for one in ended.exchange.orders if one.live]
    assert (stop.symbol, int(stop.quantity)) == ("AAA", held)


def test_a_stop_that_is_refused_when_it_comes_back_is_tried_again_as_any_stop(tmp_path: Path) -> None:
    """The first wait is a minute; the position has its stop after it."""
    refused = RefuseOrder(side="sell", symbol="AAA", **THEN)
    ended = traded([refused], tmp_path / "a.journal", "adding")
    check_both_sides(ended)
    assert "AAA-stop-2 refused: 40310000" in ended.notes
    assert any(leg_of(one.client_order_id) == ADD and one.filled_quantity for one in ended.exchange.orders)
    assert unprotected(ended.exchange) == set()
