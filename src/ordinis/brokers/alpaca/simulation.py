"""Time over the wire: `ports.Market` on a simulated broker that is stepped, and the link to all of it.

The broker's streams and its answers travel on roads of their own. Before anything is passed on, the
streams are waited for until they have given as many messages as the broker says it has published: so a
day over the wire gives the same events in the same order as in process. A stream that is lost or mute is
connected anew, and what it did not say is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random

from ordinis.brokers.alpaca.barrier import Barrier
from ordinis.brokers.alpaca.bars import one_minute
from ordinis.brokers.alpaca.control import Control, ControlAddress, StepReply
from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.executor import AlpacaBroker
from ordinis.brokers.alpaca.feeds import Stream, StreamLimits
from ordinis.brokers.alpaca.link import Link
from ordinis.brokers.alpaca.missed import Past, missed
from ordinis.brokers.alpaca.rest import (
    RestLimits,
    broker_now_ns,
)
from ordinis.brokers.alpaca.times import ns_from_datetime
from ordinis.brokers.alpaca.wire import WireStreamMessage
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketSlice, Session, Universe
from ordinis.domain.standing import Reached

EVERYTHING = ("*",)
_FEED = "iex"  # The simulated broker has one feed, whatever it is called.


def _at_once() -> None:
    """As fast as it goes."""


class SteppedClock:
    """The broker's time, as of the last step."""

    __slots__ = ("at_ns",)

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def now_ns(self) -> int:
        return self.at_ns


class SteppedMarket:
    """Asking for the next item lets one minute pass at the broker.

    `pace` is called before every step: a wait on the wall clock where one wants to watch.
    `at_open` is called once a session, before its OPENING phase.
    `at_close` is called once a session, after its last updates and before its CLOSED phase.
    """

    def __init__(
        self,
        universe: Universe,
        control: Control,
        barrier: Barrier,
        bars: Stream[WireStreamMessage],
        clock: SteppedClock,
        past: Past,
        *,
        at_open: Callable[[Session], None],
        at_close: Callable[[Session], None],
        pace: Callable[[], None] = _at_once,
        before: Iterable[SessionPhase | MarketSlice] = (),
        reached: Reached | None = None,
    ) -> None:
        self._before = before
        self._open = None if reached is None or reached.closed else reached.session
        self._closed = reached.session if reached is not None and reached.closed else None
        self._universe = universe
        self._control = control
        self._barrier = barrier
        self._bars = bars
        self._clock = clock
        self._past = past
        self._at_open = at_open
        self._at_close = at_close
        self._pace = pace

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice]:
        """Errors: BrokerError when the broker or a stream is lost."""
        for item in self._before:
            yield self._turned(item) if isinstance(item, SessionPhase) else item
        while True:
            self._pace()
            reply = self._control.step()
            session = self._open
            if session is not None and reply.session != session:  # Its close was stepped before we came.
                yield self._turned(SessionPhase(at_ns=session.close_ns, phase=Phase.CLOSED, session=session))
            if reply.session is None:
                return
            heard = self._barrier.reach(reply.totals)
            self._clock.at_ns = reply.at_ns
            item = self._item(reply, reply.session, heard=heard)
            if isinstance(item, MarketSlice) or item.phase is Phase.OPENING or self._closed != item.session:
                yield self._turned(item) if isinstance(item, SessionPhase) else item

    def _item(self, reply: StepReply, session: Session, *, heard: bool) -> SessionPhase | MarketSlice:
        if reply.phase == "minute":
            return self._minute(reply.at_ns, session) if heard else self._asked_for(reply.at_ns, session)
        if reply.phase in {one.value for one in Phase}:
            return SessionPhase(at_ns=reply.at_ns, phase=Phase(reply.phase), session=session)
        raise BrokerError(f"the simulated broker made a step that is not known: {reply.phase!r}")

    def _turned(self, phase: SessionPhase) -> SessionPhase:
        """What the night or the day has brought is told before its phase."""
        if phase.phase is Phase.OPENING:
            self._open = phase.session
            self._at_open(phase.session)
        else:
            self._open, self._closed = None, phase.session
            self._at_close(phase.session)
        return phase

    def _minute(self, at_ns: int, session: Session) -> MarketSlice:
        bars = self._bars.take()
        ended = [closed_at_ns(bar) or 0 for bar in bars]
        if any(one > at_ns for one in ended):
            raise BrokerError(f"a bar of a minute to come was given in the one that ended at {at_ns}")
        now = [bar for bar, one in zip(bars, ended, strict=True) if one == at_ns]  # A late one is history already.
        return one_minute(self._universe, session, at_ns, now).at(0)

    def _asked_for(self, at_ns: int, session: Session) -> MarketSlice:
        """The stream was lost in this minute: what REST has of it."""
        self._bars.take()
        row = (at_ns - session.open_ns) // MINUTE_NS - 1
        return self._past.minutes(session).row_block(row).at(0)


def closed_at_ns(bar: WireStreamMessage) -> int | None:
    return ns_from_datetime(bar.t) + MINUTE_NS if bar.t is not None else None


class SimulationLink(Link):
    """Everything a run over the wire needs: broker, market and history. Close it, or leave its `with` block."""

    def __init__(
        self,
        endpoints: Endpoints,
        control: ControlAddress,
        universe: Universe,
        *,
        generator: Random,
        pace: Callable[[], None] = _at_once,
        rest_limits: RestLimits | None = None,
        stream_limits: StreamLimits | None = None,
    ) -> None:
        """Connects. Errors: BrokerError for a refused connection or key."""
        super().__init__(
            endpoints,
            universe,
            EVERYTHING,
            feed=_FEED,
            generator=generator,
            rest_limits=rest_limits,
            stream_limits=stream_limits,
        )
        self._control = Control(control)
        try:
            self._connect(pace)
        except BrokerError:
            self.close()
            raise

    def _connect(self, pace: Callable[[], None]) -> None:
        self._updates.start()
        self._bars.start()
        barrier = Barrier(self._control, self._bars, self._updates)
        clock = SteppedClock(broker_now_ns(self._trading, self._rest_limits, self._generator))
        self._clock, self._barrier, self._pace = clock, barrier, pace
        self.broker = AlpacaBroker(
            self._trading,
            self._updates,
            now_ns=clock.now_ns,
            limits=self._rest_limits,
            generator=self._generator,
            settle=barrier.settle,
        )
        self.market = self.market_since(None)

    def market_since(self, reached: Reached | None) -> SteppedMarket:
        """The market from where an earlier run stood: first what has passed since then, then step by step."""
        return SteppedMarket(
            self._universe,
            self._control,
            self._barrier,
            self._bars,
            self._clock,
            self._past(),
            at_open=self._opening(),
            at_close=self.broker.end_session,
            pace=self._pace,
            before=missed(reached, self._past(), self._clock.at_ns),
            reached=reached,
        )

    @property
    def now_ns(self) -> int:
        """The broker's time."""
        return self._clock.at_ns

    def close(self) -> None:
        """Hang up. May be called twice."""
        super().close()
        self._control.close()
