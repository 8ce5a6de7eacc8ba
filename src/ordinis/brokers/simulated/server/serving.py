"""The simulated broker behind Alpaca's own REST and streams, on this machine only.

`serve` runs it in a thread of its own; the exchange is touched from that thread alone. A second port,
with a token of its own, lets time pass.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from contextlib import suppress
from types import TracebackType

import msgspec
import uvicorn
from starlette.applications import Starlette

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import FaultPlan
from ordinis.brokers.simulated.server.conductor import Conductor
from ordinis.brokers.simulated.server.corked import CorkedHttp
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.parts import Parts
from ordinis.brokers.simulated.server.settings import ServerSettings
from ordinis.brokers.simulated.server.simulation import SimulatedData
from ordinis.domain.errors import BrokerError

HOST = "127.0.0.1"
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
IDLE_SECONDS_MAX = 3600  # A connection that a client keeps for its next request.


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens, as alpaca-py's url_override wants it, and what opens it."""

    rest: str
    data: str
    data_stream: str
    trading_stream: str
    control: str
    control_token: str
    key: str
    secret: str

    def json(self) -> str:
        """One line: for another program to read. It holds the secrets on purpose."""
        return msgspec.json.encode(self).decode()

    def __repr__(self) -> str:
        return f"Addresses(rest={self.rest!r}, control={self.control!r}, secrets hidden)"


class Served:
    """A running server. Leaving the `with` block, or `stop`, ends it."""

    def __init__(self, servers: list[uvicorn.Server], thread: threading.Thread, addresses: Addresses) -> None:
        self._servers = servers
        self._thread = thread
        self.addresses = addresses

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> None:
        """Until it ends."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """Hang up on everyone and end the thread. May be called twice."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(STOP_SECONDS_MAX)
        if self._thread.is_alive():
            raise BrokerError(f"the simulated broker did not stop within {STOP_SECONDS_MAX:g} s")

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    exchange: Exchange,
    data: SimulatedData,
    *,
    speed: float | None = None,
    port: int = 0,
    control_port: int = 0,
    keys: Keys | None = None,
    settings: ServerSettings | None = None,
    faults: FaultPlan | None = None,
) -> Served:
    """Start the server and return once it answers.

    `speed` None: time passes only by the control route. Otherwise it passes by itself, at so many times
    real time, `inf` as fast as it goes. Port 0 takes a free one. Without settings nothing is limited, without
    faults nothing goes wrong.
    Errors: BrokerError when a port is taken or the server does not start.
    """
    if speed is not None and not speed > 0:
        raise BrokerError(f"the simulated broker's speed must be above 0, was {speed}")
    parts = Parts(exchange, data, keys or Keys.made_up(), settings or ServerSettings(), faults)
    public, control = _listen_twice(port, control_port)
    servers = [_server(parts.public_app()), _server(parts.control_app())]
    thread = threading.Thread(
        target=lambda: asyncio.run(_run(servers, (public, control), parts.conductor, speed)),
        name="ordinis-simulated-broker",
        daemon=True,
    )
    served = Served(servers, thread, _addresses(parts, public, control))
    thread.start()
    _await_start(served, servers)
    return served


def _addresses(parts: Parts, public: socket.socket, control: socket.socket) -> Addresses:
    here = f"{HOST}:{public.getsockname()[1]}"
    return Addresses(
        rest=f"http://{here}",
        data=f"http://{here}",
        data_stream=f"ws://{here}/v2/iex",
        trading_stream=f"ws://{here}/stream",
        control=f"http://{HOST}:{control.getsockname()[1]}",
        control_token=parts.token,
        key=parts.keys.key,
        secret=parts.keys.secret,
    )


def _server(app: Starlette) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            http=CorkedHttp,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            timeout_keep_alive=IDLE_SECONDS_MAX,
            timeout_graceful_shutdown=1,
        )
    )


def _listen_twice(port: int, control_port: int) -> tuple[socket.socket, socket.socket]:
    public = _listen(port)
    try:
        return public, _listen(control_port)
    except BrokerError:
        public.close()
        raise


def _listen(port: int) -> socket.socket:
    # The protocol is named because asyncio sends without delay only on sockets that name it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise BrokerError(
            f"port {port} on {HOST} cannot be used: {error.strerror}; choose another, or 0 for any"
        ) from error
    return listener


async def _run(
    servers: list[uvicorn.Server],
    listeners: tuple[socket.socket, ...],
    conductor: Conductor,
    speed: float | None,
) -> None:
    pace = None if speed is None else asyncio.create_task(_paced(servers, conductor, speed))
    try:
        await asyncio.gather(
            *(server.serve(sockets=[listener]) for server, listener in zip(servers, listeners, strict=True))
        )
    finally:
        if pace is not None:
            pace.cancel()
            with suppress(asyncio.CancelledError):
                await pace


async def _paced(servers: list[uvicorn.Server], conductor: Conductor, speed: float) -> None:
    """When time breaks down, nobody is left waiting for it."""
    try:
        await conductor.run(speed)
    except Exception:
        for server in servers:
            server.should_exit = True
        raise


def _await_start(served: Served, servers: list[uvicorn.Server]) -> None:
    waited = threading.Event()
    steps = math.ceil(START_SECONDS_MAX / 0.01)
    for _ in range(steps):
        if all(server.started for server in servers):
            return
        if not served.running:
            break
        waited.wait(0.01)
    raise BrokerError("the simulated broker did not start")
