"""The broker's time, from answers that take their time, too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ordinis.brokers.alpaca.live import BrokerClock

SECOND_NS = 10**9


class World:
    """A wall, a broker whose time is `speed` times as fast, and a road between them: seconds there, seconds back."""

    def __init__(self, speed: float, roads: list[tuple[float, float]]) -> None:
        self.wall = 100.0
        self.asked = 0
        self._speed = speed
        self._roads = roads

    def true_ns(self) -> int:
        return int(self.wall * self._speed * SECOND_NS)

    def ask(self) -> int:
        there, back = self._roads[min(self.asked, len(self._roads) - 1)]
        self.asked += 1
        self.wall += there
        told = self.true_ns()
        self.wall += back
        return told

    def seconds(self) -> float:
        return self.wall


@pytest.fixture
def off_seconds() -> Callable[[float, list[tuple[float, float]]], tuple[float, int]]:
    """Of the wall, and how often it was asked."""

    def measured(speed: float, roads: list[tuple[float, float]]) -> tuple[float, int]:
        world = World(speed, roads)
        clock = BrokerClock(world.ask, world.seconds, speed)
        world.wall += 7.0
        return (clock.now_ns() - world.true_ns()) / SECOND_NS / speed, world.asked

    return measured


@pytest.mark.parametrize("speed", [1.0, 480.0])
def test_an_answer_was_true_halfway(
    speed: float, off_seconds: Callable[[float, list[tuple[float, float]]], tuple[float, int]]
) -> None:
    off, asked = off_seconds(speed, [(0.02, 0.02)])
    assert asked == 1
    assert off == pytest.approx(0.0, abs=1e-6)


def test_an_answer_that_was_held_up_is_asked_for_again(
    off_seconds: Callable[[float, list[tuple[float, float]]], tuple[float, int]],
) -> None:
    """A broker that is busy, or a machine of ours that was: the minutes to come must not pay for it."""
    off, asked = off_seconds(20.0, [(0.0, 0.6), (0.01, 0.01)])
    assert asked == 2
    assert off == pytest.approx(0.0, abs=1e-6)


def test_of_slow_answers_the_quickest_counts_and_it_is_not_asked_for_ever(
    off_seconds: Callable[[float, list[tuple[float, float]]], tuple[float, int]],
) -> None:
    off, asked = off_seconds(1.0, [(0.0, 0.9), (0.1, 0.3), (0.0, 0.8)])
    assert asked == 3
    assert off == pytest.approx(-0.1, abs=1e-6)
