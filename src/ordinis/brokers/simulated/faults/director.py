"""Which fault happens now: time, count and chance of everything that is armed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from random import Random
from typing import Any, TypeVar

import msgspec

from ordinis.brokers.simulated.faults.kinds import Fault
from ordinis.brokers.simulated.faults.plan import FaultPlan

F = TypeVar("F")


class _Armed:
    """A fault that waits for its occasion."""

    __slots__ = ("fault", "happened", "occasions")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.occasions = 0
        self.happened = 0

    @property
    def spent(self) -> bool:
        return 0 < self.fault.count <= self.happened


class Faults:
    """Asked at every place where something can go wrong; without faults a single look at an empty list."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        plan = plan or FaultPlan()
        self._armed = [_Armed(fault) for fault in plan.fault]
        self._random = Random(plan.seed)
        self._session = 1
        self._minute = 0

    def __bool__(self) -> bool:
        return bool(self._armed)

    def arm(self, fault: Fault) -> None:
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._armed.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Every fault in the order it was armed in, and how often it has happened."""
        return [{"fault": msgspec.to_builtins(one.fault), "happened": one.happened} for one in self._armed]

    def set_time(self, session: int, minute: int) -> None:
        """The session that is on or comes next, from 1, and the minutes of it that are over."""
        self._session, self._minute = session, minute

    def has(self, kind: type[Any]) -> bool:
        """Whether one of the kind may still happen, now or later."""
        return any(isinstance(one.fault, kind) and not one.spent for one in self._armed)

    def next(self, kind: type[F], matches: Callable[[F], bool] | None = None) -> F | None:
        """The first of the kind that happens on this occasion; it is counted."""
        return next(self.all(kind, matches), None)

    def all(self, kind: type[F], matches: Callable[[F], bool] | None = None) -> Iterator[F]:
        """Every one of the kind that happens on this occasion; each is counted."""
        for one in list(self._armed):
            fault = one.fault
            if (
                isinstance(fault, kind)
                and self._due(one)
                and (matches is None or matches(fault))
                and self._strikes(one)
            ):
                yield fault

    def _due(self, one: _Armed) -> bool:
        return not one.spent and (one.fault.from_session, one.fault.from_minute) <= (self._session, self._minute)

    def _strikes(self, one: _Armed) -> bool:
        one.occasions += 1
        if one.occasions <= one.fault.skip:
            return False
        if one.fault.probability < 1 and self._random.random() >= one.fault.probability:
            return False
        one.happened += 1
        return True


def fits(glob: str, text: str) -> bool:
    return glob == "*" or fnmatchcase(text, glob)
