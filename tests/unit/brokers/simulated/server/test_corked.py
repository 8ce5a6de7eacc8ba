"""What is written in one turn of the loop goes out as one."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from ordinis.brokers.simulated.server.corked import CorkedTransport


class _Wire:
    """A transport that remembers its writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 100


def _corked() -> tuple[_Wire, CorkedTransport]:
    wire = _Wire()
    return wire, CorkedTransport(cast("Any", wire), asyncio.get_running_loop())


def test_writes_of_a_turn_are_one_and_turns_keep_their_order() -> None:
    async def talk() -> list[bytes]:
        wire, corked = _corked()
        for part in (b"head", b"body"):
            corked.write(part)
        assert wire.written == []
        await asyncio.sleep(0)
        corked.write(b"next")
        await asyncio.sleep(0)
        return wire.written

    assert asyncio.run(talk()) == [b"headbody", b"next"]


def test_closing_sends_what_was_gathered_and_nothing_after() -> None:
    async def talk() -> _Wire:
        wire, corked = _corked()
        corked.write(b"last words")
        assert corked.get_write_buffer_size() == 100 + len(b"last words")
        corked.close()
        corked.write(b"too late")
        await asyncio.sleep(0)
        return wire

    wire = asyncio.run(talk())
    assert (wire.written, wire.closed) == ([b"last words"], True)


def test_everything_else_is_the_transport_s_own() -> None:
    async def talk() -> bool:
        _, corked = _corked()
        return bool(corked.is_closing())

    assert asyncio.run(talk()) is False
