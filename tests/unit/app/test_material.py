"""What a run is made of, where companies did something to their shares."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from ordinis import app
from ordinis.app import material
from ordinis.config import Settings, load
from ordinis.data.calendar import minute_starts_ns, sessions
from ordinis.data.importing import import_files
from ordinis.data.store import BarStore
from ordinis.domain.events import CorporateAction
from ordinis.journal import reading

FIRST, EX_DATE, LAST = date(2025, 1, 13), date(2025, 1, 15), date(2025, 1, 16)
ROWS = ["symbol,ex_date,kind,ratio,amount_usd", "AAA,2025-01-15,split,4:1,", "AAA,2025-01-16,dividend,,0.25"]


@pytest.fixture
def set_of_prices(tmp_path: Path) -> Path:
    """AAA at 100 USD, at 25 after its split; the store's folder."""
    frames = []
    for session in sessions(FIRST, LAST):
        price = 100.0 if session.date < EX_DATE else 25.0
        starts = pd.to_datetime(minute_starts_ns(session), utc=True)
        bar = {"open": price, "high": price, "low": price, "close": price, "volume": 1000 * (100 // price)}
        frames.append(pd.DataFrame({"symbol": "AAA", "timestamp": starts, **bar}))
    pd.concat(frames).to_csv(tmp_path / "bars.csv", index=False)
    (tmp_path / "actions.csv").write_text("\n".join(ROWS), encoding="utf-8")
    store = BarStore(tmp_path / "store")
    import_files([tmp_path / "bars.csv"], name="set", store=store, actions=tmp_path / "actions.csv")
    return store.root


def settings_of(store: Path, *changes: str) -> Settings:
    return load(None, [f"data.store_dir={store}", "strategies.enabled=sma_cross", *changes])


def test_history_is_in_the_terms_of_the_first_day(set_of_prices: Path) -> None:
    found = material.gather(settings_of(set_of_prices), "set", EX_DATE, LAST)
    assert {float(block.close[0, 0]) for block in found.minutes()} == {25.0}
    assert set(found.daily().close[:, 0].tolist()) == {25.0}
    assert {float(block.volume[0, 0]) for block in found.minutes()} == {4000.0}
    earlier = material.gather(settings_of(set_of_prices), "set", date(2025, 1, 14), date(2025, 1, 14))
    assert {float(block.close[0, 0]) for block in earlier.minutes()} == {100.0}
    assert earlier.actions() == ()  # The split is still to come.


def test_a_file_that_the_settings_name_goes_before_what_is_kept(set_of_prices: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("\n".join([ROWS[0], "AAA,2025-01-15,split,2,", "ZZZ,2025-01-15,split,2,"]), encoding="utf-8")
    kept = material.gather(settings_of(set_of_prices), "set").actions()
    named = material.gather(settings_of(set_of_prices, f"data.actions_file={other}"), "set").actions()
    assert [one.ratio for one in kept] == [Decimal(4), Decimal(1)]
    assert [(one.symbol, one.ratio) for one in named] == [("AAA", Decimal(2))]


def test_a_backtest_lives_through_them(set_of_prices: Path, tmp_path: Path) -> None:
    journal = tmp_path / "one.journal"
    app.run_backtest(settings_of(set_of_prices), data="set", journal=journal)
    told = [one for one in reading.position_events(journal) if isinstance(one, CorporateAction)]
    assert [(one.kind.value, one.ex_date) for one in told] == [("split", EX_DATE), ("dividend", LAST)]
