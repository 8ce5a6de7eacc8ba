"""Jumps: splits, crashes, bad prints, and prices that belong to another company.

Overnight jumps are judged on one bar a symbol and session: the daily bars given, else bars made of the
minutes. An adjusted close settles the question; without one the size of the jump has to speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ordinis.data.calendar import session_table
from ordinis.data.findings import Finding, Severity, bad_rows, name_symbols, row_finding
from ordinis.data.table import BarTable, concatenate
from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.domain.market import BoolArray, FloatArray, IntArray

JUMP_MIN = 1.4  # A factor, up or down; 3:2 splits are 1.5, and few stocks move so far in a night.
LASTING_MIN = 1.4  # The close, too, is this far from the close before.
FOREIGN_MIN = 2.0  # Halved or doubled for good overnight, and no split explains it.
SPLITS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50], dtype=np.float64)
SPLIT_TOLERANCE = 0.04  # Prices move while a split takes effect.
ADJUSTED_TOLERANCE = 0.05  # Dividends, too, part an adjusted close from a raw one.
REVERSE_PRICE_MAX_USD = 10.0  # Reverse splits are for cheap shares, which move far when they are done.
GAP_SESSIONS_MAX = 5  # After a longer pause prices may be anywhere.
MINUTE_JUMP_MIN = 1.67
MINUTE_JUMPS_MAX = 3  # A symbol; more are two price series mixed into one.
AGREE_TOLERANCE = 0.05
DISAGREE_SHARE_MAX = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class DaySeries:
    """One bar a symbol and session, by symbol and then session. `row` points into `table`."""

    table: BarTable
    row: IntArray  # Of the session's first bar: what is shown.
    symbol: NDArray[np.int32]
    session: IntArray
    open: FloatArray
    close: FloatArray
    adjusted_close: FloatArray


def day_series(table: BarTable, session: IntArray) -> DaySeries:
    """Open and close of every symbol's sessions. `session` is `[rows]`, an index into the calendar."""
    order = table.order()
    symbol, day = table.symbol[order], session[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (symbol[1:] != symbol[:-1]) | (day[1:] != day[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order)) - 1
    return DaySeries(
        table,
        order[first],
        symbol[first],
        day[first],
        table.open[order[first]],
        table.close[order[last]],
        table.adjusted_close[order[last]],
    )


def check_overnight(series: DaySeries, actions: Sequence[CorporateAction] = ()) -> list[Finding]:
    """Every jump from one session's close to the next one's open, named for what it most likely is.

    A split that is known is taken out first: what then still jumps was not split at all.
    """
    same = series.symbol[1:] == series.symbol[:-1]
    pause = np.diff(series.session)
    known = _known_splits(series, actions)
    opened = series.open[1:] / series.close[:-1] * known
    closed = series.close[1:] / series.close[:-1] * known
    implied = closed / (series.adjusted_close[1:] / series.adjusted_close[:-1])
    jump = same & ((_size(opened) >= JUMP_MIN) | (_size(closed) >= FOREIGN_MIN) | (_size(implied) >= JUMP_MIN))
    kinds = np.full(len(jump), "", dtype=object)
    for at in np.flatnonzero(jump):
        kinds[at] = (
            "unsplit_prices"
            if known[at] != 1.0
            else _kind(opened[at], closed[at], implied[at], int(pause[at]), float(series.close[at]))
        )
    return [finding for kind in _EXPLAINED for finding in _named(series, kinds == kind, kind, opened)]


def _known_splits(series: DaySeries, actions: Sequence[CorporateAction]) -> FloatArray:
    """The ratio that each step from one bar to the next is known to have, 1 where nothing is."""
    ratio: FloatArray = np.ones(max(len(series.session) - 1, 0))
    dates = session_table().dates
    for one in actions:
        if one.kind is not ActionKind.SPLIT or one.symbol not in series.table.symbols:
            continue
        code = series.table.symbols.index(one.symbol)
        for at in np.flatnonzero((series.symbol[1:] == code) & (series.symbol[:-1] == code)).tolist():
            if dates[int(series.session[at])] < one.ex_date <= dates[int(series.session[at + 1])]:
                ratio[at] *= float(one.ratio)
    return ratio


def check_intraday(table: BarTable, session: IntArray) -> list[Finding]:
    """Jumps between two bars of one session: a bad print, or two companies' rows in turn."""
    order = table.order()
    symbol, day = table.symbol[order], session[order]
    near = (symbol[1:] == symbol[:-1]) & (day[1:] == day[:-1])
    jump = near & (_size(table.open[order[1:]] / table.close[order[:-1]]) >= MINUTE_JUMP_MIN)
    bad = np.zeros(table.rows, dtype=bool)
    bad[order[1:][jump]] = True
    mixed = bool((np.bincount(table.symbol[bad], minlength=len(table.symbols)) > MINUTE_JUMPS_MAX).any())
    return row_finding(
        table,
        bad,
        "mixed_prices" if mixed else "intraday_jump",
        severity=Severity.REFUSE if mixed else Severity.WARN,
        explanation=f"the price changes {MINUTE_JUMP_MIN:g}-fold or more within a session"
        + (", again and again: rows of two companies look mixed" if mixed else ": a bad print, or a trading halt"),
        remedy="compare these rows with another source",
    )


def check_agreement(minutes: DaySeries, daily: DaySeries) -> list[Finding]:
    """Daily bars against the minutes of the same sessions: another scale is a split, or another company."""
    both = concatenate((minutes.table.take(minutes.row), daily.table.take(daily.row)))
    count = len(minutes.row)
    key = np.concatenate((minutes.session, daily.session)) * len(both.symbols) + both.symbol
    _, ours, theirs = np.intersect1d(key[:count], key[count:], return_indices=True)
    apart = _size(minutes.close[ours] / daily.close[theirs]) > 1 + AGREE_TOLERANCE
    bad = np.zeros(len(minutes.row), dtype=bool)
    bad[ours[apart]] = True
    overlap = np.bincount(both.symbol[ours], minlength=len(both.symbols))
    differing = np.bincount(both.symbol[ours[apart]], minlength=len(both.symbols))
    refuse = bool((differing > DISAGREE_SHARE_MAX * overlap).any())
    return row_finding(
        minutes.table.take(minutes.row),
        bad,
        "daily_disagrees",
        severity=Severity.REFUSE if refuse else Severity.WARN,
        explanation="the session's last minute and the daily bar's close are more than 5 % apart"
        + (" in most sessions: one is adjusted for a split, or is another company's" if refuse else ""),
        remedy="import minutes and daily bars on one scale",
    )


_EXPLAINED: dict[str, tuple[Severity, str, str]] = {
    "unsplit_prices": (
        Severity.REFUSE,
        "a split is known for this day and the prices do not show it: they are adjusted already, or the split is wrong",
        "take the split out of the corporate actions, or import prices as they were traded",
    ),
    "foreign_prices": (
        Severity.REFUSE,
        "halved or doubled overnight for good, and no split has this ratio: these look like another company's prices",
        "compare the symbol's prices on both sides of the row with another source",
    ),
    "split": (
        Severity.WARN,
        "looks like a split that the prices are not adjusted for",
        "name it (ordinis data import --actions FILE), adjust the earlier prices, or use sessions on one side of it",
    ),
    "price_jump": (Severity.WARN, "a large move overnight that nothing here explains", "check the news of that day"),
    "bad_print": (Severity.WARN, "an opening price far away that did not last until the close", ""),
    "jump_after_pause": (Severity.WARN, "prices on both sides of a pause of many sessions are far apart", ""),
    "real_move": (Severity.NOTE, "a large move overnight that the adjusted close confirms: no split", ""),
}


def _kind(opened: float, closed: float, implied: float, pause: int, before_usd: float) -> str:
    if np.isfinite(implied):
        return "split" if _size(implied) > 1 + ADJUSTED_TOLERANCE else "real_move"
    if pause > GAP_SESSIONS_MAX:
        return "jump_after_pause"
    if _size(closed) < LASTING_MIN:
        return "bad_print"
    if _near_split(opened) or (opened >= FOREIGN_MIN and before_usd < REVERSE_PRICE_MAX_USD):
        return "split"
    return "foreign_prices" if _size(opened) >= FOREIGN_MIN else "price_jump"


def _near_split(ratio: float) -> bool:
    three_for_two = abs(ratio * 1.5 - 1) <= SPLIT_TOLERANCE  # Down only: nobody merges three shares into two.
    return three_for_two or bool((np.abs(_size(ratio) / SPLITS - 1) <= SPLIT_TOLERANCE).any())


def _named(series: DaySeries, chosen: BoolArray, kind: str, opened: FloatArray) -> list[Finding]:
    at = np.flatnonzero(chosen)
    if not len(at):
        return []
    severity, explanation, remedy = _EXPLAINED[kind]
    rows = series.row[at + 1]
    bad = np.zeros(series.table.rows, dtype=bool)
    bad[rows] = True
    dates = session_table().dates
    when = ", ".join(
        f"{series.table.symbols[series.symbol[i + 1]]} {dates[int(series.session[i + 1])]} {opened[i] - 1:+.0%}"
        for i in at[:5]
    )
    return [
        Finding(
            severity=severity,
            kind=kind,
            symbol=name_symbols(series.table, bad),
            count=len(at),
            rows=bad_rows(series.table, rows),
            explanation=f"{explanation} ({when})",
            remedy=remedy,
        )
    ]


def _size(ratio: Any) -> Any:
    """A factor of 1 or more, whichever way it goes. NaN stays NaN, and is larger than nothing."""
    return np.maximum(ratio, 1 / ratio)
