"""Parquet and CSV files of bars -> a BarTable, whatever their columns are called.

Times become UTC here and nowhere else. A bar is stamped with its START; `stamped="end"` shifts files
that stamp the end. Nothing is dropped, sorted or mended: the quality gate sees what the file holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from ordinis.data.table import BarTable
from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

Stamped = Literal["start", "end"]

NEW_YORK = "America/New_York"
DAY_NS = 24 * 60 * MINUTE_NS
SPELLINGS = {
    "symbol": ("symbol", "ticker", "sym", "name", "stock", "s"),
    "time": ("timestamp", "datetime", "date_time", "time", "t", "ts", "date", "day", "index", "__index_level_0__"),
    "open": ("open", "o", "open_price"),
    "high": ("high", "h", "high_price"),
    "low": ("low", "l", "low_price"),
    "close": ("close", "c", "last", "close_price"),
    "volume": ("volume", "v", "vol"),
    "adjusted_close": ("adj_close", "adjclose", "adjusted_close", "adj. close"),
}
REQUIRED = ("open", "high", "low", "close", "volume")


def read_bars(
    path: Path, *, timezone: str | None = None, stamped: Stamped = "start", symbol: str | None = None
) -> BarTable:
    """All rows of one file. `timezone` names the zone of times that carry none; `symbol` that of a file without one.

    Raises DataError for a file that is missing, empty or unreadable, for missing columns, for times that
    cannot be read, and for minutes without a zone.
    """
    frame = _frame(path)
    columns = _columns(frame, path)
    if "symbol" not in columns and symbol is None:
        raise DataError(f"{path} has no column symbol (it has {_listed(frame)}): name it (--symbol)")
    codes, symbols = _symbols(frame, columns.get("symbol"), symbol, path)
    start_ns, daily = _starts(frame, columns, codes, timezone, path)
    if stamped == "end" and not daily:
        start_ns = start_ns - MINUTE_NS
    return BarTable(
        daily=daily,
        files=(path.name,),
        symbols=symbols,
        file=np.zeros(len(frame), dtype=np.int32),
        row=np.arange(1, len(frame) + 1, dtype=np.int64),
        symbol=codes,
        start_ns=start_ns,
        **{name: _numbers(frame, columns.get(name), path) for name in (*REQUIRED, "adjusted_close")},
    )


def _frame(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    if not path.is_file():
        raise DataError(f"{path} does not exist, or is not a file")
    try:
        parquet = path.suffix.lower() in {".parquet", ".pq"}
        table = pq.read_table(path) if parquet else pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read as {'Parquet' if parquet else 'CSV'}: {error}") from error
    if not table.num_rows:
        raise DataError(f"{path} has no rows")
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)  # The index of a writer is a column to us.
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def _columns(frame: pd.DataFrame, path: Path) -> dict[str, str]:
    """What each of ours is called in the file. The first spelling that is there wins."""
    plain = {name.lower().replace(" ", "_"): name for name in frame.columns}
    found = {
        ours: next(plain[spelling] for spelling in spellings if spelling in plain)
        for ours, spellings in SPELLINGS.items()
        if any(spelling in plain for spelling in spellings)
    }
    missing = [name for name in ("time", *REQUIRED) if name not in found]
    if missing:
        raise DataError(
            f"{path} has no column {', '.join(missing)} (it has {_listed(frame)}); "
            "expected symbol, timestamp, open, high, low, close, volume in a common spelling"
        )
    if "date" in plain and found["time"] == plain.get("time"):
        found["date"] = plain["date"]  # A date column and a time column, to be read as one.
    return found


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(frame.columns[:12])


def _symbols(
    frame: pd.DataFrame, column: str | None, given: str | None, path: Path
) -> tuple[np.ndarray[Any, np.dtype[np.int32]], tuple[str, ...]]:
    if column is None:
        return np.zeros(len(frame), dtype=np.int32), (str(given),)
    codes, names = frame[column].astype("str").str.strip().str.upper().factorize(sort=True)
    empty = frame[column].isna().to_numpy() | (frame[column].astype("str").str.strip() == "").to_numpy()
    if empty.any():
        raise DataError(f"{path} row {int(empty.argmax()) + 1}: the symbol is empty; fill it in or remove the row")
    return codes.astype(np.int32), tuple(str(name) for name in names)


def _numbers(frame: pd.DataFrame, column: str | None, path: Path) -> FloatArray:
    import pandas as pd

    if column is None:
        return np.full(len(frame), np.nan)
    numbers: FloatArray = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    unread = np.isnan(numbers) & frame[column].notna().to_numpy()
    if frame[column].dtype.kind not in "fiu" and unread.any():
        row = int(unread.argmax())
        raise DataError(f"{path} row {row + 1}: {column} must be a number, was {frame[column].iloc[row]!r}")
    return numbers


def _starts(
    frame: pd.DataFrame, columns: dict[str, str], codes: IntArray | Any, timezone: str | None, path: Path
) -> tuple[IntArray, bool]:
    """Bar starts in UTC nanoseconds, and whether these are daily bars (then midnight UTC of the date)."""
    times = _times(frame, columns, path)
    aware = times.dt.tz is not None
    clock = (times.dt.tz_convert("UTC").dt.tz_localize(None) if aware else times).dt.as_unit("ns")
    utc_ns = clock.astype("int64").to_numpy()
    if _midnights(utc_ns):
        return utc_ns, True
    if not aware:
        utc_ns = _localised(times, timezone, path)
    local_ns = _new_york_clock_ns(utc_ns)
    if _midnights(local_ns) or _one_a_day_after_the_close(local_ns, codes):
        return local_ns // DAY_NS * DAY_NS, True
    return utc_ns, False


def _times(frame: pd.DataFrame, columns: dict[str, str], path: Path) -> pd.Series[Any]:
    import pandas as pd

    values = frame[columns["time"]]
    if "date" in columns:
        values = frame[columns["date"]].astype("str") + " " + values.astype("str")
    try:
        unit = _epoch_unit(values) if values.dtype.kind in "iu" else None
        times = pd.to_datetime(values, utc=True, unit=unit) if unit else _parsed(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: column {columns['time']} cannot be read as times ({error}); use ISO 8601") from error
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax()) + 1
        raise DataError(f"{path} row {row}: the time is empty; fill it in or remove the row")
    return times


def _parsed(values: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if values.dtype.kind == "M":
        return values
    texts = values.astype("str")
    offset = texts.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)  # "-0500" in one row, "-0400" in another.
    dated_only = ~texts.str.contains(":", regex=False)
    return pd.to_datetime(values, utc=bool((offset & ~dated_only).all()))


def _epoch_unit(values: pd.Series[Any]) -> Literal["D", "s", "ms", "us", "ns"]:
    """Seconds, milliseconds and so on differ by thousands: dates since 1990 cannot be confused."""
    largest = int(values.max())
    limits: tuple[tuple[int, Literal["s", "ms", "us"]], ...] = ((10**11, "s"), (10**14, "ms"), (10**17, "us"))
    if largest < 10**8:
        raise ValueError(f"{largest} is neither a time nor seconds since 1970")
    return next((unit for limit, unit in limits if largest < limit), "ns")


def _localised(times: pd.Series[Any], timezone: str | None, path: Path) -> IntArray:
    if timezone is None:
        raise DataError(
            f"{path} gives times without a time zone (the first is {times.iloc[0]}): "
            f"name it (`ordinis data import --timezone {NEW_YORK}`, or UTC)"
        )
    try:
        zoned = times.dt.tz_localize(ZoneInfo(timezone))
    except (ValueError, KeyError, OSError) as error:
        raise DataError(f"{path}: its times cannot be read in the time zone {timezone} ({error!r})") from error
    utc_ns: IntArray = zoned.dt.tz_convert("UTC").dt.as_unit("ns").astype("int64").to_numpy()
    return utc_ns


def _new_york_clock_ns(utc_ns: IntArray) -> IntArray:
    """What the clocks in New York showed, as nanoseconds of a clock without a zone."""
    import pandas as pd

    local = pd.DatetimeIndex(utc_ns.view("datetime64[ns]"), tz="UTC").tz_convert(NEW_YORK).tz_localize(None)
    clock_ns: IntArray = local.as_unit("ns").asi8
    return clock_ns


def _midnights(clock_ns: IntArray) -> bool:
    return bool((clock_ns % DAY_NS == 0).all())


def _one_a_day_after_the_close(local_ns: IntArray, codes: IntArray) -> bool:
    """Daily bars that are stamped at, or some hours after, the close: one clock time, one bar a symbol and day."""
    clock = local_ns % DAY_NS
    if clock.min() < 13 * 60 * MINUTE_NS or len(np.unique(clock)) > 2:  # 13:00 is the close of a half-day.
        return False
    days = np.stack((codes.astype(np.int64), local_ns // DAY_NS))
    return len(np.unique(days, axis=1).T) == len(codes) and len(np.unique(days[1])) > 1
