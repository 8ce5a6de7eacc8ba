"""Ctrl-C as a request: the loop ends between two events, with everything written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Request:
    """Set once somebody asked to stop."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made = False

    def __call__(self) -> bool:
        return self.made


@contextmanager
def stop_on_interrupt() -> Iterator[Request]:
    """The first Ctrl-C asks, the second interrupts as usual. Off the main thread nothing is caught."""
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, frame: FrameType | None) -> None:
        request.made = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
