"""A trader over the wire in a process of its own, which kills itself at a named boundary."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract.roads import linked
from ordinis.brokers.simulated.server import Addresses
from simulation.killing import Death, relived, trade_on
from simulation.scripted import Account, days, trader


class SelfKill(Death):
    """A real SIGKILL, at the boundary of that name when it is met for the n-th time."""

    def __init__(self, boundary: str, count: int) -> None:
        super().__init__()
        self._boundary = boundary
        self._left = count

    def near(self, boundary: str) -> None:
        if boundary == self._boundary:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def live_on_the_wire(addresses: Addresses, path: Path, death: Death, account: Account) -> None:
    """One life, from where the journal ends."""
    engine = trader(account)
    lived = relived(engine, path)
    with linked(addresses, days(account)[0]) as link:
        _answers(link.broker, death)
        market = link.market_since(None if lived is None else lived.reached)
        trade_on(engine, link.broker, market, lived, path, death)


def _answers(broker: Any, death: Death) -> None:
    """Death with the broker's answer to an order on the way, and with it in hand."""
    post: Callable[..., Any] = broker._client.post

    def posted(*given: Any) -> Any:
        answer = post(*given)
        death.near("the order stands and its answer is unread")
        return answer

    broker._client.post = posted


def run(addresses: Addresses, path: str, boundary: str, count: int, account: Account) -> None:
    """The process."""
    live_on_the_wire(addresses, Path(path), SelfKill(boundary, count), account)
