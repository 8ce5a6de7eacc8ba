"""A trader in the background: start it, ask how it is, stop it. All it leaves is in its state folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ordinis.config.folders import make_state_dir, state_dir
from ordinis.config.settings import Settings
from ordinis.domain.errors import (
    AccountError,
    BrokerError,
    ConfigError,
    DataError,
    JournalError,
    OrdinisError,
    StrategyError,
)
from ordinis.runtime import clock

PROCESS_FILE = "trader.json"
LOG_FILE = "trader.log"
_KINDS: dict[int | None, type[OrdinisError]] = {
    kind.exit_code: kind
    for kind in (OrdinisError, ConfigError, DataError, StrategyError, JournalError, BrokerError, AccountError)
}


class Trader(msgspec.Struct, frozen=True, kw_only=True):
    """One trader, as its state folder tells."""

    mode: str
    account: str
    journal: str
    process: int
    alive: bool = False
    events: int = 0
    last_event: str | None = None  # Its time, in New York.
    log: str = ""


@contextmanager
def running(folder: Path, mode: str, account: str, journal: Path) -> Iterator[None]:
    """Say who trades, for as long as it does. The lock, not this file, keeps others away."""
    told = Trader(mode=mode, account=account, journal=str(journal), process=os.getpid(), log=str(folder / LOG_FILE))
    file = folder / PROCESS_FILE
    file.write_bytes(msgspec.json.encode(told))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def traders(settings: Settings) -> list[Trader]:
    """All that have run here and were not stopped in order, the living and the dead."""
    return [_with_news(_read(file), file.parent) for file in sorted(state_dir(settings).glob(f"*/{PROCESS_FILE}"))]


def _read(file: Path) -> Trader:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Trader)
    except (OSError, msgspec.MsgspecError) as error:
        raise AccountError(f"{file} cannot be read ({error}): remove it if no trader runs") from error


def _with_news(told: Trader, folder: Path) -> Trader:
    events, last = _last_event(Path(told.journal))
    alive = not _lock_is_free(folder)
    return msgspec.structs.replace(told, alive=alive, events=events, last_event=last)


def _lock_is_free(folder: Path) -> bool:
    """A dead process holds no lock, whatever number its successor got."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "trader.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return False
    lock.release()
    return True


def _last_event(journal: Path) -> tuple[int, str | None]:
    from ordinis.journal.entries import open_journal
    from ordinis.journal.times import new_york_text

    if not journal.exists():
        return 0, None
    with open_journal(journal) as reader:
        last = reader.last()
    return (0, None) if last is None else (last[0], new_york_text(last[1]))


def start(settings: Settings, arguments: Sequence[str], *, seconds_max: float = 60.0) -> Trader:
    """Run `ordinis run ARGUMENTS` in a process of its own, and return once it trades.

    Errors: OrdinisError; where it did not start, of the kind that it left with.
    """
    log = make_state_dir(settings) / LOG_FILE
    known = {one.process for one in traders(settings) if one.alive}
    with log.open("ab") as out:
        command = [sys.executable, "-c", "from ordinis.ui.cli import main; main()", "run", *arguments]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = clock.seconds() + seconds_max
    while clock.seconds() < deadline and process.poll() is None:
        for one in traders(settings):
            if one.alive and one.process == process.pid and one.process not in known:
                return msgspec.structs.replace(one, log=str(log))
        clock.sleep(0.1)
    left = process.poll()
    if left is None:
        process.terminate()
    raise _KINDS.get(left, AccountError)(f"the trader did not start: {_last_words(log)}; all it said is in {log}")


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("ordinis: ") if lines else "it said nothing"


def stop(settings: Settings, *, seconds_max: float = 30.0) -> list[Trader]:
    """Ask every trader of this machine to stop between two events; those that were stopped. Errors: AccountError."""
    found = [one for one in traders(settings) if one.alive]
    for one in found:
        with suppress(ProcessLookupError):
            os.kill(one.process, signal.SIGINT)
    deadline = clock.seconds() + seconds_max
    while any(one.alive for one in traders(settings)):
        if clock.seconds() > deadline:
            numbers = ", ".join(str(one.process) for one in found)
            raise AccountError(f"process {numbers} did not stop within {seconds_max:g} s; look at its log")
        clock.sleep(0.1)
    return found
