"""Faults that a row shows by itself, or next to its own copy."""

from __future__ import annotations

import numpy as np

from ordinis.data.findings import Finding, Severity, row_finding
from ordinis.data.table import PRICES, BarTable
from ordinis.domain.market import BoolArray

ZERO_VOLUME_SHARE_MAX = 0.05


def check_values(table: BarTable) -> tuple[list[Finding], BoolArray]:
    """Prices and volumes that cannot be. Returns the findings and a mask of rows to drop."""
    prices = np.stack([getattr(table, name) for name in PRICES])
    null = ~np.isfinite(prices).all(axis=0)
    nonpositive = ~null & (prices <= 0).any(axis=0)
    outside = ~null & ~nonpositive & _outside(table)
    null_volume = ~np.isfinite(table.volume)
    negative = table.volume < 0
    findings = [
        *row_finding(table, null, "null_price", explanation="a price is empty; such rows are dropped"),
        *row_finding(table, nonpositive, "nonpositive_price", explanation="a price is zero or less; rows dropped"),
        *row_finding(
            table,
            outside,
            "price_outside_range",
            explanation="open or close lies outside low..high, or low above high; such rows are dropped",
            remedy="get these rows from another source if the days matter",
        ),
        *_volumes(table, null_volume, negative),
    ]
    return findings, null | nonpositive | outside | null_volume | negative


def check_duplicates(table: BarTable) -> tuple[list[Finding], BoolArray]:
    """Bars of the same symbol and time: copies are dropped, contradictions refuse."""
    order = table.order()
    symbol, start = table.symbol[order], table.start_ns[order]
    again = np.zeros(table.rows, dtype=bool)
    again[1:] = (symbol[1:] == symbol[:-1]) & (start[1:] == start[:-1])
    differs = np.zeros(table.rows, dtype=bool)
    for name in (*PRICES, "volume"):
        values = getattr(table, name)[order]
        differs[1:] |= again[1:] & (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    copy, contradiction = np.zeros_like(again), np.zeros_like(again)
    copy[order], contradiction[order] = again & ~differs, differs
    findings = [
        *row_finding(
            table,
            copy,
            "duplicate",
            severity=Severity.WARN,
            explanation="the same bar again, in this file or another; the first is kept",
        ),
        *row_finding(
            table,
            contradiction,
            "contradicting_duplicate",
            severity=Severity.REFUSE,
            explanation="two bars of one symbol and time differ; which of them is true cannot be known",
            remedy="remove the wrong ones, or import overlapping files apart",
        ),
    ]
    return findings, copy | contradiction


def check_order(table: BarTable) -> list[Finding]:
    """Rows that go back in time within their symbol: sorted on import, and said."""
    by_symbol = np.argsort(table.symbol, kind="stable")
    symbol, start = table.symbol[by_symbol], table.start_ns[by_symbol]
    late = np.zeros(table.rows, dtype=bool)
    late[by_symbol[1:]] = (symbol[1:] == symbol[:-1]) & (start[1:] < start[:-1])
    return row_finding(
        table,
        late,
        "unsorted",
        severity=Severity.NOTE,
        explanation="rows go back in time; they are sorted on import",
    )


def _outside(table: BarTable) -> BoolArray:
    low_body = np.minimum(table.open, table.close)
    high_body = np.maximum(table.open, table.close)
    outside: BoolArray = (table.low > low_body) | (table.high < high_body) | (table.low > table.high)
    return outside


def _volumes(table: BarTable, null: BoolArray, negative: BoolArray) -> list[Finding]:
    zero = table.volume == 0
    many = zero.mean() > ZERO_VOLUME_SHARE_MAX
    return [
        *row_finding(
            table,
            null,
            "null_volume",
            explanation="the volume is empty; such rows are dropped, for fills and sizes need it",
            remedy="take the bars from a source that gives volume",
        ),
        *row_finding(table, negative, "negative_volume", explanation="the volume is negative; rows dropped"),
        *row_finding(
            table,
            zero,
            "zero_volume",
            severity=Severity.WARN if many else Severity.NOTE,
            explanation="bars without a trade"
            + (": this looks like gaps that somebody filled with the last price" if many else "; kept as they are"),
        ),
    ]
