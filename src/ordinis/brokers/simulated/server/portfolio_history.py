"""The account's equity over time, as `/v2/account/portfolio/history` tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ordinis.brokers.simulated.refusals import unprocessable
from ordinis.brokers.simulated.server.queries import date_of, time_of
from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.brokers.simulated.wire_values import SECOND_NS, midnight_ns, new_york
from ordinis.domain.market import MINUTE_NS

_MINUTES = {"1Min": 1, "5Min": 5, "15Min": 15, "1H": 60, "1D": 0}
_DAYS = {"D": 1, "W": 7, "M": 31, "A": 366}
_PERIOD = re.compile(r"(\d+)([DWMA])")
_DAYS_MAX = 50 * 366
_DAY_NS = 24 * 3600 * SECOND_NS


def portfolio_history(simulation: Simulation, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    """A point a bar of the time frame: its left edge in seconds, the equity at its end.

    Profit and loss count from the equity before the first point. Raises Refusal.
    """
    start_ns, end_ns = _span(query, now_ns)
    timeframe = query.get("timeframe") or ("1D" if end_ns - start_ns > 31 * _DAY_NS else "15Min")
    if timeframe not in _MINUTES:
        raise unprocessable(f"invalid timeframe {timeframe}; it is one of {', '.join(_MINUTES)}")
    points: dict[int, float] = {}
    base_usd = float(simulation.exchange.settings.cash_usd)
    for at_ns, equity_usd in simulation.equities:
        if at_ns <= start_ns:
            base_usd = equity_usd
        elif at_ns <= end_ns:
            points[_edge_ns(at_ns - MINUTE_NS, _MINUTES[timeframe]) // SECOND_NS] = equity_usd
    gains_usd = [round(equity_usd - base_usd, 4) for equity_usd in points.values()]
    return {
        "timestamp": list(points),
        "equity": list(points.values()),
        "profit_loss": gains_usd,
        "profit_loss_pct": [gain_usd / base_usd if base_usd else 0.0 for gain_usd in gains_usd],
        "base_value": base_usd,
        "base_value_asof": new_york(start_ns).date().isoformat(),
        "timeframe": timeframe,
    }


def _span(query: Mapping[str, str], now_ns: int) -> tuple[int, int]:
    """From after the first to the last, both UTC nanoseconds."""
    today = new_york(now_ns).date()
    end_ns = time_of(query.get("end"))
    if end_ns is None:
        end_ns = midnight_ns(date_of(query.get("date_end"), today) + timedelta(days=1))
    start_ns = time_of(query.get("start"))
    if start_ns is None:
        last = new_york(end_ns - 1).date()
        start_ns = midnight_ns(date_of(query.get("date_start"), last - timedelta(days=_days(query.get("period")) - 1)))
    return start_ns, end_ns


def _days(period: str | None) -> int:
    if not period:
        return _DAYS["M"]
    found = _PERIOD.fullmatch(period)
    if found is None or int(found[1]) < 1:
        raise unprocessable(f"invalid period {period}; write it as 1D, 2W, 3M or 1A")
    return min(int(found[1]) * _DAYS[found[2]], _DAYS_MAX)


def _edge_ns(start_ns: int, minutes: int) -> int:
    """The left edge of the bar that the minute is in, in New York's time of day."""
    midnight = midnight_ns(new_york(start_ns).date())
    if not minutes:
        return midnight
    width_ns = minutes * MINUTE_NS
    return midnight + (start_ns - midnight) // width_ns * width_ns
