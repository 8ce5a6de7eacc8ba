"""A journal in words: one JSON object a line, the same for the same events whatever wrote them.

Times end in `_ns` in our structs and are ISO here; decimals are strings without padding; what is None
or empty is left out.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from ordinis.domain.decision import Decision, Reason
from ordinis.domain.errors import ConfigError, JournalError
from ordinis.journal.entries import JournalEntry, open_journal
from ordinis.journal.slices import SliceMark
from ordinis.journal.times import iso_utc
from ordinis.journal.views import reason_of, unpack_changes

_FORMATS = ("jsonl",)


def export(path: str | Path, out: str | Path, fmt: str = "jsonl") -> int:
    """Write the whole journal to `out`; returns the number of lines."""
    if fmt not in _FORMATS:
        raise ConfigError(f"journal export knows the formats {', '.join(_FORMATS)}, was asked for {fmt!r}")
    count = 0
    with open_journal(path) as journal:
        symbols = journal.symbols
        try:
            with Path(out).open("wb") as file:
                for entry in journal.entries():
                    file.write(msgspec.json.encode(_line(path, entry, symbols)) + b"\n")
                    count += 1
        except OSError as error:
            raise JournalError(f"{out} cannot be written ({error}). Name another file, or free some space") from error
    return count


def _line(path: str | Path, entry: JournalEntry, symbols: tuple[str, ...]) -> dict[str, Any]:
    line: dict[str, Any] = {"seq": entry.seq, "at": iso_utc(entry.at_ns), "kind": entry.kind.name.lower()}
    event = _mark(entry.event) if isinstance(entry.event, SliceMark) else _fields(entry.event)
    event.pop("at", None)  # Said already.
    line["event"] = event
    if not entry.decision.empty:
        line["decision"] = _decision(path, entry.decision, symbols)
    return line


def _mark(mark: SliceMark) -> dict[str, Any]:
    return {"present": mark.present, "fingerprint": f"{mark.fingerprint:016x}"}


def _decision(path: str | Path, decision: Decision, symbols: tuple[str, ...]) -> dict[str, Any]:
    plain = _fields(decision)
    if decision.actions:
        plain["actions"] = [{action.__struct_config__.tag: _fields(action)} for action in decision.actions]
    if decision.changes:
        columns, reasons = unpack_changes(decision.changes)
        plain["changes"] = {
            symbols[column]: reason_of(path, reason).name
            for column, reason in zip(columns.tolist(), reasons.tolist(), strict=True)
        }
    return plain


def _plain(value: Any) -> Any:
    """Structs as mappings, money and quantities as strings, enums as words, times as ISO."""
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")  # 1.50 from a wire and 1.5 from a book are one number.
    if isinstance(value, Reason):
        return value.name
    return value.value if isinstance(value, Enum) else value


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if value is None or value in ((), b""):
            continue
        if name.endswith("_ns"):
            plain[name.removesuffix("_ns")] = iso_utc(value)
        else:
            plain[name] = _plain(value)
    return plain
