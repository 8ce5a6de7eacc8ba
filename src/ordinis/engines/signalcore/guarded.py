"""The seat of a strategy that is not ours: what it does wrong is named, it is switched off, the rest goes on.

It is off from the very minute on, however the session is cut into blocks: a block that fails is asked again
a minute at a time, from what was before. Its first blocks are asked both ways whatever they say, since a
strategy that knows the rest of a session says something else than one that is shown a minute.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ordinis.domain.errors import StrategyError
from ordinis.domain.market import MarketBlock
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.checks import place_of
from ordinis.engines.signalcore.seat import Answer, Seat

PROOF_BLOCKS = 2  # The second session's first: by then whatever needs less than a session has spoken.


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a strategy was switched off, and at which row of its block."""

    row: int
    text: str


class GuardedSeat:
    """A seat that outlives its strategy. Once off it asks for nothing, and for the sale of what it holds."""

    def __init__(self, seat: Seat) -> None:
        self.name = seat.name
        self._seat: Seat | None = seat
        self._proofs_left = PROOF_BLOCKS
        self._faults: list[Fault] = []

    def ask(self, bars: OwnBars) -> Answer:
        """The strategy's answer as far as it can be trusted."""
        if self._seat is None:
            return _nothing(bars.block)
        if bars.block.rows == 1:
            return self._row(bars, 0)
        before = self._copied()
        if before is None:
            return _nothing(bars.block)
        try:
            answer = self._seat.ask(bars)
        except StrategyError:
            self._seat = before
            return self._row_by_row(bars)
        return answer if not self._proofs_left else self._proven(bars, answer, before)

    @property
    def off(self) -> bool:
        return self._seat is None

    def close_session(self) -> None:
        if self._seat is not None:
            self._seat.close_session()

    def take_faults(self) -> list[Fault]:
        faults, self._faults = self._faults, []
        return faults

    def _row(self, bars: OwnBars, row: int) -> Answer:
        if self._seat is None:
            return _nothing(bars.block)
        try:
            return self._seat.ask(bars)
        except StrategyError as error:
            self._switch_off(row, str(error))
            return _nothing(bars.block)

    def _row_by_row(self, bars: OwnBars) -> Answer:
        seen, answers = bars.seen, []
        for row in range(bars.block.rows):
            one = OwnBars(bars.block.row_block(row), seen)
            answers.append(self._row(one, row))
            seen = seen + one.count
        return Answer(**{field.name: _stacked(answers, field.name) for field in fields(Answer)})

    def _proven(self, bars: OwnBars, answer: Answer, before: Seat) -> Answer:
        """The block's answer, where minutes one at a time give the same."""
        self._proofs_left -= 1
        self._seat = before
        singly = self._row_by_row(bars)
        different = difference(answer, singly)
        if self._seat is None or different is None:
            return singly
        _, row, column = different
        where = place_of(bars.block, row, column)
        self._switch_off(
            0,
            f"strategy {self.name} says something else for {where} when it is shown the minutes after it: it looks "
            f"ahead, or its answer rests on how a session is cut; see `ordinis strategies check {self.name}`",
        )
        return _nothing(bars.block)

    def _copied(self) -> Seat | None:
        try:
            return deepcopy(self._seat)
        except Exception as error:
            self._switch_off(
                0, f"strategy {self.name} cannot be copied ({error}): its state must be plain values and arrays"
            )
            return None

    def _switch_off(self, row: int, why: str) -> None:
        self._seat = None
        self._faults.append(Fault(row=row, text=f"{why}; it is switched off, and what it holds is sold"))


def difference(one: Answer, other: Answer) -> tuple[str, int, int] | None:
    """Field, row and column of the first cell in which two answers differ; None where none does."""
    found = [
        (int(row), int(column), field.name)
        for field in fields(Answer)
        for row, column in np.argwhere(_differs(getattr(one, field.name), getattr(other, field.name)))[:1]
    ]
    if not found:
        return None
    row, column, field_name = min(found, key=lambda one: (*one[:2], one[2] == "cover", one[2]))  # It repeats an exit.
    return field_name, row, column


def _differs(one: Any, other: Any) -> Any:
    unequal = one != other
    return unequal & ~(np.isnan(one) & np.isnan(other)) if one.dtype.kind == "f" else unequal


def _stacked(answers: list[Answer], name: str) -> Any:
    return np.concatenate([getattr(answer, name) for answer in answers])


def _nothing(block: MarketBlock) -> Answer:
    """No entry; and nobody watches over the positions any more, so they are to be sold."""
    unknown = np.full(block.present.shape, np.nan)
    return Answer(
        direction=np.zeros(block.present.shape, np.int8),
        exit=block.present.copy(),
        cover=block.present.copy(),
        score=unknown,
        confidence=unknown.copy(),
        stop_distance=unknown.copy(),
        ready=np.ones(block.present.shape, np.bool_),  # It is not for want of history that it asks for nothing.
    )
