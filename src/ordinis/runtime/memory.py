"""The garbage collector during a run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (100_000, 20, 100)  # The defaults look a hundred times as often, for cycles that a run does not make.


@contextmanager
def settled_memory() -> Iterator[None]:
    """What stands before the run will stay: the collector need not look through it again and again."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
