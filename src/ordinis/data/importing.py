"""Files of bars -> the quality gate -> the store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ordinis.data.actions import read_actions, within, write_actions
from ordinis.data.calendar import session_table
from ordinis.data.dataset import actions_file
from ordinis.data.findings import Finding, QualityReport, Severity, worst_first
from ordinis.data.quality import check
from ordinis.data.reading import Stamped, read_bars
from ordinis.data.store import REAL, BarStore, DataSet, Source
from ordinis.data.table import PRICES, BarTable, concatenate, session_dates
from ordinis.domain.errors import DataError
from ordinis.domain.events import CorporateAction
from ordinis.domain.market import MINUTE_NS, Array, DailyBlock, FloatArray, MarketBlock, Session, Universe

FILE_SETS = ".files"  # Sets made of files that were named directly; hidden from the list of names.


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The set as it was stored, and what the gate said on the way."""

    data: DataSet
    report: QualityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """One line of the list of sets."""

    name: str
    label: str
    feed: str
    symbols: int
    sessions: int
    first: str  # ISO date; empty where there are no minutes.
    last: str
    bars: int
    daily: str
    actions: int = 0  # Corporate actions kept with it.


def import_files(
    paths: Sequence[Path],
    *,
    name: str,
    store: BarStore,
    timezone: str | None = None,
    feed: str = "sip",
    stamped: Stamped = "start",
    symbol: str | None = None,
    accept: Collection[str] = (),
    replace_set: bool = False,
    actions: Path | None = None,
) -> Imported:
    """Read files of minutes, of daily bars or of both, pass them through the gate and store them as one set.

    `timezone` names the zone of times without one, `stamped` whether a bar's time is its start or its
    end, `symbol` the symbol of files without that column, `accept` the kinds of refusal to let pass.
    `actions` is a file of corporate actions to keep with the set; without one those that it has are known.
    Raises DataError for a file that cannot be read and for every refusal.
    """
    tables = _read(paths, timezone, stamped, symbol)
    beside = actions_file(store.root, name)
    known = read_actions(actions or beside) if actions or beside.is_file() else ()
    report = check(*tables, actions=known).accepting(accept)
    report.require_good(", ".join(path.name for path in paths))
    good = [table.take(keep) for table, keep in zip(tables, report.kept, strict=True)]
    minutes = next((table for table in good if not table.daily and table.rows), None)
    daily = next((table for table in good if table.daily and table.rows), None)
    universe = _universe(minutes, daily, paths)
    report = _without_minutes(report, minutes, daily)
    data = store.write(
        name,
        symbols=universe.symbols,
        blocks=() if minutes is None else _blocks(minutes, universe),
        daily=None if daily is None else _daily(daily, universe),
        feed=feed,
        label=REAL if minutes is not None else "real daily bars",
        synthetic=False,
        sources=[Source(file=path.name, sha256=file_sha256(path)) for path in paths],
        notes=[str(finding) for finding in report.findings],
        replace=replace_set,
    )
    if actions is not None:
        write_actions(beside, known)
    return Imported(data=data, report=report)


def import_actions(path: Path, data: DataSet, *, replace_table: bool = False) -> tuple[CorporateAction, ...]:
    """Keep a file of corporate actions with a set; those of its symbols. Errors: DataError."""
    if data.actions_file.is_file() and not replace_table:
        raise DataError(
            f"{data.name} has corporate actions already ({len(data.actions())}): replace them all (--replace)"
        )
    found = within(read_actions(path), symbols=data.symbols)
    if not found:
        raise DataError(f"{path} has no corporate action of any symbol of {data.name}: {', '.join(data.symbols[:20])}")
    write_actions(data.actions_file, found)
    return found


def check_files(
    paths: Sequence[Path],
    *,
    timezone: str | None = None,
    stamped: Stamped = "start",
    symbol: str | None = None,
    actions: Path | None = None,
) -> QualityReport:
    """What the gate would say; nothing is stored. Raises DataError only for files that cannot be read."""
    known = () if actions is None else read_actions(actions)
    return check(*_read(paths, timezone, stamped, symbol), actions=known)


def open_data(reference: str, store: BarStore, feed: str = "sip") -> DataSet:
    """A set by its name, or a file by its path: that is imported once, behind the gate, and kept by its content.

    What is kept of a file can be named, too, as a journal names it.

    `feed` says whose bars a file holds; a set knows that of itself.

    Raises DataError where it is neither, or where the gate refuses the file.
    """
    path, cache = Path(reference).expanduser(), BarStore(store.root / FILE_SETS)
    if reference in cache.names():
        return cache.open(reference)
    if reference in store.names() or not path.is_file():
        _explain_missing(path, reference, store)
        return store.open(reference)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-") or "file"
    name = f"{stem}-{feed}-{file_sha256(path)[:16]}"
    try:
        return cache.open(name)
    except DataError:  # Not there yet, damaged, or of another version: the file itself is at hand.
        return import_files([path], name=name, store=cache, feed=feed, replace_set=True).data


def describe(store: BarStore) -> list[SetRow]:
    """A line a set, by name. A damaged set is a line too: its label says what is wrong."""
    return [_set_row(store, name) for name in store.names()]


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _explain_missing(path: Path, reference: str, store: BarStore) -> None:
    looks_like_a_file = path.suffix.lower() in {".csv", ".parquet", ".pq"} or "/" in reference
    if looks_like_a_file and reference not in store.names():
        raise DataError(f"{path} does not exist; give a file of bars, or a data set's name")


def _read(paths: Sequence[Path], timezone: str | None, stamped: Stamped, symbol: str | None) -> list[BarTable]:
    """One table of minutes, one of daily bars, or both."""
    if not paths:
        raise DataError("no file was given to import")
    tables = [read_bars(path, timezone=timezone, stamped=stamped, symbol=symbol) for path in paths]
    kinds = ([table for table in tables if table.daily == daily] for daily in (False, True))
    return [concatenate(kind) for kind in kinds if kind]


def _universe(minutes: BarTable | None, daily: BarTable | None, paths: Sequence[Path]) -> Universe:
    """The symbols that have minutes; where there are none, those that have daily bars."""
    table = minutes or daily
    if table is None:
        raise DataError(f"{', '.join(path.name for path in paths)}: no usable bar is left; see the findings")
    return Universe(tuple(table.symbols[code] for code in np.unique(table.symbol)))


def _without_minutes(report: QualityReport, minutes: BarTable | None, daily: BarTable | None) -> QualityReport:
    if minutes is None or daily is None:
        return report
    lacking = sorted({*daily.symbols} - {*minutes.symbols})
    if not lacking:
        return report
    note = Finding(
        severity=Severity.NOTE,
        kind="no_minutes",
        symbol=", ".join(lacking[:4]),
        count=len(lacking),
        explanation="symbols with daily bars but no minutes are left out of the set",
    )
    return replace(report, findings=worst_first((*report.findings, note)))


def _blocks(table: BarTable, universe: Universe) -> Iterator[MarketBlock]:
    """The sessions that have a bar, oldest first, as dense blocks."""
    calendar = session_table()
    column = _columns(table, universe)
    session = calendar.last_opened(table.start_ns)
    order = np.argsort(session, kind="stable")
    held, starts = np.unique(session[order], return_index=True)
    for index, rows in zip(held.tolist(), np.split(order, starts[1:]), strict=True):
        yield _block(table, calendar.sessions[index], rows, column, universe)


def _block(table: BarTable, session: Session, rows: Array, column: Array, universe: Universe) -> MarketBlock:
    shape = (session.minutes, len(universe))
    minute = (table.start_ns[rows] - session.open_ns) // MINUTE_NS
    at = (minute, column[table.symbol[rows]])
    prices = {name: _dense(shape, at, getattr(table, name)[rows], np.nan) for name in PRICES}
    return MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1, dtype=np.int64),
        volume=_dense(shape, at, table.volume[rows], 0.0),
        present=~np.isnan(prices["close"]),
        **prices,
    )


def _daily(table: BarTable, universe: Universe) -> DailyBlock:
    column = _columns(table, universe)
    table = table.take(column[table.symbol] >= 0)
    dates, row = np.unique(session_dates(table), return_inverse=True)
    shape, at = (len(dates), len(universe)), (row, column[table.symbol])
    prices = {name: _dense(shape, at, getattr(table, name), np.nan) for name in PRICES}
    volume = _dense(shape, at, table.volume, 0.0)
    return DailyBlock(universe=universe, dates=tuple(dates.tolist()), volume=volume, **prices)


def _columns(table: BarTable, universe: Universe) -> Array:
    """From a table's symbol codes to columns; -1 for symbols that are not in the set."""
    return np.array([universe.column.get(symbol, -1) for symbol in table.symbols], dtype=np.int64)


def _dense(shape: tuple[int, int], at: tuple[Array, Array], values: FloatArray, empty: float) -> FloatArray:
    dense = np.full(shape, empty)
    dense[at] = values
    return dense


def _set_row(store: BarStore, name: str) -> SetRow:
    try:
        data = store.open(name)
    except DataError as error:
        return SetRow(name=name, label=str(error), feed="", symbols=0, sessions=0, first="", last="", bars=0, daily="")
    sessions = data.sessions
    return SetRow(
        name=name,
        label=data.label,
        feed=data.feed,
        symbols=len(data.symbols),
        sessions=len(sessions),
        first=str(sessions[0].date) if sessions else "",
        last=str(sessions[-1].date) if sessions else "",
        bars=data.bars,
        daily=data.manifest.daily,
        actions=len(data.actions()),
    )
