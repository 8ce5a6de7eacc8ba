"""`ordinis strategies`: from nothing to a strategy of one's own that trades."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ordinis.journal import reading

Ordinis = Callable[..., tuple[int, str, str]]


def test_a_new_strategy_is_checked_tested_listed_and_trades(ordinis: Ordinis) -> None:
    code, out, _ = ordinis("strategies", "new", "my_own", "--dir", "mine")
    assert (code, "ordinis strategies check mine/my_own.py" in out) == (0, True)
    code, out, err = ordinis("strategies", "check", "mine/my_own.py")
    assert (code, "keeps the rules: 2,340 minutes" in out, err) == (0, True, "")
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "mine/test_my_own.py"]
    assert subprocess.run(test, check=False, timeout=60, capture_output=True).returncode == 0
    named = ("--set", "strategies.files=mine/my_own.py", "--set", "strategies.enabled=my_own")
    _, out, _ = ordinis("strategies", "list", *named)
    assert "my_own (mine/my_own.py, enabled)\n  mean_bars = 50" in out
    assert "atr_rsi (built in)" in out
    quick = ("--set", "strategies.score_history_min=5", "--journal", "own.journal")
    days = ("--from", "2012-09-04", "--to", "2012-09-12")
    code, _, _ = ordinis("backtest", "--data", "bundled", *days, *named, *quick)
    assert code == 0
    assert {one.assessment.strategy for one in reading.assessments(Path("own.journal"))} == {"my_own"}


def test_a_strategy_may_be_shown_larger_bars(ordinis: Ordinis) -> None:
    run = ("backtest", "--data", "bundled", "--from", "2012-09-04", "--to", "2012-09-05")
    alone = ("--set", "strategies.enabled=sma_cross", "--set", "strategies.score_history_min=1")
    parameters = ("--set", "strategies.parameters.sma_cross.slow_bars=30")
    scores = []
    for minutes in (1, 15):
        size = ("--set", f"strategies.bar_minutes.sma_cross={minutes}", "--journal", f"{minutes}.journal")
        assert ordinis(*run, *alone, *parameters, *size)[0] == 0
        found = reading.assessments(Path(f"{minutes}.journal"))
        scores.append([one.assessment.score for one in found if one.assessment.score is not None])
    assert all(scores)
    assert scores[0] != scores[1]
    code, _, err = ordinis(*run, *alone, "--set", "strategies.bar_minutes.sma_cros=15")
    assert (code, "names sma_cros, which is not enabled; enabled are sma_cross" in err) == (2, True)


def broken(text: str, change: str, by: str) -> None:
    assert change in text
    Path("bad.py").write_text(text.replace(change, by), encoding="utf-8")


@pytest.fixture
def source(ordinis: Ordinis) -> str:
    ordinis("strategies", "new", "bad", "--dir", "made")
    return Path("made/bad.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "by", "finding"),
    [
        ("distance < 0.0", "bars.close[::-1] < mean", "it looks ahead: exit for"),
        ("score=distance", "score=distance * float('nan')", "gave score nan for"),
        ("ready=ready", "ready=ready[0]", "returned ready as an array of bool of shape"),
        ("distance = (bars", "distance = 1 / 0 * (bars", "raised ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_wrong_is_said_with_a_code(ordinis: Ordinis, source: str, change: str, by: str, finding: str) -> None:
    broken(source, change, by)
    code, out, err = ordinis("strategies", "check", "bad.py")
    assert (code, out) == (4, "")
    assert finding in err


def test_a_run_names_a_broken_strategy_and_goes_on_without_it(ordinis: Ordinis, source: str) -> None:
    broken(source, "distance = (bars", "assert (bars.number < 500).all(), 'too many bars'\n        distance = (bars")
    own = ("--set", "strategies.files=bad.py", "--set", "strategies.enabled=bad,atr_rsi")
    days = ("--from", "2012-09-04", "--to", "2012-09-07", "--set", "run.warm_up_sessions=0")
    code, _, _ = ordinis("backtest", "--data", "bundled", *days, *own, "--journal", "own.journal")
    assert code == 0
    ordinis("journal", "export", "own.journal", "own.jsonl")
    told = [line for line in Path("own.jsonl").read_text(encoding="utf-8").splitlines() if "too many bars" in line]
    assert len(told) == 1
    assert "strategy bad raised AssertionError: too many bars" in told[0]
    assert "it is switched off, and what it holds is sold" in told[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["new", "My"], 2, "small letters, digits and _, was 'My'"),
        (["new", "idle"], 2, "'idle' is taken by a strategy that is built in"),
        (["new", "here"], 2, "here.py is there already"),
        (["check", "nobody"], 2, "there is no strategy 'nobody'"),
        (["check", "none.py"], 2, "there is no strategy file none.py"),
        (["check", "empty.py"], 4, "empty.py defines no strategy"),
        (["check", "torn.py"], 4, "torn.py cannot be loaded: SyntaxError"),
        (["list", "--set", "strategies.files=twice.py,again.py"], 4, "again.py: the name 'one' is taken by twice.py"),
    ],
)
def test_a_mistake_gives_a_message_and_its_code(
    ordinis: Ordinis, arguments: list[str], code: int, message: str
) -> None:
    one = "class One:\n    name = 'one'\n    def advance(self, bars): ...\n"
    for name, text in {"here": "", "empty": "", "torn": "def", "twice": one, "again": one}.items():
        Path(f"{name}.py").write_text(text, encoding="utf-8")
    left, out, err = ordinis("strategies", *arguments)
    assert (left, out) == (code, "")
    assert message in err


def test_a_strategy_of_an_installed_package_is_found_by_its_entry_point(
    ordinis: Ordinis, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "its_package.py").write_text(source.replace('"bad"', '"packaged"'), encoding="utf-8")
    info = tmp_path / "its_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: its-package\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[ordinis.strategies]\npackaged = its_package:Bad\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    _, out, _ = ordinis("strategies", "list")
    assert "packaged (entry point packaged (its_package:Bad))\n  mean_bars = 50" in out
    assert ordinis("strategies", "check", "packaged")[0] == 0
