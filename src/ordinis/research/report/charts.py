"""Pictures over time, as the plain values that Plotly draws. Colours go by the page's names for them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from ordinis.domain.market import FloatArray, IntArray
from ordinis.research.report.rolling import returns_of, rolling_beta, rolling_volatility
from ordinis.research.report.source import Curve, ReportSource
from ordinis.research.report.thinning import kept_rows
from ordinis.research.report.times import minute_text

Figure = dict[str, Any]

BANDS_MAX = 9  # Sectors with a colour of their own.
_TICKS_MAX = 6
_DAYS_WITH_YEAR = 200  # From so many days on a tick names the month and the year.


def equity(source: ReportSource) -> Figure:
    curve = source.curve
    return _figure(curve, [_benchmark(source), _line(curve, curve.equity_usd, "equity", "$%{y:,.2f}")], "$", "")


def underwater(source: ReportSource) -> Figure:
    curve = source.curve
    return _figure(curve, [_filled(_line(curve, drawdown_percent(curve), "loss", "%{y:.2f} %"))], "", "%")


def positions(source: ReportSource) -> Figure:
    curve = source.curve
    return _figure(curve, [_stepped(_line(curve, curve.positions, "equity", "%{y} held"))], "", "")


def exposure(source: ReportSource) -> Figure:
    curve = source.curve
    percent = 100.0 * curve.gross_usd / curve.equity_usd
    return _figure(curve, [_stepped(_line(curve, percent, "equity", "%{y:.1f} %"))], "", "%")


def sector_exposure(source: ReportSource) -> Figure | None:
    """The largest sectors stacked, what is left of them on top; None where nothing was ever held."""
    curve, rows = source.curve, source.sectors.rows
    names, usd = sector_bands(source)
    if not names:
        return None
    percent = 100.0 * usd / curve.equity_usd[rows][:, None]
    texts = [minute_text(at_ns) for at_ns in curve.at_ns[rows].tolist()]
    lines = [
        {
            **_points((rows + 1).tolist(), percent[:, band].round(3).tolist(), texts, f"{name} %{{y:.1f}} %"),
            "line": {"color": f"part-{band}", "width": 0.5, "shape": "vh"},
            "stackgroup": "sectors",
        }
        for band, name in enumerate(names)
    ]
    return _figure(curve, lines, "", "%")


def sector_bands(source: ReportSource) -> tuple[list[str], FloatArray]:
    """The sectors that get a band of their own, the largest first, and USD `[points x bands]`."""
    sectors, usd = source.sectors.sectors, source.sectors.usd
    order = [int(place) for place in np.argsort(-usd.sum(axis=0), kind="stable")]
    own, others = order[:BANDS_MAX], order[BANDS_MAX:]
    names, bands = [sectors[place] for place in own], usd[:, own]
    if not others:
        return names, bands
    return [*names, f"{len(others)} others"], np.column_stack([bands, usd[:, others].sum(axis=1)])


def volatility(source: ReportSource) -> Figure | None:
    """None with too few sessions."""
    found = 100.0 * rolling_volatility(_own_returns(source))
    if not found.size:
        return None
    line = _at_closes(source.curve, found, "equity", "%{y:.1f} %")
    target = round(100.0 * source.target_volatility, 4)
    level = {**line, "y": [target] * found.size, "line": {"color": "benchmark", "width": 1.5, "dash": "dot"}}
    return _figure(source.curve, [{**level, "hovertemplate": "target %{y:.1f} %<extra></extra>"}, line], "", "%")


def beta(source: ReportSource) -> Figure | None:
    """None with too few sessions, or with a benchmark that has other ones."""
    benchmark = source.benchmark
    if benchmark.dates != tuple(day for day, _ in source.curve.sessions):
        return None
    market = returns_of(np.array([benchmark.start_usd, *benchmark.values_usd]))
    found = rolling_beta(_own_returns(source), market)
    known = np.isfinite(found)
    if not known.any():
        return None
    return _figure(source.curve, [_at_closes(source.curve, found, "equity", "beta %{y:.2f}")], "", "")


def _own_returns(source: ReportSource) -> FloatArray:
    """Of the sessions, the first from the start equity."""
    curve = source.curve
    closes = [float(curve.equity_usd[rows - 1]) for _, rows in curve.sessions if rows]
    return returns_of(np.array([source.result.start_equity, *closes]))


def _at_closes(curve: Curve, values: FloatArray, color: str, told: str) -> Figure:
    """A point a session, the last of them at the last close."""
    sessions = curve.sessions[len(curve.sessions) - values.size :]
    return {
        **_points(
            [rows for _, rows in sessions],
            [round(one, 4) if np.isfinite(one) else None for one in values.tolist()],
            [f"{day} close" for day, _ in sessions],
            told,
        ),
        "line": {"color": color, "width": 1.5},
    }


def drawdown_percent(curve: Curve) -> FloatArray:
    """How far below its highest mark so far the equity is: 0 at a high, negative below it."""
    falls: FloatArray = 100.0 * (curve.equity_usd / np.maximum.accumulate(curve.equity_usd) - 1.0)
    return falls


def _line(curve: Curve, values: FloatArray | IntArray, color: str, told: str) -> Figure:
    """`color` is the page's name for it. Points are minutes of trading: nights take no room."""
    rows = kept_rows(np.asarray(values, dtype=np.float64))
    texts = [minute_text(at_ns) for at_ns in curve.at_ns[rows].tolist()]
    points = _points((rows + 1).tolist(), np.asarray(values)[rows].round(4).tolist(), texts, told)
    return {**points, "line": {"color": color, "width": 1.5}}


def _points(x: list[int], y: list[Any], texts: list[str], told: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "text": texts,
        "hovertemplate": f"%{{text}}<br>{told}<extra></extra>",
    }


def _stepped(line: Figure) -> Figure:
    return {**line, "line": {**line["line"], "shape": "vh"}}  # A mark says how its minute ended.


def _filled(line: Figure) -> Figure:
    return {**line, "fill": "tozeroy"}


def _benchmark(source: ReportSource) -> Figure:
    """From the start, then each session's close."""
    rows = dict(source.curve.sessions)
    days = source.benchmark.dates
    points = _points(
        [0, *(rows[day] for day in days)],
        [source.benchmark.start_usd, *(round(usd, 4) for usd in source.benchmark.values_usd)],
        ["start", *(f"{day} close" for day in days)],
        "benchmark $%{y:,.2f}",
    )
    return {**points, "line": {"color": "benchmark", "width": 1.5, "dash": "dot"}}


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
