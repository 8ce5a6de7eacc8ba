"""The same figures for other programs: CSV, exact, times in New York with their offset."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from ordinis.research.report.charts import drawdown_percent
from ordinis.research.report.source import ReportSource, Trade
from ordinis.research.report.times import iso_text

TRADE_COLUMNS = (
    *("symbol", "strategy", "opened_at", "closed_at", "held_minutes", "held_nights", "quantity"),
    *("entry_price_usd", "exit_price_usd", "result_usd", "risk_usd", "result_in_risk", "closed_by"),
)
MINUTE_COLUMNS = ("at", "equity_usd", "drawdown", "long_usd", "short_usd", "positions", "benchmark_usd")


def write_trades(source: ReportSource, path: Path) -> None:
    """A line a closed trade, in order of closing; `result_usd` is before fees and sums to the realised result."""
    _write(path, TRADE_COLUMNS, (_trade(trade) for trade in source.trades))


def write_minutes(source: ReportSource, path: Path) -> None:
    """A line a minute; the benchmark stands at each session's last."""
    curve = source.curve
    last_rows = {rows - 1: day for day, rows in curve.sessions}
    benchmark = dict(zip(source.benchmark.dates, source.benchmark.values_usd, strict=True))
    columns = zip(
        curve.at_ns.tolist(),
        curve.equity_usd.tolist(),
        (drawdown_percent(curve) / 100.0).tolist(),
        curve.long_usd.tolist(),
        curve.short_usd.tolist(),
        curve.positions.tolist(),
        strict=True,
    )
    _write(
        path,
        MINUTE_COLUMNS,
        (
            [
                iso_text(at_ns),
                f"{equity_usd:.4f}",
                f"{drawdown:.6f}",
                f"{long_usd:.4f}",
                f"{short_usd:.4f}",
                positions,
                f"{benchmark[last_rows[row]]:.4f}" if last_rows.get(row) in benchmark else "",
            ]
            for row, (at_ns, equity_usd, drawdown, long_usd, short_usd, positions) in enumerate(columns)
        ),
    )


def _trade(trade: Trade) -> list[object]:
    trip = trade.trip
    return [
        trip.symbol,
        trip.strategy,
        iso_text(trip.opened_at_ns),
        iso_text(trip.closed_at_ns),
        trade.held_minutes,
        trade.held_nights,
        _exact(trade.shares),
        _exact(trip.entry_price_usd),
        _exact(trip.exit_price_usd),
        _exact(trip.pnl_usd),
        _exact(trip.risk_usd),
        "" if trade.in_risk is None else f"{trade.in_risk:.6f}",
        trade.exit.value,
    ]


def _exact(value: Decimal) -> str:
    return format(value, "f")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
