"""Day trades of a list of fills: a line a trade date and symbol, and the window that ends on each date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from ordinis.engines.compliance.business_days import BusinessDays
from ordinis.engines.compliance.day_trades import Trade, count_day_trades

_NONE: Final = Decimal(0)


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """One security on one trade date, by each permitted method."""

    day: date
    symbol: str
    start_quantity: Decimal  # Signed shares at the start of the day.
    direction_change: int
    opening_order: int
    max: int
    window: int  # The larger counts of all securities, over the trading days that end with this one.


def day_counts(
    fills: Iterable[tuple[int, str, Trade]], days: BusinessDays, held: Mapping[str, Decimal], window_sessions: int
) -> list[DayCount]:
    """`fills` are (filled at, symbol, trade) in time order; `held` is the position before the first of them."""
    position, traded = dict(held), dict[tuple[date, str], tuple[Decimal, list[Trade]]]()
    for at_ns, symbol, trade in fills:
        key = (days.trade_date(at_ns), symbol)
        traded.setdefault(key, (position.get(symbol, _NONE), []))[1].append(trade)
        side, quantity, _ = trade
        position[symbol] = position.get(symbol, _NONE) + (quantity if side == "buy" else -quantity)
    by_day: dict[date, int] = {}
    counted = []
    for (day, symbol), (start, trades) in sorted(traded.items()):
        larger = count_day_trades(trades, start, "max")
        by_day[day] = by_day.get(day, 0) + larger
        counted.append((day, symbol, start, trades, larger))
    return [
        DayCount(
            day=day,
            symbol=symbol,
            start_quantity=start,
            direction_change=count_day_trades(trades, start, "direction_change"),
            opening_order=count_day_trades(trades, start, "opening_order"),
            max=larger,
            window=_window(by_day, days.window(day, window_sessions), day),
        )
        for day, symbol, start, trades, larger in counted
    ]


def _window(by_day: Mapping[date, int], first: date, last: date) -> int:
    return sum(count for day, count in by_day.items() if first <= day <= last)
