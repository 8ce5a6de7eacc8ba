"""Corporate actions of a data set: a CSV file beside the bar store, and how it is read.

    ROOT/.actions/NAME.csv           symbol, ex_date, kind, ratio, amount_usd: a row an action

It belongs to sets whose prices are as they were traded. Prices that a vendor has adjusted for splits already
must not be split again: the quality gate refuses a split that the prices do not show.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path

from ordinis.domain.errors import DataError
from ordinis.domain.events import ActionKind, CorporateAction

HEADER = ("symbol", "ex_date", "kind", "ratio", "amount_usd")
SPELLINGS = {
    "symbol": ("symbol", "ticker", "sym", "stock"),
    "ex_date": ("ex_date", "exdate", "ex_dividend_date", "effective_date", "date", "day"),
    "kind": ("kind", "type", "action", "event", "corporate_action", "corporate_action_type"),
    "ratio": ("ratio", "split_ratio", "split", "value"),
    "amount_usd": ("amount_usd", "amount", "dividend", "cash", "cash_amount", "rate", "value"),
    "new_rate": ("new_rate",),
    "old_rate": ("old_rate",),
}
_KINDS = {
    ActionKind.SPLIT: ("split", "stock_split", "forward_split", "reverse_split", "splits"),
    ActionKind.DIVIDEND: ("dividend", "cash_dividend", "div", "cash", "dividends"),
    ActionKind.REMOVAL: (
        "removal",
        "worthless_removal",
        "delisting",
        "delisted",
        "merger",
        "cash_merger",
        "acquisition",
    ),
}
_KIND_OF = {spelling: kind for kind, spellings in _KINDS.items() for spelling in spellings}
_RATIO = re.compile(r"([0-9.]+)\s*(?::|/|\s*-?\s*for\s*-?\s*)\s*([0-9.]+)")
_PRECISE = Context(prec=15)  # As many digits as survive a number of JSON.
_REMEDY = (
    "write a row as symbol,ex_date,kind,ratio,amount_usd, for example AAPL,2020-08-31,split,4:1, "
    "or AAPL,2020-08-07,dividend,,0.82"
)


def read_actions(path: Path) -> tuple[CorporateAction, ...]:
    """All actions of a CSV file, by date. Errors: DataError with file, row, what is expected and what to do."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV ({error}); give a file of corporate actions") from error
    columns = _columns(path, rows[0] if rows else [])
    found: dict[str, CorporateAction] = {}
    for number, cells in enumerate(rows[1:], start=1):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            one = _action({name: cells[at].strip() for name, at in columns.items() if at < len(cells)})
        except ValueError as error:
            raise DataError(f"{path} row {number}: {error}; {_REMEDY}") from error
        if one.id in found:
            raise DataError(
                f"{path} row {number}: a second {one.kind.value} of {one.symbol} on {one.ex_date}; "
                "remove one of the two rows"
            )
        found[one.id] = one
    return tuple(sorted(found.values(), key=lambda one: (one.ex_date, one.symbol, one.kind.value)))


def write_actions(path: Path, actions: Iterable[CorporateAction]) -> None:
    """In our own spelling, so that it reads back as the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for one in actions:
            ratio = f"{one.ratio:f}" if one.kind is ActionKind.SPLIT else ""
            amount = "" if one.amount_usd is None else f"{one.amount_usd:f}"
            writer.writerow([one.symbol, one.ex_date.isoformat(), one.kind.value, ratio, amount])


def within(
    actions: Iterable[CorporateAction],
    first: date | None = None,
    last: date | None = None,
    symbols: Sequence[str] | None = None,
) -> tuple[CorporateAction, ...]:
    """Those with an ex-date from `first` to `last`, both included, of these symbols; None is all."""
    return tuple(
        one
        for one in actions
        if (first or date.min) <= one.ex_date <= (last or date.max) and (symbols is None or one.symbol in symbols)
    )


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    plain = [cell.strip().lower().replace(" ", "_").replace("-", "_") for cell in header]
    found = {
        ours: next(plain.index(spelling) for spelling in spellings if spelling in plain)
        for ours, spellings in SPELLINGS.items()
        if any(spelling in plain for spelling in spellings)
    }
    missing = [name for name in ("symbol", "ex_date", "kind") if name not in found]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)} (it has {', '.join(header) or 'none'}); {_REMEDY}")
    return found


def _action(cells: dict[str, str]) -> CorporateAction:
    """ValueError says what is wrong with the row."""
    symbol = cells.get("symbol", "")
    if not symbol or symbol != symbol.upper():
        raise ValueError(f"the symbol must be written in capitals, was {symbol!r}")
    ex_date = _date(cells.get("ex_date", ""))
    spelling = cells.get("kind", "").lower().replace(" ", "_").replace("-", "_")
    if spelling not in _KIND_OF:
        raise ValueError(f"the kind must be split, dividend or removal, was {cells.get('kind', '')!r}")
    kind = _KIND_OF[spelling]
    return CorporateAction(
        at_ns=int(datetime.combine(ex_date, time(), tzinfo=UTC).timestamp()) * 10**9,
        id=f"{kind.value}-{symbol}-{ex_date.isoformat()}",
        symbol=symbol,
        kind=kind,
        ex_date=ex_date,
        ratio=_ratio(cells) if kind is ActionKind.SPLIT else Decimal(1),
        amount_usd=None if kind is ActionKind.SPLIT else _amount(cells.get("amount_usd", ""), kind),
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"the ex-date must be written as 2020-08-31, was {text!r}") from None


def _ratio(cells: dict[str, str]) -> Decimal:
    """New shares for an old one: 4:1, 4-for-1, 4 and 0.1 are understood."""
    text = cells.get("ratio", "")
    if cells.get("new_rate") and cells.get("old_rate"):
        text = f"{cells['new_rate']}:{cells['old_rate']}"
    parts = _RATIO.fullmatch(text.lower())
    try:
        new, old = (Decimal(part) for part in (parts.groups() if parts else (text, "1")))
        ratio = _PRECISE.divide(new, old)
    except (InvalidOperation, ZeroDivisionError):
        ratio = Decimal(0)
    if not ratio.is_finite() or ratio <= 0 or ratio == 1:
        raise ValueError(f"a split needs a ratio of new shares to old ones, for example 4:1 or 1:10, was {text!r}")
    return ratio


def _amount(text: str, kind: ActionKind) -> Decimal | None:
    if not text and kind is ActionKind.REMOVAL:
        return None  # Nobody says what was paid.
    try:
        amount = Decimal(text.removeprefix("$").replace(",", ""))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0 or (kind is ActionKind.DIVIDEND and not amount):
        raise ValueError(f"a {kind.value} needs an amount in USD a share, for example 0.25, was {text!r}")
    return amount
