"""One writer a journal. The lock is the operating system's: it ends with the process, however that dies."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ordinis.domain.errors import JournalError
from ordinis.journal.schema import WRITER_KEY, read_meta

if TYPE_CHECKING:
    from filelock import BaseFileLock


def take_writer_lock(path: Path) -> BaseFileLock:
    """Held until released; `JournalError` names the holder when it is not free."""
    from filelock import FileLock, Timeout  # Readers never pay for this import.

    if not path.parent.is_dir():
        raise JournalError(f"{path}: its folder does not exist. Make the folder, or name another file")
    lock = FileLock(f"{path}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise JournalError(
            f"{path} is being written by {_holder(path)}. Stop that run first, or name another file"
        ) from error
    except OSError as error:
        raise JournalError(
            f"{path} cannot be locked for writing ({error}). Make its folder writable, or name another file"
        ) from error
    return lock


def this_process() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"


def _holder(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return read_meta(connection)[WRITER_KEY]
    except (sqlite3.Error, KeyError):
        return "another process"  # It has the lock and has not yet written its name.
