"""A real month on a small account, under the rules, with the exchange as the judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordinis import app
from ordinis.config import load
from ordinis.research.result import BacktestResult

JANUARY = Path(__file__).parents[2] / ".." / "shared" / "data" / "minute_rth_2025-01_20sym.parquet"
ENTRIES_MIN = 15


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bars are imported once."""
    return tmp_path_factory.mktemp("rules")


def january(folder: Path, *settings: str) -> BacktestResult:
    if not JANUARY.is_file():
        pytest.skip(f"{JANUARY.name} is not beside this checkout")
    given = load(None, [f"data.store_dir={folder / 'bars'}", "account.cash_usd=14999", *settings])
    return app.run_backtest(given, data=str(JANUARY), journal=folder / "one.journal")[0]


@pytest.mark.parametrize("check", ["entry", "exit", "both"])
def test_a_month_of_real_minutes_on_14999_trades_and_breaks_nothing(folder: Path, check: str) -> None:
    result = january(folder, "compliance.regime=pattern_day_trader", f"exchange.day_trade_check={check}")
    assert result.entries >= ENTRIES_MIN
    assert (result.refused_by_exchange, result.violations) == (0, 0)


def test_the_same_month_in_a_cash_account_breaks_nothing(folder: Path) -> None:
    result = january(folder, "compliance.regime=cash", "account.multiplier=1")
    assert result.entries >= ENTRIES_MIN
    assert (result.refused_by_exchange, result.violations) == (0, 0)
