"""The control port of a simulated broker: let one step of time pass, read how much has been told."""

from __future__ import annotations

import http.client
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from ordinis.domain.errors import BrokerError
from ordinis.domain.market import Session

T = TypeVar("T")

_ANSWER_SECONDS_MAX = 60.0  # A step waits for every listener of the streams.
_SAID_LETTERS_MAX = 500


class Totals(msgspec.Struct, frozen=True):
    """Messages that the streams have been given since the broker started."""

    trade_updates: int
    bars: int
    trade_updates_unheard: int = 0  # Said to nobody: who should have heard them was hung up on, or made deaf.
    bars_unheard: int = 0


class StepReply(msgspec.Struct, frozen=True):
    phase: str  # "opening", "minute", "closed", "ended".
    at_ns: int
    session: Session | None
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAddress:
    url: str
    token: str = field(repr=False)


class Control:
    """One kept connection. Errors: BrokerError when the broker does not answer; a step is never repeated."""

    def __init__(self, address: ControlAddress, answer_seconds_max: float = _ANSWER_SECONDS_MAX) -> None:
        parts = urlsplit(address.url)
        self._address = address
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port or 80, timeout=answer_seconds_max
        )

    def step(self) -> StepReply:
        return self._ask("POST", "/step", StepReply)

    def totals(self) -> Totals:
        return self._ask("GET", "/totals", Totals)

    def close(self) -> None:
        with suppress(OSError):
            self._connection.close()

    def _ask(self, method: str, path: str, kind: type[T]) -> T:
        try:
            self._connection.request(method, path, headers={"Authorization": f"Bearer {self._address.token}"})
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise BrokerError(
                f"the simulated broker's control at {self._address.url} did not answer: {type(error).__name__}; "
                "is `ordinis broker serve` still running?"
            ) from error
        if response.status != http.client.OK:
            said = body.decode(errors="replace")[:_SAID_LETTERS_MAX]
            raise BrokerError(f"the simulated broker's control refused {path}: HTTP {response.status}: {said}")
        return msgspec.json.decode(body, type=kind)
