"""Five estimators of a session's variance, each straight from its definition, and on a price whose own is known."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from ordinis.domain.market import MINUTE_NS, DailyBlock, FloatArray, MarketBlock, Session, Universe
from ordinis.engines.daily_variance import daily_variance
from ordinis.engines.estimates import INTRADAY, UNKNOWN, Volatility
from ordinis.engines.variance import ESTIMATORS, Estimator

NAN = np.nan
FIRST = date(2025, 3, 10)
UNIVERSE = Universe(("AAA", "BBB", "CCC"))


def bars_of(seed: int, sessions: int, *, symbols: int = 3, steps: int = 60) -> FloatArray:
    """`[sessions x 4 x symbols]`: prices that move 0.1 % a step, and 0.8 % over night."""
    random = np.random.default_rng(seed)
    moves = random.normal(0.0, 1e-3, (sessions, steps, symbols))
    moves[:, 0] = random.normal(0.0, 8e-3, (sessions, symbols))
    path = 100.0 * np.exp(moves.reshape(-1, symbols).cumsum(axis=0)).reshape(sessions, steps, symbols)
    return np.stack([path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]], axis=1)


def definition(bars: FloatArray, estimator: Estimator) -> float:
    """One symbol's `[sessions x 4]`, a session after the other."""
    o, h, low, c = (np.log(bars[1:, one]) for one in range(4))
    before = np.log(bars[:-1, 3])
    count = len(c)
    move, gap, body, span = c - before, o - before, c - o, h - low
    if estimator == "close_to_close":
        return float(move.var(ddof=1))
    if estimator == "ewma":
        weights = [0.94 ** (count - 1 - session) for session in range(count)]
        return float(np.average(move**2, weights=weights))
    if estimator == "parkinson":
        return float((span**2).mean() / (4 * math.log(2)) + (gap**2).mean())
    if estimator == "garman_klass":
        return float((0.5 * span**2 - (2 * math.log(2) - 1) * body**2).mean() + (gap**2).mean())
    k = 0.34 / (1.34 + (count + 1) / (count - 1))
    rogers = (h - c) * (h - o) + (low - c) * (low - o)
    return float(gap.var(ddof=1) + k * body.var(ddof=1) + (1 - k) * rogers.mean())


def daily_of(bars: FloatArray, universe: Universe = UNIVERSE) -> DailyBlock:
    return DailyBlock(
        universe=universe,
        dates=tuple(FIRST + timedelta(days=day) for day in range(len(bars))),
        open=bars[:, 0],
        high=bars[:, 1],
        low=bars[:, 2],
        close=bars[:, 3],
        volume=np.ones_like(bars[:, 3]),
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_newest_window_gives_what_the_definition_says(estimator: Estimator) -> None:
    bars = bars_of(1, 40)
    volatility = Volatility(UNIVERSE, estimator=estimator)
    volatility.warm_up_daily(daily_of(bars))
    expected = [math.sqrt(252 * definition(bars[-21:, :, column], estimator)) for column in range(3)]
    np.testing.assert_allclose(volatility.annual, expected, rtol=1e-12)
    assert volatility.source == (f"daily_{estimator}",) * 3


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_finds_the_volatility_that_was_put_in(estimator: Estimator) -> None:
    put_in = 59 * 1e-3**2 + 8e-3**2
    bars = bars_of(2, 2500, symbols=1)
    found = daily_variance(bars, np.zeros(2499, np.bool_), estimator=estimator, decay=0.999, known_min=10)
    assert found[0] == pytest.approx(put_in, rel=0.12)  # Sixty steps miss some of the range.


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_missing_session_is_left_out_with_both_its_nights(estimator: Estimator) -> None:
    bars = bars_of(3, 15, symbols=1)
    bars[7] = NAN
    apart = np.zeros(14, np.bool_)
    wanted = {"estimator": estimator, "decay": 0.94}
    assert np.isnan(daily_variance(bars, apart, known_min=13, **wanted)[0])  # type: ignore[arg-type]
    found = daily_variance(bars, apart, known_min=12, **wanted)  # type: ignore[arg-type]
    whole = daily_variance(bars_of(3, 15, symbols=1), apart, known_min=12, **wanted)  # type: ignore[arg-type]
    assert np.isfinite(found[0])
    assert found[0] != whole[0]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_sessions_far_apart_are_no_neighbours(estimator: Estimator) -> None:
    bars = bars_of(4, 15, symbols=1)
    bars[8:] *= 3.0
    apart = np.zeros(14, np.bool_)
    torn = daily_variance(bars, apart, estimator=estimator, decay=0.94, known_min=10)[0]
    apart[7] = True
    assert daily_variance(bars, apart, estimator=estimator, decay=0.94, known_min=10)[0] < torn / 50


def session_of(day: int, close: FloatArray) -> MarketBlock:
    open_ns = day * 24 * 60 * MINUTE_NS
    return MarketBlock(
        universe=UNIVERSE,
        session=Session(date=FIRST + timedelta(days=day), open_ns=open_ns, close_ns=open_ns + len(close) * MINUTE_NS),
        closed_at_ns=open_ns + MINUTE_NS * np.arange(1, len(close) + 1),
        open=close * 1.0001,
        high=close * 1.0005,
        low=close * 0.9996,
        close=close,
        volume=np.isfinite(close).astype(np.float64),
        present=np.isfinite(close),
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("by_row", [False, True])
def test_sessions_lived_through_count_as_their_daily_bars(estimator: Estimator, by_row: bool) -> None:
    random = np.random.default_rng(6)
    close = 50.0 * np.exp(random.normal(0.0, 1e-3, (14 * 30, 3)).cumsum(axis=0)).reshape(14, 30, 3)
    close[random.random(close.shape) < 0.3] = NAN
    blocks = [session_of(day, close[day]) for day in range(14)]
    lived, told = (Volatility(UNIVERSE, estimator=estimator) for _ in range(2))
    sources = []
    for block in blocks:
        for piece in [block.row_block(row) for row in range(block.rows)] if by_row else [block]:
            lived.advance(piece)
        lived.close_session()
        sources.append(lived.source[0])
    assert sources == [INTRADAY] * 10 + [f"daily_{estimator}"] * 4
    first = [np.array([one[np.isfinite(one)][0] for one in block.open.T]) for block in blocks]
    last = [np.array([one[np.isfinite(one)][-1] for one in block.close.T]) for block in blocks]
    high = [np.nanmax(block.high, axis=0) for block in blocks]
    low = [np.nanmin(block.low, axis=0) for block in blocks]
    told.warm_up_daily(daily_of(np.stack([np.stack(one) for one in (first, high, low, last)], axis=1)))
    np.testing.assert_allclose(lived.annual, told.annual, rtol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_nothing_is_known_of_nothing(estimator: Estimator) -> None:
    volatility = Volatility(UNIVERSE, estimator=estimator)
    assert volatility.source == (UNKNOWN,) * 3
    assert np.isnan(volatility.annual).all()
