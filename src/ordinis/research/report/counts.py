"""Pictures of counted things: months, holding times, slippage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ordinis.domain.orders import OrderType
from ordinis.research.report.charts import Figure
from ordinis.research.report.months import monthly_returns
from ordinis.research.report.source import ReportSource, Slip, Trade

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HELD = ("under 5 min", "5 to 30 min", "30 min to 2 h", "over 2 h, no night", "1 night", "2 to 5 nights", "more nights")
NOTIONALS = ("under $1,000", "to $10,000", "to $100,000", "over $100,000")
_MINUTES = (5, 30, 120)
_NIGHTS = (1, 5)
_NOTIONALS_USD = (1_000.0, 10_000.0, 100_000.0)
_TYPE_COLORS = {
    OrderType.MARKET.value: "equity",
    OrderType.STOP.value: "loss",
    OrderType.LIMIT.value: "benchmark",
    OrderType.STOP_LIMIT.value: "part-3",
    OrderType.TRAILING_STOP.value: "part-5",
}
_PALE = 1.6  # The strongest cell is not so dark that its figure cannot be read.
_MARGIN = {"l": 64, "r": 12, "t": 8, "b": 44}


def months(source: ReportSource) -> Figure | None:
    """A row a year, a column a month, percent; None without a session."""
    found = monthly_returns(source.curve, source.result.start_equity)
    if not found:
        return None
    years = sorted({year for year, _ in found}, reverse=True)
    percent = [[_percent(found.get((year, month))) for month in range(1, 13)] for year in years]
    reach = _PALE * max(abs(100.0 * value) for value in found.values()) or 1.0
    return {
        "data": [
            {
                "type": "heatmap",
                "x": list(MONTHS),
                "y": [str(year) for year in years],
                "z": percent,
                "text": [["" if value is None else f"{value:+.1f} %" for value in row] for row in percent],
                "texttemplate": "%{text}",
                "hovertemplate": "%{x} %{y}: %{z:.2f} %<extra></extra>",
                "hoverongaps": False,
                "showscale": False,
                "zmin": -round(reach, 4),
                "zmax": round(reach, 4),
                "xgap": 2,
                "ygap": 2,
            }
        ],
        "layout": {
            "showlegend": False,
            "margin": _MARGIN,
            "xaxis": {"type": "category", "side": "bottom"},
            "yaxis": {"type": "category", "autorange": "reversed", "fixedrange": True},
        },
    }


def holding_times(source: ReportSource) -> Figure | None:
    """Closed trades by how long they were held; None without one."""
    if not source.trades:
        return None
    won = [sum(1 for trade in group if trade.trip.pnl_usd > 0) for group in held_groups(source.trades)]
    rest = [len(group) - wins for group, wins in zip(held_groups(source.trades), won, strict=True)]
    return _grouped([_bars(HELD, won, "equity", "%{y} won"), _bars(HELD, rest, "loss", "%{y} not")], "stack", "")


def held_groups(trades: Sequence[Trade]) -> list[list[Trade]]:
    """The trades of each of `HELD`."""
    groups: list[list[Trade]] = [[] for _ in HELD]
    for trade in trades:
        groups[_held_place(trade)].append(trade)
    return groups


def slippage(source: ReportSource) -> Figure | None:
    """Mean slippage by size and order type, weighted by notional; None where no order filled."""
    if not source.slips:
        return None
    traces = []
    for kind, groups in slip_groups(source.slips):
        means = [round(mean_bps(group), 4) if group else None for group in groups]
        told = f"{kind}: %{{y:.2f}} bps"
        traces.append({**_bars(NOTIONALS, means, slip_color(kind), told), "name": kind})
    return _grouped(traces, "group", " bps")


def slip_groups(found: Sequence[Slip]) -> Iterator[tuple[str, list[list[Slip]]]]:
    """Each order type with its orders, by each of `NOTIONALS`."""
    for kind in sorted({slip.order_type for slip in found}):
        groups: list[list[Slip]] = [[] for _ in NOTIONALS]
        for slip in found:
            if slip.order_type == kind:
                groups[sum(slip.notional_usd >= edge for edge in _NOTIONALS_USD)].append(slip)
        yield kind, groups


def slip_color(kind: str) -> str:
    """The page's name for it."""
    return _TYPE_COLORS[kind]


def mean_bps(group: Sequence[Slip]) -> float:
    """Weighted by notional: what it cost over what was traded."""
    return 1e4 * sum(slip.cost_usd for slip in group) / sum(slip.notional_usd for slip in group)


def _held_place(trade: Trade) -> int:
    if trade.held_nights:
        return len(_MINUTES) + 1 + sum(trade.held_nights > edge for edge in _NIGHTS)
    return sum(trade.held_minutes >= edge for edge in _MINUTES)


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100.0 * value, 4)


def _bars(names: Sequence[str], values: Sequence[float | None], color: str, told: str) -> Figure:
    return {
        "type": "bar",
        "x": list(names),
        "y": list(values),
        "hovertemplate": f"%{{x}}<br>{told}<extra></extra>",
        "marker": {"color": color},
    }


def _grouped(traces: list[Figure], mode: str, suffix: str) -> Figure:
    return {
        "data": traces,
        "layout": {
            "showlegend": False,
            "barmode": mode,
            "margin": _MARGIN,
            "xaxis": {"type": "category"},
            "yaxis": {"ticksuffix": suffix, "fixedrange": True, "nticks": 8},
        },
    }
