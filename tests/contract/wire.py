"""A simulated broker and a client that shows what is on the wire: raw answers, raw frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from typing import Any

import msgspec
import requests
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from contract.days import block_of
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults.kinds import Fault
from ordinis.brokers.simulated.faults.plan import FaultPlan
from ordinis.brokers.simulated.server import Addresses, Keys, ServerSettings, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import DailyBlock, MarketBlock

KEYS = Keys(key="key", secret="secret")
HEADERS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
SECONDS_MAX = 10.0
GLANCE_SECONDS = 0.005  # What has come is there at once.


class Wire:
    """One broker, seen from outside."""

    def __init__(self, addresses: Addresses, exchange: Exchange, stack: ExitStack) -> None:
        self.addresses = addresses
        self.exchange = exchange
        self._stack = stack
        self._session = stack.enter_context(requests.Session())
        self._session.trust_env = False

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        return self._session.request(
            method, self.addresses.rest + path, json=body, params=query, headers=HEADERS, timeout=SECONDS_MAX
        )

    def get(self, path: str, **query: Any) -> Any:
        response = self.ask("GET", path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        token = {"Authorization": f"Bearer {self.addresses.control_token}"}
        return self._session.request(
            method, self.addresses.control + path, json=body, params=query, headers=token, timeout=SECONDS_MAX
        )

    def step(self, count: int = 1) -> Any:
        response = self.control("POST", "/step", count=count)
        assert response.status_code == 200, response.text
        return response.json()

    def buy(self, symbol: str = "AAA", quantity: Any = 10, **more: Any) -> requests.Response:
        body = {"symbol": symbol, "qty": quantity, "side": "buy", "type": "market", "time_in_force": "day"}
        return self.ask("POST", "/v2/orders", body | more)

    def trading(self, *, slash: bool = False) -> Ears:
        address = self.addresses.trading_stream + ("/" if slash else "")
        ears = Ears(self._stack.enter_context(connect(address, proxy=None)))
        ears.say({"action": "authenticate", "data": {"key_id": "key", "secret_key": "secret"}})
        assert ears.hear()["data"]["status"] == "authorized"
        ears.say({"action": "listen", "data": {"streams": ["trade_updates"]}})
        assert ears.hear()["stream"] == "listening"
        return ears

    def data(self, *, packed: bool = False, **channels: Sequence[str]) -> Ears:
        headers = {"Content-Type": "application/msgpack"} if packed else {}
        socket = connect(self.addresses.data_stream, additional_headers=headers, proxy=None)
        ears = Ears(self._stack.enter_context(socket), packed=packed)
        assert ears.hear()[0]["msg"] == "connected"
        ears.say({"action": "auth", "key": "key", "secret": "secret"})
        answer = ears.hear()[0]
        assert answer["msg"] == "authenticated", answer["msg"]
        ears.say({"action": "subscribe", **{name: list(symbols) for name, symbols in channels.items()}})
        assert ears.hear()[0]["T"] == "subscription"
        return ears


class Ears:
    """A socket and what it gives."""

    def __init__(self, socket: ClientConnection, *, packed: bool = False) -> None:
        self._socket = socket
        self._packed = packed

    def say(self, message: Any) -> None:
        self._socket.send(msgspec.msgpack.encode(message) if self._packed else json.dumps(message))

    def hear(self) -> Any:
        frame = self._socket.recv(SECONDS_MAX)
        if self._packed:
            assert isinstance(frame, bytes)
            return msgspec.msgpack.decode(frame)
        return json.loads(frame)

    def rest(self) -> list[Any]:
        """Every message that has been sent by now: the answer to a ping comes after them. A closed line ends it."""
        heard: list[Any] = []
        self._settle()
        while True:
            try:
                frame = self._socket.recv(GLANCE_SECONDS)
            except (TimeoutError, ConnectionClosed):
                return heard
            value = msgspec.msgpack.decode(frame) if self._packed else json.loads(frame)  # type: ignore[arg-type]
            heard += value if isinstance(value, list) else [value]

    def _settle(self) -> None:
        with suppress(ConnectionClosed):
            answered = self._socket.ping()
            while not answered.wait(GLANCE_SECONDS) and self._socket.state is State.OPEN:
                pass

    def close(self) -> None:
        self._socket.close()

    @property
    def open(self) -> bool:
        self._settle()
        return self._socket.state is State.OPEN

    def events(self) -> list[str]:
        return [message["data"]["event"] for message in self.rest()]


@contextmanager
def broker(
    *faults: Fault,
    days: Sequence[MarketBlock] | None = None,
    history: Sequence[MarketBlock] = (),
    daily: DailyBlock | None = None,
    settings: ServerSettings | None = None,
    seed: int = 0,
    speed: float | None = None,
    **account: Any,
) -> Iterator[Wire]:
    """A broker with faults to come, stepped unless it has a speed. Every minute has its bars and fills any size."""
    blocks = days or [block_of(0, gaps=False), block_of(1, gaps=False)]
    given: dict[str, Any] = {"cash_usd": Decimal(100_000), "participation_max": 0.0} | account
    exchange = Exchange(blocks[0].universe, ExchangeSettings(**given))
    plan = FaultPlan(seed=seed, fault=faults)
    data = SimulatedData(days=blocks, history=history, daily=daily)
    with (
        serve(exchange, data, keys=KEYS, settings=settings, faults=plan, speed=speed) as served,
        ExitStack() as stack,
    ):
        yield Wire(served.addresses, exchange, stack)
