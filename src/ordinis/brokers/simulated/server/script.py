"""A stream's messages as the faults leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.director import fits
from ordinis.brokers.simulated.faults.kinds import (
    DropSocket,
    DuplicateEvent,
    MissingEvent,
    MuteSocket,
    RefuseSocket,
    ReorderEvents,
    Stream,
)
from ordinis.brokers.simulated.server.bodies import BodyFaults

Message = dict[str, Any]
Part = list[Message] | MuteSocket | DropSocket  # Something to say, or what becomes of the line instead.
_Chosen = DropSocket | MuteSocket | DuplicateEvent | ReorderEvents | MissingEvent


class Script:
    """`subject` gives a message's event and symbol."""

    def __init__(self, faults: Faults, stream: Stream, subject: Callable[[Message], tuple[str, str]]) -> None:
        self._faults = faults
        self._bodies = BodyFaults(faults)
        self._stream = stream
        self._subject = subject
        self._held: list[Message] = []  # To be said after the next message.

    def refuses(self) -> bool:
        """Whether who connects now is hung up on."""
        return self._faults.next(RefuseSocket, lambda one: one.stream == self._stream) is not None

    def parts(self, messages: list[Message]) -> Iterator[Part]:
        """What is to be done with them, in order."""
        if not self._faults and not self._held:
            yield messages
            return
        saying: list[Message] = []
        for message in messages:
            broken = self._broken(message)
            if broken is None:
                saying += self._said(message)
            else:
                yield saying
                saying = []
                yield broken
        yield saying

    def _broken(self, message: Message) -> MuteSocket | DropSocket | None:
        drops: DropSocket | None = self._one(DropSocket, message)
        mutes: MuteSocket | None = None if drops else self._one(MuteSocket, message)
        return drops or mutes

    def _said(self, message: Message) -> list[Message]:
        if self._one(MissingEvent, message):
            return []
        changed = self._bodies.changed(message, f"{self._stream}_stream")
        if self._one(ReorderEvents, message):
            self._held.append(changed)
            return []
        twice = self._one(DuplicateEvent, message) is not None
        held, self._held = self._held, []
        return [changed, *([changed] if twice else []), *held]

    def _one(self, kind: Any, message: Message) -> Any:
        event, symbol = self._subject(message)

        def about(one: _Chosen) -> bool:
            return one.stream == self._stream and fits(one.event, event) and fits(one.symbol, symbol)

        return self._faults.next(kind, about)
