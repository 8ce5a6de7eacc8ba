"""The bar store: a folder a set, one dense block a session, daily bars beside.

    ROOT/NAME/manifest.json          what it is, where it came from, which sessions it holds
    ROOT/NAME/2025-01-02.parquet     columns open, high, low, close, volume; rows minute-major: the first
                                     minute of every symbol, then the second. NaN and 0 where there is no bar.
    ROOT/NAME/daily.parquet          the same columns and `date`, every session of every symbol

Rows are in the order in which they are read, so a column becomes `[minutes x symbols]` without a copy.
A set is written in a folder of its own and renamed when it is complete: there is never half a set.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec
import numpy as np
from filelock import FileLock

from ordinis.data.daily import DailyBuilder
from ordinis.data.dataset import (
    DAILY,
    MANIFEST,
    REAL,
    SCHEMA_VERSION,
    DataSet,
    Manifest,
    Source,
    StoredSession,
    read_manifest,
)
from ordinis.data.parquet import write_block, write_daily
from ordinis.domain.errors import DataError
from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock, Universe

__all__ = ["REAL", "BarStore", "DataSet", "Manifest", "Source", "check_name"]


class BarStore:
    """All sets under one folder, which is made at the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        if not self.root.is_dir():
            return ()
        folders = (one for one in self.root.iterdir() if not one.name.startswith("."))
        return tuple(sorted(one.name for one in folders if (one / MANIFEST).is_file()))

    def open(self, name: str) -> DataSet:
        """Raises DataError where there is no such set, or where it cannot be read."""
        if name not in self.names():
            raise self._unknown(name)
        return DataSet(self.root / name, read_manifest(self.root / name / MANIFEST))

    def write(
        self,
        name: str,
        *,
        symbols: Sequence[str],
        blocks: Iterable[MarketBlock],
        daily: DailyBlock | None = None,
        feed: str,
        label: str,
        synthetic: bool,
        sources: Sequence[Source] = (),
        notes: Sequence[str] = (),
        replace: bool = False,
    ) -> DataSet:
        """Write a set; blocks are taken one at a time, oldest first, all over `symbols`.

        `daily` gives the imported daily bars, of any of these symbols. Raises DataError where the name
        cannot be a folder's or is taken and `replace` is False.
        """
        check_name(name)
        target = self.root / name
        if target.exists() and not replace:
            raise DataError(f"a data set {name} exists already; choose another name, or replace it (--replace)")
        folder = self._folder_to_write()
        try:
            stored, origin, digest = _write_bars(folder, Universe(tuple(symbols)), blocks, daily)
            manifest = Manifest(
                schema_version=SCHEMA_VERSION,
                name=name,
                symbols=tuple(symbols),
                feed=feed,
                label=label,
                synthetic=synthetic,
                daily=origin,
                sources=tuple(sources),
                notes=tuple(notes),
                content_sha256=digest,
                sessions=stored,
            )
            (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
            with FileLock(self.root / ".lock"):  # Two programs may make the same set at once.
                _move_into_place(folder, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return DataSet(target, manifest)

    def _folder_to_write(self) -> Path:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=self.root, prefix=".writing-"))
        except OSError as error:
            raise DataError(
                f"the bar store {self.root} cannot be written ({error}); make it writable, or name another folder "
                "(data.store_dir)"
            ) from error

    def _unknown(self, name: str) -> DataError:
        names = self.names()
        if not names:
            return DataError(f"there is no data set {name}: the store {self.root} is empty; import one first")
        near = get_close_matches(name, names, n=3, cutoff=0.4) or list(names)
        return DataError(f"there is no data set {name} in {self.root}; did you mean {' or '.join(near[:8])}?")


def check_name(name: str) -> None:
    """Raises DataError for a name that is not plain enough to be a folder's."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    if not (plain.isalnum() and plain.isascii()) or name[0] in "-.":
        raise DataError(f"{name!r} cannot name a data set: use letters, digits, '_', '-' and '.', not '-' or '.' first")


def _write_bars(
    folder: Path, universe: Universe, blocks: Iterable[MarketBlock], imported: DailyBlock | None
) -> tuple[tuple[StoredSession, ...], str, str]:
    """Write all files but the manifest. Returns the sessions, where daily bars came from, the content's digest."""
    digest = hashlib.sha256("\n".join(universe.symbols).encode())
    daily = DailyBuilder(universe)
    stored: list[StoredSession] = []
    for block in blocks:
        one = StoredSession(session=block.session, bars=int(block.present.sum()))
        if block.rows != block.session.minutes or block.universe != universe:
            raise ValueError(f"{block.session.date}: a session is stored whole and over the set's own symbols")
        if stored and stored[-1].session.date >= block.session.date:
            raise ValueError(f"sessions are written oldest first, {block.session.date} came late")
        write_block(folder / one.file, block)
        _digest(digest, str(block.session), block.open, block.high, block.low, block.close, block.volume)
        daily.add_session(block)
        stored.append(one)
    whole, origin = daily.build(imported)
    write_daily(folder / DAILY, whole)
    _digest(digest, str(whole.dates), whole.open, whole.high, whole.low, whole.close, whole.volume)
    return tuple(stored), origin, digest.hexdigest()


def _digest(digest: hashlib._Hash, head: str, *arrays: FloatArray) -> None:
    digest.update(head.encode())
    for array in arrays:
        digest.update(np.where(np.isnan(array), np.nan, array).data)  # All NaN alike: a NaN has many bit patterns.


def _move_into_place(folder: Path, target: Path) -> None:
    """Rename, so that a reader sees the old set or the new one, never a mixture."""
    if target.exists():
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=".replaced-"))
        target.rename(old / target.name)
        folder.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        folder.rename(target)
    target.chmod(0o755)  # A temporary folder is for its maker's eyes only.
