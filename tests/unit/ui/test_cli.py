"""The command line: quick, plain about mistakes, and with an exit code to branch on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ordinis.config import Settings, load
from ordinis.domain.errors import JournalError, OrdinisError
from ordinis.runtime.build import BUILD
from ordinis.ui.commands import journal as journal_commands
from ordinis.ui.commands import run as run_command
from ordinis.ui.options import SETTINGS_FILE

Ordinis = Callable[..., tuple[int, str, str]]
BARS = "symbol,timestamp,open,high,low,close,volume\n" + "".join(
    f"AAPL,2025-01-02T14:{minute}:00Z,10,10,10,10,100\n" for minute in range(30, 40)
)
HEAVY = ("numpy", "pandas", "pyarrow", "pydantic", "alpaca", "rich", "starlette", "plotly", "exchange_calendars")


@pytest.mark.parametrize(("option", "says"), [("--help", "backtest"), ("--version", f"({BUILD})")])
def test_what_asks_for_no_run_imports_nothing_heavy(option: str, says: str) -> None:
    """It answers in under 0.35 s: any one of these would take most of that."""
    code = (
        "import sys; from ordinis.ui import cli\n"
        f"try:\n    cli.main(['{option}'])\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert says in told.stdout
    assert told.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize(
    "command",
    [
        *(["init"], ["backtest"], ["run"], ["why"], ["demo"], ["config", "show"], ["config", "keys"]),
        *(["data", "import"], ["data", "list"], ["data", "check"], ["broker", "serve"]),
        *(["journal", "digest"], ["journal", "export"]),
        *(["strategies", "list"], ["strategies", "new"], ["strategies", "check"]),
    ],
)
def test_every_command_explains_itself(ordinis: Ordinis, command: list[str]) -> None:
    code, out, _ = ordinis(*command, "--help")
    assert (code, out.startswith("Usage: ")) == (0, True)


def test_a_written_settings_file_is_found_and_can_be_loaded(ordinis: Ordinis) -> None:
    assert ordinis("init")[0] == 0
    assert load(SETTINGS_FILE) == Settings()
    code, out, _ = ordinis("config", "show", "--set", "account.cash_usd=50000")
    assert (code, out.splitlines()[0]) == (0, "# ordinis.toml")
    assert "cash_usd = 50000" in out


def test_init_does_not_replace_a_file_unasked(ordinis: Ordinis) -> None:
    Path("mine.toml").write_text("# mine\n", encoding="utf-8")
    code, _, err = ordinis("init", "mine.toml")
    assert (code, "--replace" in err) == (2, True)
    assert Path("mine.toml").read_text(encoding="utf-8") == "# mine\n"
    assert ordinis("init", "mine.toml", "--replace")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["config", "show", "--set", "risk.cash_buffer_fraction=2"], 2, "must be in [0, 1), was 2; did you mean 0.02?"),
        (["config", "show", "--config", "none.toml"], 2, "there is no settings file none.toml"),
        (["data", "check", "none.csv"], 3, "none.csv does not exist"),
        (["journal", "digest", "none.journal"], 5, "none.journal"),
        (["why", "AAPL"], 5, "run `ordinis backtest` first"),
        (["run"], 2, "data.symbols is empty"),
        (["run", "--sim", "--live"], 2, "exclude each other: name one"),
        (["run", "--sim", "--broker", "none.json"], 2, "--broker none.json: cannot be read"),
        (["run", "--day", "2013-02-28", "--speed", "60"], 2, "--day and --speed only with --sim"),
        (["run", "--data", "mine"], 2, "--data only with --sim"),
        (["run", "--sim", "--sessions", "2"], 2, "--sessions only with paper and live accounts"),
        (["run", "--sim", "--resume"], 2, "--resume only with paper and live accounts"),
        (["start"], 2, "the trader did not start: data.symbols is empty"),
        (["start", "--paper", "--live"], 2, "--paper and --live exclude each other: name one"),
        (["doctor", "--paper", "--live"], 2, "--paper and --live exclude each other: name one"),
        (["start", "--set", "run.state_dir=a_file"], 2, "run.state_dir: "),
        (["backtest", "--data", "bundled", "--set", "data.store_dir=a_file"], 3, "a_file cannot be written"),
        (["data", "import", "bars.csv", "--set", "data.store_dir=a_file/x"], 3, "x cannot be written"),
        (["data", "import", "bars.csv", "--feed", "ipx"], 2, 'data.feed must be one of "sip", "iex", was "ipx"'),
        (["demo", "--out", "a_file"], 3, "bars cannot be written"),
        (["backtest", "--data", "bundled", "--journal", "a_file/x"], 5, "a_file/x: its folder cannot be made"),
        (["backtest", "--data", "bundled", "--set", "journal.dir=a_file"], 5, "its folder cannot be made"),
        (["backtest", "--data", "bundled", "--to", "2000-01-01"], 3, "has no session up to 2000-01-01: it holds"),
        (["backtest", "--data", "bundled", "--set", "strategies.files=no.py"], 2, "there is no strategy file no.py"),
        (["strategies", "new", "mine", "--dir", "a_file"], 2, "--dir a_file cannot be made"),
        (["journal", "digest", "."], 5, ". is a folder, not a journal"),
        (["rules", "--held", "AAPL=5"], 2, "name the list (--count FILE), too"),
        (["rebalance", "--dry-run", "--data", "bundled", "--at", "1990-01-02T10:00"], 3, "begins after that minute"),
        (["run", "--set", "broker.mode=live"], 2, "live trading needs --live on the command line"),
        (["parity", "2025-01-15", "--journal", "none.journal"], 5, "none.journal"),
        (["backtest", "--data", "x", "--from", "2025"], 2, "2025 is not a day; write it as 2025-01-15"),
        (["backtest", "--data", "x", "--png"], 2, "give the report a folder (--report DIR), too"),
        (["backtest"], 2, "Missing option '--data'"),
        (["bakctest"], 2, "No such command 'bakctest'"),
    ],
)
def test_a_mistake_gives_a_message_and_its_code(
    ordinis: Ordinis, arguments: list[str], code: int, message: str
) -> None:
    Path("a_file").touch()
    Path("bars.csv").write_text(BARS, encoding="utf-8")
    left, out, err = ordinis(*arguments)
    assert (left, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_what_stands_in_a_file_does_not_steer_the_terminal(ordinis: Ordinis) -> None:
    Path("bars.csv").write_text("symbol,\x1b[2J\x07\nAAPL,1\n", encoding="utf-8")
    code, _, err = ordinis("data", "check", "bars.csv")
    assert (code, "it has symbol, ?[2J?" in err) == (3, True)


def test_init_says_how_a_file_of_another_name_is_shown(ordinis: Ordinis) -> None:
    assert "`ordinis config show --config mine.toml`" in ordinis("init", "mine.toml")[1]
    assert "`ordinis config show`" in ordinis("init")[1]


def _raise(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(journal_commands, "digest_line", fail)


def test_a_defect_leaves_one_line_and_a_file_with_the_traceback(
    ordinis: Ordinis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _raise(monkeypatch, ZeroDivisionError("one by nought"))
    code, _, err = ordinis("journal", "digest", "x")
    assert (code, len(err.splitlines()), "ZeroDivisionError: one by nought" in err) == (1, 1, True)
    (crash,) = tmp_path.rglob("crash-*.txt")
    assert str(crash) in err
    assert "Traceback" in crash.read_text(encoding="utf-8")


def test_ctrl_c_leaves_with_130(ordinis: Ordinis, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(monkeypatch, KeyboardInterrupt())
    assert ordinis("journal", "digest", "x") == (130, "", "")


def test_an_error_of_ours_leaves_with_its_own_code(ordinis: Ordinis, monkeypatch: pytest.MonkeyPatch) -> None:
    _raise(monkeypatch, JournalError("torn"))
    assert ordinis("journal", "digest", "x") == (JournalError.exit_code, "", "ordinis: torn\n")


def _classes(root: type[OrdinisError]) -> list[type[OrdinisError]]:
    return [root, *(one for child in root.__subclasses__() for one in _classes(child))]


def test_the_page_of_exit_codes_is_the_error_tree() -> None:
    page = (Path(__file__).parents[3] / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    errors = page.partition("| otherwise ")[0]
    rows = [line.split("|") for line in errors.splitlines() if line.startswith("| `")]
    written = {(row[1].strip(" `"), int(row[2])) for row in rows}
    ours = {
        (one.__name__, one.exit_code) for one in _classes(OrdinisError) if one.__module__ == "ordinis.domain.errors"
    }
    assert written == ours


def test_why_asks_the_latest_journal_unless_another_is_named(ordinis: Ordinis, tmp_path: Path) -> None:
    for age, name in ((2, "late"), (1, "early")):
        path = tmp_path / f"{name}.journal"
        path.write_bytes(b"")
        os.utime(path, (age, age))
    _, _, err = ordinis("why", "AAPL", "--set", f"journal.dir={tmp_path}")
    assert "late.journal" in err
    _, _, err = ordinis("why", "AAPL", "--journal", "early.journal")
    assert "early.journal" in err


def test_output_that_finds_no_room_is_a_full_disk_and_no_defect() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from ordinis.ui.cli import main; main()", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == JournalError.exit_code
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_log_without_room_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trader in the background says its alarms into a file: on the disk that is full."""
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115
    monkeypatch.setattr(sys, "stderr", full)
    run_command._say("the disk is full")
    with pytest.raises(OSError, match="No space left"):
        full.close()  # It was tried.
