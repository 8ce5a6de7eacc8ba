"""A day in process and the same day over Alpaca's REST and streams: one decision path, one journal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ordinis import app
from ordinis.config import load
from ordinis.journal import reading, views

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
JANUARY = "minute_rth_2025-01_20sym.parquet"
IEX = "minute_rth_iex_2025-09_2025-12_16sym.parquet"
SHORTS = (
    "risk.shorting_allowed=true",
    "strategies.enabled=ema_trend,donchian",
    "strategies.parameters.ema_trend.shorts=true",
    "strategies.parameters.donchian.shorts=true",
)


def shared(name: str) -> str:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside this checkout")
    return str(path)


def both_journals(folder: Path, data: str, day: date, *settings: str) -> tuple[Path, Path]:
    given = load(None, [f"data.store_dir={folder / 'bars'}", *settings])
    here, wire = folder / "here.journal", folder / "wire.journal"
    app.run_backtest(given, data=data, first=day, last=day, journal=here)
    app.run_simulation(given, data=data, day=day, journal=wire)
    return here, wire


def exported(journal: Path) -> bytes:
    out = journal.with_suffix(".jsonl")
    reading.export(journal, out)
    return out.read_bytes()


@pytest.mark.parametrize(
    ("data", "day", "settings"),
    [
        (JANUARY, date(2025, 1, 24), ("account.cash_usd=50000",)),
        (JANUARY, date(2025, 1, 15), ("account.cash_usd=14999",)),
        (JANUARY, date(2025, 1, 24), ("account.cash_usd=50000", *SHORTS)),
        # A half-day on a thin feed, where a large account's entries fill in part.
        (IEX, date(2025, 11, 28), ("account.cash_usd=400000", "data.feed=iex")),
    ],
)
def test_a_real_day_has_the_same_journal_on_both_roads(
    tmp_path: Path, data: str, day: date, settings: tuple[str, ...]
) -> None:
    here, wire = both_journals(tmp_path, shared(data), day, *settings)
    assert exported(here) == exported(wire)
    assert reading.digest(here) == reading.digest(wire)
    assert reading.fills(here), "a day without a trade proves little"


def test_a_bundled_day_has_the_same_journal_on_both_roads(tmp_path: Path) -> None:
    here, wire = both_journals(tmp_path, app.BUNDLED, date(2012, 9, 13), "account.cash_usd=50000")
    assert exported(here) == exported(wire)
    assert reading.digest(here) == reading.digest(wire)
    assert reading.fills(here)


def test_another_account_has_another_journal(tmp_path: Path) -> None:
    """The comparison can fail: it tells two accounts apart."""
    day = date(2012, 9, 13)
    settings = [
        load(None, [f"data.store_dir={tmp_path / 'bars'}", f"account.cash_usd={usd}"]) for usd in (50_000, 50_001)
    ]
    digests = {
        app.run_backtest(one, data=app.BUNDLED, first=day, last=day, journal=tmp_path / "one.journal")[0].journal_digest
        for one in settings
    }
    assert len(digests) == 2


@pytest.mark.parametrize(("data", "feed", "more"), [(JANUARY, "sip", ()), (JANUARY, "sip", SHORTS), (IEX, "iex", ())])
def test_a_real_set_is_traded_with_no_violation(tmp_path: Path, data: str, feed: str, more: tuple[str, ...]) -> None:
    given = [f"data.store_dir={tmp_path / 'bars'}", "account.cash_usd=50000", f"data.feed={feed}", *more]
    result, _ = app.run_backtest(load(None, given), data=shared(data), journal=tmp_path / "one.journal")
    assert result.entries >= 30
    assert (result.violations, result.refused_by_exchange) == (0, 0)
    entries = [one for one in views.updates(tmp_path / "one.journal") if "-entry-" in one.client_order_id and one.fill]
    sold_short = [
        one for one in entries if one.fill is not None and one.fill.quantity < 0 and "stop" not in one.client_order_id
    ]
    assert (len(sold_short) >= 10) is bool(more)
