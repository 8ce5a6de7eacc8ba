"""The strategy that never asks for anything: what remains is the engine itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns, entries, no_stop


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleParameters:
    """There is nothing to set."""


class Idle:
    """Ready from the first bar, and content."""

    name = "idle"

    def __init__(self, parameters: IdleParameters) -> None:
        self.parameters = parameters

    def advance(self, bars: OwnBars) -> StrategyColumns:
        nothing = np.zeros((bars.rows, bars.symbols), dtype=np.bool_)
        nowhere = no_stop(bars)
        return StrategyColumns(
            direction=entries(nothing), exit=nothing, score=nowhere, stop_distance=nowhere, ready=bars.warm(1)
        )
