"""Returns of bars of any size: nights on rows of their own, gaps that stay gaps, years that add up."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from ordinis.domain.errors import DataError
from ordinis.domain.market import MINUTE_NS, DailyBlock, FloatArray, MarketBlock, Session, Universe
from ordinis.engines.portfolioopt.bars import daily_returns, session_returns

UNIVERSE = Universe(("A", "B"))


def block(day: int, closes: FloatArray, opens: FloatArray | None = None, minutes: int = 390) -> MarketBlock:
    """A session whose rows are the first ones; a NaN close is no bar."""
    start = day * 24 * 60 * MINUTE_NS
    session = Session(date=date(2024, 1, 1) + timedelta(days=day), open_ns=start, close_ns=start + minutes * MINUTE_NS)
    rows = closes.shape[0]
    present = np.isfinite(closes)
    price = closes if opens is None else opens
    return MarketBlock(
        universe=UNIVERSE,
        session=session,
        closed_at_ns=start + MINUTE_NS * np.arange(1, rows + 1),
        open=np.where(present, price, np.nan),
        high=closes,
        low=closes,
        close=closes,
        volume=np.where(present, 1.0, 0.0),
        present=present,
    )


def closes(level: float, rows: int = 390, seed: int = 1) -> FloatArray:
    steps = np.random.default_rng(seed).normal(0.0, 1e-3, (rows, 2))
    path: FloatArray = level * np.exp(np.cumsum(steps, axis=0))
    return path


@pytest.mark.parametrize("bar_minutes", [1, 7, 60, 390])
def test_bars_and_nights_multiply_to_the_whole_way(bar_minutes: int) -> None:
    days = [block(one, closes(100.0 + 5.0 * one, seed=one)) for one in range(3)]
    bars = session_returns(days, bar_minutes)
    assert np.prod(1.0 + bars.returns, axis=0) == pytest.approx(days[-1].close[-1] / days[0].open[0])
    each = -(-390 // bar_minutes)
    assert bars.returns.shape == (3 * each + 2, 2)
    assert bars.periods_a_year == 252 * (each + 1)


def test_a_night_has_its_own_row_and_its_own_size() -> None:
    first, second = closes(100.0), closes(100.0, seed=2)
    second *= 1.07 * first[-1] / second[0]
    bars = session_returns([block(0, first), block(1, second)], 30)
    assert bars.returns[13] == pytest.approx([0.07, 0.07])
    assert np.abs(np.delete(bars.returns, 13, axis=0)).max() < 0.03


def test_a_bar_without_a_trade_stands_still_and_a_session_without_one_is_a_gap() -> None:
    quiet = closes(50.0)
    quiet[100:200, 0] = np.nan
    quiet[:, 1] = np.nan
    bars = session_returns([block(0, quiet)], 50)
    assert bars.returns[3, 0] == 0.0  # From the 150th minute to the 200th.
    assert np.isnan(bars.returns[:, 1]).all()


def test_a_short_session_has_fewer_bars_and_a_long_closure_no_night() -> None:
    half = block(1, closes(100.0, rows=210), minutes=210)
    bars = session_returns([block(0, closes(100.0)), half, block(20, closes(100.0))], 60)
    assert bars.returns.shape[0] == 7 + 1 + 4 + 7


def test_blocks_of_one_session_are_one_session() -> None:
    whole = block(0, closes(100.0))
    parts = [whole.row_block(row) for row in range(390)]
    assert session_returns(parts, 30).returns == pytest.approx(session_returns([whole], 30).returns)


def test_daily_bars_far_apart_are_no_neighbours() -> None:
    dates = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 3, 1), date(2024, 3, 4))
    close = np.array([[100.0, 50.0], [110.0, 50.0], [220.0, 50.0], [231.0, np.nan]])
    empty = np.zeros_like(close)
    daily = DailyBlock(universe=UNIVERSE, dates=dates, open=close, high=close, low=close, close=close, volume=empty)
    bars = daily_returns(daily)
    assert bars.returns[:, 0] == pytest.approx([0.1, 0.05])
    assert np.isnan(bars.returns[1, 1])
    assert bars.periods_a_year == 252


@pytest.mark.parametrize("bar_minutes", [0, 391])
def test_impossible_bars_are_refused(bar_minutes: int) -> None:
    with pytest.raises(DataError, match="bar_minutes must be from 1 to 390"):
        session_returns([block(0, closes(100.0))], bar_minutes)
    with pytest.raises(DataError, match="no sessions"):
        session_returns([], 5)
