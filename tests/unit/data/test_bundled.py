from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from ordinis.data import bundled
from ordinis.data.bundled import bundled_daily, bundled_data
from ordinis.data.store import BarStore
from ordinis.domain.errors import DataError

WEEK = (date(2012, 7, 2), date(2012, 7, 6))  # With a half-day and a holiday.


def test_the_bundled_week_is_real_by_day_and_labelled_synthetic_by_minute(store: BarStore) -> None:
    data = bundled_data(store, *WEEK)
    assert data.synthetic
    assert data.label == "synthetic minutes made from real daily bars (bokeh-sampledata)"
    assert data.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert [session.minutes for session in data.sessions] == [390, 210, 390, 390]
    real = bundled_daily(*WEEK)[0]
    for block in data.blocks():
        row = real.dates.index(block.session.date)
        np.testing.assert_array_equal(block.open[0], real.open[row])
        np.testing.assert_array_equal(block.high.max(axis=0), real.high[row])
        np.testing.assert_array_equal(block.low.min(axis=0), real.low[row])
        np.testing.assert_array_equal(block.close[-1], real.close[row])
        np.testing.assert_array_equal(block.volume.sum(axis=0), real.volume[row])


def test_the_daily_bars_are_the_real_ones_and_reach_back_for_the_warm_up(store: BarStore) -> None:
    daily = bundled_data(store, *WEEK).daily()
    before = daily.before(WEEK[0])
    assert len(before.dates) == bundled.WARM_UP_SESSIONS >= 120
    assert daily.dates[-1] == WEEK[1]
    aapl = daily.universe.column["AAPL"]
    assert daily.close[daily.dates.index(date(2012, 6, 1)), aapl] == 560.99  # As published.
    facebook = before.close[:, daily.universe.column["FB"]]
    assert np.isfinite(facebook).sum() == 30  # Listed on 2012-05-18.


def test_a_set_is_made_once_and_again_only_by_another_recipe(store: BarStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bundled_data(store, *WEEK)
    stamp = (made.folder / "manifest.json").stat().st_mtime_ns
    assert (bundled_data(store, *WEEK).folder / "manifest.json").stat().st_mtime_ns == stamp
    monkeypatch.setattr(bundled, "RECIPE", 99)
    again = bundled_data(store, *WEEK)
    assert (again.folder / "manifest.json").stat().st_mtime_ns > stamp
    assert again.content_sha256 == made.content_sha256


def test_a_damaged_bundled_set_is_made_again(store: BarStore) -> None:
    made = bundled_data(store, *WEEK)
    (made.folder / "manifest.json").write_text("{")
    assert bundled_data(store, *WEEK).content_sha256 == made.content_sha256


def test_an_imported_set_under_the_bundled_name_is_left_alone(store: BarStore) -> None:
    made = bundled_data(store, *WEEK)
    store.write(
        made.name,
        symbols=made.symbols,
        blocks=list(made.blocks()),
        feed="sip",
        label="real minutes",
        synthetic=False,
        replace=True,
    )
    with pytest.raises(DataError, match="import it under another"):
        bundled_data(store, *WEEK)


def test_another_seed_is_another_set_of_the_same_days(store: BarStore) -> None:
    first, second = bundled_data(store, *WEEK), bundled_data(store, *WEEK, seed=2)
    assert first.content_sha256 != second.content_sha256
    np.testing.assert_array_equal(first.daily().close, second.daily().close)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2000, 6, 1), date(2000, 10, 31), ("AAPL 2:1 on 2000-06-21",)),  # And not the fall of 2000-09-29.
        (date(2003, 2, 3), date(2003, 2, 28), ("MSFT 2:1 on 2003-02-18",)),
        (date(2005, 2, 1), date(2005, 3, 31), ("AAPL 2:1 on 2005-02-28",)),
        (date(2012, 6, 1), date(2013, 2, 28), ()),
    ],
)
def test_prices_before_a_split_are_adjusted_and_the_label_says_so(
    first: date, last: date, expected: tuple[str, ...]
) -> None:
    daily, splits = bundled_daily(first, last)
    assert splits == expected
    moves = daily.open[1:] / daily.close[:-1]
    assert np.nanmin(moves) > 0.52  # The real fall of 2000-09-29 opened 47 % lower; a split would be 0.5.


def test_a_split_halves_earlier_prices_and_doubles_earlier_volumes() -> None:
    raw, _ = bundled_daily(date(2005, 2, 1), date(2005, 2, 25))
    adjusted, _ = bundled_daily(date(2005, 2, 1), date(2005, 3, 31))
    column, before, after = raw.universe.column["AAPL"], len(raw.dates) - 1, adjusted.dates.index(raw.dates[-1])
    assert adjusted.close[after, column] == pytest.approx(raw.close[before, column] / 2, abs=1e-4)
    assert adjusted.volume[after, column] == raw.volume[before, column] * 2


def test_the_label_of_a_set_with_a_split_names_it(store: BarStore) -> None:
    data = bundled_data(store, date(2003, 2, 14), date(2003, 2, 19))
    assert data.label.endswith("prices before splits adjusted (MSFT 2:1 on 2003-02-18)")
    assert "FB" not in data.symbols


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (date(1999, 12, 31), date(2000, 4, 1), "2000-03-01 to 2013-03-01"),
        (date(2013, 2, 1), date(2013, 3, 4), "2000-03-01 to 2013-03-01"),
        (date(2012, 7, 6), date(2012, 7, 2), "not inside"),
        (date(2012, 10, 29), date(2012, 10, 30), "closed from"),
    ],
)
def test_a_range_without_bars_is_an_error(store: BarStore, first: date, last: date, message: str) -> None:
    with pytest.raises(DataError, match=message):
        bundled_data(store, first, last)


def test_the_default_range_holds_more_than_120_sessions(store: BarStore) -> None:
    data = bundled_data(store)
    assert data.name == "bundled"
    assert len(data.sessions) == 186
    assert (data.sessions[0].date, data.sessions[-1].date) == (date(2012, 6, 1), date(2013, 2, 28))
