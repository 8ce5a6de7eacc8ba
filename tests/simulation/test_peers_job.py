"""The job that other engines were given comes to the same fills and the same equity here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bars import generate, stored
from engine import job_settings
from job import EXPECTED, FILL_RULES, reference, target_fraction
from ordinis import app
from ordinis.data.store import BarStore
from ordinis.journal import reading
from ordinis.research.result import BacktestResult


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peers")


def done(folder: Path, data: str, fill_rule: str) -> tuple[BacktestResult, int]:
    """The result, and how many fills there were."""
    dataset = BarStore(folder / "bars").open(stored(BarStore(folder / "bars"), data))
    settings = job_settings(folder, len(dataset.symbols), fill_rule)
    result, _ = app.run_backtest(settings, data=data)
    return result, len(reading.fills(Path(result.journal)))


@pytest.mark.parametrize("fill_rule", FILL_RULES)
def test_the_small_job_comes_to_the_known_fills_and_equity(folder: Path, fill_rule: str) -> None:
    result, fills = done(folder, "small", fill_rule)
    equity, known_fills = EXPECTED["small", fill_rule]
    assert (fills, known_fills) == (known_fills, 2_430)
    assert result.final_equity == pytest.approx(equity, abs=1.0)
    assert (result.violations, result.refused_by_exchange, result.fees) == (0, 0, 0.0)
    assert not {"RESIZED", "CASH_BUFFER", "BUYING_POWER", "POSITION_WEIGHT"} & set(result.decisions_by_reason)


@pytest.mark.parametrize("fill_rule", FILL_RULES)
def test_the_known_figures_are_those_of_the_plain_loop(fill_rule: str) -> None:
    small = generate("small")
    equity, fills = reference(small.open.tolist(), small.close.tolist(), target_fraction(16), fill_rule)
    assert (round(equity, 2), fills) == EXPECTED["small", fill_rule]


def test_the_large_job_comes_to_the_known_fills_and_equity(folder: Path) -> None:
    result, fills = done(folder, "large", "next_open")
    equity, known_fills = EXPECTED["large", "next_open"]
    assert (fills, known_fills) == (known_fills, 45_471)
    assert result.final_equity == pytest.approx(equity, abs=1.0)
    assert result.bars == 2_340_000
