"""Trading a real account, paper or live: the same engine over the same wire, only the address differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

from ordinis.app.accounts import Mode, check_account, check_meant, endpoints, only_trader
from ordinis.app.going_on import GoingOn
from ordinis.app.processes import running
from ordinis.app.watch import Say
from ordinis.app.wire import WireBooks
from ordinis.config import folders
from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError
from ordinis.domain.events import SessionPhase
from ordinis.domain.market import Universe
from ordinis.domain.standing import AccountStanding
from ordinis.journal.coding import Kind
from ordinis.journal.entries import open_journal
from ordinis.journal.reserve import Reserve
from ordinis.journal.writer import Durability, SqliteJournal, make_folder
from ordinis.research.backtest import Run
from ordinis.research.result import BacktestResult
from ordinis.runtime import clock

Ask = Callable[[str], str]


def run_account(
    settings: Settings,
    mode: Mode,
    *,
    yes: bool = False,
    ask: Ask,
    say: Say,
    journal: Path | None = None,
    sessions_max: int | None = None,
    resume: bool = False,
) -> BacktestResult:
    """Trade until somebody stops it, or for so many sessions. Its journal is always gone on with, never replaced.

    `resume`: a person takes back what was ordered before, and every limit that has latched.

    Errors: OrdinisError; ConfigError and AccountError before anything is sent.
    """
    universe = _universe(settings)
    if mode == "live":
        typed = None if yes else ask(f"This trades real money. Type the account's number to go on ({mode})")
        check_meant(settings, yes=yes, typed=typed)
    standing = look_at_account(settings, mode)
    check_account(standing, settings, mode)
    path = journal or folders.journal_dir(settings) / f"{mode}-{standing.number}.journal"
    with only_trader(settings, standing.number) as folder, running(folder, mode, standing.number, path):
        say(f"{mode} account {standing.number}, {standing.equity_usd:,.2f} USD; journal {path}")
        return _traded(settings, mode, universe, standing, path, say, sessions_max, resume)


def look_at_account(settings: Settings, mode: Mode) -> AccountStanding:
    """What the broker says of the account behind the key. Errors: BrokerError."""
    from ordinis.brokers.alpaca.checkup import Checkup

    with Checkup(endpoints(settings, mode), Random(settings.run.seed)) as checkup:
        return checkup.account


def _universe(settings: Settings) -> Universe:
    if not settings.data.symbols:
        raise ConfigError(
            'data.symbols is empty: name the symbols to trade, for example data.symbols = ["SPY", "AAPL"]'
        )
    return Universe(settings.data.symbols)


def _traded(
    settings: Settings,
    mode: Mode,
    universe: Universe,
    standing: AccountStanding,
    path: Path,
    say: Say,
    sessions_max: int | None,
    resume: bool,
) -> BacktestResult:
    from ordinis.brokers.alpaca.live import LiveLink
    from ordinis.brokers.alpaca.times import date_in_new_york

    broker, run = settings.broker, _run(mode, standing, path)
    with LiveLink(
        endpoints(settings, mode),
        universe,
        feed=settings.data.feed,
        generator=Random(settings.run.seed),
        wall_seconds=clock.seconds,
        say=say,
        speed=broker.clock_speed,
        deadline_seconds=broker.slice_deadline_seconds,
        requests_reserved=broker.requests_reserved,
        sessions_max=sessions_max,
    ) as link:
        going = GoingOn(settings, universe, settings.data.feed, link, path, first_day(path), say, resume=resume)
        today = date_in_new_york(link.now_ns)
        return going.trade(today, lambda: _journal(settings, universe, mode, path), run, WireBooks(link.broker))


def first_day(path: Path) -> date | None:
    """Of the journal's first session; None where nothing was written yet."""
    if not path.exists():
        return None
    with open_journal(path) as journal:
        first = next(journal.entries(Kind.PHASE), None)
        return first.event.session.date if first is not None and isinstance(first.event, SessionPhase) else None


def _journal(settings: Settings, universe: Universe, mode: Mode, path: Path) -> SqliteJournal:
    make_folder(path)
    meta = {
        "symbols": json.dumps(universe.symbols),
        "data": mode,
        "data_label": f"{settings.data.feed} bars of the {mode} account",
        "settings": json.dumps(settings.plain(), sort_keys=True),
    }
    return SqliteJournal(
        path,
        meta=meta,
        durability=Durability.FULL,
        record_slices=True,
        reserve=Reserve(path, settings.journal.reserve_mb),
    )


def _run(mode: Mode, standing: AccountStanding, path: Path) -> Run:
    return Run(
        data=mode,
        data_label=f"account {standing.number}",
        synthetic=False,
        fill_model="the broker's own",
        start_usd=float(standing.equity_usd),
        journal=path,
    )
