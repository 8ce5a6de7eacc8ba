"""A recorded run, and the engine that made it, from its journal alone: a reader, which can stop no trade."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Self

from pydantic import ValidationError

from ordinis.app import material as materials
from ordinis.app.accounts import Mode, endpoints
from ordinis.app.build import build_engine
from ordinis.config.settings import Settings
from ordinis.domain.errors import JournalError
from ordinis.domain.events import SessionPhase
from ordinis.domain.market import Universe
from ordinis.engines.trading import TradingEngine
from ordinis.journal.coding import Kind
from ordinis.journal.entries import open_journal
from ordinis.ports import History

_ACCOUNTS: tuple[Mode, ...] = ("paper", "live")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """What a journal says of its run. `settings` are those it last ran under, with today's bar store."""

    path: Path
    settings: Settings
    universe: Universe
    data: str  # The set's name, or the mode of an account.
    data_label: str
    days: tuple[date, ...]  # Of its sessions, ascending.

    @classmethod
    def read(cls, path: Path, current: Settings) -> Self:
        """`current` says where bars are now. Errors: JournalError."""
        with open_journal(path) as journal:
            meta, symbols = journal.meta, journal.symbols
            phases = [entry.event for entry in journal.entries(Kind.PHASE)]
        settings = recorded_settings(meta, path)
        store = settings.data.model_copy(update={"store_dir": current.data.store_dir})
        return cls(
            path=path,
            settings=settings.model_copy(update={"data": store}),
            universe=Universe(symbols),
            data=meta["data"],
            data_label=meta["data_label"],
            days=tuple(sorted({event.session.date for event in phases if isinstance(event, SessionPhase)})),
        )

    def warm_engine(self, current: Settings) -> tuple[TradingEngine, str]:
        """The engine as it was before the journal's first event, and its feed; `current` says where keys are now.

        Errors: OrdinisError.
        """
        feed, history = self._history(current)
        engine = build_engine(self.settings, self.universe, feed)
        engine.warm_up(history.minutes(), history.daily())
        return engine, feed

    def _history(self, current: Settings) -> tuple[str, History]:
        """What the run was warmed up on: from the store, or from the account's own broker."""
        settings, first = self.settings, self.days[0]
        mode = next((one for one in _ACCOUNTS if one == self.data), None)
        if mode is None:
            material = materials.gather(settings, self.data, first, first)
            return material.dataset.feed, material
        from ordinis.brokers.alpaca.history import AlpacaHistory
        from ordinis.brokers.alpaca.rest import RestLimits, data_client, trading_client

        at, limits = endpoints(current, mode), RestLimits()
        return settings.data.feed, AlpacaHistory(
            trading_client(at, limits),
            data_client(at, limits),
            self.universe,
            before=first,
            sessions=settings.run.warm_up_sessions,
            daily_sessions=settings.run.warm_up_daily_sessions,
            limits=limits,
            generator=Random(settings.run.seed),
            feed=settings.data.feed,
        )


def recorded_settings(meta: Mapping[str, str], path: Path) -> Settings:
    """What a journal's run was set to. Errors: JournalError."""
    text = meta.get("settings")
    if text is None:
        raise JournalError(f"{path} does not name its settings: it was not written by a run")
    try:
        return Settings.model_validate(json.loads(text), strict=False)  # A journal holds decimals and dates as text.
    except (ValidationError, ValueError) as error:
        raise JournalError(
            f"{path}: its settings are of another version of the program; read it with that one"
        ) from error
