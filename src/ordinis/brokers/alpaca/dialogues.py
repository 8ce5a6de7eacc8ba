"""What is said on Alpaca's two streams: greeting, subscription, and how a frame is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.wire import WireStreamMessage, WireTradeUpdate, WireTradingMessage
from ordinis.domain.errors import BrokerError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_WORTH_A_RETRY = frozenset({404, 406, 407, 500})  # Auth timeout, a lingering old connection, slow client, their fault.


class BarDialogue:
    """Market data in msgpack: minute bars of the symbols asked for, `*` for all."""

    name = "market-data"
    headers = {"Content-Type": "application/msgpack"}  # noqa: RUF012  Read by everyone, written by nobody.

    def __init__(self, endpoints: Endpoints, symbols: tuple[str, ...]) -> None:
        self.url = endpoints.data_stream
        self._endpoints = endpoints
        self._symbols = symbols
        self._decoder = msgspec.msgpack.Decoder(list[WireStreamMessage], strict=False)

    async def greet(self, socket: ClientConnection) -> None:
        await self._expect(socket, "connected")
        keys = {"action": "auth", "key": self._endpoints.key, "secret": self._endpoints.secret}
        await socket.send(msgspec.msgpack.encode(keys))
        await self._expect(socket, "authenticated")
        await socket.send(msgspec.msgpack.encode({"action": "subscribe", "bars": list(self._symbols)}))
        await self._expect(socket, "subscription")

    async def _expect(self, socket: ClientConnection, what: str) -> None:
        messages = self._decoded(await socket.recv())
        if not any(what in (one.msg, one.T) for one in messages):
            raise BrokerError(f"the market-data stream said {messages[:1]} where {what!r} was expected")

    def read(self, frame: str | bytes) -> list[WireStreamMessage]:
        return [one for one in self._decoded(frame) if one.T == "b"]

    def _decoded(self, frame: str | bytes) -> list[WireStreamMessage]:
        try:
            messages = self._decoder.decode(frame if isinstance(frame, bytes) else frame.encode())
        except msgspec.MsgspecError as error:
            raise BrokerError(f"a frame of the market-data stream cannot be read: {error}") from error
        for one in messages:
            if one.T == "error":
                raise _stream_error(one)
        return messages


def _stream_error(message: WireStreamMessage) -> Exception:
    if message.code in _WORTH_A_RETRY:
        return ConnectionError(f"{message.code} {message.msg}")
    return BrokerError(
        f"the market-data stream refused: {message.code} {message.msg}; check the key and the data subscription"
    )


class _Authorization(msgspec.Struct):
    status: str = ""


class TradeUpdateDialogue:
    """What becomes of orders: JSON, in binary frames or not."""

    name = "trading"
    headers: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, endpoints: Endpoints) -> None:
        self.url = endpoints.trading_stream
        self._endpoints = endpoints
        self._decoder = msgspec.json.Decoder(WireTradingMessage)
        self._updates = msgspec.json.Decoder(WireTradeUpdate, strict=False)

    async def greet(self, socket: ClientConnection) -> None:
        keys = {"key_id": self._endpoints.key, "secret_key": self._endpoints.secret}
        await socket.send(msgspec.json.encode({"action": "authenticate", "data": keys}))
        answer = self._decoded(await socket.recv())
        if msgspec.json.decode(answer.data, type=_Authorization).status != "authorized":
            raise BrokerError("the trading stream refused the key; check the API key and secret, and paper or live")
        await socket.send(msgspec.json.encode({"action": "listen", "data": {"streams": ["trade_updates"]}}))
        if self._decoded(await socket.recv()).stream != "listening":
            raise BrokerError("the trading stream did not confirm that it sends trade updates")

    def read(self, frame: str | bytes) -> list[WireTradeUpdate]:
        message = self._decoded(frame)
        if message.stream != "trade_updates":
            return []
        try:
            return [self._updates.decode(message.data)]
        except msgspec.MsgspecError as error:
            raise BrokerError(f"a trade update cannot be read: {error}; the API may have changed") from error

    def _decoded(self, frame: str | bytes) -> WireTradingMessage:
        try:
            return self._decoder.decode(frame)
        except msgspec.MsgspecError as error:
            raise BrokerError(f"a frame of the trading stream cannot be read: {error}") from error
