"""The files: what they hold, and that the page works in a browser."""

from __future__ import annotations

import builtins
import csv
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ordinis.domain.errors import ConfigError, OrdinisError
from ordinis.research.report import ReportSource, require_plotly, write_report

if TYPE_CHECKING:
    from unit.research.conftest import SmallRun

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_four_files_are_written_and_replaced(small_run: SmallRun, tmp_path: Path) -> None:
    first = write_report(small_run.source, tmp_path / "a" / "report")
    before = {path: path.read_bytes() for path in (first.page, first.trades, first.minutes, first.summary)}
    again = write_report(small_run.source, tmp_path / "a" / "report")
    assert again == first
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in (tmp_path / "a" / "report").iterdir()) == [
        *("equity.csv", "report.html", "summary.json", "trades.csv"),
    ]


def test_trades_sum_to_the_realised_result(small_run: SmallRun, tmp_path: Path) -> None:
    rows = _rows(write_report(small_run.source, tmp_path).trades)
    assert len(rows) == small_run.result.trades
    assert sum(Decimal(row["result_usd"]) for row in rows) == small_run.source.realised_usd
    for row, trade in zip(rows, small_run.source.trades, strict=True):
        opened, closed = datetime.fromisoformat(row["opened_at"]), datetime.fromisoformat(row["closed_at"])
        assert opened.timestamp() == trade.trip.opened_at_ns / 10**9
        assert (closed - opened).total_seconds() >= 60 * (int(row["held_minutes"]) - 1)
        assert row["closed_by"] == trade.exit.value


def test_every_minute_is_written_and_the_benchmark_at_each_close(small_run: SmallRun, tmp_path: Path) -> None:
    rows = _rows(write_report(small_run.source, tmp_path).minutes)
    curve = small_run.source.curve
    assert [float(row["equity_usd"]) for row in rows] == pytest.approx(curve.equity_usd.tolist(), abs=1e-4)
    assert min(float(row["drawdown"]) for row in rows) == pytest.approx(-small_run.result.max_drawdown, abs=1e-6)
    closes = {place: float(row["benchmark_usd"]) for place, row in enumerate(rows) if row["benchmark_usd"]}
    expected = dict(zip((389, 779, 1_169), small_run.benchmark.values_usd, strict=True))
    assert closes == pytest.approx(expected, abs=1e-4)
    assert rows[0]["at"] == "2025-01-13T09:31:00-05:00"


def test_the_summary_is_the_result(small_run: SmallRun, tmp_path: Path) -> None:
    found = json.loads(write_report(small_run.source, tmp_path).summary.read_text(encoding="utf-8"))
    assert found == json.loads(msgspec.json.encode(small_run.result))
    assert found["return"] == small_run.result.return_


def test_without_trades_the_tables_have_their_heads(nothing: ReportSource, tmp_path: Path) -> None:
    files = write_report(nothing, tmp_path)
    assert files.trades.read_text(encoding="utf-8").count("\n") == 1
    assert len(_rows(files.minutes)) == 390


def test_a_run_of_no_minute_has_files(no_minute: ReportSource, tmp_path: Path) -> None:
    assert _rows(write_report(no_minute, tmp_path).minutes) == []


def test_a_folder_that_cannot_be_written_is_named(small_run: SmallRun, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match="taken"):
        write_report(small_run.source, taken)


def test_a_missing_plotly_names_the_extra_and_writes_nothing(
    small_run: SmallRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = builtins.__import__

    def without_plotly(
        name: str,
        names: Mapping[str, object] | None = None,
        inner: Mapping[str, object] | None = None,
        wanted: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if name.partition(".")[0] == "plotly":
            raise ImportError(name)
        return whole(name, names, inner, wanted, level)

    monkeypatch.setattr(builtins, "__import__", without_plotly)
    with pytest.raises(OrdinisError, match=r"ordinis\[research\]"):
        require_plotly()
    with pytest.raises(OrdinisError, match=r"ordinis\[research\]"):
        write_report(small_run.source, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_the_page_draws_in_a_browser_without_a_complaint(small_run: SmallRun, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("no Chromium here (Debian: apt-get install chromium)")
    evil = "</script><b>x</b>"
    source = replace(
        small_run.source,
        benchmark=replace(small_run.benchmark, name=evil),
        result=msgspec.structs.replace(small_run.result, data=evil),
    )
    written = write_report(source, tmp_path / "report")
    told = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"),
            written.page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [line for line in told.stderr.splitlines() if "CONSOLE" in line] == []
    layers = {
        **dict.fromkeys(("equity", "underwater", "positions", "exposure", "sectors"), "js-line"),
        **dict.fromkeys(("holding", "slippage"), "barlayer"),
        "months": "heatmaplayer",
    }
    for place, layer in layers.items():
        drawn = told.stdout.split(f'id="plot-{place}"')[1].split("<figcaption>")[0]
        assert layer in drawn, place
