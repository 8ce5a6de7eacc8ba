"""Why the book is looked at as a whole now: the clock, or something has moved since the last time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec
import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings


class Trigger(Enum):
    """In order of urgency. A breach trades without a no-trade band: a limit is past."""

    BUFFER = "buffer"
    SECTOR = "sector"
    CLUSTER = "cluster"
    BETA = "beta"
    DRAWDOWN = "drawdown"
    VOLATILITY = "volatility"
    DRIFT = "drift"
    SIGNAL = "signal"
    SCHEDULE = "schedule"


BREACHES = frozenset({Trigger.BUFFER, Trigger.SECTOR, Trigger.CLUSTER, Trigger.BETA})


class BookState(msgspec.Struct, frozen=True, kw_only=True):
    """What the triggers look at."""

    weights: FloatArray  # [symbols], of equity, signed.
    equity_usd: float
    volatility: float  # Of the whole book, a year, as forecast; NaN unknown.
    opened_and_closed: int  # Positions, since the start.
    passed: Mapping[Trigger, float]  # How far each limit is used: 1.0 is at the limit.


class Triggers:
    """Remembers the book as it was left by the last rebalance."""

    def __init__(self, settings: RebalanceSettings) -> None:
        self._settings = settings
        self._targets: FloatArray | None = None
        self._equity_usd = float("nan")
        self._volatility = float("nan")
        self._moves = 0

    def looks(self, minute: int) -> bool:
        """Whether the session's minute, counted from 1, is one at which anything may be due."""
        every, check = self._settings.every_minutes, self._settings.check_minutes
        return bool((every and minute % every == 0) or (check and minute % check == 0))

    def due(self, minute: int, book: BookState) -> list[Trigger]:
        """All that ask for a rebalance, the most urgent first; none asks for one of an empty book."""
        if not book.weights.any():
            return []
        every = self._settings.every_minutes
        found = [*self.breached(book), *self._moved(book)]
        if every and minute % every == 0:
            found.append(Trigger.SCHEDULE)
        return sorted(found, key=list(Trigger).index)

    def breached(self, book: BookState) -> list[Trigger]:
        """The limits that are past, by more than the tolerance."""
        return [name for name, used in book.passed.items() if used > 1.0 + self._settings.breach_tolerance]

    def done(self, targets: FloatArray, equity_usd: float, volatility: float, opened_and_closed: int) -> None:
        """The book was looked at; `targets` are the weights it should have, [symbols], NaN of what was not held.

        `volatility` is theirs: a book that was cut has not changed by being cut.
        """
        self._targets = targets
        self._equity_usd = equity_usd
        self._volatility = volatility
        self._moves = opened_and_closed

    def _moved(self, book: BookState) -> list[Trigger]:
        """What is not the same any more; before the first rebalance there is nothing to compare with."""
        if self._targets is None:
            return []
        settings, found = self._settings, []
        fallen = 1.0 - book.equity_usd / self._equity_usd
        if settings.drawdown_step and fallen >= settings.drawdown_step:
            found.append(Trigger.DRAWDOWN)
        changed = abs(book.volatility / self._volatility - 1.0) if self._volatility > 0.0 else 0.0
        if settings.volatility_change_max and changed > settings.volatility_change_max:
            found.append(Trigger.VOLATILITY)
        away = np.abs(book.weights - self._targets)[book.weights != 0.0]
        if settings.drift_fraction_max and (away > settings.drift_fraction_max).any():
            found.append(Trigger.DRIFT)
        if settings.on_signal and book.opened_and_closed != self._moves:
            found.append(Trigger.SIGNAL)
        return found
