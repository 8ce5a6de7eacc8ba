"""What may be bought or sold short."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Pull(NamedTuple):
    """What the book says of a symbol before it is bought; NaN where a volatility is not known."""

    own: float  # The sum over what is held of correlation x weight x volatility, in the position's direction.
    average: float  # The same for a symbol that moves with each as symbols do on average.


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What is known of one candidate. None is unknown, never zero."""

    symbol: str
    price_usd: float
    strength: float | None
    win_rate: float | None
    payoff: float | None
    trades: int | None
    volatility: float | None
    correlation: float | None
    stop_distance: float | None  # Fraction of the price.
    scale: float
    fractionable: bool
    optimal_weight: float | None = None  # Of an optimum over what is held and the candidates.
    book_room: float | None = None  # The weight that the book's volatility leaves; NaN: its risk is not known.
    target: float | None = None  # The most it may weigh in the book that a rebalance of this minute asks for.
    pull: Pull | None = None  # How it moves with what is held; None: nothing is, or nobody asks.
