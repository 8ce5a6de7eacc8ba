from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ordinis.data.store import BarStore, DataSet
from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS, DailyBlock, MarketBlock, Universe

MakeBlock = Callable[..., MarketBlock]
DAYS = (date(2025, 11, 26), date(2025, 11, 28), date(2025, 12, 1))  # The second is a half-day.
ARRAYS = ("open", "high", "low", "close", "volume", "present", "closed_at_ns")


def write(store: BarStore, blocks: list[MarketBlock], name: str = "set", **other: object) -> DataSet:
    settings = {"feed": "iex", "label": "real minutes", "synthetic": False} | other
    return store.write(name, symbols=blocks[0].universe.symbols, blocks=blocks, **settings)  # type: ignore[arg-type]


def daily_block(symbols: tuple[str, ...], dates: tuple[date, ...], price_usd: float) -> DailyBlock:
    array = np.full((len(dates), len(symbols)), price_usd)
    return DailyBlock(
        universe=Universe(symbols), dates=dates, open=array, high=array, low=array, close=array, volume=array
    )


def test_what_was_written_is_read_back_bit_for_bit(store: BarStore, make_block: MakeBlock) -> None:
    written = [make_block(day) for day in DAYS]
    write(store, written)
    read = list(store.open("set").blocks())
    assert [block.session for block in read] == [block.session for block in written]
    for ours, theirs in zip(read, written, strict=True):
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_every_minute_of_a_session_is_a_row_and_carries_its_end(store: BarStore, make_block: MakeBlock) -> None:
    write(store, [make_block(day) for day in DAYS])
    half_day = list(store.open("set").blocks())[1]
    assert half_day.rows == 210
    assert half_day.closed_at_ns[0] == half_day.session.open_ns + MINUTE_NS
    assert half_day.closed_at_ns[-1] == half_day.session.close_ns


@pytest.mark.parametrize("symbols", [None, ["BBB"], ["BBB", "AAA"]])
def test_arrays_are_contiguous_and_cannot_be_written_to(
    store: BarStore, make_block: MakeBlock, symbols: list[str] | None
) -> None:
    write(store, [make_block(DAYS[0])])
    block = next(store.open("set").blocks(symbols=symbols))
    for name in ARRAYS:
        flags = getattr(block, name).flags
        assert flags.c_contiguous, name
        assert not flags.writeable, name


def test_columns_come_in_the_order_asked_for(store: BarStore, make_block: MakeBlock) -> None:
    written = make_block(DAYS[0], ("AAA", "BBB", "CCC"))
    data = write(store, [written])
    block = next(data.blocks(symbols=["CCC", "AAA"]))
    assert block.universe.symbols == ("CCC", "AAA")
    np.testing.assert_array_equal(block.close, written.close[:, [2, 0]])
    np.testing.assert_array_equal(data.daily(["CCC", "AAA"]).close, data.daily().close[:, [2, 0]])


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, DAYS),
        (DAYS[1], None, DAYS[1:]),
        (None, DAYS[1], DAYS[:2]),
        (date(2025, 11, 27), date(2025, 11, 30), DAYS[1:2]),
        (date(2026, 1, 1), None, ()),
    ],
)
def test_sessions_are_cut_by_date_with_both_ends_included(
    store: BarStore, make_block: MakeBlock, first: date | None, last: date | None, expected: tuple[date, ...]
) -> None:
    data = write(store, [make_block(day) for day in DAYS])
    assert tuple(block.session.date for block in data.blocks(first, last)) == expected


@pytest.mark.parametrize(("asked", "answer"), [("aaa", "did you mean AAA"), ("ZZQ", "it has AAA, BBB")])
def test_an_unknown_symbol_is_refused_before_anything_is_read(
    store: BarStore, make_block: MakeBlock, asked: str, answer: str
) -> None:
    data = write(store, [make_block(DAYS[0])])
    with pytest.raises(DataError, match=answer):
        data.blocks(symbols=[asked])
    with pytest.raises(DataError, match=answer):
        data.daily([asked])


def test_daily_bars_are_made_of_the_minutes_that_are_present(store: BarStore, make_block: MakeBlock) -> None:
    block = make_block(DAYS[0])
    daily = write(store, [block]).daily()
    assert daily.dates == (DAYS[0],)
    for column in range(2):
        there = block.present[:, column]
        expected = (
            block.open[there, column][0],
            block.high[there, column].max(),
            block.low[there, column].min(),
            block.close[there, column][-1],
            block.volume[there, column].sum(),
        )
        bar = tuple(getattr(daily, name)[0, column] for name in ("open", "high", "low", "close", "volume"))
        assert bar == expected


def test_a_symbol_without_a_bar_all_day_has_no_daily_bar(store: BarStore, make_block: MakeBlock) -> None:
    block = make_block(DAYS[0], gaps=False)
    for name in ("open", "high", "low", "close"):
        getattr(block, name)[:, 1] = np.nan
    block.volume[:, 1] = 0
    block.present[:, 1] = False
    daily = write(store, [block]).daily()
    assert np.isfinite(daily.close[0, 0])
    assert np.isnan([daily.open[0, 1], daily.high[0, 1], daily.low[0, 1], daily.close[0, 1]]).all()
    assert daily.volume[0, 1] == 0


def test_imported_daily_bars_stand_before_those_made_of_minutes(store: BarStore, make_block: MakeBlock) -> None:
    imported = daily_block(("BBB",), (date(2025, 11, 25), DAYS[0]), 55.0)
    data = write(store, [make_block(day) for day in DAYS[:2]], daily=imported)
    daily = data.daily()
    assert daily.dates == (date(2025, 11, 25), *DAYS[:2])
    assert daily.close[:2, 1].tolist() == [55.0, 55.0]
    assert daily.close[2, 1] > 100  # Nothing was imported for it: made of minutes.
    assert np.isnan(daily.close[0, 0])
    assert data.manifest.daily == "imported, where missing from minutes"


def test_a_gap_in_imported_daily_bars_hides_no_minutes(store: BarStore, make_block: MakeBlock) -> None:
    imported = daily_block(("AAA",), DAYS[:1], np.nan)
    daily = write(store, [make_block(DAYS[0])], daily=imported).daily()
    assert daily.close[0, 0] > 100


def test_equal_bars_have_an_equal_digest_and_one_other_value_another(store: BarStore, make_block: MakeBlock) -> None:
    first = write(store, [make_block(DAYS[0])], "first").content_sha256
    again = write(store, [make_block(DAYS[0])], "again", feed="sip", label="other").content_sha256
    changed = make_block(DAYS[0])
    changed.volume[5, 1] += 1
    assert first == again
    assert first != write(store, [changed], "changed").content_sha256


def test_a_set_says_what_it_is(store: BarStore, make_block: MakeBlock) -> None:
    write(store, [make_block(DAYS[0])], label="synthetic minutes", synthetic=True, notes=["note a"])
    data = store.open("set")
    assert (data.name, data.feed, data.label, data.synthetic) == ("set", "iex", "synthetic minutes", True)
    assert (data.symbols, data.universe.column["BBB"], data.notes) == (("AAA", "BBB"), 1, ("note a",))
    assert data.bars == int(make_block(DAYS[0]).present.sum())


def test_a_failed_write_leaves_no_set_and_no_rubbish(store: BarStore, make_block: MakeBlock) -> None:
    with pytest.raises(ValueError, match="oldest first"):
        write(store, [make_block(DAYS[1]), make_block(DAYS[0])])
    assert store.names() == ()
    assert [one.name for one in store.root.iterdir() if one.is_dir()] == []


def test_a_name_is_taken_until_it_is_replaced(store: BarStore, make_block: MakeBlock) -> None:
    write(store, [make_block(DAYS[0])])
    with pytest.raises(DataError, match="exists already"):
        write(store, [make_block(DAYS[1])])
    write(store, [make_block(DAYS[1])], replace=True)
    assert [session.date for session in store.open("set").sessions] == [DAYS[1]]
    assert [one.name for one in store.root.iterdir() if one.is_dir()] == ["set"]


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", ".hidden", "-flag", "two words", "ä"])
def test_a_name_that_is_not_a_plain_folder_is_refused(store: BarStore, make_block: MakeBlock, name: str) -> None:
    with pytest.raises(DataError):
        write(store, [make_block(DAYS[0])], name)


def test_an_unknown_set_is_refused_with_near_names(store: BarStore, make_block: MakeBlock) -> None:
    with pytest.raises(DataError, match="empty; import one first"):
        store.open("january")
    write(store, [make_block(DAYS[0])], "january-2025")
    with pytest.raises(DataError, match="did you mean january-2025"):
        store.open("january")


def damage_bytes(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    path.write_bytes(bytes(raw))


def read_all(data: DataSet) -> None:
    list(data.blocks())
    data.daily()


@pytest.mark.parametrize("harm", [Path.unlink, damage_bytes, lambda path: path.write_bytes(b"PAR1 not really")])
@pytest.mark.parametrize("file", ["2025-11-26.parquet", "daily.parquet"])
def test_a_damaged_file_is_an_error_with_its_path_and_the_remedy(
    store: BarStore, make_block: MakeBlock, file: str, harm: Callable[[Path], object]
) -> None:
    data = write(store, [make_block(day, tuple("ABCDEFGH")) for day in DAYS])
    path = data.folder / file
    harm(path)
    with pytest.raises(DataError, match="import it again") as caught:
        read_all(data)
    assert str(path) in str(caught.value)


def test_a_file_of_another_shape_is_an_error(store: BarStore, make_block: MakeBlock) -> None:
    data = write(store, [make_block(day) for day in DAYS])
    (data.folder / "2025-11-28.parquet").write_bytes((data.folder / "2025-11-26.parquet").read_bytes())
    with pytest.raises(DataError, match=r"2025-11-28\.parquet does not hold 210 minutes of 2 symbols"):
        list(data.blocks())


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "damaged"), ('{"schema_version": 1}', "damaged"), ('{"schema_version": 99}', "schema version 99")],
)
def test_a_damaged_or_newer_manifest_is_an_error(
    store: BarStore, make_block: MakeBlock, text: str, message: str
) -> None:
    data = write(store, [make_block(DAYS[0])])
    (data.folder / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=message):
        store.open("set")
