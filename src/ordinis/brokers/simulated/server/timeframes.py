"""How long a bar is, and minutes and days put together to longer ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from ordinis.brokers.simulated.server.answers import BadRequest
from ordinis.brokers.simulated.wire_bars import moment
from ordinis.brokers.simulated.wire_values import SECOND_NS, midnight_ns, new_york
from ordinis.domain.market import MINUTE_NS

Bar = dict[str, Any]
_TEXT = re.compile(r"(\d+)(Min|T|Hour|H|Day|D|Week|W|Month|M)")
_UNITS = {"T": "Min", "H": "Hour", "D": "Day", "W": "Week", "M": "Month"}
_MOST = {"Min": 59, "Hour": 23, "Day": 1, "Week": 1, "Month": 12}
_MINUTES = {"Min": 1, "Hour": 60}
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Timeframe:
    """`5Min`, `1Hour`, `1Day`, `1Week`, `3Month`."""

    amount: int
    unit: str  # "Min", "Hour", "Day", "Week" or "Month".

    @property
    def of_days(self) -> bool:
        """Whether it is made of days, not of minutes."""
        return self.unit not in _MINUTES

    @property
    def single(self) -> bool:
        """A minute or a day, as they are stored."""
        return self.amount == 1 and self.unit in ("Min", "Day")

    def edge_ns(self, at_ns: int) -> int:
        """The left edge of the bar that a minute or a day is in; edges are New York's, of the day or the calendar."""
        day = new_york(at_ns).date()
        if self.of_days:
            return midnight_ns(self._first_day(day))
        width_ns = self.amount * _MINUTES[self.unit] * MINUTE_NS
        midnight = midnight_ns(day)
        return midnight + (at_ns - midnight) // width_ns * width_ns

    def _first_day(self, day: date) -> date:
        if self.unit == "Week":
            return day - timedelta(days=day.weekday())
        if self.unit == "Month":
            return day.replace(day=1, month=(day.month - 1) // self.amount * self.amount + 1)
        return day

    def end_ns(self, edge_ns: int) -> int:
        """An instant after everything that a bar of that edge is made of."""
        days = {"Day": 1, "Week": 7, "Month": 31 * self.amount}.get(self.unit, 1)
        return edge_ns + days * 24 * 3600 * SECOND_NS

    def joined(self, bars: Iterable[Bar]) -> Iterator[Bar]:
        """Longer bars of shorter ones, both oldest first."""
        for edge_ns, members in groupby(bars, key=lambda bar: self.edge_ns(edge_of(bar))):
            yield _one(list(members), edge_ns)


def timeframe_of(text: str) -> Timeframe:
    """Errors: BadRequest."""
    found = _TEXT.fullmatch(text)
    if found is not None:
        unit = _UNITS.get(found[2], found[2])
        amount = int(found[1])
        whole_years = unit != "Month" or (amount and _MONTHS % amount == 0)
        if 1 <= amount <= _MOST[unit] and whole_years:
            return Timeframe(amount, unit)
    raise BadRequest(
        f"invalid timeframe: {text}; it is 1Min to 59Min, 1Hour to 23Hour, 1Day, 1Week, or 1, 2, 3, 4, 6 or 12Month"
    )


def edge_of(bar: Bar) -> int:
    return int(bar["t"].timestamp()) * SECOND_NS


def _one(members: list[Bar], edge_ns: int) -> Bar:
    return {
        **members[0],
        "t": moment(edge_ns),
        "h": max(one["h"] for one in members),
        "l": min(one["l"] for one in members),
        "c": members[-1]["c"],
        "v": sum(one["v"] for one in members),
    }
