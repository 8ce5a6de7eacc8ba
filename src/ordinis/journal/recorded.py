"""A journal read back as what an engine was told and what it answered, for recovery and for parity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ordinis.domain.decision import Decision
from ordinis.domain.errors import JournalError
from ordinis.domain.events import Event
from ordinis.domain.market import MarketBlock, MarketSlice, Universe
from ordinis.journal.entries import JournalReader, open_journal
from ordinis.journal.slices import SliceMark

Step = tuple[Event, Decision]
_ARRAYS = ("closed_at_ns", "open", "high", "low", "close", "volume", "present")


def recorded(path: str | Path) -> Iterator[Step]:
    """Every event with its answer, in order. Minutes come as blocks of a session: an engine looks at them at once.

    Errors: JournalError, also where the run did not record its bars.
    """
    with open_journal(path) as journal:
        minutes = _blocks(journal)
        for entry in journal.entries():
            if not isinstance(entry.event, SliceMark):
                yield entry.event, entry.decision
                continue
            minute = next(minutes, None)
            if minute is None or minute.at_ns != entry.at_ns:
                raise JournalError(
                    f"{path}: the bars of event {entry.seq} were not recorded, as of no backtest's, so it cannot be "
                    "lived again; name the journal of a simulation or of an account (--journal), or its data (--data)"
                )
            yield minute, entry.decision


def _blocks(journal: JournalReader) -> Iterator[MarketSlice]:
    universe, rows = Universe(journal.symbols), list[MarketSlice]()
    for minute in journal.recorded_slices():
        if rows and minute.session != rows[0].session:
            yield from _block(universe, rows)
            rows = []
        rows.append(minute)
    if rows:
        yield from _block(universe, rows)


def _block(universe: Universe, rows: list[MarketSlice]) -> Iterator[MarketSlice]:
    """The minutes of a session side by side."""
    arrays = {name: np.concatenate([getattr(row.block, name) for row in rows]) for name in _ARRAYS}
    block = MarketBlock(universe=universe, session=rows[0].session, **arrays)
    return (block.at(row) for row in range(block.rows))
