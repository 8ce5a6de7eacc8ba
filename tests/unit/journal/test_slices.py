from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.market import MarketBlock, MarketSlice, Session, Universe
from ordinis.journal.slices import SliceMarks, decode_mark, fingerprints, pack_bars, unpack_bars

FIELDS = ("open", "high", "low", "close", "volume")


def _marks(block: MarketBlock) -> list[bytes]:
    marks = SliceMarks()
    return [marks.payload(block.at(row)) for row in range(block.rows)]


def _changed(block: MarketBlock, field: str, row: int, column: int, value: float) -> MarketBlock:
    values = getattr(block, field).copy()
    values[row, column] = value
    return replace(block, **{field: values})


def _swapped(block: MarketBlock) -> MarketBlock:
    order = [1, 0, *range(2, len(block.universe))]
    return replace(
        block, present=block.present[:, order], **{field: getattr(block, field)[:, order] for field in FIELDS}
    )


@pytest.mark.parametrize("rows", [1, 2, 390])
@pytest.mark.parametrize("columns", [1, 3, 100])
def test_a_minute_has_the_same_fingerprint_alone_and_in_a_block(material: Any, rows: int, columns: int) -> None:
    block = material.block(rows=rows, symbols=tuple(f"S{i}" for i in range(columns)))
    alone = [_marks(block.row_block(row))[0] for row in range(rows)]
    assert _marks(block) == alone


@given(
    field=st.sampled_from(FIELDS),
    row=st.integers(0, 4),
    column=st.integers(0, 2),
    value=st.floats(0, 1e9, allow_nan=False),
)
def test_any_one_changed_value_gives_another_fingerprint(field: str, row: int, column: int, value: float) -> None:
    block = _full_block()
    if getattr(block, field)[row, column] == value:
        value += 1.0
    before, after = fingerprints(block), fingerprints(_changed(block, field, row, column, value))
    assert before[row] != after[row]
    assert np.array_equal(np.delete(before, row), np.delete(after, row))


def _full_block() -> MarketBlock:
    price = np.arange(15, dtype=np.float64).reshape(5, 3) + 10.0
    return MarketBlock(
        universe=Universe(("A", "B", "C")),
        session=Session(date=date(2025, 1, 15), open_ns=0, close_ns=10**12),
        closed_at_ns=np.arange(1, 6),
        open=price,
        high=price + 1,
        low=price - 1,
        close=price,
        volume=price * 100,
        present=np.ones((5, 3), dtype=np.bool_),
    )


def test_two_symbols_that_change_places_are_seen() -> None:
    block = _full_block()
    assert not np.any(fingerprints(block) == fingerprints(_swapped(block)))


def test_short_numbers_do_not_share_fingerprints() -> None:
    """Powers of two differ in their exponents only: twelve bits of 64."""
    block = _full_block()
    exponents = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1).reshape(-1, 2)
    many: Any = {field: np.tile(getattr(block, field)[:1], (len(exponents), 1)) for field in (*FIELDS, "present")}
    many["volume"][:, :2] = 2.0**exponents
    times = np.arange(1, len(exponents) + 1)
    assert len(set(fingerprints(replace(block, closed_at_ns=times, **many)).tolist())) == len(exponents)


def test_what_stands_in_absent_cells_does_not_count(material: Any) -> None:
    block = material.block()
    row, column = np.argwhere(~block.present)[0]
    odd_nan = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)[0]
    assert _marks(_changed(block, "close", row, column, odd_nan)) == _marks(block)


def test_a_mark_counts_the_bars_that_came(material: Any) -> None:
    block = material.block()
    for row, payload in enumerate(_marks(block)):
        mark = decode_mark(5, payload)
        assert (mark.at_ns, mark.present) == (5, int(block.present[row].sum()))
        assert mark.fingerprint == int(fingerprints(block)[row])


def test_another_block_is_not_taken_for_the_last_one(material: Any) -> None:
    one, other = material.block(seed=1), material.block(seed=2)
    marks = SliceMarks()
    assert marks.payload(one.at(1)) == _marks(one)[1]
    assert marks.payload(other.at(1)) == _marks(other)[1]


@pytest.mark.parametrize("columns", [1, 3, 100])
def test_packed_bars_come_back_exactly(material: Any, columns: int) -> None:
    block = material.block(symbols=tuple(f"S{i}" for i in range(columns)))
    for row in range(block.rows):
        event = block.at(row)
        back = unpack_bars(pack_bars(event), event.at_ns, block.universe, block.session)
        _assert_same_minute(back, event)


def _assert_same_minute(one: MarketSlice, other: MarketSlice) -> None:
    assert one.at_ns == other.at_ns
    assert one.session == other.session
    assert np.array_equal(one.present, other.present)
    for field in FIELDS:
        assert np.array_equal(getattr(one, field), getattr(other, field), equal_nan=True)
    marks = SliceMarks()
    assert marks.payload(one) == marks.payload(other)
