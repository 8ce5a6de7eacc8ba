from __future__ import annotations

from datetime import date
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.data.calendar import session_on
from ordinis.data.minutes_from_daily import _path, make_session
from ordinis.domain.market import MINUTE_NS, FloatArray, MarketBlock, Session, Universe

DAY, HALF_DAY = date(2012, 6, 1), date(2012, 7, 3)


def session(day: date) -> Session:
    found = session_on(day)
    assert found is not None
    return found


def make(bar: list[float], day: date = DAY, symbol: str = "AAA", seed: int = 1) -> MarketBlock:
    bars: FloatArray = np.array(bar, dtype=np.float64).reshape(5, 1)
    return make_session(session(day), Universe((symbol,)), bars, seed)


@st.composite
def daily_bars(draw: st.DrawFn) -> list[float]:
    """Open, high, low, close and volume, also the odd ones: flat, open at the high, a range of one tick."""
    low = draw(st.integers(1, 10_000_000))
    width = draw(st.one_of(st.integers(0, 3), st.integers(0, low)))
    opened, closed = (low + draw(st.sampled_from([0, width, width // 2, width // 3])) for _ in range(2))
    volume = draw(st.integers(0, 10**9))
    return [opened / 10_000, (low + width) / 10_000, low / 10_000, closed / 10_000, volume]


@settings(max_examples=60, deadline=None)
@given(bar=daily_bars(), seed=st.integers(0, 2**31), day=st.sampled_from([DAY, HALF_DAY]))
def test_minutes_keep_to_their_day_exactly(bar: list[float], seed: int, day: date) -> None:
    opened, high, low, closed, volume = bar
    block = make(bar, day, seed=seed)
    assert block.rows == session(day).minutes
    assert block.present.all()
    assert (block.open[0, 0], block.close[-1, 0]) == (opened, closed)
    assert (block.high.max(), block.low.min()) == (high, low)
    assert (block.low <= np.minimum(block.open, block.close)).all()
    assert (block.high >= np.maximum(block.open, block.close)).all()
    assert block.volume.sum() == volume
    for array in (block.open, block.high, block.low, block.close):
        np.testing.assert_array_equal(array, np.round(array, 4))
    np.testing.assert_array_equal(block.volume, np.floor(block.volume))


BAR = [100.0, 103.0, 98.5, 101.5, 5_000_000.0]


def test_finer_prices_are_rounded_to_four_decimals_before_the_path_is_made() -> None:
    block = make([100.00001, 103.00004, 98.49996, 101.50001, 1000.0])
    ends = (block.open[0, 0], block.high.max(), block.low.min(), block.close[-1, 0])
    assert ends == (100.0, 103.0, 98.5, 101.5)


def test_a_path_that_never_leaves_the_straight_line_still_touches_high_and_low() -> None:
    class Still:
        def standard_normal(self, shape: tuple[int, int]) -> FloatArray:
            return np.zeros(shape)

    path = _path(np.array(BAR[:4]), 1560, cast("np.random.Generator", Still()))
    assert (path[0], path.max(), path.min(), path[-1]) == (100.0, 103.0, 98.5, 101.5)


def test_the_same_seed_gives_the_same_day_and_another_seed_day_or_symbol_another() -> None:
    first = make(BAR)
    np.testing.assert_array_equal(make(BAR).close, first.close)
    np.testing.assert_array_equal(make(BAR).volume, first.volume)
    for other in (make(BAR, seed=2), make(BAR, day=date(2012, 6, 4)), make(BAR, symbol="BBB")):
        assert (other.close != first.close).mean() > 0.9


def test_a_symbol_does_not_depend_on_its_neighbours() -> None:
    bars: FloatArray = np.array([BAR, [20.0, 21.0, 19.0, 20.5, 1000.0]]).T
    both = make_session(session(DAY), Universe(("BBB", "AAA")), np.ascontiguousarray(bars[:, ::-1]), 1)
    np.testing.assert_array_equal(both.close[:, 1], make(BAR).close[:, 0])


def test_a_symbol_without_a_daily_bar_has_no_minutes() -> None:
    bars: FloatArray = np.array([BAR, [np.nan, np.nan, np.nan, np.nan, 0.0]]).T
    block = make_session(session(DAY), Universe(("AAA", "BBB")), bars, 1)
    assert block.present.all(axis=0).tolist() == [True, False]
    assert np.isnan(block.close[:, 1]).all()
    assert not block.volume[:, 1].any()


def test_more_is_traded_at_the_open_and_the_close_than_at_noon() -> None:
    volume = make(BAR).volume[:, 0]
    noon = volume[165:225].mean()
    assert volume[:30].mean() > 1.5 * noon
    assert volume[-30:].mean() > 1.5 * noon


def test_a_minute_opens_where_the_one_before_closed_and_no_minute_is_a_leap() -> None:
    block = make(BAR)
    np.testing.assert_array_equal(block.open[1:], block.close[:-1])
    moves = np.abs(np.diff(block.close[:, 0]))
    assert moves.max() < 6 * moves.std() + 3 * moves.mean()


@pytest.mark.parametrize(("day", "minutes"), [(DAY, 390), (HALF_DAY, 210)])
def test_minutes_end_at_the_sessions_minutes(day: date, minutes: int) -> None:
    block = make(BAR, day)
    expected = session(day).open_ns + MINUTE_NS * np.arange(1, minutes + 1)
    np.testing.assert_array_equal(block.closed_at_ns, expected)
    assert block.closed_at_ns[-1] == session(day).close_ns
