from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ordinis.data.reading import read_bars
from ordinis.domain.errors import DataError

MakeFrame = Callable[..., pd.DataFrame]
OPEN_NS = pd.Timestamp("2025-01-02T14:30Z").value
BAR = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 10}


def csv(folder: Path, text: str, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "heading",
    [
        "symbol,timestamp,open,high,low,close,volume",
        "Ticker,Date,Open,High,Low,Close,Volume",
        "Name,datetime,o,h,l,c,v",
        "S,t,O,H,L,C,V",
        " symbol , time , open , high , low , close , vol ",
    ],
)
def test_common_spellings_of_columns_are_understood(tmp_path: Path, heading: str) -> None:
    table = read_bars(csv(tmp_path, f"{heading}\naapl,2025-01-02T14:30:00Z,1,2,0.5,1.5,10\n"))
    assert (table.symbols, table.start_ns.tolist(), table.daily) == (("AAPL",), [OPEN_NS], False)
    values = [float(getattr(table, name)[0]) for name in BAR]
    assert values == list(BAR.values())


@pytest.mark.parametrize(
    ("time", "timezone"),
    [
        ("2025-01-02T14:30:00Z", None),
        ("2025-01-02 14:30:00+00:00", None),
        ("2025-01-02T09:30:00-05:00", None),
        ("2025-01-02T09:30:00-0500", None),
        ("2025-01-02 09:30:00", "America/New_York"),
        ("2025-01-02 09:30", "America/New_York"),
        ("2025-01-02 14:30", "UTC"),
        ("01/02/2025 09:30", "America/New_York"),
        (str(OPEN_NS // 10**9), None),
        (str(OPEN_NS // 10**6), None),
        (str(OPEN_NS), None),
    ],
)
def test_times_become_utc_whatever_their_spelling(tmp_path: Path, time: str, timezone: str | None) -> None:
    path = csv(tmp_path, f"symbol,timestamp,open,high,low,close,volume\nA,{time},1,2,0.5,1.5,10\n")
    assert read_bars(path, timezone=timezone).start_ns.tolist() == [OPEN_NS]


def test_a_date_column_and_a_time_column_are_read_as_one(tmp_path: Path) -> None:
    path = csv(tmp_path, "symbol,date,time,open,high,low,close,volume\nA,2025-01-02,09:30:00,1,2,0.5,1.5,10\n")
    assert read_bars(path, timezone="America/New_York").start_ns.tolist() == [OPEN_NS]


def test_offsets_may_change_with_summer_time(tmp_path: Path) -> None:
    rows = "A,2025-03-07T09:30:00-05:00,1,2,0.5,1.5,10\nA,2025-03-10T09:30:00-04:00,1,2,0.5,1.5,10\n"
    table = read_bars(csv(tmp_path, f"symbol,timestamp,open,high,low,close,volume\n{rows}"))
    assert [str(pd.Timestamp(at).time()) for at in table.start_ns] == ["14:30:00", "13:30:00"]


def test_naive_minutes_without_a_zone_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = csv(tmp_path, "symbol,timestamp,open,high,low,close,volume\nA,2025-01-02 09:30,1,2,0.5,1.5,10\n")
    with pytest.raises(DataError, match="--timezone America/New_York"):
        read_bars(path)
    with pytest.raises(DataError, match="Mars/Base"):
        read_bars(path, timezone="Mars/Base")


def test_end_stamps_are_moved_back_to_the_start(tmp_path: Path) -> None:
    path = csv(tmp_path, "symbol,timestamp,open,high,low,close,volume\nA,2025-01-02T14:31:00Z,1,2,0.5,1.5,10\n")
    assert read_bars(path, stamped="end").start_ns.tolist() == [OPEN_NS]


@pytest.mark.parametrize(
    "times",
    [
        ["2025-01-02", "2025-01-03"],
        ["2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z"],
        ["2025-01-02T05:00:00Z", "2025-01-03T05:00:00Z"],  # Midnight in New York.
        ["2025-01-02T16:00:00-05:00", "2025-01-03T16:00:00-05:00"],  # The close.
        ["2025-01-02T20:00:00-05:00", "2025-01-03T20:00:00-05:00"],  # Tomorrow already in UTC.
        ["01/02/2025", "01/03/2025"],
    ],
)
def test_daily_bars_are_recognised_and_need_no_zone(tmp_path: Path, times: list[str]) -> None:
    rows = "".join(f"{symbol},{time},1,2,0.5,1.5,10\n" for symbol in "AB" for time in times)
    table = read_bars(csv(tmp_path, f"symbol,date,open,high,low,close,volume\n{rows}"))
    assert table.daily
    assert [str(pd.Timestamp(at)) for at in table.start_ns[:2]] == ["2025-01-02 00:00:00", "2025-01-03 00:00:00"]


def test_parquet_and_csv_of_the_same_bars_read_alike(tmp_path: Path, make_minutes: MakeFrame) -> None:
    frame = make_minutes(date(2025, 1, 2), date(2025, 1, 3))
    frame.to_csv(tmp_path / "bars.csv", index=False)
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    frame.set_index("timestamp").to_parquet(tmp_path / "indexed.parquet")  # Written with its index.
    tables = [read_bars(tmp_path / name) for name in ("bars.csv", "bars.parquet", "indexed.parquet")]
    for table in tables:
        assert table.symbols == ("AAA", "BBB")
        for name in ("symbol", "start_ns", "row", "open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(getattr(table, name), getattr(tables[0], name))


def test_a_file_without_symbols_takes_the_one_given(tmp_path: Path) -> None:
    path = csv(tmp_path, "date,open,high,low,close,volume\n2025-01-02,1,2,0.5,1.5,10\n")
    with pytest.raises(DataError, match="--symbol"):
        read_bars(path)
    assert read_bars(path, symbol="SPY").symbols == ("SPY",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symbol,timestamp,open,high,low,close,volume\n", "has no rows"),
        ("symbol,timestamp,open,high,low\nA,2025-01-02,1,2,0\n", "no column close, volume"),
        (
            "symbol,timestamp,open,high,low,close,volume\nA,2025-01-02,1,two,0.5,1.5,10\n",
            "row 1: high must be a number",
        ),
        ("symbol,timestamp,open,high,low,close,volume\nA,yesterday,1,2,0.5,1.5,10\n", "cannot be read as times"),
        ("symbol,timestamp,open,high,low,close,volume\nA,77,1,2,0.5,1.5,10\n", "cannot be read as times"),
        ("symbol,timestamp,open,high,low,close,volume\n,2025-01-02,1,2,0.5,1.5,10\n", "row 1: the symbol is empty"),
        ("symbol,timestamp,open,high,low,close,volume\nA,2025-01-02,1,2,0.5,1.5,10\nA,,1,2,0.5,1.5,10\n", "row 2"),
        ("a,b\n1\n", "cannot be read as CSV"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(tmp_path: Path, text: str, message: str) -> None:
    path = csv(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        read_bars(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_one_that_is_not_parquet_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_bars(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_bars(csv(tmp_path, "no parquet", "bars.parquet"))


def test_empty_prices_and_volumes_come_through_as_nan_for_the_gate(tmp_path: Path) -> None:
    rows = "A,2025-01-02,1,2,,1.5,\nA,2025-01-03,1,2,0.5,1.5,10\n"
    table = read_bars(csv(tmp_path, f"symbol,date,open,high,low,close,volume\n{rows}"))
    assert np.isnan([table.low[0], table.volume[0]]).all()
    assert np.isfinite([table.low[1], table.volume[1]]).all()
