"""Exits on slower bars: a strategy that enters on its own bars and is asked about leaving on larger ones.

The same strategy lives twice, and nothing passes between the two. Until the slow one has history enough to speak,
what the quick one says of leaving counts. Which positions a slow bar's vote speaks of is not decided here: it cannot
be about one that was opened after the bar had closed (see `ordinis.engines.exits`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.checks import check_form
from ordinis.engines.signalcore.resampled import resampled
from ordinis.engines.signalcore.strategy import Strategy, StrategyColumns


class SlowExits:
    """Entries of one, exits of the other; to the core it is one strategy."""

    def __init__(self, strategy: Strategy, slow: Strategy, minutes: int) -> None:
        """`slow` is a second one of the same kind, fresh, to be shown bars of that many minutes."""
        self.name = strategy.name
        self._strategy = strategy
        self._slow = resampled(slow, minutes)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        columns = self._strategy.advance(bars)
        check_form(self.name, bars, columns)
        slow = self._slow.advance(bars)
        cover = columns.cover
        if cover is not None and slow.cover is not None:  # It has none before its first bar is complete.
            cover = np.where(slow.ready, slow.cover, cover)
        return replace(columns, exit=np.where(slow.ready, slow.exit, columns.exit), cover=cover)
