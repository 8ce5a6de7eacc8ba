"""A list of fills as any broker exports it: a CSV file with a header, in whatever words.

What cannot be understood is an error that names the row; what is odd but can be read is said.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from ordinis.domain.errors import DataError

_NEW_YORK = ZoneInfo("America/New_York")
_SECOND_NS = 10**9
_SAID_MAX = 20  # Remarks of one kind; more of them say nothing new.

_NAMES = {
    "symbol": ("symbol", "ticker", "instrument", "security", "underlying"),
    "side": ("side", "action", "buysell", "bs", "transactiontype", "transcode", "type", "direction"),
    "quantity": ("quantity", "qty", "shares", "filledqty", "filledquantity", "execqty", "lastqty", "size"),
    "time": (
        *("time", "datetime", "timestamp", "filledat", "transactiontime", "executiontime", "exectime"),
        *("tradetime", "filledtime", "filltime", "dateandtime", "transactedat", "date", "tradedate", "activitydate"),
    ),
    "date": ("date", "tradedate", "activitydate"),
    "order_id": ("orderid", "order", "ordernumber", "orderno", "orderref", "clientorderid", "iborderid"),
    "execution_id": ("executionid", "execid", "tradeid", "fillid", "activityid", "id", "ibexecid"),
}
_NEEDED = ("symbol", "quantity", "time", "order_id")
_BUYS = {"buy", "b", "bot", "bought", "buytoopen", "bto", "buytocover", "btc", "buytoclose", "cover", "purchase"}
_SELLS = {"sell", "s", "sld", "sold", "selltoclose", "stc", "sellshort", "short", "ss", "selltoopen", "sto", "sale"}
_FORMATS = (
    *("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y"),
    *("%Y%m%d %H:%M:%S", "%Y%m%d;%H%M%S", "%Y-%m-%d, %H:%M:%S", "%m/%d/%y %H:%M:%S", "%m/%d/%y %H:%M"),
)


class FileFill(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `row` counts as an editor does, the header is row 1."""

    row: int
    symbol: str
    side: str  # buy or sell.
    quantity: Decimal  # Shares, positive.
    at_ns: int
    order_id: str
    execution_id: str | None


def read_fills(path: Path) -> tuple[list[FileFill], list[str]]:
    """All fills in time order, and what a person should know. Errors: DataError with the row."""
    fills = list(_rows(path))
    if not fills:
        raise DataError(f"{path} has no fills: nothing but a header")
    fills, said = _without_repeats(fills)
    late = [after.row for before, after in pairwise(fills) if after.at_ns < before.at_ns]
    if late and _newest_first(fills):
        return fills[::-1], [*said, "the file lists the newest first: read from its end"]
    said += [f"row {row} is earlier than the row before it: taken in order of time" for row in late[:_SAID_MAX]]
    return sorted(fills, key=lambda fill: fill.at_ns), said


def _newest_first(fills: Sequence[FileFill]) -> bool:
    return all(after.at_ns <= before.at_ns for before, after in pairwise(fills))


def _rows(path: Path) -> Iterator[FileFill]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sample = file.read(4096)
            file.seek(0)
            reader = csv.reader(file, delimiter=_delimiter(sample))
            columns = _columns(path, next(reader, []))
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _fill(path, reader.line_num, cells, columns)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from error


def _delimiter(sample: str) -> str:
    head = sample.partition("\n")[0]
    return max((",", ";", "\t"), key=head.count)


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Where each thing stands; of several spellings the first of the list is taken."""
    plain = [re.sub(r"[^a-z]", "", name.lower()) for name in header]
    found = {
        what: plain.index(name)
        for what, names in _NAMES.items()
        for name in [next((one for one in names if one in plain), None)]
        if name is not None
    }
    missing = [what.replace("_", " ") for what in _NEEDED if what not in found]
    if missing:
        raise DataError(
            f"{path}, row 1: there is no column for {', '.join(missing)} among {', '.join(header) or 'no names'};"
            " name the columns symbol, side, quantity, time, order_id"
        )
    return found


def _fill(path: Path, row: int, cells: Sequence[str], columns: dict[str, int]) -> FileFill:
    def cell(what: str) -> str:
        at = columns.get(what)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    def wrong(what: str) -> DataError:
        return DataError(f"{path}, row {row}: {what}")

    symbol, quantity = cell("symbol").upper(), _quantity(cell("quantity"))
    if not symbol:
        raise wrong("there is no symbol")
    if not quantity:
        raise wrong(f"the quantity must be a number other than 0, was {cell('quantity')!r}")
    side = _side(cell("side")) if cell("side") else ("buy" if quantity > 0 else "sell") if "side" not in columns else ""
    if not side:
        raise wrong(f"the side must be buy or sell, or one of their usual spellings, was {cell('side')!r}")
    at_ns = _time_ns(cell("time")) or _time_ns(f"{cell('date')} {cell('time')}")
    if at_ns is None:
        raise wrong(f"the time must be like 2025-01-15T10:31:00-05:00 or 2025-01-15 10:31:00, was {cell('time')!r}")
    if not cell("order_id"):
        raise wrong("there is no order id: without it partial fills cannot be told from orders")
    return FileFill(
        row=row,
        symbol=symbol,
        side=side,
        quantity=abs(quantity),
        at_ns=at_ns,
        order_id=cell("order_id"),
        execution_id=cell("execution_id") or None,
    )


def _side(text: str) -> str:
    word = re.sub(r"[^a-z]", "", text.lower())
    return "buy" if word in _BUYS else "sell" if word in _SELLS else ""


def _quantity(text: str) -> Decimal | None:
    """None where it is no number."""
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _time_ns(text: str) -> int | None:
    """Without an offset a time is New York's."""
    moment = _moment(text)
    if moment is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=_NEW_YORK)
    return int(aware.replace(microsecond=0).timestamp()) * _SECOND_NS + aware.microsecond * 1000


def _moment(text: str) -> datetime | None:
    short = re.sub(r"(\.\d{6})\d+", r"\1", text)  # Nanoseconds: six digits are enough to tell the order.
    try:
        return datetime.fromisoformat(short)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(short, form)
        except ValueError:
            continue
    return None


def _without_repeats(fills: Sequence[FileFill]) -> tuple[list[FileFill], list[str]]:
    """An execution counts once; rows alike without an execution id may be two fills, so both stay."""
    seen: dict[str, int] = {}
    kept, said = [], []
    for fill in fills:
        name = fill.execution_id
        if name is not None and name in seen:
            said.append(f"row {fill.row} repeats execution {name} of row {seen[name]}: taken once")
            continue
        if name is not None:
            seen[name] = fill.row
        kept.append(fill)
    return kept, said[:_SAID_MAX] + _alike(kept)


def _alike(fills: Sequence[FileFill]) -> list[str]:
    seen: dict[tuple[str, str, Decimal, int, str], int] = {}
    said = []
    for fill in fills:
        key = (fill.symbol, fill.side, fill.quantity, fill.at_ns, fill.order_id)
        if fill.execution_id is None and key in seen:
            said.append(f"rows {seen[key]} and {fill.row} are alike and name no execution: both are counted")
        seen[key] = fill.row
    return said[:_SAID_MAX]
