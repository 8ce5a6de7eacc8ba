"""`/stream`: trade updates, JSON in binary frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.kinds import DropSocket, MuteSocket
from ordinis.brokers.simulated.server.bodies import shares_as_numbers
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.script import Script
from ordinis.brokers.simulated.server.sockets import (
    FOR_GOOD_NS,
    POLICY_VIOLATION,
    Audience,
    frame_of,
    hang_up,
    send_or_hang_up,
)
from ordinis.domain.market import MINUTE_NS

AUTHENTICATION_SECONDS_MAX = 10.0
_encode = msgspec.json.Encoder().encode


class _Client:
    """A connection."""

    __slots__ = ("socket",)

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket

    async def say(self, stream: str, data: dict[str, Any]) -> None:
        await send_or_hang_up(self.socket, _encode({"stream": stream, "data": data}))


class TradingStream:
    """Who listens to trade updates, and what they are told."""

    def __init__(self, keys: Keys, faults: Faults, now_ns: Callable[[], int], *, numbers: bool) -> None:
        self._keys = keys
        self._now_ns = now_ns
        self._numbers = numbers
        self._audience: Audience[_Client] = Audience()
        self._script = Script(faults, "trading", _subject)
        self.unheard = 0  # Messages that nobody was there for.

    async def publish(self, updates: list[dict[str, Any]]) -> int:
        """How many messages were said to at least one listener."""
        said = 0
        for part in self._script.parts(updates):
            if not isinstance(part, list):
                self.unheard += 1
            if isinstance(part, DropSocket):
                await self._audience.hang_up()
            elif isinstance(part, MuteSocket):
                self._audience.mute(self._now_ns() + part.minutes * MINUTE_NS if part.minutes else FOR_GOOD_NS)
            else:
                said += await self._tell(part)
        return said

    async def _tell(self, updates: list[dict[str, Any]]) -> int:
        listeners = self._audience.hearing(self._now_ns())
        if not listeners:
            self.unheard += len(updates)
            return 0
        shown = [shares_as_numbers(data) for data in updates] if self._numbers else updates
        frames = [_encode({"stream": "trade_updates", "data": data}) for data in shown]
        for client in listeners:
            await send_or_hang_up(client.socket, *frames)
        return len(updates)

    async def serve(self, socket: WebSocket) -> None:
        await socket.accept()
        client = _Client(socket)
        try:
            await self._converse(client)
        except (WebSocketDisconnect, TimeoutError):
            pass
        finally:
            self._audience.remove(client)

    async def _converse(self, client: _Client) -> None:
        request = _json(await asyncio.wait_for(frame_of(client.socket), AUTHENTICATION_SECONDS_MAX))
        if self._script.refuses():
            await hang_up(client.socket)
            return
        if not self._admits(request):
            await client.say("authorization", {"status": "unauthorized", "action": "authenticate"})
            await hang_up(client.socket, POLICY_VIOLATION)
            return
        await client.say("authorization", {"status": "authorized", "action": "authenticate"})
        while True:
            request = _json(await frame_of(client.socket))
            if request.get("action") == "listen":
                await self._listen(client, request)

    def _admits(self, request: Mapping[str, Any]) -> bool:
        given = request.get("data")
        given = given if isinstance(given, dict) else request
        key = given.get("key_id", given.get("key"))
        secret = given.get("secret_key", given.get("secret"))
        return request.get("action") in {"authenticate", "auth"} and self._keys.admit(key, secret)

    async def _listen(self, client: _Client, request: Mapping[str, Any]) -> None:
        data = request.get("data")
        asked = data.get("streams", []) if isinstance(data, dict) else []
        streams = [name for name in asked if name == "trade_updates"]
        await client.say("listening", {"streams": streams})
        if streams:
            self._audience.add(client)
        else:
            self._audience.remove(client)


def _subject(update: dict[str, Any]) -> tuple[str, str]:
    return update["event"], update["order"]["symbol"]


def _json(frame: bytes) -> dict[str, Any]:
    """What is not an object is as good as nothing said."""
    try:
        value = msgspec.json.decode(frame)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}
