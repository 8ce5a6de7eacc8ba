"""Dense blocks in Parquet files, made to be read fast.

Measured on 390 x 100 minutes: LZ4 with page checksums reads in 1.0 ms (5 ns a value) at 55 % of the
size, uncompressed in 0.7 ms, zstd in 1.9 ms. Values are not nullable, so a column needs no copy.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ordinis.domain.errors import DataError
from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock, Universe

if TYPE_CHECKING:
    import pyarrow as pa

BAR_COLUMNS = ("open", "high", "low", "close", "volume")


def write_block(path: Path, block: MarketBlock) -> None:
    """Write one session's minutes."""
    import pyarrow as pa

    fields = [pa.field(name, pa.float64(), nullable=False) for name in BAR_COLUMNS]
    arrays = [pa.array(getattr(block, name).ravel()) for name in BAR_COLUMNS]
    _write(path, pa.table(arrays, schema=pa.schema(fields)))


def read_columns(path: Path, shape: tuple[int, int]) -> list[FloatArray]:
    """The five columns, each `shape`, C-contiguous and read-only. Raises DataError for a bad file."""
    table = _read(path)
    if table.num_rows != shape[0] * shape[1] or tuple(table.column_names) != BAR_COLUMNS:
        raise DataError(f"{path} does not hold {shape[0]} minutes of {shape[1]} symbols: import the set again")
    return [_column(table, name).reshape(shape) for name in BAR_COLUMNS]


def write_daily(path: Path, daily: DailyBlock) -> None:
    """Write daily bars: a row a session and symbol, session-major."""
    import pyarrow as pa

    days = np.repeat(np.array(daily.dates, dtype="datetime64[D]"), len(daily.universe))
    prices: list[pa.Field[Any]] = [pa.field(name, pa.float64(), nullable=False) for name in BAR_COLUMNS]
    arrays = [pa.array(days)] + [pa.array(getattr(daily, name).ravel()) for name in BAR_COLUMNS]
    _write(path, pa.table(arrays, schema=pa.schema([pa.field("date", pa.date32(), nullable=False), *prices])))


def read_daily(path: Path, universe: Universe) -> DailyBlock:
    """The daily bars of all symbols of a set. Raises DataError for a bad file."""
    table = _read(path)
    if table.num_rows % len(universe) or tuple(table.column_names) != ("date", *BAR_COLUMNS):
        raise DataError(f"{path} does not hold daily bars of {len(universe)} symbols: import the set again")
    days: list[Any] = table.column("date").to_pylist()
    dates: tuple[date, ...] = tuple(days[:: len(universe)])
    open_, high, low, close, volume = (_column(table, name).reshape(len(dates), len(universe)) for name in BAR_COLUMNS)
    return DailyBlock(universe=universe, dates=dates, open=open_, high=high, low=low, close=close, volume=volume)


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    pq.write_table(
        table,
        path,
        row_group_size=max(table.num_rows, 1),  # One group, so that a column is one piece of memory.
        compression="lz4",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
        store_schema=False,
    )


def _read(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read ({error}): the set is damaged, import it again") from error


def _column(table: pa.Table, name: str) -> FloatArray:
    column = table.column(name)
    if column.num_chunks == 1:
        return column.chunk(0).to_numpy()  # Arrow's memory, read-only.
    values: FloatArray = column.to_numpy()
    values.flags.writeable = False
    return values
