"""Time as it passes: `ports.Market` on a broker whose clock runs by itself, and the link to all of it.

Decisions go by the broker's clock; the machine's own only measures what has passed since that was asked. So a
simulated broker at 600 times real time is traded as a real one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from ordinis.brokers.alpaca.bars import one_minute
from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.executor import AlpacaBroker
from ordinis.brokers.alpaca.feeds import Stream, StreamLimits
from ordinis.brokers.alpaca.link import Link
from ordinis.brokers.alpaca.missed import Past, missed
from ordinis.brokers.alpaca.rest import (
    RateGauge,
    RestLimits,
    broker_now_ns,
)
from ordinis.brokers.alpaca.simulation import closed_at_ns
from ordinis.brokers.alpaca.times import date_in_new_york
from ordinis.brokers.alpaca.wire import WireStreamMessage, WireTradeUpdate
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketSlice, Session, Universe
from ordinis.domain.standing import Reached

SECOND_NS = 10**9
_LISTEN_SECONDS_MAX = 1.0  # So often a wait looks up, whatever it waits for.
_SYNC_MINUTES = 10
_ASKED_MAX, _QUICK_SECONDS = 3, 0.05  # An answer that took no longer is as good as it gets.
_SYNC_SECONDS, _SYNC_SECONDS_MIN = 30.0, 0.1  # Of the broker's time, and of ours.
_SESSION_WITHIN_DAYS = 14

Item = SessionPhase | MarketSlice | None
Say = Callable[[str], None]


class BrokerClock:
    """The broker's time: as it was asked, and what has passed here since, times its speed."""

    def __init__(self, ask: Callable[[], int], wall_seconds: Callable[[], float], speed: float) -> None:
        self._ask = ask
        self._wall_seconds = wall_seconds
        self._speed = speed
        self.sync()

    def sync(self) -> None:
        """The answer was true somewhere on its way there and back: of a few, the one that was quickest says most."""
        quickest = float("inf")
        for _ in range(_ASKED_MAX):
            sent_seconds = self._wall_seconds()
            asked_ns = self._ask()
            took_seconds = self._wall_seconds() - sent_seconds
            if took_seconds < quickest:
                quickest = took_seconds
                self._asked_ns, self._asked_at_seconds = asked_ns, sent_seconds + took_seconds / 2
            if quickest <= _QUICK_SECONDS:
                return

    def sync_now_and_then(self) -> None:
        """Ask again when it was asked a while ago."""
        if self._wall_seconds() - self._asked_at_seconds > max(_SYNC_SECONDS / self._speed, _SYNC_SECONDS_MIN):
            self.sync()

    def now_ns(self) -> int:
        passed_seconds = (self._wall_seconds() - self._asked_at_seconds) * self._speed
        return self._asked_ns + int(passed_seconds * SECOND_NS)

    def seconds_until(self, at_ns: int) -> float:
        """On this machine's clock; negative once it has passed."""
        return (at_ns - self.now_ns()) / SECOND_NS / self._speed


class LiveMarket:
    """Phases and minutes as they come; None where there is nothing but, perhaps, news of orders."""

    def __init__(
        self,
        universe: Universe,
        bars: Stream[WireStreamMessage],
        updates: Stream[WireTradeUpdate],
        clock: BrokerClock,
        past: Past,
        *,
        at_open: Callable[[Session], None],
        at_close: Callable[[Session], None],
        deadline_seconds: float,
        say: Say,
        reached: Reached | None = None,
        sessions_max: int | None = None,
    ) -> None:
        self._universe = universe
        self._bars = bars
        self._updates = updates
        self._clock = clock
        self._past = past
        self._at_open = at_open
        self._at_close = at_close
        self._deadline_ns = int(deadline_seconds * SECOND_NS)
        self._say = say
        self._reached = reached
        self._sessions_max = sessions_max
        self._open = None if reached is None or reached.closed else reached.session
        self._at_ns = 0 if reached is None else reached.at_ns
        self._drops = bars.drops
        self._early: list[WireStreamMessage] = []

    def __iter__(self) -> Iterator[Item]:
        """Errors: BrokerError when the broker or a stream is lost."""
        for item in missed(self._reached, self._past, self._clock.now_ns()):
            self._at_ns = item.at_ns
            yield self._turned(item) if isinstance(item, SessionPhase) else item
        numbers = count(1) if self._sessions_max is None else range(self._sessions_max)
        for _ in numbers:
            session = self._open or self._coming()
            if self._open is None:
                yield from self._wait(session.open_ns)
                self._clock.sync()
                self._at_ns = session.open_ns
                yield self._turned(SessionPhase(at_ns=session.open_ns, phase=Phase.OPENING, session=session))
            yield from self._minutes(session)
            yield self._turned(SessionPhase(at_ns=session.close_ns, phase=Phase.CLOSED, session=session))

    def _turned(self, phase: SessionPhase) -> SessionPhase:
        if phase.phase is Phase.OPENING:
            self._open = phase.session
            self._at_open(phase.session)
        else:
            self._open, self._at_ns = None, phase.at_ns
            self._at_close(phase.session)
        return phase

    def _coming(self) -> Session:
        """The next session whose close is ahead and that was not traded yet."""
        today = date_in_new_york(self._clock.now_ns())
        for session in self._past.sessions(today, today + timedelta(days=_SESSION_WITHIN_DAYS)):
            if session.close_ns > max(self._clock.now_ns(), self._at_ns):
                return session
        raise BrokerError(f"the broker's calendar has no session within {_SESSION_WITHIN_DAYS} days of {today}")

    def _wait(self, until_ns: int) -> Iterator[None]:
        """News of orders is not kept waiting for a minute to end. Nights are long, and clocks drift."""
        while (left_seconds := self._clock.seconds_until(until_ns)) > 0:
            if self._open is None:
                self._clock.sync_now_and_then()
            self._updates.wait_news(min(left_seconds, _LISTEN_SECONDS_MAX))
            yield None

    def _minutes(self, session: Session) -> Iterator[Item]:
        for end_ns in range(self._at_ns + MINUTE_NS, session.close_ns + 1, MINUTE_NS):
            yield from self._wait(end_ns)
            self._at_ns = end_ns
            yield self._slice(session, end_ns)
            if (end_ns - session.open_ns) // MINUTE_NS % _SYNC_MINUTES == 0:
                self._clock.sync()  # With the minute's orders out: nothing waits for it.

    def _slice(self, session: Session, end_ns: int) -> MarketSlice:
        """The minute's bars: all that come until the deadline, which is measured from the minute's end."""
        found = self._gathered(end_ns)
        if not found or self._bars.drops != self._drops:
            return self._asked_for(session, end_ns, found)
        return one_minute(self._universe, session, end_ns, found.values()).at(0)

    def _gathered(self, end_ns: int) -> dict[str, WireStreamMessage]:
        found: dict[str, WireStreamMessage] = {}
        messages, self._early = self._early, []
        begins_at = datetime.fromtimestamp(end_ns // SECOND_NS - 60, tz=UTC)
        while True:
            for bar in messages:
                if bar.t == begins_at:
                    found[bar.S] = bar
                elif (closed_at_ns(bar) or 0) > end_ns:
                    self._early.append(bar)
                # One of an earlier minute came too late: it is in the history that the next start warms up on.
            left_seconds = self._clock.seconds_until(end_ns + self._deadline_ns)
            if left_seconds <= 0 or len(found) >= len(self._universe):
                return found
            self._bars.wait_news(min(left_seconds, _LISTEN_SECONDS_MAX))
            messages = self._bars.take()

    def _asked_for(self, session: Session, end_ns: int, found: dict[str, WireStreamMessage]) -> MarketSlice:
        """The stream gave nothing, or was lost meanwhile: what REST has of the minute. A mute stream is hung up on."""
        lost, self._drops = self._bars.drops != self._drops, self._bars.drops
        block = self._past.minutes(session)
        row = (end_ns - session.open_ns) // MINUTE_NS - 1
        if block.present[row].any() and not found and not lost:
            self._say(f"the market-data stream is mute at {end_ns} though there are bars: it is connected anew")
            self._bars.reconnect()
        return block.row_block(row).at(0)


class LiveLink(Link):
    """Alpaca, paper or live, or a simulated broker that keeps time by itself. Use it in a `with` block."""

    def __init__(
        self,
        endpoints: Endpoints,
        universe: Universe,
        *,
        feed: str,
        generator: Random,
        wall_seconds: Callable[[], float],
        say: Say,
        speed: float = 1.0,
        deadline_seconds: float = 3.0,
        requests_reserved: int = 0,
        sessions_max: int | None = None,
        rest_limits: RestLimits | None = None,
        stream_limits: StreamLimits | None = None,
    ) -> None:
        """Connects. Errors: BrokerError for a refused connection or key."""
        gauge = RateGauge(requests_reserved)
        super().__init__(
            endpoints,
            universe,
            universe.symbols,
            feed=feed,
            generator=generator,
            rest_limits=rest_limits,
            stream_limits=stream_limits,
            gauge=gauge,
        )
        self._say = say
        self._deadline_seconds = deadline_seconds
        self._sessions_max = sessions_max
        try:
            self._updates.start()
            self._bars.start()
            self.clock = BrokerClock(self._asked_time, wall_seconds, speed)
        except BrokerError:
            self.close()
            raise
        self.broker = AlpacaBroker(
            self._trading,
            self._updates,
            now_ns=self.clock.now_ns,
            limits=self._rest_limits,
            generator=generator,
            gauge=gauge,
            overheard=self._updates.reconnect,
        )

    def _asked_time(self) -> int:
        return broker_now_ns(self._trading, self._rest_limits, self._generator)

    def market_since(self, reached: Reached | None) -> LiveMarket:
        """The market from where an earlier run stood: first what has passed since then."""
        return LiveMarket(
            self._universe,
            self._bars,
            self._updates,
            self.clock,
            self._past(),
            at_open=self._opening(),
            at_close=self.broker.end_session,
            deadline_seconds=self._deadline_seconds,
            say=self._say,
            reached=reached,
            sessions_max=self._sessions_max,
        )

    @property
    def now_ns(self) -> int:
        """The broker's time."""
        return self.clock.now_ns()
