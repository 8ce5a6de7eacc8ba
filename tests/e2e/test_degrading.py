"""What stops entries while exits go on: an account blocked in mid-session, a person's word that still stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.trading import NUMBER, TRADES_EVERY_MINUTE, Paper, paper_account
from ordinis import app
from ordinis.brokers.simulated.faults.kinds import AccountBlocked, RefuseOrder
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.events import Command, CommandKind, OrderUpdate
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose
from ordinis.journal.recorded import Step, recorded
from ordinis.journal.writer import Durability, SqliteJournal


def traded(paper: Paper, folder: Path, patch: pytest.MonkeyPatch, *, resume: bool = False) -> list[str]:
    """One session, and what was said."""
    for name, value in paper.keys.items():
        patch.setenv(name, value)
    said: list[str] = []
    settings = paper.settings(folder, *TRADES_EVERY_MINUTE)
    app.run_account(settings, "paper", ask=lambda question: "", say=said.append, sessions_max=1, resume=resume)
    return said


def steps_of(folder: Path) -> list[Step]:
    return list(recorded(folder / "journals" / f"paper-{NUMBER}.journal"))


def sent(steps: list[Step], purpose: Purpose) -> list[OrderIntent]:
    orders = [one for _, decision in steps for one in decision.actions if isinstance(one, OrderIntent)]
    return [one for one in orders if one.purpose is purpose]


def test_a_blocked_account_stops_entries_and_not_exits_and_is_looked_at_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with paper_account(AccountBlocked(field="account_blocked", from_minute=6, minutes=6), minutes=24) as paper:
        said = traded(paper, tmp_path, monkeypatch)
    steps = steps_of(tmp_path)
    views = [(place, event) for place, (event, _) in enumerate(steps) if isinstance(event, AccountView)]
    assert [view.account_blocked for _, view in views] == [False, True, False]
    blocked, free = views[1][0], views[2][0]
    assert sent(steps[:blocked], Purpose.ENTRY)
    assert sent(steps[blocked:free], Purpose.ENTRY) == []
    assert sent(steps[blocked:free], Purpose.EXIT), "tried all the same: the broker may take it again"
    assert sent(steps[free:], Purpose.ENTRY)
    alarms = [line for line in said if "entries are stopped: the broker reports account_blocked" in line]
    assert len(alarms) == 1
    assert any("refused: 40310000 account is blocked from trading" in line for line in said)
    assert any("what stopped entries in the broker's figures is over" in line for line in said)
    assert paper.exchange.positions == ()


def test_a_refusal_of_another_cause_leaves_no_view_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with paper_account(RefuseOrder(side="buy"), minutes=8) as paper:
        traded(paper, tmp_path, monkeypatch)
    steps = steps_of(tmp_path)
    statuses = [event.status for event, _ in steps if isinstance(event, OrderUpdate)]
    assert OrderStatus.REJECTED in statuses
    assert sum(isinstance(event, AccountView) for event, _ in steps) == 1


def test_a_person_s_word_stands_until_a_person_takes_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with paper_account(minutes=10, days=3) as paper:
        traded(paper, tmp_path, monkeypatch)
        first = steps_of(tmp_path)
        order(tmp_path, CommandKind.REDUCE, first)
        said = traded(paper, tmp_path, monkeypatch)
        second = steps_of(tmp_path)[len(first) :]
        assert "reduce still stands: nothing is opened; start with --resume to take it back" in said
        said = traded(paper, tmp_path, monkeypatch, resume=True)
        third = steps_of(tmp_path)[len(first) + len(second) :]
    assert any("reduce lifted (--resume)" in line for line in said)
    assert [len(sent(steps, Purpose.ENTRY)) > 0 for steps in (first, second, third)] == [True, False, True]


def order(folder: Path, kind: CommandKind, steps: list[Step]) -> None:
    """A word that was taken in while nobody traded."""
    path = folder / "journals" / f"paper-{NUMBER}.journal"
    command = Command(at_ns=steps[-1][0].at_ns, kind=kind)
    with SqliteJournal(path, meta={"symbols": '["AAA", "BBB", "CCC"]'}, durability=Durability.FULL) as journal:
        journal.append(command, Decision())
