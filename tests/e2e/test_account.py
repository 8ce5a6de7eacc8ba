"""An account that is traded by itself: the modes, what they refuse, and what the doctor says before."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from contract.days import UNIVERSE, block_of, daily_of
from e2e.trading import NUMBER, SPEED, given
from ordinis import app
from ordinis.app.accounts import check_account, check_meant, endpoints, only_trader
from ordinis.app.doctor import Check, examine
from ordinis.app.rebalances import rebalance_by_journal
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.config import load
from ordinis.config.settings import Settings
from ordinis.domain.errors import AccountError, ConfigError, OrdinisError
from ordinis.domain.standing import AccountStanding
from ordinis.journal import reading
from ordinis.journal.reading import Kind

DEADLINE_S = 60.0


@pytest.fixture(params=[SPEED])
def served(request: pytest.FixtureRequest) -> Iterator[Addresses]:
    data = SimulatedData(days=[block_of(1, 20), block_of(2, 20)], history=[block_of(0, 20)], daily=daily_of(30))
    with serve(Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(50_000))), data, speed=request.param) as running:
        yield running.addresses


@pytest.fixture
def keys(served: Addresses, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    monkeypatch.setenv("APCA_API_KEY_ID", served.key)
    monkeypatch.setenv("APCA_API_SECRET_KEY", served.secret)
    return served


def settings_of(addresses: Addresses, folder: Path, *more: str) -> Settings:
    return load(None, given(addresses, folder, *more))


def quiet(question: str) -> str:
    raise AssertionError(f"nobody is there to answer {question!r}")


def test_a_paper_account_is_traded_for_a_day_and_gone_on_with_the_next(keys: Addresses, tmp_path: Path) -> None:
    said: list[str] = []
    settings = settings_of(keys, tmp_path)
    for sessions in (1, 2):
        result = app.run_account(settings, "paper", ask=quiet, say=said.append, sessions_max=1)
        assert result.sessions == sessions
    journal = tmp_path / "journals" / f"paper-{NUMBER}.journal"
    assert result.journal == str(journal)
    assert reading.counts(journal)["slice"] == 40
    assert any("events recalled" in line for line in said)
    with reading.open_journal(journal) as reader:
        (again,) = [entry.event for entry in reader.entries(Kind.RECONCILIATION)]
    assert msgspec.to_builtins(again).keys() == {"type", "at_ns"}, "both books agree"
    assert app.processes.traders(settings) == []
    proposal = rebalance_by_journal(journal, settings)  # The engine's own history comes from the broker.
    assert (proposal.equity_usd, proposal.data_label) == (50_000.0, "iex bars of the paper account")


@pytest.mark.parametrize("served", [1.0], indirect=True)
def test_a_trader_in_the_background_is_started_asked_and_stopped(keys: Addresses, tmp_path: Path) -> None:
    options = [f"--set={one}" for one in given(keys, tmp_path, "broker.clock_speed=1")]

    def ordinis(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from ordinis.ui.cli import main; main()", *arguments, *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)

    assert (ordinis("status").returncode, ordinis("start", "--silent").stdout) == (3, "")
    second = ordinis("start")
    assert (second.returncode, "is being traded by another process" in second.stderr) == (7, True)
    asked = ordinis("status", "--json")
    (trader,) = json.loads(asked.stdout)
    assert (asked.returncode, trader["mode"], trader["account"], trader["alive"]) == (0, "paper", NUMBER, True)
    assert f"account {NUMBER}: process {trader['process']} has stopped" in ordinis("stop").stdout
    assert ordinis("status").returncode == 3
    assert "no trader runs" in ordinis("stop").stdout


def test_one_trader_an_account(tmp_path: Path) -> None:
    settings = load(None, [f"run.state_dir={tmp_path}"])
    with (
        only_trader(settings, "A"),
        only_trader(settings, "B"),
        pytest.raises(AccountError, match="A is being traded by another process"),
        only_trader(settings, "A"),
    ):
        pass
    with only_trader(settings, "A"):
        pass


@pytest.mark.parametrize(
    ("more", "yes", "typed", "complaint"),
    [
        ([], False, NUMBER, "needs broker.account_number"),
        ([f"broker.account_number={NUMBER}"], False, "SIM", "that is not the account's number"),
        ([f"broker.account_number={NUMBER}"], True, None, "needs broker.live_word"),
        ([f"broker.account_number={NUMBER}", "broker.live_word=yes"], True, None, "needs broker.live_word"),
    ],
)
def test_live_trading_has_to_be_meant(more: list[str], yes: bool, typed: str | None, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        check_meant(load(None, more), yes=yes, typed=typed)


@pytest.mark.parametrize(
    ("yes", "typed", "word"), [(False, NUMBER, ""), (True, None, "i mean live"), (True, None, "I mean live ")]
)
def test_live_trading_that_is_meant_goes_on(yes: bool, typed: str | None, word: str) -> None:
    check_meant(load(None, [f"broker.account_number={NUMBER}", f"broker.live_word={word}"]), yes=yes, typed=typed)


@pytest.mark.parametrize(
    ("standing", "complaint"),
    [
        ({"number": "OTHER"}, "the key is of account OTHER, broker.account_number names"),
        ({"problems": ("it is blocked: ask",)}, "cannot be traded: it is blocked"),
    ],
)
def test_another_account_and_a_blocked_one_are_refused(standing: dict[str, object], complaint: str) -> None:
    found = AccountStanding(
        **{"number": NUMBER, "equity_usd": Decimal(1), "multiplier": 2, "shorting": False, **standing}  # type: ignore[arg-type]
    )
    with pytest.raises(AccountError, match=complaint):
        check_account(found, load(None, [f"broker.account_number={NUMBER}"]), "live")


@pytest.mark.parametrize(
    ("mode", "key", "complaint"),
    [("live", "PKABC", "the key is of a paper account"), ("paper", "AKABC", "the key is of a live account")],
)
def test_a_key_of_the_other_kind_is_told_by_its_letters(
    mode: str, key: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", key)
    monkeypatch.setenv("APCA_API_SECRET_KEY", "secret")
    with pytest.raises(ConfigError, match=complaint):
        endpoints(Settings(), mode)  # type: ignore[arg-type]


def checked(settings: Settings, name: str, **more: object) -> Check:
    return next(one for one in examine(settings, "paper", **more) if one.name == name)  # type: ignore[arg-type]


def test_the_doctor_finds_nothing_where_nothing_is_wrong(keys: Addresses, tmp_path: Path) -> None:
    settings = settings_of(keys, tmp_path, "broker.clock_seconds_off_max=1e12")
    verdicts = {one.name: one.verdict for one in examine(settings, "paper")}
    names = [
        "disk",
        "optimizer",
        "keys",
        "account",
        "account type",
        "clock",
        "session",
        "symbol AAA",
        "symbol BBB",
        "symbol CCC",
    ]
    assert verdicts == dict.fromkeys(names, "good")


def test_the_doctor_names_each_fault_with_its_remedy_and_code(
    keys: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = checked(settings_of(keys, tmp_path, 'data.symbols=["AAA","ZZZ"]'), "symbol ZZZ")
    assert (found.verdict, found.exit_code) == ("fault", 2)
    assert "take it out of data.symbols" in found.found
    found = checked(settings_of(keys, tmp_path, "broker.account_number=OTHER"), "account")
    assert (found.exit_code, "use that account's keys" in found.found) == (7, True)
    assert checked(settings_of(keys, tmp_path), "clock").verdict == "warn"
    found = checked(settings_of(keys, tmp_path, "journal.reserve_mb=1000000000"), "disk")
    assert (found.exit_code, "are wanted: free some" in found.found) == (5, True)
    monkeypatch.setenv("APCA_API_SECRET_KEY", "wrong")
    found = checked(settings_of(keys, tmp_path), "account")
    assert (found.exit_code, "refused the key" in found.found, "wrong" in found.found) == (6, True, False)
    monkeypatch.delenv("APCA_API_SECRET_KEY")
    found = checked(settings_of(keys, tmp_path), "keys")
    assert (found.exit_code, "APCA_API_SECRET_KEY is not set" in found.found) == (2, True)


def test_a_simulated_day_repeats_itself_in_the_backtest(tmp_path: Path) -> None:
    """Parity: without faults every decision, order and fill is the same."""
    settings = load(None, [f"data.store_dir={tmp_path / 'bars'}", "account.cash_usd=50000"])
    journal = tmp_path / "a.journal"
    result = app.run_simulation(settings, data=app.BUNDLED, journal=journal)
    day = result.last_session
    assert day is not None
    assert result.entries > 0
    assert app.compare_day(journal, date.fromisoformat(day), settings) == []
    with pytest.raises(OrdinisError, match="has no session 2001-01-02"):
        app.compare_day(journal, date(2001, 1, 2), settings)
