"""Everything that has happened up to now, as rows of one symbol. Nothing here is from the future."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from math import prod
from typing import Any

import numpy as np

from ordinis.brokers.simulated.pricing import Pricing
from ordinis.brokers.simulated.server.simulation import Simulation
from ordinis.brokers.simulated.server.terms import in_todays_terms
from ordinis.brokers.simulated.server.timeframes import Timeframe, edge_of
from ordinis.brokers.simulated.wire_bars import daily_bar, minute_bar
from ordinis.brokers.simulated.wire_market import BEFORE_THE_END_NS, quote, trade
from ordinis.brokers.simulated.wire_values import midnight_ns, new_york
from ordinis.domain.events import ActionKind
from ordinis.domain.market import MINUTE_NS, MarketBlock

Row = dict[str, Any]
_Writer = Callable[[MarketBlock, int, int], Row]
_DAY = Timeframe(1, "Day")
_STAMP_NS = MINUTE_NS - BEFORE_THE_END_NS  # From a minute's left edge to its trade and quote.


class History:
    """Reads the simulation's data. Times are left edges, both ends included."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._past = list(simulation.data.history)
        self._pricing = Pricing(simulation.exchange.settings)

    @property
    def _blocks(self) -> list[MarketBlock]:
        return [*self._past, *self._simulation.days]

    def bars(
        self,
        column: int,
        timeframe: Timeframe,
        start_ns: int,
        end_ns: int,
        descending: bool,
        *,
        split_adjusted: bool = False,
    ) -> Iterator[Row]:
        """`split_adjusted`: what was before a split that has happened here is in the terms after it."""
        source = self._days if timeframe.of_days else self._minutes

        def read(first_ns: int, last_ns: int, backwards: bool) -> Iterator[Row]:
            rows = source(column, first_ns, last_ns, backwards)
            return in_todays_terms(rows, self._ratio_since(column)) if split_adjusted else rows

        if timeframe.single:
            yield from read(start_ns, end_ns, descending)
            return
        rows = timeframe.joined(read(start_ns, timeframe.end_ns(end_ns), False))
        found = [row for row in rows if start_ns <= edge_of(row) <= end_ns]
        yield from reversed(found) if descending else found

    def _ratio_since(self, column: int) -> Callable[[Row], float]:
        """Today's shares for one of a bar's, by the splits that have taken effect since."""
        symbol = self._simulation.exchange.universe.symbols[column]
        splits = [
            (midnight_ns(one.ex_date), float(one.ratio))
            for one in self._simulation.corporate_actions
            if one.kind is ActionKind.SPLIT and one.symbol == symbol
        ]
        return lambda row: prod(ratio for ex_ns, ratio in splits if edge_of(row) < ex_ns)

    def trades(self, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[Row]:
        return self._written(trade, column, start_ns - _STAMP_NS, end_ns - _STAMP_NS, descending)

    def quotes(self, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[Row]:
        return self._written(self._quote, column, start_ns - _STAMP_NS, end_ns - _STAMP_NS, descending)

    def _quote(self, block: MarketBlock, row: int, column: int) -> Row:
        return quote(block, row, column, self._pricing)

    def latest(self, column: int, kind: str) -> Row | None:
        """The newest bar, trade or quote of a symbol; None before its first."""
        writer: _Writer = {"bars": minute_bar, "trades": trade, "quotes": self._quote}[kind]
        return next(self._written(writer, column, 0, self._simulation.now_ns, True), None)

    def snapshot(self, column: int) -> Row:
        """What there is of the newest trade, quote and minute bar, today's bar and the day's before it."""
        days = list(self._days(column, 0, self._simulation.now_ns, True))
        today = midnight_ns(self._today)
        begun = bool(days) and edge_of(days[0]) == today
        before = days[1:] if begun else days
        parts = {
            "latestTrade": self.latest(column, "trades"),
            "latestQuote": self.latest(column, "quotes"),
            "minuteBar": self.latest(column, "bars"),
            "dailyBar": days[0] if begun else None,
            "prevDailyBar": before[0] if before else None,
        }
        return {name: row for name, row in parts.items() if row is not None}

    @property
    def _today(self) -> date:
        return new_york(self._simulation.now_ns).date()

    def _minutes(self, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[Row]:
        return self._written(minute_bar, column, start_ns, end_ns, descending)

    def _written(self, writer: _Writer, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[Row]:
        newest_ns = min(end_ns, self._simulation.now_ns - MINUTE_NS)
        blocks = self._blocks
        for block in reversed(blocks) if descending else blocks:
            rows = _rows(block, column, start_ns, newest_ns)
            for row in reversed(rows) if descending else rows:
                yield writer(block, row, column)

    def _days(self, column: int, start_ns: int, end_ns: int, descending: bool) -> Iterator[Row]:
        """The days that are stored and over, and the day that is on, made of its minutes."""
        stored = [row for row in self._stored_days(column) if start_ns <= edge_of(row) <= end_ns]
        made = self._made_days(column, start_ns, end_ns, {edge_of(row) for row in stored})
        rows = sorted([*stored, *made], key=edge_of, reverse=descending)
        return iter(rows)

    def _stored_days(self, column: int) -> Iterator[Row]:
        daily = self._simulation.daily
        if daily is None:
            return
        today = self._today
        closed = not self._simulation.is_open and self._simulation.exchange.now_ns > 0
        for row, day in enumerate(daily.dates):
            over = day < today or (day == today and closed)
            if over and not np.isnan(daily.close[row, column]):
                yield daily_bar(daily, row, column, midnight_ns(day))

    def _made_days(self, column: int, start_ns: int, end_ns: int, stored: set[int]) -> Iterator[Row]:
        """Without daily bars every day is made of its minutes; with them only the one that is on."""
        first_ns = start_ns if self._simulation.daily is None else max(start_ns, midnight_ns(self._today))
        minutes = self._minutes(column, first_ns, _DAY.end_ns(end_ns), False)
        for row in _DAY.joined(minutes):
            if edge_of(row) not in stored and start_ns <= edge_of(row) <= end_ns:
                yield row


def _rows(block: MarketBlock, column: int, start_ns: int, end_ns: int) -> list[int]:
    """The rows with a bar whose left edge is in the span."""
    edges = block.closed_at_ns - MINUTE_NS
    if not len(edges) or edges[0] > end_ns or edges[-1] < start_ns:
        return []
    wanted = (edges >= start_ns) & (edges <= end_ns) & block.present[:, column]
    rows: list[int] = wanted.nonzero()[0].tolist()
    return rows
