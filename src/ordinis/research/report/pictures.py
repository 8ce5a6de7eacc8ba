"""The catalogue of pictures: what each is called, what is to be known of it, and what it draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ordinis.research.report import charts, counts
from ordinis.research.report.charts import Figure
from ordinis.research.report.rolling import WINDOW_SESSIONS
from ordinis.research.report.source import ReportSource

Legend = tuple[tuple[str, str], ...]  # The page's name of a colour, and what it stands for.


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`figure` is None where the run has nothing to draw: `note` then says what is missing."""

    place: str  # Its id in the page, and its file's name.
    title: str
    note: str
    figure: Figure | None
    legend: Legend = ()


def pictures(source: ReportSource) -> Iterator[Picture]:
    """All of them, in the page's order; none without a minute."""
    if source.curve.at_ns.size:
        for make in _CATALOGUE:
            yield make(source)


def _equity(source: ReportSource) -> Picture:
    return Picture(
        place="equity",
        title="Equity",
        note="Minutes of trading; fees leave at each close.",
        figure=charts.equity(source),
        legend=(("equity", "this run"), ("benchmark", source.benchmark.name)),
    )


def _underwater(source: ReportSource) -> Picture:
    title = "Below the highest equity so far"
    return Picture(place="underwater", title=title, note="Marked every minute.", figure=charts.underwater(source))


def _months(source: ReportSource) -> Picture:
    note = "From close to close; the first and the last may be parts of a month."
    return _or_missing("months", "Return of each month", note, counts.months(source), "Not a session was closed.")


def _positions(source: ReportSource) -> Picture:
    return Picture(place="positions", title="Positions held", note="", figure=charts.positions(source))


def _exposure(source: ReportSource) -> Picture:
    note = "Longs and shorts together." if source.curve.short_usd.any() else "Nothing is sold short."
    return Picture(place="exposure", title="Gross exposure, of equity", note=note, figure=charts.exposure(source))


def _sectors(source: ReportSource) -> Picture:
    names, _ = charts.sector_bands(source)
    note = "At the last prices, some minutes of each session; a symbol without a sector is its own."
    legend = tuple((f"part-{band}", name) for band, name in enumerate(names))
    figure = charts.sector_exposure(source)
    return _or_missing("sectors", "Exposure by sector, of equity", note, figure, "Nothing was ever held.", legend)


def _volatility(source: ReportSource) -> Picture:
    note = f"Of session returns, yearly; the target is that of the tier {source.result.tier}, where the run ended."
    legend = (("equity", f"the last {WINDOW_SESSIONS} sessions"), ("benchmark", "target"))
    title = "Rolling volatility against the target"
    return _or_missing("volatility", title, note, charts.volatility(source), _TOO_FEW, legend)


def _beta(source: ReportSource) -> Picture:
    note = f"Of session returns, the last {WINDOW_SESSIONS}; against {source.benchmark.name}."
    return _or_missing("beta", "Rolling beta against the benchmark", note, charts.beta(source), _TOO_FEW)


def _holding(source: ReportSource) -> Picture:
    note = "Closed trades; minutes count while the exchange was open."
    legend = (("equity", "won"), ("loss", "did not"))
    figure = counts.holding_times(source)
    return _or_missing("holding", "Holding times", note, figure, "No trade was closed.", legend)


def _slippage(source: ReportSource) -> Picture:
    note = (
        "Fill price against the price the order was decided on, weighted by notional; above zero is worse. A stop is"
        " decided on its own price."
    )
    legend = tuple((counts.slip_color(kind), kind) for kind, _ in counts.slip_groups(source.slips))
    title = "Slippage by order type and size"
    return _or_missing("slippage", title, note, counts.slippage(source), "No order was filled.", legend)


_TOO_FEW = f"It needs {WINDOW_SESSIONS} sessions, and a benchmark that moves."
_CATALOGUE: tuple[Callable[[ReportSource], Picture], ...] = (
    *(_equity, _underwater, _months, _positions, _exposure, _sectors, _volatility, _beta, _holding, _slippage),
)


def _or_missing(place: str, title: str, note: str, figure: Figure | None, missing: str, legend: Legend = ()) -> Picture:
    return Picture(
        place=place,
        title=title,
        note=missing if figure is None else note,
        figure=figure,
        legend=() if figure is None else legend,
    )
