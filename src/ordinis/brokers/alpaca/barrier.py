"""Between the steps of a simulated broker: nothing that it has published is still on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ordinis.brokers.alpaca.control import Control, Totals
from ordinis.brokers.alpaca.feeds import Stream
from ordinis.brokers.alpaca.wire import WireStreamMessage, WireTradeUpdate

T = TypeVar("T")
Published = Callable[[Totals], tuple[int, int]]  # So many messages were said to somebody, so many to nobody.


class _Road(Generic[T]):
    """One stream against what the broker says that it has published."""

    def __init__(self, stream: Stream[T], published: Published, totals: Totals) -> None:
        self._stream = stream
        self._published = published
        self._begin(totals)

    def reach(self, totals: Totals, ask: Callable[[], Totals]) -> bool:
        """Wait for everything published by then. False: the line was lost, and is a new one now; nothing is replayed.

        Errors: BrokerError when what was published does not come, or no line can be had.
        """
        said, unheard = self._published(totals)
        if unheard == self._unheard and self._stream.wait_for(said - self._before, self._drops):
            return True
        self._stream.renew()  # A line of its own: what was on its way on the old one is not counted on any more.
        self._begin(ask())
        return False

    def _begin(self, totals: Totals) -> None:
        """Time stands still: nothing is said between the broker's count and ours."""
        said, self._unheard = self._published(totals)
        self._before = said - self._stream.received
        self._drops = self._stream.drops


class Barrier:
    """Both streams of a link."""

    def __init__(self, control: Control, bars: Stream[WireStreamMessage], updates: Stream[WireTradeUpdate]) -> None:
        self._control = control
        told = control.totals()
        self._updates = _Road(updates, lambda one: (one.trade_updates, one.trade_updates_unheard), told)
        self._bars = _Road(bars, lambda one: (one.bars, one.bars_unheard), told)

    def settle(self) -> None:
        """Wait for everything published by now. Errors: BrokerError when it does not come."""
        self.reach(self._control.totals())

    def reach(self, totals: Totals) -> bool:
        """Wait for everything published by then. False where bars among it were lost: they have to be asked for.

        What was lost of orders is asked for by whoever compares the books.
        """
        self._updates.reach(totals, self._control.totals)
        return self._bars.reach(totals, self._control.totals)
