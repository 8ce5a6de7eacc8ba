"""A result in words: the figures of one run, or of several side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ordinis.domain.errors import ConfigError

if TYPE_CHECKING:
    from ordinis.research.result import BacktestResult

Row = tuple[str, "Callable[[BacktestResult], str]"]

UNKNOWN = "-"
COLUMN_WIDTH = 44
INTERRUPTED = 130  # 128 + SIGINT, as shells expect.


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2%}"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _counts(counts: Mapping[str, int]) -> str:
    most_first = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in most_first) or UNKNOWN


def _rebalanced(one: BacktestResult) -> str:
    if not one.rebalances:
        return "never"
    trades = f"{one.rebalance_cuts:,} cuts"
    if one.rebalance_additions:
        trades += f" and {one.rebalance_additions:,} additions"
    return f"{one.rebalances:,} looks, {trades} of {one.rebalance_turnover:.2f} equities, ${one.rebalance_cost:,.2f}"


ROWS: tuple[Row, ...] = (
    ("data", lambda one: f"{one.data} ({one.data_label})"),
    ("sessions", lambda one: f"{one.sessions} ({one.first_session or UNKNOWN} to {one.last_session or UNKNOWN})"),
    ("fills", lambda one: one.fill_model),
    ("tier", lambda one: f"{one.tier}, {one.sizing_method}"),
    ("equity", lambda one: f"${one.start_equity:,.2f} to ${one.final_equity:,.2f}"),
    ("return", lambda one: _percent(one.return_)),
    ("max drawdown", lambda one: _percent(one.max_drawdown)),
    ("sharpe", lambda one: _number(one.sharpe)),
    ("trades", lambda one: f"{one.trades:,} closed, {one.entries:,} opened"),
    ("win rate", lambda one: _percent(one.win_rate)),
    ("profit factor", lambda one: _number(one.profit_factor)),
    ("fees", lambda one: f"${one.fees:,.2f}"),
    ("violations", lambda one: f"{UNKNOWN if one.violations is None else one.violations} by the exchange's books"),
    ("refused", lambda one: f"{one.refused_by_exchange} orders by the exchange"),
    ("sized by", lambda one: _counts(one.sizing_methods)),
    ("average position", lambda one: _percent(one.average_position)),
    ("rebalanced", _rebalanced),
    ("bound by", lambda one: _counts(one.bound_by)),
    ("reasons", lambda one: _counts(one.decisions_by_reason)),
    ("speed", lambda one: f"{one.bars:,} bars in {one.seconds:.2f} s, {one.bars_per_second:,.0f} bars/s"),
    ("journal", lambda one: one.journal or UNKNOWN),
)


def summary(result: BacktestResult) -> str:
    """A line a figure. A partial result says so first."""
    width = max(len(name) for name, _ in ROWS)
    lines = [f"{name:<{width}}  {text(result)}" for name, text in ROWS]
    if result.partial:
        lines.insert(0, "PARTIAL: stopped before the end of the data; the figures are of what was run")
    return "\n".join(lines)


def show(result: BacktestResult, json_out: Path | None) -> None:
    """Print a result, write it as JSON where asked, and leave with 130 when it is partial."""
    typer.echo(summary(result))
    if json_out is not None:
        write_json(result, json_out)
    if result.partial:
        raise typer.Exit(INTERRUPTED)


def write_json(result: BacktestResult, out: Path) -> None:
    """Raises ConfigError where the file cannot be written."""
    import msgspec

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    except OSError as error:
        raise ConfigError(f"--json: {out} cannot be written: {error}") from error


def side_by_side(titles: Sequence[str], results: Sequence[BacktestResult]) -> str:
    """A column a run, narrow enough for a terminal; counts stand one a line."""
    lines = [("", *titles)]
    for name, text in ROWS:
        cells = [_lines(text(one)) for one in results]
        for place, row in enumerate(zip_longest(*cells, fillvalue="")):
            lines.append((name if place == 0 else "", *row))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _lines(cell: str) -> list[str]:
    """A cell over as many lines as it needs; what is listed with commas stands one a line."""
    parts = cell.split(", ") if len(cell) > COLUMN_WIDTH else [cell]
    return [line for part in parts for line in textwrap.wrap(part, COLUMN_WIDTH, break_on_hyphens=False)]
