"""`/v2/{feed}`: market data as it happens, in the client's encoding."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.kinds import DropSocket, MuteSocket
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.script import Script
from ordinis.brokers.simulated.server.settings import ServerSettings
from ordinis.brokers.simulated.server.sockets import (
    FOR_GOOD_NS,
    POLICY_VIOLATION,
    Audience,
    frame_of,
    hang_up,
    send_or_hang_up,
)
from ordinis.brokers.simulated.wire_bars import frames
from ordinis.domain.market import MINUTE_NS

AUTHENTICATION_SECONDS_MAX = 10.0
CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
CHANNEL_OF = {"t": "trades", "q": "quotes", "b": "bars", "u": "updatedBars", "d": "dailyBars", "s": "statuses"}
FEEDS = frozenset({"iex", "sip", "delayed_sip"})
_ALL = "*"


class _Client:
    """A market-data client: its encoding and what it has subscribed to."""

    __slots__ = ("channels", "packed", "socket")

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.packed = "msgpack" in socket.headers.get("content-type", "")
        self.channels: dict[str, dict[str, None]] = {name: {} for name in CHANNELS}

    def wants(self, message: dict[str, Any]) -> bool:
        wanted = self.channels[CHANNEL_OF[message["T"]]]
        return _ALL in wanted or message["S"] in wanted

    async def say(self, *messages: dict[str, Any]) -> None:
        await send_or_hang_up(self.socket, self.encoded(list(messages)))

    async def fail(self, code: int, text: str) -> None:
        await self.say({"T": "error", "code": code, "msg": text})

    def encoded(self, messages: list[dict[str, Any]]) -> bytes | str:
        return msgspec.msgpack.encode(messages) if self.packed else msgspec.json.encode(messages).decode()

    async def request(self) -> dict[str, Any]:
        frame = await frame_of(self.socket)
        value = msgspec.msgpack.decode(frame) if self.packed else msgspec.json.decode(frame)
        if not isinstance(value, dict):
            raise msgspec.DecodeError("not an object")
        return value


class DataStream:
    """Who listens to market data, and what they are told."""

    def __init__(
        self, keys: Keys, faults: Faults, now_ns: Callable[[], int], settings: ServerSettings, symbols: int
    ) -> None:
        """`symbols`: how many there are, which is what "*" subscribes to."""
        self._keys = keys
        self._now_ns = now_ns
        self._settings = settings
        self._symbols = symbols
        self._clients: dict[_Client, None] = {}  # Authenticated.
        self._audience: Audience[_Client] = Audience()
        self._script = Script(faults, "data", _subject)
        self.unheard = 0  # Messages that nobody was there for.
        self.heard = asyncio.Event()  # Somebody has asked for something.

    def wanted(self) -> frozenset[str]:
        """The channels that anybody listens to."""
        return frozenset(name for client in self._clients for name, wanted in client.channels.items() if wanted)

    async def publish(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages that were said to at least one listener."""
        said: list[dict[str, Any]] = []
        for part in self._script.parts(messages):
            if not isinstance(part, list):
                self.unheard += 1
            if isinstance(part, DropSocket):
                await self._audience.hang_up()
            elif isinstance(part, MuteSocket):
                self._audience.mute(self._now_ns() + part.minutes * MINUTE_NS if part.minutes else FOR_GOOD_NS)
            elif part:
                said += await self._tell(part)
        return said

    async def _tell(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What every listener wants of a message is encoded once for all who want the same."""
        encoded: dict[tuple[bool, int], list[bytes | str]] = {}
        heard: dict[int, None] = {}
        listeners = self._audience.hearing(self._now_ns())
        self.unheard += 0 if listeners else len(messages)
        for client in listeners:
            wanted = [number for number, message in enumerate(messages) if client.wants(message)]
            heard.update(dict.fromkeys(wanted))
            key = (client.packed, len(wanted) if len(wanted) == len(messages) else -id(client))
            if key not in encoded:
                encoded[key] = [client.encoded(part) for part in frames([messages[number] for number in wanted])]
            await send_or_hang_up(client.socket, *encoded[key])
        return messages if len(heard) == len(messages) else [messages[number] for number in sorted(heard)]

    async def serve(self, socket: WebSocket) -> None:
        await socket.accept()
        client = _Client(socket)
        try:
            await client.say({"T": "success", "msg": "connected"})
            if await self._authenticated(client) and await self._admitted(client):
                await self._converse(client)
        except WebSocketDisconnect:
            pass
        finally:
            self._clients.pop(client, None)
            self._audience.remove(client)

    async def _admitted(self, client: _Client) -> bool:
        """A connection too many, or one that a fault refuses, is hung up on."""
        most = self._settings.data_connections_max
        if self._script.refuses():
            await hang_up(client.socket)
            return False
        if most and len(self._clients) >= most:
            await client.fail(406, "connection limit exceeded")
            await hang_up(client.socket, POLICY_VIOLATION)
            return False
        await client.say({"T": "success", "msg": "authenticated"})
        self._clients[client] = None
        self._audience.add(client)
        return True

    async def _authenticated(self, client: _Client) -> bool:
        headers = client.socket.headers
        if self._keys.admit(headers.get("apca-api-key-id"), headers.get("apca-api-secret-key")):
            return True
        try:
            request = await asyncio.wait_for(client.request(), AUTHENTICATION_SECONDS_MAX)
        except TimeoutError:
            await client.fail(404, "auth timeout")
        except msgspec.DecodeError:
            await client.fail(400, "invalid syntax")
        else:
            if request.get("action") != "auth":
                await client.fail(401, "not authenticated")
            elif self._keys.admit(request.get("key"), request.get("secret")):
                return True
            else:
                await client.fail(402, "auth failed")
        await hang_up(client.socket, POLICY_VIOLATION)
        return False

    async def _converse(self, client: _Client) -> None:
        while True:
            try:
                request = await client.request()
            except msgspec.DecodeError:
                await client.fail(400, "invalid syntax")
                continue
            action = request.get("action")
            if action == "auth":
                await client.fail(403, "already authenticated")
            elif action in {"subscribe", "unsubscribe"}:
                await self._subscribe(client, request, adds=action == "subscribe")
            else:
                await client.fail(410, "invalid subscribe action for this feed")

    async def _subscribe(self, client: _Client, request: Mapping[str, Any], *, adds: bool) -> None:
        changed = _changed(client.channels, request, adds=adds)
        if adds and self._too_many(changed):
            await client.fail(405, "symbol limit exceeded")
            return
        client.channels = changed
        await client.say({"T": "subscription", **{name: list(changed[name]) for name in CHANNELS}})
        if adds:
            self.heard.set()

    def _too_many(self, channels: Mapping[str, Mapping[str, None]]) -> bool:
        most = self._settings.data_symbols_max
        named = {symbol for wanted in channels.values() for symbol in wanted}
        return bool(most) and (self._symbols if _ALL in named else len(named)) > most


def _subject(message: dict[str, Any]) -> tuple[str, str]:
    return message["T"], message["S"]


def _changed(
    channels: Mapping[str, dict[str, None]], request: Mapping[str, Any], *, adds: bool
) -> dict[str, dict[str, None]]:
    changed = {name: dict(wanted) for name, wanted in channels.items()}
    for name in CHANNELS:
        asked = request.get(name)
        for symbol in asked if isinstance(asked, list) else ():
            if adds:
                changed[name][str(symbol)] = None
            else:
                changed[name].pop(str(symbol), None)
    return changed
