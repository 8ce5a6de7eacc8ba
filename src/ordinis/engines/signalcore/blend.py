"""Many strategies, one answer a cell: the entry with the most merit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import FloatArray
from ordinis.engines.signalcore.seat import Answer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend:
    """The chosen entry of each cell, `[rows x symbols]`."""

    strategy: NDArray[np.int8]
    direction: NDArray[np.int8]
    score: FloatArray
    confidence: FloatArray
    stop_distance: FloatArray


def best_of(answers: Sequence[Answer], weights: Sequence[float]) -> Blend:
    """Of the strategies that ask for an entry, the largest weight x confidence; a tie goes to the first named."""
    blend = _alone(answers[0])
    if len(answers) == 1:
        return blend
    best = _merit(answers[0], weights[0])
    for index, (answer, weight) in enumerate(zip(answers[1:], weights[1:], strict=True), start=1):
        merit = _merit(answer, weight)
        better = merit > best
        np.copyto(best, merit, where=better)
        blend.strategy[better] = index
        np.copyto(blend.direction, answer.direction, where=better)
        np.copyto(blend.score, answer.score, where=better)
        np.copyto(blend.confidence, answer.confidence, where=better)
        np.copyto(blend.stop_distance, answer.stop_distance, where=better)
    return blend


def _alone(answer: Answer) -> Blend:
    return Blend(
        strategy=np.abs(answer.direction) - np.int8(1),  # An entry: the first strategy's index; none: NO_STRATEGY.
        direction=answer.direction.copy(),  # The strategy's own array: not ours to write to.
        score=answer.score,
        confidence=answer.confidence,
        stop_distance=answer.stop_distance,
    )


def _merit(answer: Answer, weight: float) -> FloatArray:
    """-1 where nothing is asked for; an unknown confidence counts as 0."""
    known = np.where(np.isnan(answer.confidence), 0.0, answer.confidence * weight)
    return np.where(answer.direction != 0, known, -1.0)
