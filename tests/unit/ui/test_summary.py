"""A result in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import typer

from ordinis.domain.errors import ConfigError
from ordinis.research.result import BacktestResult
from ordinis.ui.summary import show, side_by_side, summary, write_json

RESULT = msgspec.convert(
    {
        **dict.fromkeys(BacktestResult.__struct_encode_fields__, 0),
        **dict.fromkeys(
            ("data", "data_label", "fill_model", "tier", "sizing_method", "journal", "journal_digest"), "x"
        ),
        **dict.fromkeys(("first_session", "last_session", "sharpe", "win_rate", "profit_factor")),
        **{name: {} for name in ("decisions_by_reason", "bound_by", "sizing_methods")},
        **{"synthetic": False, "partial": False, "return": 0.0123, "final_equity": 1234.5},
        "decisions_by_reason": {"SENT": 2, "COOLDOWN": 30},
    },
    BacktestResult,
)


def test_a_summary_says_the_figures_and_a_dash_for_what_is_unknown() -> None:
    lines = dict(line.split("  ", 1) for line in summary(RESULT).splitlines())
    told = {name.strip(): text.strip() for name, text in lines.items()}
    assert told["return"] == "1.23%"
    assert told["equity"] == "$0.00 to $1,234.50"
    assert told["sharpe"] == "-"
    assert told["reasons"] == "COOLDOWN 30, SENT 2"


def test_a_partial_result_says_so_first_and_leaves_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        show(msgspec.structs.replace(RESULT, partial=True), None)
    assert left.value.exit_code == 130
    assert capsys.readouterr().out.startswith("PARTIAL")


def test_two_results_stand_side_by_side_with_long_counts_a_line_each() -> None:
    busy = msgspec.structs.replace(
        RESULT, decisions_by_reason={"NO_SIGNAL": 3000, "LOW_CONFIDENCE": 200, "POSITIONS_FULL": 10}
    )
    lines = side_by_side(["$1", "$2"], [busy, RESULT]).splitlines()
    reasons = next(place for place, line in enumerate(lines) if line.startswith("reasons"))
    assert lines[0].split() == ["$1", "$2"]
    assert lines[reasons].split() == ["reasons", "NO_SIGNAL", "3,000", "COOLDOWN", "30,", "SENT", "2"]
    assert [line.split() for line in lines[reasons + 1 : reasons + 3]] == [
        ["LOW_CONFIDENCE", "200"],
        ["POSITIONS_FULL", "10"],
    ]
    assert max(map(len, lines)) <= 110


def test_json_has_the_figures_under_their_documented_names(tmp_path: Path) -> None:
    write_json(RESULT, tmp_path / "deep" / "result.json")
    written = json.loads((tmp_path / "deep" / "result.json").read_text(encoding="utf-8"))
    assert (written["return"], written["sharpe"]) == (0.0123, None)
    assert {"max_drawdown", "trades", "entries", "violations", "refused_by_exchange", "bars_per_second"} <= set(written)


def test_an_unwritable_json_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_json(RESULT, tmp_path)
