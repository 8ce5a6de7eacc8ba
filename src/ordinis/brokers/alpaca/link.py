"""What every link to a broker shares: its streams and clients, what was before a day, and hanging up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from types import TracebackType
from typing import Self

from ordinis.brokers.alpaca.corporate import CorporateActions
from ordinis.brokers.alpaca.dialogues import BarDialogue, TradeUpdateDialogue
from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.executor import AlpacaBroker
from ordinis.brokers.alpaca.feeds import Stream, StreamLimits
from ordinis.brokers.alpaca.history import AlpacaHistory
from ordinis.brokers.alpaca.missed import Past
from ordinis.brokers.alpaca.rest import (
    RateGauge,
    RestLimits,
    close_client,
    corporate_client,
    data_client,
    trading_client,
)
from ordinis.brokers.alpaca.wire import WireStreamMessage, WireTradeUpdate
from ordinis.domain.market import Session, Universe


class Link:
    """Streams and clients of one broker; whoever extends it connects them. Use it in a `with` block."""

    broker: AlpacaBroker

    def __init__(
        self,
        endpoints: Endpoints,
        universe: Universe,
        subscribed: tuple[str, ...],
        *,
        feed: str,
        generator: Random,
        rest_limits: RestLimits | None,
        stream_limits: StreamLimits | None,
        gauge: RateGauge | None = None,
    ) -> None:
        """`subscribed` are the symbols whose bars are streamed."""
        self._endpoints = endpoints
        self._universe = universe
        self._feed = feed
        self._generator = generator
        self._rest_limits = rest_limits or RestLimits()
        limits = stream_limits or StreamLimits()
        self._bars: Stream[WireStreamMessage] = Stream(BarDialogue(endpoints, subscribed), limits, generator)
        self._updates: Stream[WireTradeUpdate] = Stream(TradeUpdateDialogue(endpoints), limits, generator)
        self._trading = trading_client(endpoints, self._rest_limits, gauge)
        self._companies = corporate_client(endpoints, self._rest_limits)

    def history(self, *, before: date, sessions: int, daily_sessions: int) -> AlpacaHistory:
        """What was before a day."""
        return AlpacaHistory(
            self._trading,
            data_client(self._endpoints, self._rest_limits),
            self._universe,
            before=before,
            sessions=sessions,
            daily_sessions=daily_sessions,
            limits=self._rest_limits,
            generator=self._generator,
            feed=self._feed,
        )

    def _past(self) -> Past:
        """What can be asked for of days and minutes that have passed."""
        asked = self.history(before=date.max, sessions=0, daily_sessions=0)
        return Past(sessions=asked.sessions_between, minutes=asked.minutes_of)

    def _opening(self) -> Callable[[Session], None]:
        """What is done as a session opens: corporate actions are asked for, then the broker begins."""
        corporate = CorporateActions(
            self._trading,
            self._companies,
            self._universe.symbols,
            limits=self._rest_limits,
            generator=self._generator,
        )
        return lambda session: self.broker.begin_session(session, corporate.until(session))

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._bars.close()
        self._updates.close()
        close_client(self._trading)
        close_client(self._companies)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
