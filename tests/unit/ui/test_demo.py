"""What the demo says of its four runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ordinis import app
from ordinis.app.demo import DemoResult
from ordinis.ui.commands.demo import told


def _run(**figures: Any) -> Any:
    """Enough of a result for the demo's own lines; the summary has tests of its own."""
    return SimpleNamespace(start_equity=14_999.0, journal="x.journal", first_session="2012-09-13", **figures)


def _result(day: str, wire: str) -> DemoResult:
    return DemoResult(
        small=_run(), large=_run(), day=_run(journal_digest=day), wire=_run(journal_digest=wire), report=Path("r")
    )


@pytest.fixture(autouse=True)
def _short_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordinis.ui.commands.demo.side_by_side", lambda titles, _: " | ".join(titles))


def test_the_demo_says_that_the_wire_agrees_and_what_to_try_next() -> None:
    text = told(_result("abc", "abc"), Path("out"))
    assert "$14,999 account | $14,999 account" in text
    assert "2012-09-13: the journal over the wire equals the backtest's (abc)" in text
    assert "ordinis why AAPL --journal x.journal" in text


def test_the_demo_fails_where_the_wire_differs(ordinis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "demo", lambda out, say: _result("abc", "def"))
    code, out, _ = ordinis("demo")
    assert (code, "the journals DIFFER" in out) == (1, True)
