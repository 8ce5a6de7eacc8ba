"""What was before the first minute, by Alpaca's REST: `ports.History`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.bars import daily_block, session_block
from ordinis.brokers.alpaca.rest import RestLimits, repeated
from ordinis.brokers.alpaca.times import NEW_YORK
from ordinis.brokers.alpaca.wire import WireBar, WireCalendarDay
from ordinis.domain.market import DailyBlock, MarketBlock, Session, Universe

if TYPE_CHECKING:
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient

_CALENDAR_DAYS_A_SESSION = 2  # Five sessions a week, less holidays: two days a session are plenty,
_CALENDAR_DAYS_MORE = 10  # and ten more for a short span over a holiday.
_DAY_LAST = timedelta(hours=23)
_SYMBOLS_A_REQUEST_MAX = 500  # Their names stand in the address, which may not be longer than servers take.


class AlpacaHistory:
    """The last sessions and daily bars before a day. The feed is Alpaca's own name: iex or sip."""

    def __init__(
        self,
        trading: TradingClient,
        data: StockHistoricalDataClient,
        universe: Universe,
        *,
        before: date,
        sessions: int,
        daily_sessions: int,
        limits: RestLimits,
        generator: Random,
        feed: str = "iex",
    ) -> None:
        self._trading = trading
        self._data = data
        self._universe = universe
        self._before = before
        self._sessions = sessions
        self._daily_sessions = daily_sessions
        self._limits = limits
        self._generator = generator
        self._feed = feed

    def minutes(self) -> Iterator[MarketBlock]:
        """Oldest first, one session at a time."""
        for session in self._sessions_before():
            yield self.minutes_of(session)

    def minutes_of(self, session: Session) -> MarketBlock:
        """One session, as far as its minutes are known."""
        start = datetime.fromtimestamp(session.open_ns // 10**9, tz=UTC)
        end = datetime.fromtimestamp(session.close_ns // 10**9 - 60, tz=UTC)
        return session_block(self._universe, session, self._bars("Minute", start, end))

    def sessions_between(self, first: date, last: date) -> list[Session]:
        """The exchange's sessions, both ends included."""
        query = {"start": first.isoformat(), "end": last.isoformat()}
        answer = repeated(lambda: self._trading.get("/calendar", query), self._limits, self._generator)
        return [wire.session(day) for day in wire.read(answer, list[WireCalendarDay], "calendar")]

    def daily(self) -> DailyBlock:
        """As many daily bars as were asked for, at most."""
        reach = self._reach_days(self._daily_sessions)
        start = datetime.combine(self._before - timedelta(days=reach), time(), tzinfo=NEW_YORK)
        end = datetime.combine(self._before - timedelta(days=1), time(), tzinfo=NEW_YORK) + _DAY_LAST
        block = daily_block(self._universe, self._bars("Day", start, end))
        return _last_rows(block, self._daily_sessions)

    def _sessions_before(self) -> list[Session]:
        first = self._before - timedelta(days=self._reach_days(self._sessions))
        known = self.sessions_between(first, self._before - timedelta(days=1))
        return known[len(known) - min(self._sessions, len(known)) :]

    @staticmethod
    def _reach_days(sessions: int) -> int:
        return sessions * _CALENDAR_DAYS_A_SESSION + _CALENDAR_DAYS_MORE

    def _bars(self, unit: str, start: datetime, end: datetime) -> dict[str, list[WireBar]]:
        """By symbol, both ends included; a wide universe in several requests."""
        found: dict[str, list[WireBar]] = {}
        for symbols in _groups(self._universe.symbols):
            found |= self._bars_of(symbols, unit, start, end)
        return found

    def _bars_of(self, symbols: list[str], unit: str, start: datetime, end: datetime) -> dict[str, list[WireBar]]:
        """One request; the SDK turns the pages."""
        from alpaca.data.enums import Adjustment, DataFeed
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame

        request = StockBarsRequest(
            symbol_or_symbols=symbols,
            timeframe=getattr(TimeFrame, unit),
            start=start,
            end=end,
            feed=DataFeed(self._feed),
            adjustment=Adjustment.SPLIT,  # In the terms of the day that is asked on.
        )
        call: Any = lambda: self._data.get_stock_bars(request)  # noqa: E731
        answer = repeated(call, self._limits, self._generator)
        return wire.read(answer, dict[str, list[WireBar]], "bars")


def _groups(symbols: tuple[str, ...]) -> Iterator[list[str]]:
    for first in range(0, len(symbols), _SYMBOLS_A_REQUEST_MAX):
        yield list(symbols[first : first + _SYMBOLS_A_REQUEST_MAX])


def _last_rows(block: DailyBlock, rows: int) -> DailyBlock:
    first = max(0, len(block.dates) - rows)
    return DailyBlock(
        universe=block.universe,
        dates=block.dates[first:],
        open=block.open[first:],
        high=block.high[first:],
        low=block.low[first:],
        close=block.close[first:],
        volume=block.volume[first:],
    )
