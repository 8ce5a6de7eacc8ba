"""What passed while nobody listened: phases and minutes between where a run stood and the broker's now, by REST."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from ordinis.brokers.alpaca.times import date_in_new_york
from ordinis.domain.events import Phase, SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice, Session
from ordinis.domain.standing import Reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Where the past can be asked for: the calendar between two days, both included, and a session's minutes."""

    sessions: Callable[[date, date], list[Session]]
    minutes: Callable[[Session], MarketBlock]


def missed(reached: Reached | None, past: Past, now_ns: int) -> Iterator[SessionPhase | MarketSlice]:
    """In order. The minute that ends now is over; the session that ends now is still to be closed.

    Without `reached` the run begins now: only today's session is asked for.
    """
    today = date_in_new_york(now_ns)
    first = today if reached is None else reached.session.date
    for session in past.sessions(first, today):
        if session.open_ns > now_ns:
            return
        resumed = reached is not None and session.date == reached.session.date
        if resumed and reached is not None and reached.closed:
            continue
        if not resumed:
            yield SessionPhase(at_ns=session.open_ns, phase=Phase.OPENING, session=session)
        after_ns = reached.at_ns if resumed and reached is not None else session.open_ns
        yield from _minutes(past.minutes(session), after_ns, now_ns)
        if session.close_ns < now_ns:
            yield SessionPhase(at_ns=session.close_ns, phase=Phase.CLOSED, session=session)


def _minutes(block: MarketBlock, after_ns: int, now_ns: int) -> Iterable[MarketSlice]:
    """One by one, as they would have come."""
    for row, closed_at_ns in enumerate(block.closed_at_ns.tolist()):
        if after_ns < closed_at_ns <= now_ns:
            yield block.row_block(row).at(0)
