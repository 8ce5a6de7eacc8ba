"""Bars as Alpaca writes them: over REST, and in the frames of its market-data stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ordinis.brokers.simulated.wire_values import SECOND_NS, bare_number
from ordinis.domain.market import MINUTE_NS, DailyBlock, MarketBlock, MarketSlice

BARS_PER_FRAME_MAX = 2_000  # Some clients read frames of a megabyte at most.


def minute_bar(block: MarketBlock, row: int, column: int) -> dict[str, Any]:
    """Left edge in `t`. How many trades there were and at what average price is not in our data: null."""
    return {
        "t": moment(int(block.closed_at_ns[row]) - MINUTE_NS),
        "o": float(block.open[row, column]),
        "h": float(block.high[row, column]),
        "l": float(block.low[row, column]),
        "c": float(block.close[row, column]),
        "v": bare_number(float(block.volume[row, column])),
        "n": None,
        "vw": None,
    }


def daily_bar(block: DailyBlock, row: int, column: int, start_ns: int) -> dict[str, Any]:
    return {
        "t": moment(start_ns),
        "o": float(block.open[row, column]),
        "h": float(block.high[row, column]),
        "l": float(block.low[row, column]),
        "c": float(block.close[row, column]),
        "v": bare_number(float(block.volume[row, column])),
        "n": None,
        "vw": None,
    }


def stream_bars(minute: MarketSlice) -> list[dict[str, Any]]:
    """The messages of one minute, in the universe's order. `t` is a datetime: text in JSON, a Timestamp in msgpack."""
    symbols = minute.universe.symbols
    start = moment(minute.at_ns - MINUTE_NS)
    present = minute.present.nonzero()[0].tolist()
    columns = (minute.open, minute.high, minute.low, minute.close, minute.volume)
    rows = zip(present, *(one[present].tolist() for one in columns), strict=True)
    return [
        {
            "T": "b",
            "S": symbols[column],
            "o": opening,
            "h": high,
            "l": low,
            "c": close,
            "v": bare_number(volume),
            "t": start,
            "n": None,
            "vw": None,
        }
        for column, opening, high, low, close, volume in rows
    ]


def frames(bars: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(bars), BARS_PER_FRAME_MAX):
        yield bars[start : start + BARS_PER_FRAME_MAX]


def moment(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // SECOND_NS, tz=UTC)
