"""`ordinis parity`: a journal's day again, through the backtest, under the settings it ran with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from ordinis.app.build import build_exchange
from ordinis.app.recorded_runs import RecordedRun
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.config.settings import Settings
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.errors import DataError
from ordinis.domain.events import Event, SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice
from ordinis.engines.trading import TradingEngine
from ordinis.journal.recorded import Step, recorded
from ordinis.research.parity import Difference, compare, told
from ordinis.runtime.loop import trade


def compare_day(path: Path, day: date, current: Settings) -> list[Difference]:
    """Where that day of a journal differs from its replay; empty where nothing does.

    The replay begins with the journal, so that the day begins with the positions it had. `current` says where bars and
    keys are now. Errors: DataError for a day that the journal does not have.
    """
    run = RecordedRun.read(path, current)
    if day not in run.days:
        held = f"it has {run.days[0]} to {run.days[-1]}" if run.days else "it holds none yet"
        raise DataError(f"{path} has no session {day}: {held}")
    steps = [*_until(recorded(path), day)]
    engine, feed = run.warm_engine(current)
    return compare(told(steps, day), told(_replayed(engine, run, feed, steps), day))


def _until(steps: Iterator[Step], day: date) -> Iterator[Step]:
    for event, decision in steps:
        if isinstance(event, SessionPhase) and event.session.date > day:
            return
        yield event, decision


class _Kept:
    """A journal that is only looked at."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def append(self, event: Event, decision: Decision) -> None:
        self.steps.append((event, decision))

    def close(self) -> None:
        """Nothing was written."""


def _replayed(engine: TradingEngine, run: RecordedRun, feed: str, steps: list[Step]) -> list[Step]:
    settings = run.settings
    account = next((event for event, _ in steps if isinstance(event, AccountView)), None)
    cash_usd = settings.account.cash_usd if account is None else account.cash_usd
    begun = settings.model_copy(update={"account": settings.account.model_copy(update={"cash_usd": cash_usd})})
    exchange, kept = build_exchange(begun, run.universe, feed), _Kept()
    trade(engine, SimulatedMarket(exchange, _blocks(steps)), SimulatedBroker(exchange), kept, lambda: False)
    return kept.steps


def _blocks(steps: list[Step]) -> Iterator[MarketBlock]:
    """Each recorded block once."""
    last: MarketBlock | None = None
    for event, _ in steps:
        if isinstance(event, MarketSlice) and event.block is not last:
            last = event.block
            yield last
