"""An eager strategy for the proof of the rules: it reads its wishes in the volume of the bars.

A volume's last digit asks for an entry or an exit, the next is the score, the one after it names the stop's distance.
`episodes.py` writes them there. It is a strategy like any user's: the settings name this file.
"""

from __future__ import annotations

import numpy as np

from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns, both_ways

ENTER, LEAVE, SHORT = 1, 2, 3
STOPS = np.array([np.nan, 0.002, 0.004, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1])


class Adversary:
    """Wants what the bars say, whatever came of it the last time."""

    name = "adversary"

    def advance(self, bars: OwnBars) -> StrategyColumns:
        """Asks, leaves, scores and names stops, digit by digit."""
        volume = np.nan_to_num(bars.volume).astype(np.int64)
        wish = volume % 10
        return StrategyColumns(
            direction=both_ways(wish == ENTER, wish == SHORT),
            exit=wish == LEAVE,
            score=(volume // 10 % 10).astype(np.float64),
            stop_distance=STOPS[volume // 100 % 10],
            ready=bars.warm(1),
        )
