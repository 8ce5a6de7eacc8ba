"""The one place that reads the machine's clock. For socket timeouts, progress and the pace of a simulation:
decisions never see it.
"""

from __future__ import annotations

import time


def seconds() -> float:
    """Wall seconds since some moment; only differences mean anything."""
    return time.perf_counter()


def cpu_seconds() -> float:
    """CPU seconds of this process since some moment."""
    return time.process_time()


def wall_ns() -> int:
    """The time of day in UTC nanoseconds, as this machine has it: to be held against the broker's, for nothing else."""
    return time.time_ns()


def sleep(seconds_: float) -> None:
    time.sleep(seconds_)
