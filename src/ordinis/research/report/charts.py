"""The pictures, as the plain values that Plotly draws. Colours and fonts are the page's own."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from ordinis.domain.market import FloatArray, IntArray
from ordinis.research.report.source import Curve, ReportSource
from ordinis.research.report.thinning import kept_rows
from ordinis.research.report.times import minute_text

Figure = dict[str, Any]

_TICKS_MAX = 6
_DAYS_WITH_YEAR = 200  # From so many days on a tick names the month and the year.


def figures(source: ReportSource) -> dict[str, Figure]:
    """One a picture, by the id of its place in the page. None without a minute."""
    curve = source.curve
    if not curve.at_ns.size:
        return {}
    exposure = 100.0 * curve.gross_usd / curve.equity_usd
    return {
        "equity": _figure(curve, [_benchmark(source), _line(curve, curve.equity_usd, "equity", "$%{y:,.2f}")], "$", ""),
        "underwater": _figure(curve, [_filled(_line(curve, drawdown_percent(curve), "loss", "%{y:.2f} %"))], "", "%"),
        "positions": _figure(curve, [_stepped(_line(curve, curve.positions, "equity", "%{y} held"))], "", ""),
        "exposure": _figure(curve, [_stepped(_line(curve, exposure, "equity", "%{y:.1f} %"))], "", "%"),
    }


def drawdown_percent(curve: Curve) -> FloatArray:
    """How far below its highest mark so far the equity is: 0 at a high, negative below it."""
    falls: FloatArray = 100.0 * (curve.equity_usd / np.maximum.accumulate(curve.equity_usd) - 1.0)
    return falls


def _line(curve: Curve, values: FloatArray | IntArray, color: str, told: str) -> Figure:
    """`color` is the page's name for it. Points are minutes of trading: nights take no room."""
    rows = kept_rows(np.asarray(values, dtype=np.float64))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": (rows + 1).tolist(),
        "y": np.asarray(values)[rows].round(4).tolist(),
        "text": [minute_text(at_ns) for at_ns in curve.at_ns[rows].tolist()],
        "hovertemplate": f"%{{text}}<br>{told}<extra></extra>",
        "line": {"color": color, "width": 1.5},
    }


def _stepped(line: Figure) -> Figure:
    return {**line, "line": {**line["line"], "shape": "vh"}}  # A mark says how its minute ended.


def _filled(line: Figure) -> Figure:
    return {**line, "fill": "tozeroy"}


def _benchmark(source: ReportSource) -> Figure:
    """From the start, then each session's close."""
    rows = dict(source.curve.sessions)
    days = source.benchmark.dates
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [0, *(rows[day] for day in days)],
        "y": [source.benchmark.start_usd, *(round(usd, 4) for usd in source.benchmark.values_usd)],
        "text": ["start", *(f"{day} close" for day in days)],
        "hovertemplate": "%{text}<br>benchmark $%{y:,.2f}<extra></extra>",
        "line": {"color": "benchmark", "width": 1.5, "dash": "dot"},
    }


def _figure(curve: Curve, lines: list[Figure], prefix: str, suffix: str) -> Figure:
    places, names = _ticks(curve)
    return {
        "data": lines,
        "layout": {
            "showlegend": False,
            "hovermode": "closest",
            "margin": {"l": 64, "r": 12, "t": 8, "b": 44},
            "xaxis": {
                "range": [0, int(curve.at_ns.size)],
                "tickmode": "array",
                "tickvals": places,
                "ticktext": names,
                "tickangle": 0,
                "zeroline": False,
            },
            "yaxis": {"tickprefix": prefix, "ticksuffix": suffix, "fixedrange": True, "zeroline": False, "nticks": 8},
        },
    }


def _ticks(curve: Curve) -> tuple[list[int], list[str]]:
    """The first minutes of a few sessions, spread evenly, and what to call them."""
    days = [day for day, _ in curve.sessions]
    starts = [0, *(rows for _, rows in curve.sessions)][: len(days)]
    if not days:
        return [], []
    step = -(-len(days) // _TICKS_MAX)
    with_year = (days[-1] - days[0]).days >= _DAYS_WITH_YEAR
    picked = range(0, len(days), step)
    return [starts[i] for i in picked], [_tick_name(days[i], with_year, i == 0) for i in picked]


def _tick_name(day: date, with_year: bool, first: bool) -> str:
    if with_year:
        return f"{day:%b}<br>{day.year}"
    return f"{day:%b} {day.day}" + (f"<br>{day.year}" if first else "")
