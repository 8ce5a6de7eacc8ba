"""The two streams: who listens to what, and what is said to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.wire_bars import frames

AUTHENTICATION_SECONDS_MAX = 10.0
SEND_SECONDS_MAX = 10.0  # A client that does not read for so long is hung up on.
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
FEEDS = frozenset({"iex", "sip", "delayed_sip"})
_POLICY_VIOLATION = 1008


async def _send_or_hang_up(socket: WebSocket, frame: bytes | str) -> None:
    """One deaf client must not stop the clock for the others."""
    try:
        send = socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_text(frame)
        await asyncio.wait_for(send, SEND_SECONDS_MAX)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        with suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(_POLICY_VIOLATION)


async def _frame(socket: WebSocket) -> bytes:
    """The next frame, text or binary."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    binary = message.get("bytes")
    return binary if binary is not None else str(message["text"]).encode()


class TradingStream:
    """`/stream`: trade updates, JSON in binary frames."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._listeners: dict[WebSocket, None] = {}  # In order of arrival.

    async def publish(self, updates: list[dict[str, Any]]) -> None:
        for data in updates:
            frame = msgspec.json.encode({"stream": "trade_updates", "data": data})
            for socket in list(self._listeners):
                await _send_or_hang_up(socket, frame)

    async def serve(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            await self._converse(socket)
        except (WebSocketDisconnect, TimeoutError):
            pass
        finally:
            self._listeners.pop(socket, None)

    async def _converse(self, socket: WebSocket) -> None:
        request = _json(await asyncio.wait_for(_frame(socket), AUTHENTICATION_SECONDS_MAX))
        if not self._admits(request):
            await _say(socket, "authorization", {"status": "unauthorized", "action": "authenticate"})
            await socket.close(_POLICY_VIOLATION)
            return
        await _say(socket, "authorization", {"status": "authorized", "action": "authenticate"})
        while True:
            request = _json(await _frame(socket))
            if request.get("action") == "listen":
                await self._listen(socket, request)

    def _admits(self, request: Mapping[str, Any]) -> bool:
        given = request.get("data")
        given = given if isinstance(given, dict) else request
        key = given.get("key_id", given.get("key"))
        secret = given.get("secret_key", given.get("secret"))
        return request.get("action") in {"authenticate", "auth"} and self._keys.admit(key, secret)

    async def _listen(self, socket: WebSocket, request: Mapping[str, Any]) -> None:
        data = request.get("data")
        asked = data.get("streams", []) if isinstance(data, dict) else []
        streams = [name for name in asked if name == "trade_updates"]
        await _say(socket, "listening", {"streams": streams})
        if streams:
            self._listeners[socket] = None
        else:
            self._listeners.pop(socket, None)


async def _say(socket: WebSocket, stream: str, data: dict[str, Any]) -> None:
    await _send_or_hang_up(socket, msgspec.json.encode({"stream": stream, "data": data}))


def _json(frame: bytes) -> dict[str, Any]:
    """What is not an object is as good as nothing said."""
    try:
        value = msgspec.json.decode(frame)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class _Listener:
    """A market-data client: its encoding and what it has subscribed to."""

    __slots__ = ("channels", "packed", "socket")

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.packed = "msgpack" in socket.headers.get("content-type", "")
        self.channels: dict[str, dict[str, None]] = {name: {} for name in CHANNELS}

    async def say(self, *messages: dict[str, Any]) -> None:
        await _send_or_hang_up(self.socket, self.encoded(list(messages)))

    async def fail(self, code: int, text: str) -> None:
        await self.say({"T": "error", "code": code, "msg": text})

    def encoded(self, messages: list[dict[str, Any]]) -> bytes | str:
        return msgspec.msgpack.encode(messages) if self.packed else msgspec.json.encode(messages).decode()

    async def request(self) -> dict[str, Any]:
        frame = await _frame(self.socket)
        value = msgspec.msgpack.decode(frame) if self.packed else msgspec.json.decode(frame)
        if not isinstance(value, dict):
            raise msgspec.DecodeError("not an object")
        return value


class DataStream:
    """`/v2/{feed}`: minute bars as they close, in the client's encoding."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._listeners: dict[_Listener, None] = {}
        self.heard = asyncio.Event()  # Somebody has asked for bars.

    async def publish(self, bars: list[dict[str, Any]]) -> None:
        everything: dict[bool, list[bytes | str]] = {}  # Encoded once for all who hear everything.
        for listener in list(self._listeners):
            wanted = listener.channels["bars"]
            if "*" in wanted:
                if listener.packed not in everything:
                    everything[listener.packed] = [listener.encoded(part) for part in frames(bars)]
                encoded = everything[listener.packed]
            else:
                encoded = [listener.encoded(part) for part in frames([bar for bar in bars if bar["S"] in wanted])]
            for frame in encoded:
                await _send_or_hang_up(listener.socket, frame)

    async def serve(self, socket: WebSocket) -> None:
        await socket.accept()
        listener = _Listener(socket)
        try:
            await listener.say({"T": "success", "msg": "connected"})
            if await self._authenticated(listener):
                self._listeners[listener] = None
                await self._converse(listener)
        except WebSocketDisconnect:
            pass
        finally:
            self._listeners.pop(listener, None)

    async def _authenticated(self, listener: _Listener) -> bool:
        headers = listener.socket.headers
        if self._keys.admit(headers.get("apca-api-key-id"), headers.get("apca-api-secret-key")):
            await listener.say({"T": "success", "msg": "authenticated"})
            return True
        try:
            request = await asyncio.wait_for(listener.request(), AUTHENTICATION_SECONDS_MAX)
        except TimeoutError:
            await listener.fail(404, "auth timeout")
        except msgspec.DecodeError:
            await listener.fail(400, "invalid syntax")
        else:
            if request.get("action") != "auth":
                await listener.fail(401, "not authenticated")
            elif self._keys.admit(request.get("key"), request.get("secret")):
                await listener.say({"T": "success", "msg": "authenticated"})
                return True
            else:
                await listener.fail(402, "auth failed")
        await listener.socket.close(_POLICY_VIOLATION)
        return False

    async def _converse(self, listener: _Listener) -> None:
        while True:
            try:
                request = await listener.request()
            except msgspec.DecodeError:
                await listener.fail(400, "invalid syntax")
                continue
            action = request.get("action")
            if action == "auth":
                await listener.fail(403, "already authenticated")
            elif action in {"subscribe", "unsubscribe"}:
                _change(listener.channels, request, adds=action == "subscribe")
                await listener.say({"T": "subscription", **{name: list(listener.channels[name]) for name in CHANNELS}})
                if listener.channels["bars"]:
                    self.heard.set()
            else:
                await listener.fail(410, "invalid subscribe action for this feed")


def _change(channels: dict[str, dict[str, None]], request: Mapping[str, Any], *, adds: bool) -> None:
    for name in CHANNELS:
        asked = request.get(name)
        for symbol in asked if isinstance(asked, list) else ():
            if adds:
                channels[name][str(symbol)] = None
            else:
                channels[name].pop(str(symbol), None)
