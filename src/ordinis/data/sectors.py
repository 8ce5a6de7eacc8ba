"""Which sector a symbol is in: a table that comes with the installation, and a user's own that goes before it.

Companies are filed under their GICS sector of 2025, the S&P 100 among them; common funds under what they hold.
A symbol in neither table has no sector here.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

from ordinis.domain.errors import DataError

HEADER = ["symbol", "sector"]
_REMEDY = "write one SYMBOL,SECTOR a line under the header symbol,sector, for example: AAPL,Information Technology"


def sectors(own: Path | None = None) -> dict[str, str]:
    """Symbol -> sector. `own` is a table in the same form; its lines outrank ours. Errors: DataError."""
    ours = _parsed(files("ordinis.data").joinpath("sectors.csv").read_text(encoding="utf-8"), "sectors.csv")
    return ours if own is None else ours | _parsed(_text(own), str(own))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the sector file {path} cannot be read ({error}): correct risk.sector_file, or leave it empty to use the"
            " table that comes with the installation"
        ) from error


def _parsed(text: str, name: str) -> dict[str, str]:
    rows = csv.reader(text.splitlines())
    header = [cell.strip().lower() for cell in next(rows, [])]
    if header != HEADER:
        raise DataError(f"{name}, line 1: the header must be symbol,sector, was {','.join(header)!r}; {_REMEDY}")
    found: dict[str, str] = {}
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        fault = _fault(cells, found)
        if fault:
            raise DataError(f"{name}, line {rows.line_num}: {fault}")
        found[cells[0]] = cells[1]
    return found


def _fault(cells: list[str], found: dict[str, str]) -> str | None:
    """What is wrong with a line, and what to do."""
    if len(cells) != 2 or not all(cells):
        return f"expected a symbol and a sector, was {','.join(cells)!r}; {_REMEDY}"
    symbol, sector = cells
    if symbol != symbol.upper():
        return f"symbols are written in capitals, was {symbol!r}; write {symbol.upper()},{sector}"
    if symbol in found:
        return f"{symbol} is named a second time, as {sector!r} after {found[symbol]!r}; remove one of the two lines"
    return None
