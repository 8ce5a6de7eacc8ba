"""Quotes, trades, daily bars and statuses as Alpaca writes them, over REST and in its stream.

Our data are bars. A minute's trade is its whole volume at its close, a minute's quote stands half the
exchange's spread on either side of the close; both are stamped a millisecond before the minute's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ordinis.brokers.simulated.pricing import Pricing
from ordinis.brokers.simulated.wire_bars import moment
from ordinis.brokers.simulated.wire_values import bare_number, midnight_ns
from ordinis.domain.market import MINUTE_NS, FloatArray, MarketBlock, MarketSlice, Session, Universe

BEFORE_THE_END_NS = 1_000_000
_EXCHANGE, _TAPE = "V", "C"
_SIZE = 100  # Shares at the bid and at the ask: bars do not say.


def trade(block: MarketBlock, row: int, column: int) -> dict[str, Any]:
    closed_at_ns = int(block.closed_at_ns[row])
    return {
        "t": _stamp(closed_at_ns),
        "x": _EXCHANGE,
        "p": float(block.close[row, column]),
        "s": bare_number(float(block.volume[row, column])),
        "c": ["@"],
        "i": closed_at_ns // MINUTE_NS,
        "z": _TAPE,
    }


def quote(block: MarketBlock, row: int, column: int, pricing: Pricing) -> dict[str, Any]:
    close = float(block.close[row, column])
    return {
        "t": _stamp(int(block.closed_at_ns[row])),
        "ax": _EXCHANGE,
        "ap": pricing.taken(True, close),
        "as": _SIZE,
        "bx": _EXCHANGE,
        "bp": pricing.taken(False, close),
        "bs": _SIZE,
        "c": ["R"],
        "z": _TAPE,
    }


def _stamp(closed_at_ns: int) -> datetime:
    at_ns = closed_at_ns - BEFORE_THE_END_NS
    return datetime.fromtimestamp(at_ns // 10**9, tz=UTC).replace(microsecond=at_ns % 10**9 // 1000)


class Tape:
    """A minute's messages on the channels beside its bars."""

    def __init__(self, universe: Universe, pricing: Pricing) -> None:
        self._symbols = universe.symbols
        self._pricing = pricing
        self._day: FloatArray = np.full((5, len(universe)), np.nan)  # Today's open, high, low, close, volume.
        self._start: datetime = moment(0)

    def open_session(self, session: Session) -> None:
        self._day.fill(np.nan)
        self._start = moment(midnight_ns(session.date))

    def statuses(self, session: Session) -> list[dict[str, Any]]:
        """At the opening everything trades."""
        status = {"sc": "T", "sm": "Trading", "rc": "", "rm": "", "t": moment(session.open_ns), "z": _TAPE}
        return [{"T": "s", "S": symbol, **status} for symbol in self._symbols]

    def add(self, minute: MarketSlice) -> None:
        """The minute goes into today's bars."""
        day, here = self._day, minute.present
        opening, high, low, close, volume = day
        np.copyto(opening, minute.open, where=here & np.isnan(opening))
        np.copyto(high, np.fmax(high, minute.high), where=here)
        np.copyto(low, np.fmin(low, minute.low), where=here)
        np.copyto(close, minute.close, where=here)
        np.copyto(volume, np.nan_to_num(volume) + minute.volume, where=here)

    def messages(self, minute: MarketSlice, wanted: frozenset[str]) -> Iterator[dict[str, Any]]:
        """Trades and quotes, then daily bars: of the symbols that had a bar."""
        block, row = minute.block, minute.row
        columns: list[int] = minute.present.nonzero()[0].tolist()
        if "trades" in wanted:
            yield from ({"T": "t", "S": self._symbols[one], **trade(block, row, one)} for one in columns)
        if "quotes" in wanted:
            yield from ({"T": "q", "S": self._symbols[one], **quote(block, row, one, self._pricing)} for one in columns)
        if "dailyBars" in wanted:
            yield from (self._daily(one) for one in columns)

    def _daily(self, column: int) -> dict[str, Any]:
        opening, high, low, close, volume = self._day[:, column].tolist()
        return {
            "T": "d",
            "S": self._symbols[column],
            "o": opening,
            "h": high,
            "l": low,
            "c": close,
            "v": bare_number(volume),
            "t": self._start,
            "n": None,
            "vw": None,
        }
