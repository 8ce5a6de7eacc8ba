"""Alpaca's streams: a socket in a thread of its own, a bounded queue to the synchronous side.

alpaca-py's stream loop drops the rest of a frame when a handler raises, does not notice a mute socket
and cannot share a loop, so the sockets are ours. Nothing here waits without a named limit.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ordinis.brokers.alpaca.backoff import Backoff
from ordinis.brokers.alpaca.endpoints import is_loopback
from ordinis.domain.errors import BrokerError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection, connect

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How long to wait for what, and how much may pile up."""

    connect_seconds_max: float = 10.0
    handshake_seconds_max: float = 10.0
    wait_seconds_max: float = 30.0  # For messages that are known to have been published.
    close_seconds_max: float = 5.0
    ping_seconds: float = 10.0
    pong_seconds_max: float = 20.0
    frame_bytes_max: int = 64 * 2**20
    steady_seconds: float = 60.0  # A connection that lived this long starts the count of attempts anew.
    pending_max: int = 1_000_000  # Messages not yet taken: beyond it the reader is not keeping up.
    backoff: Backoff = field(default_factory=Backoff)


class Dialogue(Protocol[T]):
    """What is said on one kind of stream."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def headers(self) -> dict[str, str]: ...

    async def greet(self, socket: ClientConnection) -> None:
        """Authenticate and subscribe. Errors: BrokerError when refused for good, ConnectionError when worth a retry."""

    def read(self, frame: str | bytes) -> list[T]:
        """The messages of a frame that matter. Errors as in `greet`."""


class Stream(Generic[T]):
    """One stream. `start`, then `take` what has come; `wait_for` where it is known how much must come."""

    def __init__(self, dialogue: Dialogue[T], limits: StreamLimits, generator: Random) -> None:
        self._dialogue = dialogue
        self._limits = limits
        self._generator = generator
        self._news = threading.Condition()
        self._pending: deque[T] = deque()
        self._received = 0
        self._ready = False
        self._hung_up = False  # By us.
        self._drops = 0  # How often a working connection was lost: nothing is replayed after one.
        self._failure: BrokerError | None = None
        self._connected: ClientConnection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"ordinis-{dialogue.name}", daemon=True)

    @property
    def received(self) -> int:
        """Messages since the start."""
        return self._received

    @property
    def drops(self) -> int:
        """How often a working connection was lost: nothing is replayed after one."""
        return self._drops

    def wait_news(self, seconds_max: float) -> None:
        """Until something has come that was not taken, or the time is over."""
        with self._news:
            self._news.wait_for(lambda: self._pending or self._failure is not None, max(0.0, seconds_max))

    def reconnect(self) -> None:
        """Hang up and connect anew: for a stream that is connected and says nothing. That is no failed attempt."""
        loop, socket = self._loop, self._connected
        if loop is not None and socket is not None:
            self._hung_up = True
            with suppress(RuntimeError):  # The loop has ended by itself.
                asyncio.run_coroutine_threadsafe(socket.close(), loop)

    def start(self) -> None:
        """Connect and subscribe. Errors: BrokerError when that fails or takes too long."""
        self._thread.start()
        with self._news:
            settled = self._news.wait_for(lambda: self._ready or self._failure is not None, self._patience_seconds)
            if self._failure is not None:
                raise self._failure
        if not settled:
            raise self._no_answer()

    @property
    def _patience_seconds(self) -> float:
        limits = self._limits
        return (limits.connect_seconds_max + limits.handshake_seconds_max) * limits.backoff.attempts_max

    def _no_answer(self) -> BrokerError:
        return BrokerError(
            f"the {self._dialogue.name} stream at {self._dialogue.url} did not answer; check the address"
        )

    def take(self) -> list[T]:
        """What came since the last call, in order. Errors: BrokerError once the stream is lost and read empty."""
        with self._news:
            if self._failure is not None and not self._pending:
                raise self._failure
            taken = list(self._pending)
            self._pending.clear()
            return taken

    def renew(self) -> None:
        """Hang up, if the line still stands, and wait for a new one. Errors: BrokerError when none can be had."""
        with self._news:
            before = self._connected
        self.reconnect()
        with self._news:
            self._news.wait_for(lambda: self._failure is not None or self._renewed(before), self._patience_seconds)
            if self._renewed(before):
                return
            raise self._failure or self._no_answer()

    def _renewed(self, before: ClientConnection | None) -> bool:
        return self._connected is not None and self._connected is not before

    def wait_for(self, count: int, drops: int) -> bool:
        """Until so many messages have come since the start. False once the connection was lost again, after so many
        `drops`. Errors: BrokerError when they do not come.
        """
        with self._news:
            self._news.wait_for(
                lambda: self._failure is not None or self._drops != drops or self._received >= count,
                self._limits.wait_seconds_max,
            )
            if self._received >= count:
                return True
            if self._failure is not None:
                raise self._failure
            if self._drops != drops:
                return False
            raise BrokerError(
                f"the {self._dialogue.name} stream gave {self._received} of {count} published messages within "
                f"{self._limits.wait_seconds_max:g} s"
            )

    def close(self) -> None:
        """Hang up. May be called twice."""
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with suppress(RuntimeError):  # The loop has ended by itself.
                loop.call_soon_threadsafe(task.cancel)
        if self._thread.is_alive():
            self._thread.join(self._limits.close_seconds_max)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BrokerError as error:
            self._fail(error)
        except Exception as error:
            self._fail(BrokerError(f"the {self._dialogue.name} stream broke: {type(error).__name__}: {error}"))

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        with suppress(asyncio.CancelledError):
            await self._stay_connected()

    async def _stay_connected(self) -> None:
        from websockets.exceptions import WebSocketException

        clock = asyncio.get_running_loop().time
        attempt = 0
        while True:
            began_seconds = clock()
            cause = "it was closed"
            try:
                await self._converse()
            except (OSError, TimeoutError, WebSocketException) as error:
                cause = f"{type(error).__name__}: {error}"
            steady = self._hung_up or clock() - began_seconds >= self._limits.steady_seconds
            self._hung_up = False
            attempt = 1 if steady else attempt + 1
            if attempt >= self._limits.backoff.attempts_max:
                raise BrokerError(
                    f"the {self._dialogue.name} stream at {self._dialogue.url} is lost after {attempt} attempts: "
                    f"{cause}; check the address and the network"
                )
            await asyncio.sleep(self._limits.backoff.delay_seconds(attempt, self._generator))

    async def _converse(self) -> None:
        async with self._socket() as socket:
            await asyncio.wait_for(self._dialogue.greet(socket), self._limits.handshake_seconds_max)
            with self._news:
                self._connected = socket
                self._ready = True
                self._news.notify_all()
            try:
                async for frame in socket:
                    self._receive(self._dialogue.read(frame))
            finally:
                with self._news:
                    self._connected = None
                    self._drops += 1
                    self._news.notify_all()

    def _socket(self) -> connect:
        from websockets.asyncio.client import connect

        limits = self._limits
        return connect(
            self._dialogue.url,
            additional_headers=self._dialogue.headers,
            open_timeout=limits.connect_seconds_max,
            close_timeout=limits.close_seconds_max / 2,
            ping_interval=limits.ping_seconds,
            ping_timeout=limits.pong_seconds_max,
            max_size=limits.frame_bytes_max,
            compression=None,
            proxy=None if is_loopback(self._dialogue.url) else True,
        )

    def _receive(self, messages: list[T]) -> None:
        if not messages:
            return
        with self._news:
            if len(self._pending) + len(messages) > self._limits.pending_max:
                raise BrokerError(
                    f"{len(self._pending)} messages of the {self._dialogue.name} stream were not taken in time"
                )
            self._pending.extend(messages)
            self._received += len(messages)
            self._news.notify_all()

    def _fail(self, error: BrokerError) -> None:
        with self._news:
            self._failure = error
            self._news.notify_all()
