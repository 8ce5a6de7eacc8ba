"""What the strategies say, a column a symbol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import BoolArray, FloatArray

NO_STRATEGY = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignalBlock:
    """The blend of all strategies over a block's minutes: `[rows x symbols]`, row r from bars up to r only.

    `confidence` is the rank in [0, 1] of the raw score among that strategy's own past scores; `p_win`
    is a calibrated probability; each is NaN until there is evidence. They are never mixed.
    """

    strategies: tuple[str, ...]
    strategy: NDArray[np.int8]  # Who asks for an entry: an index into `strategies`, or NO_STRATEGY.
    direction: NDArray[np.int8]  # 1 buy, -1 sell short, 0 no entry.
    score: FloatArray  # Raw, in the strategy's own unit; larger is better.
    confidence: FloatArray
    p_win: FloatArray
    stop_distance: FloatArray  # Fraction of the price; NaN where the strategy names none.
    exits: BoolArray  # [strategies x rows x symbols]: that strategy wants its own long position closed.
    covers: BoolArray  # As `exits`, of its own shorts; the same array where nobody makes a difference.
    ready: BoolArray  # Enough history for at least one strategy to speak of this symbol.
    has_entry: BoolArray  # [rows]: any direction in this row. Spares the engine a look.
    has_exit: BoolArray  # [rows]: any exit in this row, of a long or of a short.

    def frame(self, row: int) -> SignalFrame:
        return SignalFrame(self, row)


class SignalFrame:
    """One minute of the blend: a row of a block."""

    __slots__ = ("block", "row")

    def __init__(self, block: SignalBlock, row: int) -> None:
        self.block = block
        self.row = row

    @property
    def strategy(self) -> NDArray[np.int8]:
        row: NDArray[np.int8] = self.block.strategy[self.row]
        return row

    @property
    def direction(self) -> NDArray[np.int8]:
        row: NDArray[np.int8] = self.block.direction[self.row]
        return row

    @property
    def score(self) -> FloatArray:
        row: FloatArray = self.block.score[self.row]
        return row

    @property
    def confidence(self) -> FloatArray:
        row: FloatArray = self.block.confidence[self.row]
        return row

    @property
    def p_win(self) -> FloatArray:
        row: FloatArray = self.block.p_win[self.row]
        return row

    @property
    def stop_distance(self) -> FloatArray:
        row: FloatArray = self.block.stop_distance[self.row]
        return row

    @property
    def ready(self) -> BoolArray:
        row: BoolArray = self.block.ready[self.row]
        return row
