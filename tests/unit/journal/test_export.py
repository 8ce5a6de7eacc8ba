from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordinis.domain.decision import NOTHING, Decision
from ordinis.domain.errors import ConfigError, JournalError
from ordinis.domain.events import CashFlow
from ordinis.domain.orders import CancelIntent
from ordinis.journal.reading import export


def _lines(path: Path, out: Path) -> list[dict[str, Any]]:
    count = export(path, out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == count
    return lines


def test_an_export_has_a_line_an_event_in_words(material: Any, record: Any, tmp_path: Path) -> None:
    lines = _lines(record(material.day()), tmp_path / "out.jsonl")
    assert [line["seq"] for line in lines] == list(range(1, 11))
    assert lines[0] == {
        "seq": 1,
        "at": "2025-01-15T14:30:00.000000000Z",
        "kind": "phase",
        "event": {
            "phase": "opening",
            "session": {
                "date": "2025-01-15",
                "open": "2025-01-15T14:30:00.000000000Z",
                "close": "2025-01-15T21:00:00.000000000Z",
            },
        },
        "decision": {"changes": {"AAPL": "WARMING_UP", "IBM": "WARMING_UP", "MSFT": "WARMING_UP"}},
    }
    assert set(lines[1]) == {"seq", "at", "kind", "event"}
    assert set(lines[1]["event"]) == {"present", "fingerprint"}
    assert lines[4]["event"] == {"id": "fee-1", "kind": "fee", "amount_usd": "-0.02", "note": "", "symbol": ""}


def test_an_exported_decision_tells_order_size_and_verdict(material: Any, record: Any, tmp_path: Path) -> None:
    decision = _lines(record(material.day()), tmp_path / "out.jsonl")[2]["decision"]
    assert decision["changes"] == {"AAPL": "SENT", "MSFT": "LOW_CONFIDENCE"}
    assert decision["notes"] == ["first order"]
    assert decision["actions"] == [
        {
            "order": {
                "client_order_id": material.order_id,
                "symbol": "AAPL",
                "side": "buy",
                "quantity": "12.5",
                "type": "market",
                "time_in_force": "day",
                "purpose": "entry",
                "decided_at": "2025-01-15T14:32:00.000000000Z",
                "valid_until": "2025-01-15T14:33:00.000000000Z",
                "stop_loss_usd": "229.8",
                "swing": False,
            }
        }
    ]
    (assessment,) = decision["assessments"]
    assert assessment["verdict"] == {"action": "approve", "quantity": "12.5", "reason": "SENT"}
    assert assessment["size"]["chain"][1] == {"name": "max_position_pct", "weight": 0.2}


def test_a_cancel_is_told_from_an_order(material: Any, record: Any, tmp_path: Path) -> None:
    cancel = CancelIntent(client_order_id="a", symbol="AAPL", decided_at_ns=0)
    path = record([(material.block().at(0), Decision(actions=(cancel,)))])
    (line,) = _lines(path, tmp_path / "out.jsonl")
    assert line["decision"]["actions"] == [
        {"cancel": {"client_order_id": "a", "symbol": "AAPL", "decided_at": "1970-01-01T00:00:00.000000000Z"}}
    ]


@pytest.mark.parametrize(
    ("amount", "written"),
    [("1.50", "1.5"), ("1.5", "1.5"), ("100", "100"), ("1E+2", "100"), ("-0.000000001", "-0.000000001"), ("0.00", "0")],
)
def test_a_number_is_written_one_way_however_it_came(record: Any, tmp_path: Path, amount: str, written: str) -> None:
    path = record([(CashFlow(at_ns=1, id="a", kind="fee", amount_usd=Decimal(amount)), NOTHING)])
    assert _lines(path, tmp_path / "out.jsonl")[0]["event"]["amount_usd"] == written


def test_times_keep_their_nanoseconds(record: Any, tmp_path: Path) -> None:
    path = record([(CashFlow(at_ns=1736953861123456789, id="a", kind="fee", amount_usd=Decimal(1)), NOTHING)])
    assert _lines(path, tmp_path / "out.jsonl")[0]["at"] == "2025-01-15T15:11:01.123456789Z"


def test_two_exports_of_the_same_events_are_the_same_bytes(material: Any, record: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(record(material.day(), f"{name}.db"), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_unknown_format_is_refused(material: Any, record: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="knows the formats jsonl, was asked for 'xml'"):
        export(record(material.day()), tmp_path / "out", "xml")


def test_a_place_that_cannot_be_written_is_named(material: Any, record: Any, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"missing/out cannot be written"):
        export(record(material.day()), tmp_path / "missing" / "out")
