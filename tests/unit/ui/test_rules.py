"""`ordinis rules`: what an account's journal says, and the day trades of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ordinis.config import load
from ordinis.ui.cli import main

FILLS = """\
symbol,side,quantity,time,order_id
ABC,buy,50,2025-01-15 10:31:00,1
ABC,buy,50,2025-01-15 10:32:00,2
ABC,sell,60,2025-01-15 10:33:00,3
ABC,sell,40,2025-01-15 16:30:00,3
XYZ,sell,50,2025-01-15 10:31:00,4
XYZ,buy,50,2025-01-15 10:35:00,5
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as left:
        main(["rules", *arguments])
    assert left.value.code == code
    out, err = capsys.readouterr()
    return out, err


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The last days of the bundled data under each regime."""
    from ordinis.app import open_data, run_backtest

    folder = tmp_path_factory.mktemp("rules")
    found = {}
    for regime, multiplier in (("auto", 2), ("pattern_day_trader", 2), ("cash", 1)):
        changes = [f"compliance.regime={regime}", f"account.multiplier={multiplier}", f"data.store_dir={folder}/store"]
        found[regime] = folder / f"{regime}.journal"
        settings = load(None, [*changes, f"journal.dir={folder}"])
        first = open_data(settings, "bundled").sessions[-6].date
        run_backtest(settings, data="bundled", first=first, journal=found[regime])
    return found


def plain(capsys: pytest.CaptureFixture[str], journal: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(told(capsys, "--journal", str(journal), "--json")[0])
    return answer


def test_a_regime_without_day_trades_names_its_head_room_instead(
    capsys: pytest.CaptureFixture[str], journals: dict[str, Path]
) -> None:
    now = plain(capsys, journals["auto"])
    assert (now["regime"], now["confirmed_on"]) == ("intraday_margin", "2026-11-22")
    assert now["enforced"] == ["intraday margin"]
    assert now["day_trades_remaining"] is None
    assert now["head_room_usd"] > 0
    assert now["margin"]["level_usd"] <= now["equity_usd"]


def test_under_the_law_of_day_trades_slots_are_shown_and_when_they_free_up(
    capsys: pytest.CaptureFixture[str], journals: dict[str, Path]
) -> None:
    now = plain(capsys, journals["pattern_day_trader"])
    trades = now["day_trades"]
    assert now["day_trades_used"] + now["day_trades_remaining"] == trades["allowed"] == 3
    assert now["head_room_usd"] is None
    assert now["enforced"] == ["day trades", "intraday margin"]  # It was not confirmed.
    assert sum(count for _, count in trades["by_day"]) == now["day_trades_used"]
    assert len([what for _, what in now["frees_up"] if "leave the window" in what]) == len(trades["by_day"])


def test_a_cash_account_shows_what_settles_when(capsys: pytest.CaptureFixture[str], journals: dict[str, Path]) -> None:
    now = plain(capsys, journals["cash"])
    assert (now["regime"], now["margin"], now["settlement"]["violations"]) == ("cash", None, 0)
    assert now["head_room_usd"] == pytest.approx(float(now["settlement"]["settled_usd"]))


@pytest.mark.parametrize("regime", ["auto", "pattern_day_trader", "cash"])
def test_the_answer_in_words_names_regime_and_what_is_next(
    capsys: pytest.CaptureFixture[str], journals: dict[str, Path], regime: str
) -> None:
    lines = told(capsys, "--journal", str(journals[regime]))[0].splitlines()
    heads = [line.split()[0] for line in lines]
    assert {"regime", "enforced", "account", "day", "entries:", "next"} <= set(heads)
    assert ("settled" in heads) is (regime == "cash")
    assert any(line.startswith("entries: no: the session is over") for line in lines)


def test_the_day_trades_of_a_file_are_counted_by_both_methods(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(FILLS, encoding="utf-8")
    answer = json.loads(told(capsys, "--count", str(path), "--held", "XYZ=50", "--json")[0])
    rows = {one["symbol"]: one for one in answer["days"]}
    assert [rows["ABC"][method] for method in ("direction_change", "opening_order", "max")] == [1, 2, 2]
    assert rows["XYZ"]["max"] == 0  # Held overnight and sold first.
    assert rows["ABC"]["window"] == 2
    out, err = told(capsys, "--count", str(path))
    assert "3 day trades in 6 fills" in out
    assert "row 6 is earlier than the row before it" in err


def test_a_bad_file_or_position_is_an_error_with_a_remedy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(FILLS.replace("sell,60", "hold,60"), encoding="utf-8")
    assert "row 4: the side must be buy or sell" in told(capsys, "--count", str(path), code=3)[1]
    path.write_text(FILLS, encoding="utf-8")
    for given in ("XYZ", "XYZ=some", "XYZ=nan", "=50"):
        assert (
            f"--held {given}: expected SYMBOL=SHARES" in told(capsys, "--count", str(path), "--held", given, code=2)[1]
        )
    assert "there is no such journal" in told(capsys, "--journal", str(tmp_path / "none"), code=5)[1]
