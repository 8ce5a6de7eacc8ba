"""Sections that count: what holding times and slippage came to, in figures beside their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ordinis.engines.ledger import ZERO
from ordinis.engines.performance.statistics import win_rate
from ordinis.research.report import counts, markup
from ordinis.research.report.markup import Column
from ordinis.research.report.numbers import number, percent, usd
from ordinis.research.report.source import ReportSource, Slip, Trade


def holding_times(source: ReportSource) -> str:
    if not source.trades:
        return ""
    columns = [Column("Held"), *(Column(title, number=True) for title in ("Trades", "Win rate", "Result"))]
    rows = (
        [name, f"{len(group):,}", percent(win_rate([trade.trip for trade in group])), usd(_result_usd(group))]
        for name, group in zip(counts.HELD, counts.held_groups(source.trades), strict=True)
        if group
    )
    return markup.section("How long positions were held", markup.table(columns, rows))


def _result_usd(group: Sequence[Trade]) -> Decimal:
    return sum((trade.trip.pnl_usd for trade in group), start=ZERO)


def slippage(source: ReportSource) -> str:
    if not source.slips:
        return ""
    titles = ("Orders", "Traded", "Mean, bps", "Worst, bps", "Cost")
    columns = [Column("Order"), Column("Size"), *(Column(title, number=True) for title in titles)]
    rows = (
        _slips(kind, size, group)
        for kind, groups in counts.slip_groups(source.slips)
        for size, group in zip(counts.NOTIONALS, groups, strict=True)
        if group
    )
    return markup.section(
        "Slippage",
        markup.paragraph(
            "What orders filled at, against the price they were decided on: the last price that the decision knew, or a"
            " stop's own. It holds the spread and what the price did in between; below zero is better than decided."
        ),
        markup.table(columns, rows),
    )


def _slips(kind: str, size: str, group: Sequence[Slip]) -> list[str]:
    return [
        kind,
        size,
        f"{len(group):,}",
        usd(sum(slip.notional_usd for slip in group)),
        number(counts.mean_bps(group)),
        number(max(slip.bps for slip in group)),
        usd(sum(slip.cost_usd for slip in group)),
    ]
