"""The trial of a strategy: does it keep the rules that a run rests on? Values in, findings out.

The rules: it answers every block in the right form; it never writes to what it is shown; it says the same
when it is asked twice; and a minute's answer is the same with or without the minutes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from ordinis.domain.errors import StrategyError
from ordinis.domain.market import MarketBlock
from ordinis.engines.signalcore.bars import BarCounter
from ordinis.engines.signalcore.checks import place_of, span
from ordinis.engines.signalcore.guarded import difference
from ordinis.engines.signalcore.seat import Answer, Seat
from ordinis.engines.signalcore.settings import SignalSettings
from ordinis.engines.signalcore.strategy import Strategy

CUTS = (1, 30, 211)  # Minutes after which a session is cut off, beside every single one of the minutes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a strategy did on trial. It passed where there are no findings."""

    minutes: int
    entries: int  # Symbol minutes in which it asked for an entry.
    exits: int
    findings: tuple[str, ...]


class Player:
    """One strategy and the bars it has seen."""

    def __init__(self, strategy: Strategy, symbols: int) -> None:
        self._seat = Seat(strategy, symbols, SignalSettings())
        self._counter = BarCounter(symbols)

    def play(self, block: MarketBlock) -> Answer:
        return self._seat.ask(self._counter.read(block))


def try_out(make: Callable[[], Strategy], sessions: Sequence[MarketBlock]) -> Trial:
    """Put a strategy to the test. `make` gives a new one each time; a session a block, oldest first."""
    blocks = [_read_only(block) for block in sessions]
    try:
        player = Player(make(), len(blocks[0].universe))
        answers = [player.play(block) for block in blocks]
        findings = _repeated(make, blocks, answers) or _by_minute(make, blocks, answers)
    except StrategyError as error:
        return Trial(minutes=0, entries=0, exits=0, findings=(str(error),))
    return Trial(
        minutes=sum(block.rows for block in blocks),
        entries=sum(int(np.count_nonzero(answer.direction)) for answer in answers),
        exits=sum(int(np.count_nonzero(answer.exit)) for answer in answers),
        findings=tuple(findings),
    )


def _repeated(make: Callable[[], Strategy], blocks: Sequence[MarketBlock], answers: Sequence[Answer]) -> list[str]:
    """Two of a kind must agree: randomness, or state shared by all of a class, would show here."""
    player = Player(make(), len(blocks[0].universe))
    for block, answer in zip(blocks, answers, strict=True):
        different = difference(answer, player.play(block))
        if different is not None:
            field, row, column = different
            where = place_of(block, row, column)
            return [f"{field} for {where} is another when the same bars are shown again; it must rest on them alone"]
    return []


def _by_minute(make: Callable[[], Strategy], blocks: Sequence[MarketBlock], answers: Sequence[Answer]) -> list[str]:
    """Each session a minute at a time, and cut off, against the session as a whole."""
    player = Player(make(), len(blocks[0].universe))
    for block, answer in zip(blocks, answers, strict=True):
        try:
            before = deepcopy(player)
        except Exception as error:
            return [f"it cannot be copied ({error}): its state must be plain values and arrays"]
        findings = [_looks_ahead(deepcopy(before), block, answer, cut) for cut in CUTS if cut < block.rows]
        row = _first_difference(player, block, answer)
        if row is not None:
            findings.append(_looks_ahead(before, block, answer, row + 1) or _rests_on_the_cut(block, row))
        found = [finding for finding in findings if finding is not None]
        if found:
            return found[:1]  # The first says what is wrong; the others would say it again.
    return []


def _first_difference(player: Player, block: MarketBlock, answer: Answer) -> int | None:
    """The first row that is another when minutes are shown one at a time."""
    for row in range(block.rows):
        if difference(_cut(answer, slice(row, row + 1)), player.play(block.row_block(row))) is not None:
            return row
    return None


def _looks_ahead(player: Player, block: MarketBlock, answer: Answer, rows: int) -> str | None:
    """Whether the first minutes are others when the rest is not shown."""
    cut_off = player.play(block.head(rows))
    different = difference(_cut(answer, slice(0, rows)), cut_off)
    if different is None:
        return None
    field, row, column = different
    was, now = getattr(answer, field)[row, column], getattr(cut_off, field)[row, column]
    where = place_of(block, row, column)
    return f"it looks ahead: {field} for {where} is {was} with the minutes after it, and {now} without"


def _rests_on_the_cut(block: MarketBlock, row: int) -> str:
    where = span(block.row_block(row))
    return (
        f"its answer rests on how a session is cut: {where}, is another when minutes are shown one at a time; "
        "carry all that is needed from block to block"
    )


def _cut(answer: Answer, rows: slice) -> Answer:
    return Answer(
        direction=answer.direction[rows],
        exit=answer.exit[rows],
        cover=answer.cover[rows],
        score=answer.score[rows],
        confidence=answer.confidence[rows],
        stop_distance=answer.stop_distance[rows],
        ready=answer.ready[rows],
    )


def _read_only(block: MarketBlock) -> MarketBlock:
    """The same block, of arrays that cannot be written to."""
    arrays = {name: getattr(block, name).view() for name in ("open", "high", "low", "close", "volume", "present")}
    for array in arrays.values():
        array.flags.writeable = False
    return replace(block, **arrays)
