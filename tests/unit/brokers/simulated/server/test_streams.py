"""The streams' own protocol, and time that passes by itself."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, Served, data_stream, serve, serving
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.simulation import SimulatedData
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.errors import BrokerError, DataError
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe

UNIVERSE = Universe(("AAA", "BBB"))
OPEN_NS = 1_735_828_200 * 10**9
KEYS = Keys(key="key", secret="secret")
AUTH = {"action": "auth", "key": "key", "secret": "secret"}
SECONDS_MAX = 10.0


def _day(minutes: int = 3) -> MarketBlock:
    session = Session(date=date(2025, 1, 2), open_ns=OPEN_NS, close_ns=OPEN_NS + minutes * MINUTE_NS)
    prices = np.array([[10.0, 20.5]] * minutes)
    return MarketBlock(
        universe=UNIVERSE,
        session=session,
        closed_at_ns=OPEN_NS + MINUTE_NS * np.arange(1, minutes + 1, dtype=np.int64),
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=np.array([[100.0, 0.5]] * minutes),
        present=np.ones((minutes, 2), dtype=np.bool_),
    )


def _served(speed: float | None = None, port: int = 0) -> Served:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(1_000)))
    return serve(exchange, SimulatedData(days=[_day()]), speed=speed, keys=KEYS, port=port)


@pytest.fixture(scope="module")
def addresses() -> Iterator[Addresses]:
    with _served() as served:
        yield served.addresses


@contextmanager
def _talk(url: str, **headers: str) -> Iterator[ClientConnection]:
    with connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


def _hear(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(SECONDS_MAX))


def _say(socket: ClientConnection, message: object) -> Any:
    socket.send(json.dumps(message))
    return _hear(socket)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"action": "auth", "key": "key", "secret": "wrong"}, 402),
        ({"action": "subscribe", "bars": ["AAA"]}, 401),
        ([1, 2], 400),
    ],
)
def test_nobody_listens_without_the_key(addresses: Addresses, first: object, code: int) -> None:
    with _talk(addresses.data_stream) as socket:
        assert _hear(socket) == [{"T": "success", "msg": "connected"}]
        assert _say(socket, first)[0]["code"] == code
        with pytest.raises(ConnectionClosed):
            socket.recv(SECONDS_MAX)


def test_a_client_that_says_nothing_is_hung_up_on(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_stream, "AUTHENTICATION_SECONDS_MAX", 0.05)
    with _talk(addresses.data_stream) as socket:
        _hear(socket)
        assert _hear(socket)[0]["code"] == 404


def test_keys_may_come_in_the_headers(addresses: Addresses) -> None:
    headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
    with _talk(addresses.data_stream, **headers) as socket:
        assert [_hear(socket)[0]["msg"], _hear(socket)[0]["msg"]] == ["connected", "authenticated"]


def test_subscriptions_add_up_and_are_told_in_full(addresses: Addresses) -> None:
    with _talk(addresses.data_stream) as socket:
        _hear(socket)
        _say(socket, AUTH)
        assert _say(socket, AUTH)[0]["code"] == 403
        assert _say(socket, {"action": "dance"})[0]["code"] == 410
        _say(socket, {"action": "subscribe", "bars": ["AAA"], "quotes": ["BBB"]})
        told = _say(socket, {"action": "subscribe", "bars": ["BBB", "AAA"]})[0]
        assert (told["T"], told["bars"], told["quotes"]) == ("subscription", ["AAA", "BBB"], ["BBB"])
        assert _say(socket, {"action": "unsubscribe", "bars": ["AAA"]})[0]["bars"] == ["BBB"]


def test_an_unknown_feed_is_not_there(addresses: Addresses) -> None:
    with pytest.raises(Exception, match="403"), _talk(addresses.data_stream.replace("iex", "gossip")):
        pass


@pytest.mark.parametrize("secret", ["wrong", "secret"])
def test_the_trading_stream_checks_the_key(addresses: Addresses, secret: str) -> None:
    with _talk(addresses.trading_stream) as socket:
        answer = _say(socket, {"action": "authenticate", "data": {"key_id": "key", "secret_key": secret}})
        assert answer["data"]["status"] == ("authorized" if secret == "secret" else "unauthorized")
        if secret == "secret":
            told = _say(socket, {"action": "listen", "data": {"streams": ["trade_updates", "gossip"]}})
            assert told == {"stream": "listening", "data": {"streams": ["trade_updates"]}}


@pytest.mark.parametrize("packed", [False, True])
def test_time_passes_by_itself_once_somebody_listens(packed: bool) -> None:
    encode = msgspec.msgpack.encode if packed else lambda value: msgspec.json.encode(value).decode()
    decode: Any = msgspec.msgpack.decode if packed else msgspec.json.decode
    headers = {"Content-Type": "application/msgpack"} if packed else {}
    with _served(speed=math.inf) as served, _talk(served.addresses.data_stream, **headers) as socket:
        socket.recv(SECONDS_MAX)
        for message in (AUTH, {"action": "subscribe", "bars": ["BBB"]}):
            socket.send(encode(message))
            socket.recv(SECONDS_MAX)
        bars = [decode(socket.recv(SECONDS_MAX)) for _ in range(3)]
    opened = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
    starts = [bar[0]["t"] if packed else datetime.fromisoformat(bar[0]["t"]) for bar in bars]
    assert starts == [opened.replace(minute=30 + n) for n in range(3)]
    assert [[bar["S"] for bar in frame] for frame in bars] == [["BBB"]] * 3
    assert (bars[0][0]["c"], bars[0][0]["v"]) == (20.5, 0.5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_time_breaks_down_the_server_ends() -> None:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(1_000)))
    backwards = SimulatedData(days=[_day(), _day()])
    with serve(exchange, backwards, speed=math.inf, keys=KEYS) as served, _talk(served.addresses.data_stream) as socket:
        _hear(socket)
        _say(socket, AUTH)
        _say(socket, {"action": "subscribe", "bars": ["*"]})
        served.wait(SECONDS_MAX)
        assert not served.running


def test_answers_are_sent_without_delay() -> None:
    """Asyncio holds small packets back on sockets that do not name their protocol: 40 ms an answer."""
    with closing(serving._listen(0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_named() -> None:
    with _served() as served:
        port = int(served.addresses.rest.rsplit(":", 1)[1])
        with pytest.raises(BrokerError, match=f"port {port} on 127.0.0.1 cannot be used"):
            _served(port=port)


def test_a_stopped_server_is_gone_and_may_be_stopped_again() -> None:
    served = _served()
    served.stop()
    served.stop()
    assert not served.running


def test_the_ready_line_is_one_json_object_and_a_repr_hides_its_secrets(addresses: Addresses) -> None:
    line = addresses.json()
    assert "\n" not in line
    assert json.loads(line)["control_token"] == addresses.control_token
    assert addresses.control_token not in repr(addresses)
    assert "'secret'" not in repr(addresses)


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_time_does_not_stand_still_or_go_back(speed: float) -> None:
    with pytest.raises(BrokerError, match="speed must be above 0"):
        _served(speed=speed)


def test_no_data_is_an_error() -> None:
    with pytest.raises(DataError, match="at least one session"):
        SimulatedData(days=[])
