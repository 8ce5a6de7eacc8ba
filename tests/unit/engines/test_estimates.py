from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.domain.market import MINUTE_NS, DailyBlock, FloatArray, MarketBlock, Session, Universe
from ordinis.engines.estimates import (
    DAILY,
    INTRADAY,
    NEVER_MINUTES,
    UNKNOWN,
    PriceTape,
    TapeBlock,
    Volatility,
    pairwise_correlation,
)

NAN = np.nan
SHARED = Path(__file__).parents[4] / "shared" / "data"
FIRST_DAY = date(2025, 3, 10)
OPEN_NS = 1_741_613_400 * 10**9  # 2025-03-10 13:30 UTC.


def universe_of(symbols: int) -> Universe:
    return Universe(tuple(f"S{column}" for column in range(symbols)))


def block_of(
    close: FloatArray, *, day: int = 0, minutes: int | None = None, open_: FloatArray | None = None
) -> MarketBlock:
    """A session of these closes, a row a minute from the open on; a bar opens at its close unless told."""
    open_ns = OPEN_NS + day * 24 * 60 * MINUTE_NS
    length = close.shape[0] if minutes is None else minutes
    present = np.isfinite(close)
    return MarketBlock(
        universe=universe_of(close.shape[1]),
        session=Session(date=FIRST_DAY + timedelta(days=day), open_ns=open_ns, close_ns=open_ns + length * MINUTE_NS),
        closed_at_ns=open_ns + MINUTE_NS * np.arange(1, close.shape[0] + 1),
        open=close if open_ is None else open_,
        high=close,
        low=close,
        close=close,
        volume=np.where(present, 1.0, 0.0),
        present=present,
    )


def column(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)[:, None]


def walk(seed: int, *, sessions: int, rows: int, symbols: int, share_present: float = 1.0) -> list[MarketBlock]:
    random = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(random.normal(0.0, 1e-3, (sessions * rows, symbols)), axis=0))
    close[random.random(close.shape) >= share_present] = NAN
    return [block_of(close[day * rows : (day + 1) * rows], day=day) for day in range(sessions)]


def rows_of(block: MarketBlock) -> list[MarketBlock]:
    return [block.row_block(row) for row in range(block.rows)]


def daily_of(close: FloatArray, *, first: date = FIRST_DAY, step_days: int = 1) -> DailyBlock:
    return DailyBlock(
        universe=universe_of(close.shape[1]),
        dates=tuple(first + timedelta(days=step_days * row) for row in range(close.shape[0])),
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.ones_like(close),
    )


# --- the tape -------------------------------------------------------------------------------------


def test_a_price_stays_until_the_next_bar_and_grows_old() -> None:
    tape = PriceTape(universe_of(2))
    first = tape.advance(block_of(np.array([[NAN, 20.0], [11.0, NAN], [NAN, NAN]]), minutes=390))
    np.testing.assert_array_equal(first.last_price, [[NAN, 20.0], [11.0, 20.0], [11.0, 20.0]])
    np.testing.assert_array_equal(first.age_minutes[:, 1], [0, 1, 2])
    np.testing.assert_array_equal(first.age_minutes[1:, 0], [0, 1])
    assert first.age_minutes[0, 0] >= NEVER_MINUTES
    np.testing.assert_array_equal(first.feed_age_minutes, [0, 0, 1])


@pytest.mark.parametrize(("minutes", "age"), [(390, 390 - 2 + 3), (210, 210 - 2 + 3)])
def test_nights_do_not_age_a_price_but_session_minutes_do(minutes: int, age: int) -> None:
    tape = PriceTape(universe_of(1))
    tape.advance(block_of(column(NAN, 10.0, NAN), minutes=minutes))
    assert tape.advance(block_of(column(NAN, NAN, NAN), day=1)).age_minutes[2, 0] == age


def test_the_feeds_age_restarts_at_the_open() -> None:
    tape = PriceTape(universe_of(1))
    assert tape.advance(block_of(column(NAN, NAN))).feed_age_minutes.tolist() == [1, 2]
    assert tape.advance(block_of(column(NAN, 5.0, NAN), day=1)).feed_age_minutes.tolist() == [1, 0, 1]


def test_minutes_that_were_never_shown_count_too() -> None:
    tape = PriceTape(universe_of(1))
    block = block_of(column(10.0, NAN, NAN, NAN, NAN))
    tape.advance(block.row_block(0))
    assert tape.advance(block.row_block(4)).age_minutes[0, 0] == 4


def plain_tape(blocks: Sequence[MarketBlock]) -> list[list[tuple[float, int]]]:
    """Price and age, bar by bar."""
    symbols = range(len(blocks[0].universe))
    price, age = [NAN for _ in symbols], [NEVER_MINUTES for _ in symbols]
    out = []
    for block in blocks:
        for row in range(block.rows):
            for s in symbols:
                if block.present[row, s]:
                    price[s], age[s] = float(block.close[row, s]), 0
                else:
                    age[s] += 1
            out.append([(price[s], min(age[s], NEVER_MINUTES)) for s in symbols])
    return out


def joined(pieces: Sequence[TapeBlock]) -> list[FloatArray]:
    fields = ("last_price", "age_minutes", "feed_age_minutes")
    return [np.concatenate([getattr(piece, field) for piece in pieces]) for field in fields]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]), rows=st.integers(1, 30))
def test_the_tape_is_the_plain_loop_however_it_is_cut(seed: int, share: float, rows: int) -> None:
    blocks = walk(seed, sessions=3, rows=rows, symbols=3, share_present=share)
    whole, by_row = PriceTape(universe_of(3)), PriceTape(universe_of(3))
    together = joined([whole.advance(block) for block in blocks])
    for left, right in zip(
        together, joined([by_row.advance(one) for block in blocks for one in rows_of(block)]), strict=True
    ):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    expected = np.array(plain_tape(blocks))
    np.testing.assert_array_equal(together[0], expected[:, :, 0])
    np.testing.assert_array_equal(np.minimum(together[1], NEVER_MINUTES), expected[:, :, 1])


# --- volatility -----------------------------------------------------------------------------------


def live_through(volatility: Volatility, blocks: Sequence[MarketBlock]) -> Volatility:
    for block in blocks:
        volatility.advance(block)
        volatility.close_session()
    return volatility


def close_to_close(closes: FloatArray) -> FloatArray:
    annual: FloatArray = np.diff(np.log(closes), axis=0).std(axis=0, ddof=1) * math.sqrt(252)
    return annual


def plain_intraday(blocks: Sequence[MarketBlock], symbol: int) -> float:
    """Bar by bar: a session's squared returns from its first open on, and the squared gaps between."""
    realised, gaps = [], []
    for block in blocks:
        own = np.flatnonzero(block.present[:, symbol])
        path = [float(block.open[own[0], symbol]), *block.close[own, symbol].tolist()]
        realised.append(sum(math.log(b / a) ** 2 for a, b in pairwise(path)))
    for before, after in pairwise(blocks):
        last = before.close[np.flatnonzero(before.present[:, symbol])[-1], symbol]
        first = after.open[np.flatnonzero(after.present[:, symbol])[0], symbol]
        gaps.append(math.log(first / last) ** 2)
    variance = sum(realised) / len(realised) + (sum(gaps) / len(gaps) if gaps else 0.0)
    return math.sqrt(variance * 252)


def test_daily_closes_give_the_sample_deviation_of_the_newest_window() -> None:
    closes = np.exp(np.random.default_rng(1).normal(0.0, 0.02, (60, 3)).cumsum(axis=0))
    volatility = Volatility(universe_of(3))
    volatility.warm_up_daily(daily_of(closes))
    np.testing.assert_allclose(volatility.annual, close_to_close(closes[-21:]), rtol=1e-12)
    assert volatility.source == (DAILY, DAILY, DAILY)


@pytest.mark.parametrize(("rows", "source"), [(10, UNKNOWN), (11, DAILY)])
def test_ten_returns_are_enough_and_nine_are_not(rows: int, source: str) -> None:
    volatility = Volatility(universe_of(1))
    volatility.warm_up_daily(daily_of(column(*np.linspace(10.0, 20.0, rows))))
    assert volatility.source == (source,)
    assert np.isfinite(volatility.annual[0]) == (source == DAILY)


@pytest.mark.parametrize("sessions", [1, 2, 5])
def test_minutes_give_realised_variance_and_the_gap(sessions: int) -> None:
    blocks = walk(2, sessions=sessions, rows=50, symbols=3, share_present=0.7)
    volatility = live_through(Volatility(universe_of(3)), blocks)
    assert volatility.source == (INTRADAY,) * 3
    np.testing.assert_allclose(volatility.annual, [plain_intraday(blocks, s) for s in range(3)], rtol=1e-9)


def test_minutes_older_than_the_window_are_forgotten() -> None:
    blocks = walk(9, sessions=9, rows=20, symbols=1)
    for block in blocks[1::2]:
        block.present[:] = False
        block.close[:] = NAN  # Every other session without it: no daily return is ever known.
    volatility = live_through(Volatility(universe_of(1), window_sessions=4, returns_min=2), blocks)
    newest = [plain_intraday([block], 0) ** 2 for block in (blocks[6], blocks[8])]
    assert volatility.source == (INTRADAY,)
    assert volatility.annual[0] == pytest.approx(math.sqrt(sum(newest) / 2), rel=1e-9)


def test_the_first_bar_counts_from_its_open() -> None:
    block = block_of(column(11.0, 11.0), open_=column(10.0, 11.0))
    volatility = live_through(Volatility(universe_of(1)), [block])
    assert volatility.annual[0] == pytest.approx(math.log(1.1) * math.sqrt(252))


def test_half_a_session_is_taken_to_be_half_of_its_variance() -> None:
    block = block_of(column(10.0, 10.1, 10.0, 10.1))
    half = block_of(block.close, minutes=8)
    whole_annual, half_annual = (live_through(Volatility(universe_of(1)), [one]).annual[0] for one in (block, half))
    assert half_annual == pytest.approx(whole_annual * math.sqrt(2))


def test_the_source_turns_daily_once_the_sessions_lived_through_suffice() -> None:
    blocks = walk(3, sessions=12, rows=20, symbols=1)
    volatility = Volatility(universe_of(1))
    sources = [live_through(volatility, [block]).source[0] for block in blocks]
    assert sources == [INTRADAY] * 10 + [DAILY] * 2
    closes = np.vstack([block.close[-1] for block in blocks])
    np.testing.assert_allclose(volatility.annual, close_to_close(closes), rtol=1e-12)


@pytest.mark.parametrize("overlap", [0, 4])
@pytest.mark.parametrize("daily_first", [True, False])
def test_sessions_continue_the_daily_history_without_counting_twice(overlap: int, daily_first: bool) -> None:
    blocks = walk(4, sessions=12, rows=10, symbols=2)
    earlier = np.exp(np.random.default_rng(5).normal(0.0, 0.02, (15, 2)).cumsum(axis=0)) * 50.0
    lived = np.vstack([block.close[-1] for block in blocks])
    closes = np.vstack([earlier, lived])
    daily = daily_of(closes[: 15 + overlap], first=FIRST_DAY - timedelta(days=15))
    volatility = Volatility(universe_of(2))
    if daily_first:
        volatility.warm_up_daily(daily)
    live_through(volatility, blocks)
    if not daily_first:
        volatility.warm_up_daily(daily)
    np.testing.assert_allclose(volatility.annual, close_to_close(closes[-21:]), rtol=1e-12)


def test_closes_that_are_years_apart_are_not_one_sessions_return() -> None:
    closes = np.exp(np.random.default_rng(6).normal(0.0, 0.02, (30, 1)).cumsum(axis=0))
    volatility = Volatility(universe_of(1))
    volatility.warm_up_daily(daily_of(closes, first=date(2020, 1, 1)))
    before = volatility.annual[0]
    live_through(volatility, [block_of(column(900.0, 901.0))])
    assert volatility.annual[0] == pytest.approx(close_to_close(closes[-20:])[0], rel=1e-12)
    assert before == pytest.approx(close_to_close(closes[-21:])[0], rel=1e-12)


def test_a_gap_across_months_is_no_overnight_gap() -> None:
    volatility = Volatility(universe_of(1))
    live_through(volatility, [block_of(column(10.0, 10.1)), block_of(column(20.0, 20.2), day=90)])
    assert volatility.annual[0] == pytest.approx(math.log(1.01) * math.sqrt(252), rel=1e-9)


def test_a_price_that_never_moved_is_unknown_and_so_is_one_never_seen() -> None:
    volatility = live_through(Volatility(universe_of(2)), [block_of(np.array([[10.0, NAN], [10.0, NAN]]))] * 1)
    assert volatility.source == (UNKNOWN, UNKNOWN)
    assert np.isnan(volatility.annual).all()


def test_nothing_changes_before_the_session_is_closed() -> None:
    blocks = walk(7, sessions=2, rows=20, symbols=1)
    volatility = live_through(Volatility(universe_of(1)), blocks[:1])
    before = volatility.annual.copy()
    volatility.advance(blocks[1])
    np.testing.assert_array_equal(volatility.annual, before)
    volatility.close_session()
    changed = volatility.annual.copy()
    assert changed[0] != before[0]
    volatility.close_session()
    np.testing.assert_array_equal(volatility.annual, changed)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.sampled_from([0.05, 0.6, 1.0]))
def test_volatility_is_the_same_however_sessions_are_cut(seed: int, share: float) -> None:
    whole, by_row = Volatility(universe_of(3)), Volatility(universe_of(3))
    for block in walk(seed, sessions=13, rows=15, symbols=3, share_present=share):
        live_through(whole, [block])
        for row in rows_of(block):
            by_row.advance(row)
        by_row.close_session()
    np.testing.assert_array_equal(whole.annual, by_row.annual)
    np.testing.assert_array_equal(whole.covariance([0, 1, 2]), by_row.covariance([0, 1, 2]))
    assert whole.source == by_row.source


def test_daily_bars_of_another_universe_are_refused() -> None:
    with pytest.raises(ValueError, match="same universe"):
        Volatility(universe_of(3)).warm_up_daily(daily_of(np.ones((5, 2))))


# --- how symbols move together --------------------------------------------------------------------


def correlated(seed: int, rows: int, symbols: int) -> FloatArray:
    random = np.random.default_rng(seed)
    returns: FloatArray = 0.01 * (random.normal(size=(rows, symbols)) + random.normal(size=(rows, 1)))
    return returns


def test_average_correlation_and_covariance_are_numpys_where_all_is_known() -> None:
    returns = correlated(1, 20, 4)
    volatility = Volatility(universe_of(4))
    volatility.warm_up_daily(daily_of(np.exp(np.vstack([np.zeros(4), returns]).cumsum(axis=0))))
    chosen = [0, 2, 3]
    expected: FloatArray = np.asarray(np.corrcoef(returns[:, chosen].T))
    assert volatility.average_correlation(chosen) == pytest.approx(expected[np.triu_indices(3, 1)].mean(), rel=1e-9)
    np.testing.assert_allclose(volatility.covariance(chosen), np.cov(returns[:, chosen].T) * 252, rtol=1e-9)


def test_each_pair_is_judged_by_the_sessions_both_have() -> None:
    returns = correlated(2, 20, 3)
    returns[:8, 1] = NAN
    returns[11:, 2] = NAN
    correlation = pairwise_correlation(returns, common_min=10)
    assert correlation[0, 1] == pytest.approx(np.corrcoef(returns[8:, 0], returns[8:, 1])[0, 1], rel=1e-9)
    assert correlation[0, 2] == pytest.approx(np.corrcoef(returns[:11, 0], returns[:11, 2])[0, 1], rel=1e-9)
    assert np.isnan(correlation[1, 2])  # Three sessions in common.
    np.testing.assert_array_equal(correlation, correlation.T)


def test_a_large_common_drift_costs_no_digits() -> None:
    returns = correlated(4, 20, 2)
    expected = pairwise_correlation(returns, common_min=10)
    np.testing.assert_allclose(pairwise_correlation(returns + 1e4, common_min=10), expected, rtol=1e-6)


@pytest.mark.parametrize("columns", [[], [1]])
def test_fewer_than_two_symbols_have_no_correlation(columns: list[int]) -> None:
    volatility = Volatility(universe_of(3))
    volatility.warm_up_daily(daily_of(np.exp(correlated(3, 21, 3).cumsum(axis=0))))
    assert math.isnan(volatility.average_correlation(columns))
    assert volatility.covariance(columns).shape == (len(columns), len(columns))


def test_unknown_correlation_is_taken_as_moving_together_and_unknown_volatility_stays_unknown() -> None:
    volatility = live_through(Volatility(universe_of(3)), walk(8, sessions=2, rows=30, symbols=3)[:2])
    assert math.isnan(volatility.average_correlation([0, 1]))
    first, second = volatility.annual[:2]
    expected = [[first * first, first * second], [first * second, second * second]]
    np.testing.assert_allclose(volatility.covariance([0, 1]), expected, rtol=1e-12)
    assert volatility.covariance([0, 1], unknown_correlation=0.0)[0, 1] == 0.0
    assert np.isnan(Volatility(universe_of(2)).covariance([0, 1])).all()


# --- real bars ------------------------------------------------------------------------------------


def table(name: str, columns: Sequence[str]) -> Any:
    """A set of real bars, or a skip."""
    path = SHARED / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"needs the shared data set {name}")
    pandas = pytest.importorskip("pandas")
    return pandas.read_parquet(path, columns=["symbol", "timestamp", *columns])


def test_volatility_of_the_dow_is_that_of_pandas() -> None:
    frame = table("daily_2006_2017_djia31", ["close"]).pivot(index="timestamp", columns="symbol", values="close")
    frame = frame.iloc[-300:]
    close = np.ascontiguousarray(frame.to_numpy())
    volatility = Volatility(universe_of(close.shape[1]))
    daily = daily_of(close)
    dates = tuple(one.date() for one in frame.index)
    volatility.warm_up_daily(
        DailyBlock(
            universe=daily.universe, dates=dates, open=close, high=close, low=close, close=close, volume=daily.volume
        )
    )
    returns = np.log(frame).diff().iloc[-20:]
    np.testing.assert_allclose(volatility.annual, returns.std().to_numpy() * math.sqrt(252), rtol=1e-9)
    correlation = returns.corr().to_numpy()
    mean = correlation[np.triu_indices(len(correlation), 1)].mean()
    everything = list(range(close.shape[1]))
    assert volatility.average_correlation(everything) == pytest.approx(mean, rel=1e-9)
    assert 0.05 < np.median(volatility.annual) < 0.5


def test_volatility_of_a_thin_feed_is_that_of_the_plain_loop() -> None:
    frame = table("minute_rth_iex_2025-09_2025-12_16sym", ["open", "close"])
    symbols = sorted(frame["symbol"].unique())[:5]
    frame = frame[frame["symbol"].isin(symbols) & (frame["timestamp"] < "2025-09-20")]
    blocks = []
    for day, (_, session) in enumerate(frame.groupby(frame["timestamp"].dt.date)):
        minute = (session["timestamp"] - session["timestamp"].min()).dt.total_seconds().to_numpy() // 60
        rows, columns = minute.astype(int), [symbols.index(one) for one in session["symbol"]]
        prices = {field: np.full((390, len(symbols)), NAN) for field in ("open", "close")}
        for field, values in prices.items():
            values[rows, columns] = session[field]
        blocks.append(block_of(prices["close"], open_=prices["open"], day=day))
    assert len(blocks) == 5
    assert not all(block.present.all() for block in blocks)
    volatility = live_through(Volatility(universe_of(5)), blocks)
    np.testing.assert_allclose(volatility.annual, [plain_intraday(blocks, s) for s in range(5)], rtol=1e-9)
    assert (volatility.annual > 0.1).all()
    assert (volatility.annual < 2.0).all()
