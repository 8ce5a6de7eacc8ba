"""What the doctor says before a session: each fault stands on the wire, and is named with its remedy."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from e2e.trading import Paper, paper_account
from ordinis.app.accounts import endpoints
from ordinis.app.doctor import Check, examine
from ordinis.brokers.alpaca.checkup import Checkup
from ordinis.brokers.simulated.faults.kinds import AccountBlocked, EmptyList, Fault, HttpError, MissingField
from ordinis.ui import cli

SECOND_NS = 10**9


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def checks(paper: Paper, folder: Path, patch: pytest.MonkeyPatch, *more: str, **asked: Any) -> dict[str, Check]:
    """By name."""
    for name, value in paper.keys.items():
        patch.setenv(name, value)
    return {one.name: one for one in examine(paper.settings(folder, *more), "paper", **asked)}


FAULTS: list[tuple[Fault, str, str, int, str]] = [
    (AccountBlocked(field="account_blocked"), "account", "fault", 7, "it is blocked: ask Alpaca's support why"),
    (AccountBlocked(), "account", "fault", 7, "trading is blocked: look for a margin call"),
    (
        AccountBlocked(field="status"),
        "account",
        "fault",
        7,
        "its status is ACTION_REQUIRED: finish what Alpaca's dashboard asks for",
    ),
    (EmptyList(where="/v2/calendar"), "session", "warn", 0, "closed today: nothing is traded until its next session"),
    (
        MissingField(where="/v2/assets/BBB", field="tradable"),
        "symbol BBB",
        "fault",
        2,
        "BBB cannot be traded at the broker: take it out of data.symbols",
    ),
    (HttpError(path="/v2/account", status=500, count=0), "account", "fault", 6, "the broker failed: HTTP 500"),
    (MissingField(where="/v2/clock", field="timestamp"), "clock", "fault", 6, "clock cannot be read"),
]


@pytest.mark.parametrize(("fault", "name", "verdict", "exit_code", "said"), FAULTS)
def test_what_is_wrong_at_the_broker_is_named_with_its_remedy(
    fault: Fault, name: str, verdict: str, exit_code: int, said: str, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    with paper_account(fault) as paper:
        found = checks(paper, tmp_path, patch)[name]
    assert (found.verdict, found.exit_code) == (verdict, exit_code)
    assert said in found.found


def test_an_account_whose_owner_has_suspended_it_is_named(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    with paper_account() as paper:
        for name, value in paper.keys.items():
            patch.setenv(name, value)
        with Checkup(endpoints(paper.settings(tmp_path), "paper"), Random(1)) as checkup:
            checkup._client.patch("/account/configurations", {"suspend_trade": True})
        found = checks(paper, tmp_path, patch)["account"]
    assert (found.verdict, found.exit_code) == ("fault", 7)
    assert "trading is suspended by its owner: lift suspend_trade" in found.found


CASH: dict[str, Any] = {"regime": "cash", "multiplier": 1}
COUNTED: dict[str, Any] = {"regime": "pattern_day_trader"}
KINDS: list[tuple[dict[str, Any], tuple[str, ...], str, str]] = [
    (CASH, (), "fault", "the broker calls the account cash: set compliance.regime = 'cash'"),
    (
        CASH,
        ("compliance.regime=cash", "account.multiplier=1", "tiers.standard.max_portfolio_leverage=1"),
        "good",
        "cash",
    ),
    ({}, ("compliance.regime=cash", "account.multiplier=1"), "fault", "is cash, the broker's multiplier is 2"),
    (COUNTED, (), "warn", "still counts day trades, the settings do not: set compliance.regime = 'pattern_day_trader'"),
    (COUNTED, ("compliance.regime=pattern_day_trader",), "good", "pattern_day_trader, multiplier 2"),
    ({"multiplier": 1}, (), "warn", "max_portfolio_leverage is 1.5, the broker lends less"),
    ({"cash_usd": Decimal(10_000), "multiplier": 1}, (), "good", "multiplier 1"),
    ({}, ("risk.shorting_allowed=true",), "warn", "this account may not sell short: switch it off"),
    ({"shorting_enabled": True}, ("risk.shorting_allowed=true",), "good", "intraday_margin"),
]


@pytest.mark.parametrize(("account", "settings", "verdict", "said"), KINDS)
def test_an_account_of_the_wrong_kind_is_named(
    account: dict[str, Any],
    settings: tuple[str, ...],
    verdict: str,
    said: str,
    tmp_path: Path,
    patch: pytest.MonkeyPatch,
) -> None:
    with paper_account(**account) as paper:
        found = checks(paper, tmp_path, patch, *settings)["account type"]
    assert (found.verdict, said in found.found, found.exit_code) == (verdict, True, 7 if verdict == "fault" else 0), (
        found
    )


@pytest.mark.parametrize(("off_seconds", "verdict"), [(3.5, "warn"), (-3.5, "warn"), (0.0, "good")])
def test_a_clock_that_is_off_by_seconds_is_named(
    off_seconds: float, verdict: str, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    """Nobody listens, so the broker's time stands: what its clock says is what it said a moment ago."""
    with paper_account() as paper:
        for name, value in paper.keys.items():
            patch.setenv(name, value)
        with Checkup(endpoints(paper.settings(tmp_path), "paper"), Random(1)) as checkup:
            theirs_ns = checkup.now_ns()
        found = checks(paper, tmp_path, patch, wall_ns=lambda: theirs_ns + int(off_seconds * SECOND_NS))["clock"]
    assert found.verdict == verdict
    assert verdict == "good" or f"is {off_seconds:+.1f} s off the broker's clock" in found.found
    assert verdict == "good" or found.found.endswith("turn time synchronisation on")


def test_the_command_leaves_with_the_first_fault_s_code_and_goes_on_asking(
    tmp_path: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with paper_account(AccountBlocked()) as paper:
        for name, value in paper.keys.items():
            patch.setenv(name, value)
        options = [f"--set={one}" for one in paper.given(tmp_path, 'data.symbols=["AAA","ZZZ"]')]
        with pytest.raises(SystemExit) as left:
            cli.main(["doctor", "--json", *options])
    assert left.value.code == 7
    verdicts = {one["name"]: one["verdict"] for one in json.loads(capsys.readouterr().out)}
    assert (verdicts["account"], verdicts["symbol AAA"], verdicts["symbol ZZZ"]) == ("fault", "good", "fault")
