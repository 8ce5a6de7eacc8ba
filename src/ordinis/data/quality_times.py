"""Faults of time: the wrong zone, the wrong stamp, bars when the exchange is closed, bars that are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ordinis.data.calendar import FULL_SESSION_MINUTES, SessionTable, session_table
from ordinis.data.findings import Finding, Severity, bad_rows, name_symbols, row_finding
from ordinis.data.reading import DAY_NS
from ordinis.data.table import BarTable, session_dates
from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS, BoolArray, IntArray

HOUR_NS = 60 * MINUTE_NS
ZONE_GAIN_MIN = 1.05  # Another zone must bring this many times the bars into the session to be believed.
END_STAMPED_SHARE_MIN = 0.5  # Of the sessions that look whole.
SIZE_SAMPLE_MIN = 30  # Gaps between bars, before their size is judged.


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Where each row lies in the calendar; all arrays `[rows]`."""

    session: IntArray  # An index into the calendar's sessions by date; the next one where the date is closed.
    open_day: BoolArray  # The row's New York date has a session.
    inside: BoolArray  # In the regular session; for daily bars the same as `open_day`.
    after_half_day: BoolArray  # After a half-day's close, before the usual one.


def place(table: BarTable) -> Placed:
    """Look every row up. Raises DataError for rows before the calendar begins or after it ends."""
    calendar = session_table()
    days = np.array(calendar.dates, dtype="datetime64[D]")
    dates = session_dates(table)
    outside = (dates < days[0]) | (dates > days[-1])
    if outside.any():
        row = bad_rows(table, np.flatnonzero(outside))[0]
        raise DataError(f"{row}: outside the exchange calendar, {days[0]} to {days[-1]}; remove such rows")
    session = np.searchsorted(days, dates).astype(np.int64)
    open_day = days[session] == dates
    since_ns = table.start_ns - calendar.open_ns[session]
    length_ns = calendar.close_ns[session] - calendar.open_ns[session]
    inside = open_day & ((since_ns >= 0) & (since_ns < length_ns) | table.daily)
    after = open_day & (since_ns >= length_ns) & (since_ns < FULL_SESSION_MINUTES * MINUTE_NS) & (not table.daily)
    return Placed(session, open_day, inside, after)


def check_minute_times(table: BarTable, placed: Placed) -> tuple[list[Finding], BoolArray]:
    """All faults of time of minute bars. Returns the findings and a mask of rows to drop."""
    zone = _wrong_zone(table)
    off = table.start_ns % MINUTE_NS != 0
    findings = [
        *zone,
        *row_finding(
            table,
            off,
            "off_minute",
            severity=Severity.REFUSE,
            explanation="bars do not start on a whole minute",
            remedy="make one-minute bars of them first",
        ),
        *(() if zone else _end_stamped(table, placed)),
        *_bar_size(table, placed),
        *(() if zone else _outside(table, placed)),
    ]
    return findings, ~placed.inside | off


def check_daily_times(table: BarTable, placed: Placed) -> tuple[list[Finding], BoolArray]:
    """Daily bars on days on which the exchange was closed."""
    return _closed_days(table, ~placed.open_day), ~placed.open_day


def check_missing(table: BarTable, placed: Placed, kept: BoolArray) -> list[Finding]:
    """Minutes and sessions without a bar. Never filled: a missing bar is a fact, an invented one a lie."""
    if not kept.any():
        return []
    held = np.unique(placed.session[kept])
    absent = int(held[-1] - held[0] + 1 - len(held))
    findings = [] if table.daily else _missing_minutes(table, placed, kept, held)
    if absent:
        findings.append(
            Finding(
                severity=Severity.WARN,
                kind="missing_session",
                symbol="",
                count=absent,
                explanation=f"sessions between the first and the last have no bar at all, {_first_gap(held)}",
                remedy="add them, or know that time jumps there",
            )
        )
    return findings


def _missing_minutes(table: BarTable, placed: Placed, kept: BoolArray, held: IntArray) -> list[Finding]:
    calendar = session_table()
    minutes = int(((calendar.close_ns - calendar.open_ns) // MINUTE_NS)[held].sum())
    have = np.bincount(table.symbol[kept], minlength=len(table.symbols))
    missing = minutes * len(table.symbols) - int(have.sum())
    if missing <= 0:
        return []
    worst = np.argsort(have, kind="stable")[:3]
    named = ", ".join(f"{table.symbols[i]} lacks {1 - have[i] / minutes:.1%}" for i in worst)
    share = missing / (minutes * len(table.symbols))
    return [
        Finding(
            severity=Severity.NOTE,
            kind="missing_minutes",
            symbol=", ".join(table.symbols[i] for i in worst),
            count=missing,
            explanation=f"{share:.1%} of the session minutes have no bar ({named}); they stay empty",
        )
    ]


def _first_gap(held: IntArray) -> str:
    at = int((np.diff(held) > 1).argmax())
    return f"the first is {session_table().dates[int(held[at]) + 1]}"


def _wrong_zone(table: BarTable) -> list[Finding]:
    """If the times were an hour or more off, another reading would bring more bars into the session."""
    times, counts = np.unique(table.start_ns, return_counts=True)
    calendar = session_table()
    here = int(counts[calendar.inside(times)].sum())
    hours = [hour for hour in range(-12, 13) if hour]
    gains = [int(counts[calendar.inside(times + hour * HOUR_NS)].sum()) for hour in hours]
    local = int(counts[calendar.inside(_as_new_york_clock(times, calendar))].sum())
    best = max(*gains, local)
    if best <= here * ZONE_GAIN_MIN:
        return []
    hour = hours[int(np.argmax(gains))]
    reading = "read as New York time" if local == best else f"moved by {hour:+d} hours"
    outside = ~calendar.inside(table.start_ns)
    return [
        Finding(
            severity=Severity.REFUSE,
            kind="wrong_timezone",
            symbol=name_symbols(table, outside),
            count=int(outside.sum()),
            rows=bad_rows(table, np.flatnonzero(outside)),
            explanation=f"{here / table.rows:.0%} of the bars are in the regular session; {reading}, "
            f"{best / table.rows:.0%} would be: the times are not in the zone they claim",
            remedy="write the times without a zone and name the true one (--timezone America/New_York)",
        )
    ]


def _as_new_york_clock(times: IntArray, calendar: SessionTable) -> IntArray:
    """UTC, if what these times say were New York's clock: 09:30 is the open of that date's session."""
    days = np.array(calendar.dates, dtype="datetime64[D]").astype(np.int64) * DAY_NS
    at = np.searchsorted(days, times // DAY_NS * DAY_NS, side="right") - 1
    offset_ns = calendar.open_ns[at] - days[at] - 9 * HOUR_NS - HOUR_NS // 2
    moved: IntArray = times + offset_ns
    return moved


def _end_stamped(table: BarTable, placed: Placed) -> list[Finding]:
    """A whole session from 09:31 to 16:00 and nothing at 09:30: the stamps are the bars' ends."""
    calendar = session_table()
    day = placed.session * len(table.symbols) + table.symbol
    at_open = table.start_ns == calendar.open_ns[placed.session]
    at_second = table.start_ns == calendar.open_ns[placed.session] + MINUTE_NS
    at_close = table.start_ns == calendar.close_ns[placed.session]
    elsewhere = ~placed.inside & ~at_close  # Extended hours: a thin name may lack its first minute there.
    looks = np.setdiff1d(np.intersect1d(day[at_second], day[at_close]), day[at_open | elsewhere])
    whole = np.union1d(looks, np.intersect1d(day[at_second], day[at_open]))
    if len(looks) <= END_STAMPED_SHARE_MIN * len(whole):
        return []
    bad = np.isin(day, looks)
    return row_finding(
        table,
        bad,
        "end_stamped",
        severity=Severity.REFUSE,
        explanation="the first bar of a session is 09:31 and the last 16:00: bars are stamped with their end",
        remedy="say so (--stamped end); a bar belongs to the minute that starts at its stamp",
    )


def _bar_size(table: BarTable, placed: Placed) -> list[Finding]:
    order = table.order()
    symbol, start, session = table.symbol[order], table.start_ns[order], placed.session[order]
    neighbours = (symbol[1:] == symbol[:-1]) & (session[1:] == session[:-1])
    gaps = (np.diff(start) // MINUTE_NS)[neighbours]
    gaps = gaps[gaps > 0]
    if len(gaps) < SIZE_SAMPLE_MIN or gaps.min() < 2:
        return []
    return [
        Finding(
            severity=Severity.REFUSE,
            kind="bar_size",
            symbol="",
            count=table.rows,
            explanation=f"no two bars are closer than {gaps.min()} minutes: these are not one-minute bars",
            remedy="import one-minute bars",
        )
    ]


def _outside(table: BarTable, placed: Placed) -> list[Finding]:
    extended = placed.open_day & ~placed.inside & ~placed.after_half_day
    nowhere = Severity.REFUSE if not placed.inside.any() else Severity.NOTE
    return [
        *_closed_days(table, ~placed.open_day),
        *row_finding(
            table,
            placed.after_half_day,
            "after_half_day",
            severity=Severity.WARN,
            explanation=f"bars after the early close of {_days(placed.session[placed.after_half_day])}; dropped",
        ),
        *row_finding(
            table,
            extended,
            "outside_session",
            severity=nowhere,
            explanation="bars before the open or after the close, as extended-hours files have; dropped",
            remedy="" if nowhere is Severity.NOTE else "no bar lies in a regular session: check the time zone",
        ),
    ]


def _closed_days(table: BarTable, bad: BoolArray) -> list[Finding]:
    days = ", ".join(str(day) for day in np.unique(session_dates(table)[bad])[:5])
    return row_finding(
        table,
        bad,
        "closed_day",
        explanation=f"bars on days on which the exchange was closed ({days}); dropped",
        remedy="check the time zone and the source of these days",
    )


def _days(session: IntArray) -> str:
    dates = session_table().dates
    return ", ".join(str(dates[int(at)]) for at in np.unique(session)[:5])
