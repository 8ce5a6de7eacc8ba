from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.rebalance.triggers import BookState, Trigger, Triggers

WEIGHTS = (0.15, 0.10, 0.0)
QUIET: dict[str, Any] = {
    "every_minutes": 0,
    "drift_fraction_max": 0.0,
    "volatility_change_max": 0.0,
    "drawdown_step": 0.0,
    "on_signal": False,
}


def book(weights: tuple[float, ...] = WEIGHTS, **changed: Any) -> BookState:
    figures: dict[str, Any] = {"equity_usd": 100_000.0, "volatility": 0.10, "opened_and_closed": 2, "passed": {}}
    return BookState(weights=np.array(weights), **figures | changed)


def left_alone(**settings: Any) -> Triggers:
    """A book that was rebalanced and has not moved since."""
    triggers = Triggers(RebalanceSettings(**settings))
    triggers.done(np.array(WEIGHTS), 100_000.0, 0.10, 2)
    return triggers


ALONE: list[tuple[Trigger, dict[str, Any], dict[str, Any]]] = [
    (Trigger.SCHEDULE, {"every_minutes": 60}, {}),
    (Trigger.DRIFT, {"drift_fraction_max": 0.05}, {"weights": (0.21, 0.10, 0.0)}),
    (Trigger.VOLATILITY, {"volatility_change_max": 0.5}, {"volatility": 0.16}),
    (Trigger.DRAWDOWN, {"drawdown_step": 0.02}, {"equity_usd": 97_900.0}),
    (Trigger.SIGNAL, {"on_signal": True}, {"opened_and_closed": 3}),
    (Trigger.SECTOR, {}, {"passed": {Trigger.SECTOR: 1.03}}),
    (Trigger.CLUSTER, {}, {"passed": {Trigger.CLUSTER: 1.03}}),
    (Trigger.BETA, {}, {"passed": {Trigger.BETA: 1.03}}),
    (Trigger.BUFFER, {}, {"passed": {Trigger.BUFFER: 1.03}}),
]


@pytest.mark.parametrize(("trigger", "on", "happened"), ALONE, ids=[one[0].value for one in ALONE])
def test_each_trigger_fires_alone_and_not_when_it_is_off(
    trigger: Trigger, on: dict[str, Any], happened: dict[str, Any]
) -> None:
    assert left_alone(**QUIET | on).due(60, book(**happened)) == [trigger]
    quiet = dict(happened) if "passed" not in happened else {"passed": {trigger: 1.01}}  # Within the tolerance.
    assert left_alone(**QUIET).due(60, book(**quiet)) == []


@pytest.mark.parametrize(
    ("on", "happened"),
    [
        ({"drift_fraction_max": 0.05}, {"weights": (0.19, 0.10, 0.0)}),
        ({"volatility_change_max": 0.5}, {"volatility": 0.149}),
        ({"volatility_change_max": 0.5}, {"volatility": float("nan")}),
        ({"drawdown_step": 0.02}, {"equity_usd": 98_100.0}),
        ({"on_signal": True}, {}),
    ],
)
def test_a_smaller_move_asks_for_nothing(on: dict[str, Any], happened: dict[str, Any]) -> None:
    assert left_alone(**QUIET | on).due(5, book(**happened)) == []


def test_the_schedule_counts_minutes_of_the_session() -> None:
    triggers = Triggers(RebalanceSettings(**QUIET | {"every_minutes": 60, "check_minutes": 0}))
    assert [minute for minute in range(1, 391) if triggers.looks(minute)] == [60, 120, 180, 240, 300, 360]


def test_several_reasons_are_told_the_most_urgent_first() -> None:
    found = left_alone(**QUIET | {"every_minutes": 60}).due(60, book(passed={Trigger.BETA: 1.5, Trigger.BUFFER: 1.1}))
    assert found == [Trigger.BUFFER, Trigger.BETA, Trigger.SCHEDULE]


def test_an_empty_book_is_never_rebalanced() -> None:
    assert Triggers(RebalanceSettings()).due(60, book((0.0, 0.0, 0.0))) == []


def test_a_first_look_has_nothing_to_compare_with() -> None:
    assert Triggers(RebalanceSettings()).due(5, book(equity_usd=1.0, opened_and_closed=9)) == []


def test_what_was_closed_is_no_drift() -> None:
    assert left_alone(**QUIET | {"drift_fraction_max": 0.05}).due(5, book((0.0, 0.10, 0.0))) == []


def test_what_was_opened_since_has_no_target_to_drift_from() -> None:
    triggers = Triggers(RebalanceSettings(**QUIET | {"drift_fraction_max": 0.05}))
    triggers.done(np.array([0.15, 0.10, np.nan]), 100_000.0, 0.10, 2)
    assert triggers.due(5, book((0.15, 0.10, 0.12))) == []
