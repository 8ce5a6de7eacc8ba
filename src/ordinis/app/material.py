"""What a run is made of: the data set, the sessions, the history before them, the journal it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ordinis.config import folders
from ordinis.config.settings import Settings
from ordinis.data.actions import read_actions, within
from ordinis.data.adjusting import adjusted_daily, adjusted_minutes
from ordinis.data.bundled import bundled_data
from ordinis.data.dataset import DataSet
from ordinis.data.importing import open_data as open_reference
from ordinis.data.store import BarStore
from ordinis.domain.errors import DataError
from ordinis.domain.events import CorporateAction
from ordinis.domain.market import DailyBlock, MarketBlock, Universe
from ordinis.journal.writer import Durability, SqliteJournal, discard, make_folder
from ordinis.research.backtest import Run

BUNDLED = "bundled"  # Made at the first use, from daily bars that come with the installation.


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One run's data. `earlier` are the sessions that indicators warm up on, oldest first."""

    settings: Settings
    dataset: DataSet
    universe: Universe
    days: tuple[date, ...]
    earlier: tuple[date, ...]

    def actions(self) -> tuple[CorporateAction, ...]:
        """What companies did to their shares: the file that the settings name, or what is kept with the set."""
        named = self.settings.data.actions_file
        known = read_actions(Path(named).expanduser()) if named else self.dataset.actions()
        return within(known, last=self.days[-1], symbols=self.universe.symbols)

    def blocks(self) -> Iterator[MarketBlock]:
        """The run's sessions, as they were traded."""
        return self.dataset.blocks(self.days[0], self.days[-1], self.universe.symbols)

    def minutes(self) -> Iterator[MarketBlock]:
        """The sessions before the first one, oldest first, in its terms: with `daily`, a `ports.History`."""
        if not self.earlier:
            return iter(())
        blocks = self.dataset.blocks(self.earlier[0], self.earlier[-1], self.universe.symbols)
        return adjusted_minutes(blocks, self.actions(), self.days[0])

    def daily(self) -> DailyBlock:
        """Daily bars before the first session: the newest, as many as the settings warm up on."""
        before = self.dataset.daily(self.universe.symbols).before(self.days[0])
        newest = before.last(self.settings.run.warm_up_daily_sessions)
        return adjusted_daily(newest, self.actions(), self.days[0])

    def run(self, journal: Path) -> Run:
        return Run(
            data=self.dataset.name,
            data_label=self.dataset.label,
            synthetic=self.dataset.synthetic,
            fill_model=self.settings.exchange.fill_model,
            start_usd=float(self.settings.account.cash_usd),
            journal=journal,
        )

    def open_journal(self, path: Path, durability: Durability, *, record_slices: bool = False) -> SqliteJournal:
        """A fresh journal; an earlier run's at the same path is replaced. Errors: JournalError."""
        discard(path)
        return self.continue_journal(path, durability, record_slices=record_slices)

    def continue_journal(self, path: Path, durability: Durability, *, record_slices: bool = False) -> SqliteJournal:
        """An earlier run's journal, to be written on; a fresh one where there is none. Errors: JournalError."""
        make_folder(path)
        meta = {
            "symbols": json.dumps(self.universe.symbols),
            "data": self.dataset.name,
            "data_label": self.dataset.label,
            "data_sha256": self.dataset.content_sha256,
            "settings": json.dumps(self.settings.plain(), sort_keys=True),
        }
        return SqliteJournal(path, meta=meta, durability=durability, record_slices=record_slices)


def store(settings: Settings) -> BarStore:
    return BarStore(folders.store_dir(settings))


def open_data(settings: Settings, reference: str) -> DataSet:
    """A set of the store by name, or a file, which is imported first; `bundled` is made when it is missing."""
    if reference == BUNDLED:
        return bundled_data(store(settings))
    return open_reference(reference, store(settings), feed=settings.data.feed)


def gather(settings: Settings, reference: str, first: date | None = None, last: date | None = None) -> Material:
    """The sessions from `first` to `last`, both included; None is the data's own end. Errors: DataError."""
    dataset = open_data(settings, reference)
    days = [session.date for session in dataset.sessions]
    chosen = [day for day in days if (first is None or day >= first) and (last is None or day <= last)]
    if not chosen:
        held = f"it holds {days[0]} to {days[-1]}" if days else "it holds no minutes"
        asked = " ".join(f"{word} {day}" for word, day in (("from", first), ("up to", last)) if day is not None)
        raise DataError(f"data set {dataset.name} has no session{' ' * bool(asked)}{asked}: {held}")
    earlier = [day for day in days if day < chosen[0]]
    count = settings.run.warm_up_sessions
    return Material(
        settings=settings,
        dataset=dataset,
        universe=Universe(settings.data.symbols or dataset.symbols),
        days=tuple(chosen),
        earlier=tuple(earlier[len(earlier) - min(count, len(earlier)) :]),
    )


def journal_path(settings: Settings, given: Path | None, name: str) -> Path:
    return given or folders.journal_dir(settings) / f"{name}.journal"
