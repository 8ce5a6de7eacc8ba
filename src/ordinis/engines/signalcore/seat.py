"""A strategy's seat in the core: asks it, has the answer checked, ranks it, puts it on its minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.errors import StrategyError
from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.checks import Entries, check_entries, check_form, span
from ordinis.engines.signalcore.scores import ScoreHistory
from ordinis.engines.signalcore.settings import SignalSettings
from ordinis.engines.signalcore.strategy import Strategy, StrategyColumns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """One strategy's answer on the block's minutes, `[rows x symbols]`. No bar, no entry and no exit."""

    direction: NDArray[np.int8]
    exit: BoolArray
    cover: BoolArray  # The same array where the strategy makes no difference.
    score: FloatArray  # NaN where no entry is asked for, as the two below.
    confidence: FloatArray
    stop_distance: FloatArray
    ready: BoolArray


class Seat:
    """What the core keeps of one strategy between blocks."""

    def __init__(self, strategy: Strategy, symbols: int, settings: SignalSettings) -> None:
        self.history = ScoreHistory(
            score_count_min=settings.score_history_min, score_count_max=settings.score_history_max
        )
        self.name = strategy.name
        self._strategy = strategy
        self._direction: NDArray[np.int8] = np.zeros(symbols, dtype=np.int8)  # At each symbol's newest bar.
        self._ready: BoolArray = np.zeros(symbols, dtype=np.bool_)

    def ask(self, bars: OwnBars) -> Answer:
        """The strategy's checked answer. Errors: StrategyError."""
        columns = self._columns(bars)
        direction, exits = bars.to_minutes(columns.direction, 0), bars.to_minutes(columns.exit, False)
        ready = self._held_ready(bars, columns.ready)
        score, confidence, stop_distance = (np.full(direction.shape, np.nan) for _ in range(3))
        entries = _entries(bars, columns, direction, ready)
        if entries.place.size:
            check_entries(self._strategy.name, bars.block, entries)
            score.put(entries.place, entries.score)
            stop_distance.put(entries.place, entries.stop_distance)
            confidence.put(entries.place, self.history.rank(entries.score))
        self._remember_fresh(bars, columns.direction, score)
        return Answer(
            direction=direction,
            exit=exits,
            cover=exits if columns.cover is None else bars.to_minutes(columns.cover, False),
            score=score,
            confidence=confidence,
            stop_distance=stop_distance,
            ready=ready,
        )

    def close_session(self) -> None:
        self.history.close_session()

    def _columns(self, bars: OwnBars) -> StrategyColumns:
        try:
            # Undefined figures arise in cells that nobody reads; those that count are checked.
            with np.errstate(all="ignore"):
                columns = self._strategy.advance(bars)
        except StrategyError:
            raise  # Checked deeper down, and said as well as it can be.
        except Exception as error:
            raise StrategyError(
                f"strategy {self._strategy.name} raised {type(error).__name__}: {error}, "
                f"reading {span(bars.block)}; mend it, or take it out of strategies.enabled"
            ) from error
        check_form(self._strategy.name, bars, columns)
        return columns

    def _held_ready(self, bars: OwnBars, ready: BoolArray) -> BoolArray:
        """Readiness outlives a missing minute."""
        held: BoolArray = bars.to_minutes(ready, False)
        if not bars.full:
            held = np.logical_or.accumulate(held, axis=0) | self._ready
        self._ready = held[-1].copy()
        return held

    def _remember_fresh(self, bars: OwnBars, direction: NDArray[np.int8], score: FloatArray) -> None:
        """Only the bar where a condition becomes true adds a score, or one long signal would fill the history."""
        before = bars.shifted(direction, self._direction)
        fresh = bars.to_minutes((direction != before) & (direction != 0), False)
        self._direction = bars.last(direction, self._direction)
        self.history.add(score[fresh])


def _entries(bars: OwnBars, columns: StrategyColumns, direction: NDArray[np.int8], ready: BoolArray) -> Entries:
    place = np.flatnonzero(direction)
    return Entries(
        place=place,
        direction=direction.take(place),
        ready=ready.take(place),
        score=bars.to_minutes(columns.score, np.nan).take(place),
        stop_distance=bars.to_minutes(columns.stop_distance, np.nan).take(place),
    )
