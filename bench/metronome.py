"""A strategy that wants one entry a minute, another symbol each time: so that every minute has an order to be timed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns, entries

KEPT_MINUTES = 8


@dataclass(frozen=True, kw_only=True)
class MetronomeParameters:
    """It has none."""


class Metronome:
    """The n-th minute wants the n-th symbol, and wants it no more a few minutes later."""

    name = "metronome"

    def __init__(self, parameters: MetronomeParameters) -> None:
        self.minutes = 0

    def advance(self, bars: OwnBars) -> StrategyColumns:
        shape = bars.close.shape
        wanted, unwanted = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for row in range(shape[0]):
            wanted[row, (self.minutes + row) % shape[1]] = True
            unwanted[row, (self.minutes + row - KEPT_MINUTES) % shape[1]] = True
        self.minutes += shape[0]
        return StrategyColumns(
            direction=entries(wanted),
            exit=unwanted,
            score=np.ones(shape),
            stop_distance=np.full(shape, 0.05),
            ready=np.ones(shape, np.bool_),
        )
