"""Importing, listing and checking bars from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Ordinis = Callable[..., tuple[int, str, str]]
HEAD = "symbol,timestamp,open,high,low,close,volume\n"
GOOD = HEAD + "".join(f"AAPL,2025-01-15 10:{minute:02},100,101,99,100.5,1000\n" for minute in range(30))
ZONE = ("--timezone", "America/New_York")


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_an_imported_file_is_listed_and_its_findings_are_kept(ordinis: Ordinis, bars: Path) -> None:
    code, out, _ = ordinis("data", "import", str(bars), "--feed", "iex", *ZONE)
    assert (code, "bars: 1 symbols, 1 sessions, 30 bars stored" in out) == (0, True)
    code, out, _ = ordinis("data", "list")
    assert code == 0
    assert out.split()[0] == "bars"
    assert "2025-01-15..2025-01-15" in out
    assert "iex" in out
    assert ordinis("data", "check", "bars")[1].startswith("bars: ")


def test_an_empty_store_says_how_to_fill_it(ordinis: Ordinis) -> None:
    code, out, _ = ordinis("data", "list")
    assert (code, "`ordinis data import FILE...`" in out) == (0, True)


def test_the_store_is_where_the_settings_say(ordinis: Ordinis, bars: Path, tmp_path: Path) -> None:
    here = ("--set", f"data.store_dir={tmp_path / 'here'}")
    assert ordinis("data", "import", str(bars), "--name", "one", *ZONE, *here)[0] == 0
    assert (tmp_path / "here" / "one").is_dir()
    assert ordinis("data", "list", *here)[1].startswith("one")


def test_a_name_that_is_taken_is_replaced_only_when_asked(ordinis: Ordinis, bars: Path) -> None:
    assert ordinis("data", "import", str(bars), *ZONE)[0] == 0
    code, _, err = ordinis("data", "import", str(bars), *ZONE)
    assert (code, "--replace" in err) == (3, True)
    assert ordinis("data", "import", str(bars), *ZONE, "--replace")[0] == 0


def test_a_refused_file_names_its_rows_and_leaves_with_the_code_of_bad_data(ordinis: Ordinis, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(GOOD + "AAPL,2025-01-15 11:00,100,99,101,100,5\n", encoding="utf-8")
    for command in ("check", "import"):
        code, _, err = ordinis("data", command, str(bad), *ZONE)
        assert (code, "bad.csv row 31" in err) == (3, True)


def test_times_without_a_zone_ask_for_it(ordinis: Ordinis, bars: Path) -> None:
    code, _, err = ordinis("data", "import", str(bars))
    assert (code, "--timezone" in err) == (3, True)


def test_corporate_actions_are_kept_with_a_set_and_counted(ordinis: Ordinis, bars: Path, tmp_path: Path) -> None:
    actions = tmp_path / "actions.csv"
    actions.write_text("symbol,ex_date,kind,amount\nAAPL,2025-01-16,dividend,0.25\n", encoding="utf-8")
    assert ordinis("data", "import", str(bars), *ZONE)[0] == 0
    code, out, _ = ordinis("data", "import-actions", str(actions), "--data", "bars")
    assert (code, out) == (0, "bars: 1 corporate actions kept, 2025-01-16 to 2025-01-16\n")
    assert "; 1 corporate actions" in ordinis("data", "list")[1]
    assert "1 corporate actions are known" in ordinis("data", "check", "bars")[1]
    actions.write_text("symbol,ex_date,kind\nAAPL,tomorrow,dividend\n", encoding="utf-8")
    code, _, err = ordinis("data", "import-actions", str(actions), "--data", "bars", "--replace")
    assert (code, "actions.csv row 1: the ex-date must be written as 2020-08-31, was 'tomorrow'" in err) == (3, True)
