from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ordinis.app import BUNDLED, run_simulation
from ordinis.app.rebalances import Proposal, propose_rebalance, rebalance_by_journal
from ordinis.config import load
from ordinis.domain.decision import Reason, RebalanceLine, RebalancePlan
from ordinis.domain.errors import ConfigError
from ordinis.journal import reading
from ordinis.journal.entries import open_journal
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.ui.cli import _run
from ordinis.ui.commands.rebalance import rendered


def line(symbol: str, current: float, target: float, quantity: str, reason: Reason) -> RebalanceLine:
    return RebalanceLine(
        symbol=symbol,
        current=current,
        most=0.2,
        target=target,
        quantity=Decimal(quantity),
        notional_usd=1_500.0 if quantity != "0" else 0.0,
        cost_usd=0.3 if quantity != "0" else 0.0,
        reason=reason,
    )


PLAN = RebalancePlan(
    triggers=("asked",),
    method="mean_variance",
    rung="active_set",
    lines=(line("AAPL", 0.15, 0.12, "-10", Reason.SENT), line("IBM", 0.10, 0.10, "0", Reason.HOLD)),
    entries={"MSFT": 0.05},
    volatility_before=0.16,
    volatility_after=0.15,
)


def test_a_plan_is_a_table_and_a_picture() -> None:
    proposal = Proposal(at_ns=1_736_955_000 * 10**9, equity_usd=50_000.0, data_label="real minutes", plan=PLAN)
    lines = rendered(proposal).splitlines()
    assert lines[0] == "2025-01-15 10:30 New York, equity $50,000.00 (real minutes); mean_variance by active_set"
    assert lines[2].split() == ["AAPL", "15.00%", "20.00%", "12.00%", "-10", "1,500.00", "0.30", "cut"]
    assert lines[3].endswith("the minimum hold is not over")
    assert lines[4] == "MSFT     may be entered, at most   5.00%"
    assert lines[6] == f"AAPL     {'█' * 24}{'░' * 6}  15.00% -> 12.00%"  # Of 30: 12 / 15 stay.
    assert lines[-1] == "turnover 3.00% of equity, cost $0.30; forecast volatility 16.00% before, 15.00% after"


def test_what_is_added_stands_in_the_table_and_in_the_picture() -> None:
    grown = msgspec.structs.replace(PLAN, lines=(line("AAPL", 0.10, 0.15, "10", Reason.SENT),))
    lines = rendered(Proposal(at_ns=0, equity_usd=1.0, data_label="x", plan=grown)).splitlines()
    assert lines[2].split()[-2:] == ["added", "to"]
    assert lines[5] == f"AAPL     {'█' * 20}{'▓' * 10}  10.00% -> 15.00%"


def test_a_book_without_anything_says_so() -> None:
    empty = RebalancePlan(
        triggers=("asked",),
        method="mean_variance",
        rung="hold",
        lines=(),
        entries={},
        volatility_before=math.nan,
        volatility_after=math.nan,
    )
    assert "nothing to rebalance" in rendered(Proposal(at_ns=0, equity_usd=1.0, data_label="x", plan=empty))


def test_a_rebalance_is_only_ever_asked_about_from_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["rebalance", "--data", "bundled"]) == ConfigError.exit_code
    assert "--dry-run" in capsys.readouterr().err


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A day over the wire, and the settings that say where its bars are."""
    folder = tmp_path_factory.mktemp("traded")
    where = [f"data.store_dir={folder / 'bars'}", f"journal.dir={folder}"]
    journal = folder / "day.journal"
    settings = load(None, [*where, "account.cash_usd=50000"])
    run_simulation(settings, data=BUNDLED, day=date(2012, 9, 13), journal=journal)
    return journal, where


def plans_without_orders(journal: Path) -> list[tuple[int, RebalancePlan]]:
    """Of a book with holdings: what the trader planned itself, in minutes that changed nothing."""
    with open_journal(journal) as record:
        return [
            (entry.at_ns, entry.decision.plan)
            for entry in record.entries()
            if entry.decision.plan is not None and entry.decision.plan.lines and not entry.decision.actions
        ]


def test_the_trader_s_journal_says_what_the_trader_planned(traded: tuple[Path, list[str]]) -> None:
    journal, where = traded
    plans = plans_without_orders(journal)
    assert len(plans) >= 3
    for at_ns, plan in plans[:: max(1, len(plans) // 3)]:
        proposal = rebalance_by_journal(journal, load(None, where), at_ns)
        assert proposal.at_ns == at_ns
        assert msgspec.structs.replace(proposal.plan, triggers=plan.triggers) == plan


def test_a_trader_that_writes_is_not_in_the_way_and_nothing_is_written(traded: tuple[Path, list[str]]) -> None:
    journal, where = traded
    digest = reading.digest(journal)
    with open_journal(journal) as record:
        meta = record.meta
    writer = SqliteJournal(journal, meta=meta, durability=Durability.FULL)
    try:
        assert rebalance_by_journal(journal, load(None, where)).plan.triggers == ("asked",)
    finally:
        writer.close()
    assert reading.digest(journal) == digest


def test_the_latest_journal_is_asked_unless_another_is_named(
    traded: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    journal, where = traded
    options = [part for one in where for part in ("--set", one)]
    assert _run(["rebalance", "--dry-run", *options]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2012-09-13 16:00 New York, equity $")
    assert _run(["rebalance", "--dry-run", "--journal", str(journal), *options]) == 0
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--journal", "some.journal", "--data", "bundled"], "--data and --journal name two books"),
        (["--journal", "none.journal"], "none.journal"),
        (["--at", "2031-01-15T10:31"], "ends before that minute"),
    ],
)
def test_what_cannot_be_asked_is_said(
    traded: tuple[Path, list[str]], arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [part for one in traded[1] for part in ("--set", one)]
    assert _run(["rebalance", "--dry-run", *options, *arguments]) != 0
    assert words in capsys.readouterr().err


def test_where_rebalancing_is_off_there_is_no_plan() -> None:
    with pytest.raises(ConfigError, match=r"rebalance.enabled is false"):
        propose_rebalance(load(None, ["rebalance.enabled=false"]), data="bundled")
