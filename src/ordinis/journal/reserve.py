"""Room on the disk that is kept for exits: given back when the disk is full, so that they are still written down."""

from __future__ import annotations

import os
from pathlib import Path

from ordinis.domain.errors import JournalError

_MEGABYTE = 2**20


class Reserve:
    """A file beside the journal, really written: a sparse one would keep nothing. 0 megabytes: none."""

    def __init__(self, journal: Path, megabytes: int) -> None:
        self._file = journal.with_name(f"{journal.name}.reserve")
        self._megabytes = megabytes
        self.released = False

    def take(self) -> None:
        """Errors: JournalError when there is no room for it, which is the time to say so."""
        size = self._megabytes * _MEGABYTE
        if not size or (self._file.exists() and self._file.stat().st_size == size):
            return
        try:
            with self._file.open("wb") as file:
                for _ in range(self._megabytes):
                    file.write(b"\xa5" * _MEGABYTE)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._file.unlink(missing_ok=True)
            raise JournalError(
                f"{self._file}: no room for a reserve of {self._megabytes} MB ({error}); free some space"
            ) from error

    def release(self) -> bool:
        """Give the room back; False where there was none."""
        if not self._file.exists():
            return False
        self._file.unlink()
        self.released = True
        return True
