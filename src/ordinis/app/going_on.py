"""A run over a wire, from where its journal ends: start and recovery are one path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Protocol

from ordinis.app.build import build_engine
from ordinis.app.watch import Aloud, Say, Watch
from ordinis.config.settings import Settings
from ordinis.domain.events import Command, CommandKind
from ordinis.domain.market import Universe
from ordinis.domain.standing import Reached
from ordinis.engines.reconcile import Findings, own_books
from ordinis.journal.recorded import recorded
from ordinis.journal.writer import SqliteJournal
from ordinis.ports import History, Journal, Market, StandingBroker
from ordinis.research.backtest import Run, backtest
from ordinis.research.result import BacktestResult, Books
from ordinis.runtime import clock
from ordinis.runtime.interrupt import stop_on_interrupt
from ordinis.runtime.loop import act
from ordinis.runtime.reconciling import Reconciler
from ordinis.runtime.recovery import Relived, catch_up, relive

OpenJournal = Callable[[], SqliteJournal]


class Link(Protocol):
    """A connection to a broker, stepped or in its own time."""

    @property
    def broker(self) -> StandingBroker: ...

    @property
    def now_ns(self) -> int: ...

    def market_since(self, reached: Reached | None) -> Market: ...

    def history(self, *, before: date, sessions: int, daily_sessions: int) -> History: ...


class GoingOn:
    """`first_day` is the day of the journal's first session, None where there is nothing to go on from.

    `resume`: a person takes back, with this start, whatever stops entries.
    """

    def __init__(
        self,
        settings: Settings,
        universe: Universe,
        feed: str,
        link: Link,
        path: Path,
        first_day: date | None,
        say: Say,
        *,
        resume: bool = False,
    ) -> None:
        self._settings = settings
        self._link = link
        self._path = path
        self._first_day = first_day
        self._say = say
        self._resume = resume
        self._engine = build_engine(settings, universe, feed)
        state = self._engine.state
        self._reconciler = Reconciler(
            lambda: own_books(state, settings.account.book),
            link.broker,
            settings.broker.foreign_positions,
            settings.broker.foreign_orders,
        )

    def trade(self, today: date, open_journal: OpenJournal, run: Run, books: Books) -> BacktestResult:
        """To the market's end, or until somebody stops it. Errors: OrdinisError."""
        lived = self._start(today)
        with stop_on_interrupt() as stopped, _closing(open_journal) as written:
            record = Aloud(written, self._say)
            if lived is not None:
                catch_up(self._engine, lived, self._link.broker, record, self._reconciler)
                self._say(table(self._reconciler.findings))
                self._heed(record)
            market = self._link.market_since(None if lived is None else lived.reached)
            look = Watch(self._engine.state, self._reconciler, written, self._link)
            return backtest(self._engine, market, self._link.broker, record, books, run, stopped, look)

    def _heed(self, record: Journal) -> None:
        """What was ordered before still stands, unless a person takes it back with this start."""
        if self._resume:
            word = Command(at_ns=self._link.now_ns, kind=CommandKind.RESUME, note="--resume")
            act(self._engine, word, self._link.broker, record)
        elif self._engine.state.halts.command is not None:
            ordered = self._engine.state.halts.command.value
            self._say(f"{ordered} still stands: nothing is opened; start with --resume to take it back")

    def _start(self, today: date) -> Relived | None:
        """A warm engine, at the journal's end where there is one."""
        run = self._settings.run
        history = self._link.history(
            before=self._first_day or today,
            sessions=run.warm_up_sessions,
            daily_sessions=run.warm_up_daily_sessions,
        )
        self._engine.warm_up(history.minutes(), history.daily())
        if self._first_day is None:
            return None
        began = clock.seconds()
        lived = relive(self._engine, recorded(self._path))
        self._say(f"{self._path}: {lived.events:,} events recalled in {clock.seconds() - began:.2f} s")
        return lived


@contextmanager
def _closing(open_journal: OpenJournal) -> Iterator[SqliteJournal]:
    record = open_journal()
    try:
        yield record
    finally:
        record.close()


def table(findings: Findings | None) -> str:
    """What the reconciliation found, a line a position and an order."""
    if findings is None or not findings.rows:
        return "reconciled: no positions and no open orders on either side"
    rows = [("", "our book", "the broker", "")]
    rows += [(one.subject, one.ours, one.theirs, one.finding) for one in findings.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "reconciled:\n" + "\n".join(line.rstrip() for line in lines)
