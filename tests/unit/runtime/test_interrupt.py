"""Ctrl-C is a request first, and an interruption only the second time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from ordinis.runtime.interrupt import stop_on_interrupt


@pytest.fixture(autouse=True)
def usual_interrupts() -> Iterator[None]:
    """As at a terminal, also where the tests run in the background and interruptions are ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_interruption_asks_and_the_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stopped:
        assert not stopped()
        signal.raise_signal(signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_nobody_listens_afterwards_even_after_a_failure() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), stop_on_interrupt():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


def test_off_the_main_thread_nothing_is_caught() -> None:
    answers: list[bool] = []

    def run() -> None:
        with stop_on_interrupt() as stopped:
            answers.append(stopped())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert answers == [False]
