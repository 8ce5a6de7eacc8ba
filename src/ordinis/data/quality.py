"""The quality gate: tables of bars in, a report out. It finds and names; it never mends a price.

What each kind means, and what to do: docs/data.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ordinis.data.findings import BadRow, Finding, QualityReport, Severity, worst_first
from ordinis.data.quality_jumps import DaySeries, check_agreement, check_intraday, check_overnight, day_series
from ordinis.data.quality_rows import check_duplicates, check_order, check_values
from ordinis.data.quality_times import check_daily_times, check_minute_times, check_missing, place
from ordinis.data.table import BarTable, concatenate
from ordinis.domain.events import CorporateAction
from ordinis.domain.market import BoolArray, IntArray

__all__ = ["BadRow", "Finding", "QualityReport", "Severity", "check"]


def check(*tables: BarTable, actions: Sequence[CorporateAction] = ()) -> QualityReport:
    """Look through at most one table of minutes and one of daily bars. Pure: the same tables, the same report.

    `actions` are what is known of the symbols: a jump that a split explains is no finding, and a split that
    the prices do not show is one. Rows that cannot be used are left out of `kept`, and named.
    Raises DataError only for dates that the exchange calendar does not reach.
    """
    findings: list[Finding] = []
    kept: list[BoolArray] = []
    series: dict[bool, DaySeries] = {}
    for table in tables:
        found, keep, session = _check_one(table)
        findings += found
        kept.append(keep)
        if keep.any():
            series[table.daily] = day_series(table.take(keep), session[keep])
    findings += _check_jumps(series, actions)
    rows = sum(table.rows for table in tables)
    return QualityReport(rows=rows, findings=worst_first(findings), kept=tuple(kept))


def _check_one(table: BarTable) -> tuple[list[Finding], BoolArray, IntArray]:
    placed = place(table)
    found, bad = check_values(table)
    again, copies = check_duplicates(table)
    timely, untimely = (check_daily_times if table.daily else check_minute_times)(table, placed)
    keep = ~(bad | copies | untimely)
    findings = [*timely, *found, *again, *check_order(table), *check_missing(table, placed, keep)]
    if not table.daily and keep.any():
        findings += check_intraday(table.take(keep), placed.session[keep])
    return findings, keep, placed.session


def _check_jumps(series: dict[bool, DaySeries], actions: Sequence[CorporateAction]) -> list[Finding]:
    if len(series) < 2:
        return [finding for one in series.values() for finding in check_overnight(one, actions)]
    minutes, daily = series[False], series[True]
    return [*check_agreement(minutes, daily), *check_overnight(_merged(daily, minutes), actions)]


def _merged(daily: DaySeries, minutes: DaySeries) -> DaySeries:
    """The daily bars, and those of the minutes for the sessions that have none: what a run will see."""
    table = concatenate((daily.table.take(daily.row), minutes.table.take(minutes.row)))
    session = np.concatenate((daily.session, minutes.session))
    close = np.concatenate((daily.close, minutes.close))
    order = np.lexsort((np.arange(len(session)) >= len(daily.row), session, table.symbol))
    symbol, day = table.symbol[order], session[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (symbol[1:] != symbol[:-1]) | (day[1:] != day[:-1])
    at = order[new]
    return DaySeries(
        table, at.astype(np.int64), table.symbol[at], session[at], table.open[at], close[at], table.adjusted_close[at]
    )
