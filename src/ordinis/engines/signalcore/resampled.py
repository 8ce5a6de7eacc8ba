"""Any bar size: a strategy that is shown bars of some minutes, each once it is complete.

Bars are counted from the session's open and never reach over a close. A minute has the answer of the newest
bar that was complete by its end, so nothing of a bar is known before it has closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import MINUTE_NS, FloatArray, IntArray, MarketBlock, Session
from ordinis.engines.signalcore.bars import BarCounter, OwnBars
from ordinis.engines.signalcore.checks import check_form
from ordinis.engines.signalcore.strategy import Strategy, StrategyColumns

Columns = NDArray[Any]


class Resampled:
    """A strategy in bars of `minutes`; to the core it is the strategy itself."""

    def __init__(self, strategy: Strategy, minutes: int) -> None:
        self.name = strategy.name
        self._strategy = strategy
        self._minutes = minutes
        self._growing: _GrowingBar | None = None
        self._counter: BarCounter | None = None
        self._held: StrategyColumns | None = None  # Each symbol's newest answer, `[1 x symbols]`.

    def advance(self, bars: OwnBars) -> StrategyColumns:
        if self._growing is None or self._counter is None or self._held is None:
            self._growing = _GrowingBar(bars.symbols)
            self._counter = BarCounter(bars.symbols)
            self._held = _silence(bars.symbols)
        complete, newest = self._grow(bars.block, self._growing)
        answers = self._held
        if complete:
            whole = _block_of(bars.block, complete)
            coarse = self._counter.read(whole)
            columns = self._strategy.advance(coarse)
            check_form(self.name, coarse, columns)
            answers = _held_on(self._held, columns, coarse)
            self._held = _map(answers, lambda values: values[-1:].copy())
        return _map(answers, lambda values: bars.from_minutes(values[newest]))

    def _grow(self, block: MarketBlock, growing: _GrowingBar) -> tuple[list[_Complete], IntArray]:
        """The bars that this block completes, and for each of its rows how many were complete by then."""
        minute = (block.closed_at_ns - block.session.open_ns) // MINUTE_NS  # From 1 on.
        number = (minute - 1) // self._minutes
        last = (minute % self._minutes == 0) | (minute >= block.session.minutes)
        edges = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
        complete: list[_Complete] = []
        newest = np.zeros(block.rows, np.int64)
        for start, stop in pairwise([*edges.tolist(), block.rows]):
            if not growing.is_of(block.session, int(number[start])):  # Its last minutes never came.
                complete += growing.closed(int(block.closed_at_ns[start]))
            newest[start:stop] = len(complete)
            growing.add(block, slice(start, stop), int(number[start]))
            if last[stop - 1]:
                complete += growing.closed(int(block.closed_at_ns[stop - 1]))
                newest[stop - 1] = len(complete)
        return complete, newest


def resampled(strategy: Strategy, minutes: int) -> Strategy:
    """The strategy in bars of that size; itself, where they are minutes anyway."""
    return strategy if minutes == 1 else Resampled(strategy, minutes)


class _Complete(NamedTuple):
    at_ns: int
    bar: FloatArray  # [open, high, low, close, volume x symbols]


class _GrowingBar:
    """The bar that is not complete yet, and which one of which session it is."""

    def __init__(self, symbols: int) -> None:
        self._bar = _empty(symbols)
        self._of: tuple[Session, int] | None = None

    def is_of(self, session: Session, number: int) -> bool:
        return self._of is None or self._of == (session, number)

    def add(self, block: MarketBlock, rows: slice, number: int) -> None:
        self._of = (block.session, number)
        present = block.present[rows]
        seen, columns = present.any(axis=0), np.arange(present.shape[1])
        first, last = present.argmax(axis=0), len(present) - 1 - present[::-1].argmax(axis=0)
        bar = self._bar
        bar[0] = np.where(np.isnan(bar[0]), block.open[rows][first, columns], bar[0])
        bar[1] = np.fmax(bar[1], np.fmax.reduce(block.high[rows], axis=0))
        bar[2] = np.fmin(bar[2], np.fmin.reduce(block.low[rows], axis=0))
        bar[3] = np.where(seen, block.close[rows][last, columns], bar[3])
        bar[4] = np.add.accumulate(np.vstack([bar[4], block.volume[rows]]), axis=0)[-1]  # One order, however cut.

    def closed(self, at_ns: int) -> list[_Complete]:
        """The bar, complete; nothing where none had begun. A new one begins."""
        if self._of is None:
            return []
        bar, self._bar, self._of = self._bar, _empty(self._bar.shape[1]), None
        return [_Complete(at_ns, bar)]


def _empty(symbols: int) -> FloatArray:
    bar = np.full((5, symbols), np.nan)
    bar[4] = 0.0
    return bar


def _block_of(block: MarketBlock, complete: list[_Complete]) -> MarketBlock:
    """Complete bars as a block of their own."""
    bars = np.stack([one.bar for one in complete], axis=1)
    return replace(
        block,
        closed_at_ns=np.array([one.at_ns for one in complete]),
        open=bars[0],
        high=bars[1],
        low=bars[2],
        close=bars[3],
        volume=bars[4],
        present=~np.isnan(bars[3]),
    )


def _held_on(before: StrategyColumns, columns: StrategyColumns, coarse: OwnBars) -> StrategyColumns:
    """What holds after none, one, two ... of the coarse bars, `[coarse rows + 1 x symbols]`."""
    row = np.where(coarse.block.present, np.arange(1, coarse.block.rows + 1)[:, None], 0)
    row = np.maximum.accumulate(np.vstack([np.zeros((1, coarse.symbols), np.int64), row]), axis=0)

    def held(old: Columns, new: Columns) -> Columns:
        return np.take_along_axis(np.concatenate([old, coarse.to_minutes(new, old.dtype.type(0))]), row, axis=0)

    return StrategyColumns(
        direction=held(before.direction, columns.direction),
        exit=held(before.exit, columns.exit),
        score=held(before.score, columns.score),
        stop_distance=held(before.stop_distance, columns.stop_distance),
        ready=held(before.ready, columns.ready),
        cover=None
        if columns.cover is None
        else held(before.exit if before.cover is None else before.cover, columns.cover),
    )


def _map(columns: StrategyColumns, change: Callable[[Columns], Columns]) -> StrategyColumns:
    return StrategyColumns(
        direction=change(columns.direction),
        exit=change(columns.exit),
        score=change(columns.score),
        stop_distance=change(columns.stop_distance),
        ready=change(columns.ready),
        cover=None if columns.cover is None else change(columns.cover),
    )


def _silence(symbols: int) -> StrategyColumns:
    """What is said before the first bar is complete."""
    return StrategyColumns(
        direction=np.zeros((1, symbols), np.int8),
        exit=np.zeros((1, symbols), np.bool_),
        score=np.full((1, symbols), np.nan),
        stop_distance=np.full((1, symbols), np.nan),
        ready=np.zeros((1, symbols), np.bool_),
    )
