"""When a fault happens, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from ordinis.brokers.simulated.faults import FaultPlan, Faults
from ordinis.brokers.simulated.faults.kinds import HttpError, LateBar


def _error(**when: Any) -> HttpError:
    return HttpError(status=500, **when)


def _happens(faults: Faults, times: int) -> list[bool]:
    return [faults.next(HttpError) is not None for _ in range(times)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, "x..."),
        ({"count": 2}, "xx.."),
        ({"count": 0}, "xxxx"),
        ({"skip": 1}, ".x.."),
        ({"skip": 1, "count": 2}, ".xx."),
    ],
)
def test_a_fault_happens_as_often_as_it_says(when: dict[str, int], expected: str) -> None:
    seen = _happens(Faults(FaultPlan(fault=(_error(**when),))), 4)
    assert "".join("x" if one else "." for one in seen) == expected


@pytest.mark.parametrize(
    ("session", "minute", "expected"),
    [(1, 389, False), (2, 0, False), (2, 9, False), (2, 10, True), (3, 0, True)],
)
def test_a_fault_waits_for_its_minute(session: int, minute: int, expected: bool) -> None:
    faults = Faults(FaultPlan(fault=(_error(from_session=2, from_minute=10),)))
    faults.set_time(session, minute)
    assert _happens(faults, 1) == [expected]


def test_only_what_matches_counts() -> None:
    faults = Faults(FaultPlan(fault=(_error(path="/a", skip=1), LateBar())))
    assert faults.next(HttpError, lambda one: one.path == "/b") is None
    assert _happens(faults, 2) == [False, True]
    assert faults.has(LateBar)
    assert not faults.has(HttpError)


def test_each_fault_counts_for_itself() -> None:
    faults = Faults(FaultPlan(fault=(_error(count=1), _error(count=2))))
    assert len(list(faults.all(HttpError))) == 2
    assert len(list(faults.all(HttpError))) == 1
    assert [one["happened"] for one in faults.listing()] == [1, 2]


def test_without_faults_nothing_is_asked() -> None:
    faults = Faults()
    assert not faults
    faults.arm(_error())
    assert faults
    faults.clear()
    assert not faults
    assert faults.listing() == []
