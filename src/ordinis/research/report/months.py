"""What each month returned."""

from __future__ import annotations

from ordinis.research.report.source import Curve


def monthly_returns(curve: Curve, start_usd: float) -> dict[tuple[int, int], float]:
    """(Year, month) -> return as a fraction, from the last close before the month to its last close."""
    closes: dict[tuple[int, int], float] = {}
    for day, rows in curve.sessions:
        if rows:
            closes[day.year, day.month] = float(curve.equity_usd[rows - 1])
    found, before_usd = {}, start_usd
    for month, close_usd in closes.items():
        found[month] = close_usd / before_usd - 1.0
        before_usd = close_usd
    return found
