from __future__ import annotations

import math
from decimal import Decimal

import pytest

from ordinis.app.rebalances import Proposal, propose_rebalance
from ordinis.config import load
from ordinis.domain.decision import Reason, RebalanceLine, RebalancePlan
from ordinis.domain.errors import ConfigError
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


def test_where_rebalancing_is_off_there_is_no_plan() -> None:
    with pytest.raises(ConfigError, match=r"rebalance.enabled is false"):
        propose_rebalance(load(None, ["rebalance.enabled=false"]), data="bundled")
