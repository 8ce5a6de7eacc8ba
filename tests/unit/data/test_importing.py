from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ordinis.data.importing import check_files, describe, file_sha256, import_files, open_data
from ordinis.data.store import BarStore
from ordinis.domain.errors import DataError

MakeFrame = Callable[..., pd.DataFrame]
FIRST, LAST = date(2025, 11, 24), date(2025, 12, 1)


def parquet(folder: Path, frame: pd.DataFrame, name: str = "bars.parquet") -> Path:
    frame.to_parquet(folder / name, index=False)
    return folder / name


def test_bars_land_in_their_minute_and_column(tmp_path: Path, store: BarStore, make_minutes: MakeFrame) -> None:
    frame = make_minutes(FIRST, LAST).drop(index=[3, 400])
    shuffled = frame.sample(frac=1, random_state=1)
    data = import_files([parquet(tmp_path, shuffled)], name="set", store=store).data
    wide = frame.set_index(["timestamp", "symbol"])
    for block in data.blocks():
        closes = pd.to_datetime(block.closed_at_ns, utc=True) - pd.Timedelta("1min")
        for column, symbol in enumerate(block.universe.symbols):
            expected = wide.xs(symbol, level="symbol").reindex(closes)
            np.testing.assert_array_equal(block.close[:, column], expected.close)
            np.testing.assert_array_equal(block.open[:, column], expected.open)
            np.testing.assert_array_equal(block.volume[:, column], expected.volume.fillna(0))
    assert data.bars == len(frame)


def test_the_order_of_rows_and_files_changes_nothing(tmp_path: Path, store: BarStore, make_minutes: MakeFrame) -> None:
    frame = make_minutes(FIRST, LAST)
    whole = import_files([parquet(tmp_path, frame)], name="whole", store=store).data
    late = parquet(tmp_path, frame[frame.timestamp >= "2025-11-26"].iloc[::-1], "late.parquet")
    early = parquet(tmp_path, frame[frame.timestamp < "2025-11-26"], "early.parquet")
    parts = import_files([late, early], name="parts", store=store).data
    assert parts.content_sha256 == whole.content_sha256
    assert [source.file for source in parts.manifest.sources] == ["late.parquet", "early.parquet"]
    assert parts.manifest.sources[1].sha256 == file_sha256(early)


def test_minutes_and_daily_bars_become_one_set(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame, make_daily: MakeFrame
) -> None:
    minutes = parquet(tmp_path, make_minutes(FIRST, LAST))
    daily = parquet(tmp_path, make_daily(date(2025, 10, 1), date(2025, 11, 25), ("AAA", "BBB", "SPY")), "daily.parquet")
    imported = import_files([daily, minutes], name="set", store=store, feed="iex")
    data = imported.data
    assert data.symbols == ("AAA", "BBB")
    assert (data.feed, data.label, data.synthetic) == ("iex", "real minutes", False)
    bars = data.daily()
    assert (bars.dates[0], bars.dates[-1]) == (date(2025, 10, 1), LAST)
    assert np.round(bars.close.mean(axis=0)).tolist() == [100.0, 200.0]  # And none of SPY's 300.
    assert imported.report.of_kind("no_minutes")[0].symbol == "SPY"


def test_daily_bars_alone_make_a_set_without_minutes(tmp_path: Path, store: BarStore, make_daily: MakeFrame) -> None:
    path = parquet(tmp_path, make_daily(FIRST, LAST))
    data = import_files([path], name="daily", store=store).data
    assert (data.sessions, list(data.blocks()), data.label) == ((), [], "real daily bars")
    assert data.daily().dates == tuple(
        date(2025, month, day) for month, day in [(11, 24), (11, 25), (11, 26), (11, 28), (12, 1)]
    )


def test_a_refusal_names_file_kind_row_and_remedy_and_stores_nothing(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame
) -> None:
    frame = make_minutes(FIRST, LAST)
    path = parquet(tmp_path, pd.concat([frame, frame.iloc[[7]].assign(close=101.0, high=102.0)]))
    with pytest.raises(DataError) as caught:
        import_files([path], name="set", store=store)
    text = str(caught.value)
    for part in ("bars.parquet is refused", "contradicting_duplicate", "row 3541", "2025-11-24T14:37:00Z", "remove"):
        assert part in text
    assert store.names() == ()


def test_what_was_accepted_is_imported_and_stays_on_record(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame
) -> None:
    frame = make_minutes(FIRST, LAST)
    path = parquet(tmp_path, pd.concat([frame, frame.iloc[[7]].assign(close=101.0, high=102.0)]))
    data = import_files([path], name="set", store=store, accept={"contradicting_duplicate"}).data
    assert next(data.blocks()).close[7, 0] == frame.close[7]  # The first of the two.
    assert data.notes[0].startswith("warn contradicting_duplicate (1) AAA")


def test_nothing_usable_is_an_error(tmp_path: Path, store: BarStore, make_daily: MakeFrame) -> None:
    path = parquet(tmp_path, make_daily(FIRST, LAST).assign(volume=np.nan))
    with pytest.raises(DataError, match="no usable bar is left"):
        import_files([path], name="set", store=store, accept={"null_volume"})
    with pytest.raises(DataError, match="no file was given"):
        import_files([], name="set", store=store)


def test_a_file_is_imported_once_and_then_known_by_its_content(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame
) -> None:
    path = parquet(tmp_path, make_minutes(FIRST, LAST), "my bars.parquet")
    first = open_data(str(path), store)
    written = (first.folder / "manifest.json").stat().st_mtime_ns
    again = open_data(str(path), store)
    assert (again.folder / "manifest.json").stat().st_mtime_ns == written
    assert first.name.startswith("my-bars-")
    assert open_data(first.name, store).content_sha256 == first.content_sha256  # A journal names it so.
    assert store.names() == ()  # A cache, not a set of the user's.
    parquet(tmp_path, make_minutes(FIRST, FIRST), "my bars.parquet")
    assert len(open_data(str(path), store).sessions) == 1


def test_a_damaged_cache_is_made_again_from_the_file(tmp_path: Path, store: BarStore, make_minutes: MakeFrame) -> None:
    path = parquet(tmp_path, make_minutes(FIRST, LAST))
    first = open_data(str(path), store)
    (first.folder / "manifest.json").write_text("{")
    assert open_data(str(path), store).content_sha256 == first.content_sha256


def test_a_name_opens_the_set_and_anything_else_says_what_is_missing(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame
) -> None:
    import_files([parquet(tmp_path, make_minutes(FIRST, LAST))], name="november", store=store)
    assert open_data("november", store).name == "november"
    with pytest.raises(DataError, match="did you mean november"):
        open_data("novembre", store)
    with pytest.raises(DataError, match="does not exist"):
        open_data(str(tmp_path / "absent.parquet"), store)


def test_the_list_of_sets_says_what_each_holds_even_a_damaged_one(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame
) -> None:
    import_files([parquet(tmp_path, make_minutes(FIRST, LAST))], name="good", store=store, feed="iex")
    bad = import_files([parquet(tmp_path, make_minutes(FIRST, LAST))], name="bad", store=store).data
    (bad.folder / "manifest.json").write_text("{")
    damaged, good = describe(store)
    assert "damaged" in damaged.label
    assert (good.name, good.feed, good.symbols, good.sessions, good.bars) == ("good", "iex", 2, 5, 3540)
    assert (good.first, good.last, good.daily) == ("2025-11-24", "2025-12-01", "from minutes")


def test_csv_in_new_york_time_imports_like_the_parquet_in_utc(
    tmp_path: Path, store: BarStore, make_minutes: MakeFrame
) -> None:
    frame = make_minutes(FIRST, LAST)
    utc = import_files([parquet(tmp_path, frame)], name="utc", store=store).data
    local = frame.assign(timestamp=frame.timestamp.dt.tz_convert("America/New_York").dt.tz_localize(None))
    local.to_csv(tmp_path / "local.csv", index=False)
    data = import_files([tmp_path / "local.csv"], name="local", store=store, timezone="America/New_York").data
    assert data.content_sha256 == utc.content_sha256


def test_a_row_outside_the_calendar_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("symbol,date,open,high,low,close,volume\nA,1990-01-02,1,2,0.5,1.5,10\n")
    with pytest.raises(DataError, match=r"old\.csv row 1.*outside the exchange calendar"):
        check_files([path])


@pytest.mark.parametrize(
    ("file", "symbols", "sessions", "bars"),
    [
        ("minute_rth_2025-01_20sym", 20, 20, 154_991),
        ("minute_rth_iex_2025-09_2025-12_16sym", 16, 76, 419_529 - 53),
        ("minute_ext_2015-12_lean_goog_halfday", 1, 3, 1_091 - 14 - 95),
        ("minute_ext_2025-01_4sym", 4, 20, 64_026 - 32_871),
    ],
)
def test_a_shared_set_imports_whole(
    store: BarStore, shared: Path, file: str, symbols: int, sessions: int, bars: int
) -> None:
    data = open_data(str(shared / f"{file}.parquet"), store)
    assert (len(data.symbols), len(data.sessions), data.bars) == (symbols, sessions, bars)
    blocks = list(data.blocks())
    assert sum(int(block.present.sum()) for block in blocks) == bars
    assert sum(block.rows for block in blocks) == sum(session.minutes for session in data.sessions)


def test_a_months_minutes_take_their_warm_up_from_daily_bars(store: BarStore, shared: Path) -> None:
    files = ["minute_rth_2025-01_20sym", "daily_2024-04_2025-01_corpactions"]
    data = import_files([shared / f"{file}.parquet" for file in files], name="january", store=store).data
    daily = data.daily(["AAPL"]).before(date(2025, 1, 2))
    assert len(daily.dates) == 191
    assert np.isfinite(daily.close).all()
