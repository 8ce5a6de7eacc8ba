"""What a journal keeps of a minute: always a fingerprint, in a live run the bars as well.

The fingerprint is 64 bits over the exact values of a minute's bars, the same whether the minute came
alone or in a session's block. Any one changed value gives another fingerprint; two or more changes
go unnoticed once in 2^64. It guards against accident, not against somebody who wants to deceive.
"""

from __future__ import annotations

import struct
import zlib

import msgspec
import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import BoolArray, FloatArray, MarketBlock, MarketSlice, Session, Universe

_MARK = np.dtype([("present", "<u4"), ("fingerprint", "<u8")])
_MARK_STRUCT = struct.Struct("<IQ")
_FIELD_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio, odd: spreads bits upward.
_HALF = np.uint64(32)
_FIELDS = 5


class SliceMark(msgspec.Struct, frozen=True, kw_only=True, tag="slice"):
    """A recorded minute: how many symbols had a bar, and the fingerprint of those bars."""

    at_ns: int
    present: int
    fingerprint: int


class SliceMarks:
    """Encodes slices. A block's rows are computed at once and kept until another block comes."""

    def __init__(self) -> None:
        self._block: MarketBlock | None = None
        self._payloads: list[bytes] = []

    def payload(self, event: MarketSlice) -> bytes:
        if event.block is not self._block:
            self._payloads = _payloads(event.block)
            self._block = event.block
        return self._payloads[event.row]


def decode_mark(at_ns: int, payload: bytes) -> SliceMark:
    present, fingerprint = _MARK_STRUCT.unpack(payload)
    return SliceMark(at_ns=at_ns, present=present, fingerprint=fingerprint)


def fingerprints(block: MarketBlock) -> NDArray[np.uint64]:
    """`[rows]`: one number a minute. Absent cells count for nothing, whatever NaN stands there."""
    cell = block.open.view(np.uint64).copy()
    for field in (block.high, block.low, block.close, block.volume):
        cell *= _FIELD_FACTOR
        cell += field.view(np.uint64)
    cell ^= cell >> _HALF  # Short decimals have empty low halves: bring the full ones down before they add up.
    cell *= _column_factors(cell.shape[1])
    cell *= block.present
    total: NDArray[np.uint64] = cell.sum(axis=1, dtype=np.uint64)
    return total


def _payloads(block: MarketBlock) -> list[bytes]:
    marks = np.empty(block.rows, dtype=_MARK)
    marks["present"] = np.count_nonzero(block.present, axis=1)
    marks["fingerprint"] = fingerprints(block)
    raw, size = marks.tobytes(), _MARK.itemsize
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def _column_factors(columns: int) -> NDArray[np.uint64]:
    """A different odd factor a column, so that two symbols cannot change places unseen."""
    steps = np.arange(1, columns + 1, dtype=np.uint64) * _FIELD_FACTOR
    steps ^= steps >> _HALF
    steps *= np.uint64(0xD6E8FEB86659FD93)
    return steps | np.uint64(1)


def pack_bars(event: MarketSlice) -> bytes:
    """The bars that came, exactly: their columns (uint32), then each field (float64), little-endian, deflated."""
    columns = np.flatnonzero(event.present)
    fields = (event.open, event.high, event.low, event.close, event.volume)
    values = np.stack([field[columns] for field in fields])
    return zlib.compress(columns.astype("<u4").tobytes() + values.astype("<f8").tobytes(), level=1)


def unpack_bars(packed: bytes, at_ns: int, universe: Universe, session: Session) -> MarketSlice:
    """The minute as it was decided on, in a block of its own."""
    raw = zlib.decompress(packed)
    count = len(raw) // (4 + 8 * _FIELDS)
    columns = np.frombuffer(raw, dtype="<u4", count=count)
    values = np.frombuffer(raw, dtype="<f8", offset=4 * count).reshape(_FIELDS, count)
    present: BoolArray = np.zeros((1, len(universe)), dtype=np.bool_)
    present[0, columns] = True
    open_, high, low, close = (_spread(row, columns, len(universe), np.nan) for row in values[:4])
    block = MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=np.array([at_ns], dtype=np.int64),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=_spread(values[4], columns, len(universe), 0.0),
        present=present,
    )
    return block.at(0)


def _spread(values: FloatArray, columns: NDArray[np.uint32], width: int, absent: float) -> FloatArray:
    row = np.full((1, width), absent, dtype=np.float64)
    row[0, columns] = values
    return row
