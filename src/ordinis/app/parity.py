"""`ordinis parity`: a journal's day again, through the backtest, under the settings it ran with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

from ordinis.app import material as materials
from ordinis.app.accounts import Mode, endpoints
from ordinis.app.build import build_engine, build_exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.config.settings import Settings
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.errors import DataError
from ordinis.domain.events import Event, SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice, Universe
from ordinis.engines.trading import TradingEngine
from ordinis.journal.coding import Kind
from ordinis.journal.entries import open_journal
from ordinis.journal.recorded import Step, recorded
from ordinis.ports import History
from ordinis.research.parity import Difference, compare, told
from ordinis.runtime.loop import trade

_ACCOUNTS: tuple[Mode, ...] = ("paper", "live")


def compare_day(path: Path, day: date, current: Settings) -> list[Difference]:
    """Where that day of a journal differs from its replay; empty where nothing does.

    The replay begins with the journal, so that the day begins with the positions it had. `current` says where bars and
    keys are now. Errors: DataError for a day that the journal does not have.
    """
    with open_journal(path) as journal:
        meta, symbols = journal.meta, journal.symbols
        phases = [entry.event for entry in journal.entries(Kind.PHASE)]
    days = sorted({event.session.date for event in phases if isinstance(event, SessionPhase)})
    if day not in days:
        held = f"it has {days[0]} to {days[-1]}" if days else "it holds none yet"
        raise DataError(f"{path} has no session {day}: {held}")
    settings = Settings.model_validate_json(meta["settings"], strict=False)
    settings = settings.model_copy(
        update={"data": settings.data.model_copy(update={"store_dir": current.data.store_dir})}
    )
    steps = [*_until(recorded(path), day)]
    universe, first = Universe(symbols), days[0]
    feed, history = _history(settings, current, meta["data"], universe, first)
    engine = build_engine(settings, universe, feed)
    engine.warm_up(history.minutes(), history.daily())
    return compare(told(steps, day), told(_replayed(engine, settings, universe, feed, steps), day))


def _until(steps: Iterator[Step], day: date) -> Iterator[Step]:
    for event, decision in steps:
        if isinstance(event, SessionPhase) and event.session.date > day:
            return
        yield event, decision


def _history(settings: Settings, current: Settings, data: str, universe: Universe, first: date) -> tuple[str, History]:
    """What the run was warmed up on: from the store, or from the account's own broker."""
    mode = next((one for one in _ACCOUNTS if one == data), None)
    if mode is None:
        material = materials.gather(settings, data, first, first)
        return material.dataset.feed, material
    from ordinis.brokers.alpaca.history import AlpacaHistory
    from ordinis.brokers.alpaca.rest import RestLimits, data_client, trading_client

    at, limits = endpoints(current, mode), RestLimits()
    return settings.data.feed, AlpacaHistory(
        trading_client(at, limits),
        data_client(at, limits),
        universe,
        before=first,
        sessions=settings.run.warm_up_sessions,
        daily_sessions=settings.run.warm_up_daily_sessions,
        limits=limits,
        generator=Random(settings.run.seed),
        feed=settings.data.feed,
    )


class _Kept:
    """A journal that is only looked at."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def append(self, event: Event, decision: Decision) -> None:
        self.steps.append((event, decision))

    def close(self) -> None:
        """Nothing was written."""


def _replayed(
    engine: TradingEngine, settings: Settings, universe: Universe, feed: str, steps: list[Step]
) -> list[Step]:
    account = next((event for event, _ in steps if isinstance(event, AccountView)), None)
    cash_usd = settings.account.cash_usd if account is None else account.cash_usd
    begun = settings.model_copy(update={"account": settings.account.model_copy(update={"cash_usd": cash_usd})})
    exchange, kept = build_exchange(begun, universe, feed), _Kept()
    trade(engine, SimulatedMarket(exchange, _blocks(steps)), SimulatedBroker(exchange), kept, lambda: False)
    return kept.steps


def _blocks(steps: list[Step]) -> Iterator[MarketBlock]:
    """Each recorded block once."""
    last: MarketBlock | None = None
    for event, _ in steps:
        if isinstance(event, MarketSlice) and event.block is not last:
            last = event.block
            yield last
