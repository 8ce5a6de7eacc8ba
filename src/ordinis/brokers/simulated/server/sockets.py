"""What both streams have in common: frames, and who is listening."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

SEND_SECONDS_MAX = 10.0  # A client that does not read for so long is hung up on.
FOR_GOOD_NS = 2**63 - 1
POLICY_VIOLATION = 1008
GOING_AWAY = 1001


class HasSocket(Protocol):
    """A client of a stream."""

    @property
    def socket(self) -> WebSocket: ...


L = TypeVar("L", bound=HasSocket)


async def send_or_hang_up(socket: WebSocket, *frames: bytes | str) -> None:
    """One deaf client must not stop the clock for the others."""
    try:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            for frame in frames:
                await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_text(frame))
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        await hang_up(socket, POLICY_VIOLATION)


async def hang_up(socket: WebSocket, code: int = GOING_AWAY) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code)


async def frame_of(socket: WebSocket) -> bytes:
    """The next frame, text or binary. Errors: WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    binary = message.get("bytes")
    return binary if binary is not None else str(message["text"]).encode()


class Audience(Generic[L]):
    """Who is listening, in order of arrival, and who has been made deaf by a fault."""

    def __init__(self) -> None:
        self._members: dict[L, int] = {}  # Until when nothing is said to it, ns.

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: L) -> None:
        self._members.setdefault(member, 0)

    def remove(self, member: L) -> None:
        self._members.pop(member, None)

    def hearing(self, now_ns: int) -> list[L]:
        return [member for member, mute_until_ns in self._members.items() if mute_until_ns <= now_ns]

    def mute(self, until_ns: int) -> None:
        """Say nothing to those who are here now."""
        self._members = dict.fromkeys(self._members, until_ns)

    async def hang_up(self) -> None:
        """On everybody."""
        gone: Iterable[L] = list(self._members)
        self._members.clear()
        for member in gone:
            await hang_up(member.socket)
