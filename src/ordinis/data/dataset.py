"""One set of the store: what it is, its minutes and its daily bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import msgspec
import numpy as np

from ordinis.data.actions import read_actions, within
from ordinis.data.daily import cut_symbols
from ordinis.data.parquet import read_columns, read_daily
from ordinis.domain.errors import DataError
from ordinis.domain.events import CorporateAction
from ordinis.domain.market import MINUTE_NS, DailyBlock, FloatArray, IntArray, MarketBlock, Session, Universe

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
DAILY = "daily.parquet"
REAL = "real minutes"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a set was made from."""

    file: str  # Its name, without the folder.
    sha256: str


class StoredSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a set, as it was when it was written: the set can be read without the calendar."""

    session: Session
    bars: int  # Bars present, of minutes x symbols.

    @property
    def file(self) -> str:
        return f"{self.session.date}.parquet"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a set is. `symbols` are in the order of the columns."""

    schema_version: int
    name: str
    symbols: tuple[str, ...]
    feed: str
    label: str
    synthetic: bool
    daily: str  # Where the daily bars come from: "imported", "from minutes" or both.
    sources: tuple[Source, ...]
    notes: tuple[str, ...]  # What the quality gate said of it.
    content_sha256: str
    sessions: tuple[StoredSession, ...]


class DataSet:
    """A set of the store, open for reading. Nothing but the manifest is read before it is asked for."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.universe = Universe(manifest.symbols)

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def label(self) -> str:
        return self.manifest.label

    @property
    def synthetic(self) -> bool:
        return self.manifest.synthetic

    @property
    def feed(self) -> str:
        return self.manifest.feed

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.manifest.symbols

    @property
    def content_sha256(self) -> str:
        """Of the bars alone: equal bars give an equal digest, whatever the set is called."""
        return self.manifest.content_sha256

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that have minutes, oldest first."""
        return tuple(stored.session for stored in self.manifest.sessions)

    @property
    def bars(self) -> int:
        """All bars present."""
        return sum(stored.bars for stored in self.manifest.sessions)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the quality gate said when the set was imported: a line a finding, the worst first."""
        return self.manifest.notes

    def blocks(
        self, first: date | None = None, last: date | None = None, symbols: Sequence[str] | None = None
    ) -> Iterator[MarketBlock]:
        """The sessions from `first` to `last`, both included, oldest first; all `[minutes x symbols]`, read-only.

        Every minute of a session is a row, also those without a bar. `symbols` picks columns, in that
        order. Raises DataError for a symbol the set does not have and for a file that cannot be read.
        """
        universe, columns = self._columns(symbols)
        return self._read_blocks(first or date.min, last or date.max, universe, columns)

    def daily(self, symbols: Sequence[str] | None = None) -> DailyBlock:
        """Daily bars: the imported ones where given, otherwise made of the set's own regular-session minutes."""
        universe, columns = self._columns(symbols)
        block = read_daily(self.folder / DAILY, self.universe)
        return block if columns is None else cut_symbols(block, universe, columns)

    @property
    def actions_file(self) -> Path:
        """Where the set's corporate actions are, if it has any: beside the set, so that they outlive a new import."""
        return actions_file(self.folder.parent, self.name)

    def actions(self, first: date | None = None, last: date | None = None) -> tuple[CorporateAction, ...]:
        """Corporate actions with an ex-date from `first` to `last`, both included, of the set's symbols, by date."""
        if not self.actions_file.is_file():
            return ()
        return within(read_actions(self.actions_file), first, last, self.symbols)

    def _read_blocks(
        self, first: date, last: date, universe: Universe, columns: list[int] | None
    ) -> Iterator[MarketBlock]:
        for stored in self.manifest.sessions:
            if first <= stored.session.date <= last:
                yield self._read_block(stored, universe, columns)

    def _read_block(self, stored: StoredSession, universe: Universe, columns: list[int] | None) -> MarketBlock:
        session = stored.session
        arrays = read_columns(self.folder / stored.file, (session.minutes, len(self.universe)))
        if columns is not None:
            arrays = [_read_only(np.ascontiguousarray(array[:, columns])) for array in arrays]
        present = ~np.isnan(arrays[3])
        present.flags.writeable = False
        return MarketBlock(
            universe=universe,
            session=session,
            closed_at_ns=_closes(session),
            open=arrays[0],
            high=arrays[1],
            low=arrays[2],
            close=arrays[3],
            volume=arrays[4],
            present=present,
        )

    def _columns(self, symbols: Sequence[str] | None) -> tuple[Universe, list[int] | None]:
        """None for all columns as they are: the arrays are then handed out without a copy."""
        if symbols is None or tuple(symbols) == self.symbols:
            return self.universe, None
        for symbol in symbols:
            if symbol not in self.universe.column:
                raise self._unknown(symbol)
        return Universe(tuple(symbols)), [self.universe.column[symbol] for symbol in symbols]

    def _unknown(self, symbol: str) -> DataError:
        near = get_close_matches(symbol.upper(), self.symbols, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(self.symbols[:20])}"
        return DataError(f"the data set {self.name} has no symbol {symbol}; {hint}")


def actions_file(root: Path, name: str) -> Path:
    """The corporate actions of a set of that name."""
    return root / ".actions" / f"{name}.csv"


def read_manifest(path: Path) -> Manifest:
    """Raises DataError for one that is damaged or of another version."""
    try:
        raw = path.read_bytes()
        version = msgspec.json.decode(raw, type=dict[str, object]).get("schema_version")
        if version != SCHEMA_VERSION:
            raise DataError(
                f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}: import it again"
            )
        return msgspec.json.decode(raw, type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path} cannot be read ({error}): the set is damaged, import it again") from error


def _closes(session: Session) -> IntArray:
    closes = np.arange(session.open_ns + MINUTE_NS, session.close_ns + 1, MINUTE_NS, dtype=np.int64)
    closes.flags.writeable = False
    return closes


def _read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array
