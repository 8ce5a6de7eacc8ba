"""The result as JSON: the keys that others read, and their units."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ordinis.research.result import BacktestResult

PROMISED = {
    *("final_equity", "return", "max_drawdown", "sharpe", "trades", "entries", "win_rate", "profit_factor", "fees"),
    *("violations", "refused_by_exchange", "bars", "seconds", "bars_per_second", "decisions_by_reason"),
    *("fill_model", "data_label"),
}


def empty() -> BacktestResult:
    """A result in which everything that may be unknown is."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(BacktestResult):
        plain = {"str": "", "bool": False, "int": 0, "float": 0.0}
        kind = getattr(field.type, "__name__", "")
        values[field.name] = plain.get(kind) if kind in plain else {} if "Mapping" in str(field.type) else None
    return BacktestResult(**values)


def test_every_key_that_is_promised_is_there_by_its_plain_name() -> None:
    told = json.loads(msgspec.json.encode(empty()))
    assert set(told) >= PROMISED
    assert "return_" not in told


def test_what_is_unknown_is_null_never_nothing_or_zero() -> None:
    told = json.loads(msgspec.json.encode(empty()))
    assert {name for name, value in told.items() if value is None} >= {"sharpe", "win_rate", "profit_factor"}


def test_a_result_is_read_back_as_it_was_written() -> None:
    result = empty()
    assert msgspec.json.decode(msgspec.json.encode(result), type=BacktestResult) == result
