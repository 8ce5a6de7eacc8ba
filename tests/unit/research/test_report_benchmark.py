"""The benchmark on blocks made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe
from ordinis.research.report import Benchmark, benchmark_of

MISSING = float("nan")
DAYS = (date(2025, 1, 13), date(2025, 1, 14))


def made(day: int, symbols: Sequence[str], opens: list[list[float]], closes: list[list[float]]) -> MarketBlock:
    open_usd, close_usd = np.array(opens), np.array(closes)
    return MarketBlock(
        universe=Universe(tuple(symbols)),
        session=Session(date=DAYS[day], open_ns=0, close_ns=390 * MINUTE_NS),
        closed_at_ns=np.arange(1, len(opens) + 1) * MINUTE_NS,
        open=open_usd,
        high=np.maximum(open_usd, close_usd),
        low=np.minimum(open_usd, close_usd),
        close=close_usd,
        volume=np.ones_like(open_usd),
        present=~np.isnan(open_usd),
    )


def test_each_symbol_takes_an_equal_part_at_its_first_open() -> None:
    days = [
        made(0, ["A", "B"], [[10, 100], [11, 90]], [[11, 95], [12, 80]]),
        made(1, ["A", "B"], [[13, 70]], [[15, 60]]),
    ]
    found = benchmark_of(days, 1_000.0)
    assert found.name == "equal weight of the 2 symbols, bought at the first open, no costs"
    assert found.dates == DAYS
    assert found.values_usd == pytest.approx((500 * 1.2 + 500 * 0.8, 500 * 1.5 + 500 * 0.6))
    assert found.total_return == pytest.approx(0.05)


def test_spy_is_the_benchmark_where_the_data_has_it() -> None:
    found = benchmark_of([made(0, ["A", "SPY"], [[10, 400]], [[90, 404]])], 1_000.0)
    assert found.name == "SPY, bought at the first open, no costs"
    assert found.values_usd == pytest.approx((1_010.0,))


def test_spy_without_a_bar_is_no_benchmark() -> None:
    found = benchmark_of([made(0, ["A", "SPY"], [[10, MISSING]], [[11, MISSING]])], 1_000.0)
    assert found.name == "A, bought at the first open, no costs"
    assert found.values_usd == pytest.approx((1_100.0,))


def test_a_part_is_cash_until_its_symbol_has_a_bar_and_keeps_its_last_price_after() -> None:
    days = [
        made(0, ["A", "B"], [[MISSING, MISSING], [10, MISSING]], [[MISSING, MISSING], [20, MISSING]]),
        made(1, ["A", "B"], [[MISSING, 50], [MISSING, 60]], [[MISSING, 55], [MISSING, 75]]),
    ]
    found = benchmark_of(days, 1_000.0)
    assert found.name == "equal weight of the 2 symbols, each bought at its own first open, no costs"
    assert found.values_usd == pytest.approx((500 * 2 + 500, 500 * 2 + 500 * 1.5))


def test_blocks_of_one_session_are_one_close() -> None:
    parts = [made(0, ["A"], [[10]], [[11]]), made(0, ["A"], [[11]], [[12]])]
    assert benchmark_of(parts, 1_000.0).values_usd == pytest.approx((1_200.0,))


@pytest.mark.parametrize("blocks", [[], [made(0, ["A"], [[MISSING]], [[MISSING]])]], ids=["no block", "no bar"])
def test_without_bars_there_is_none_and_it_says_so(blocks: list[MarketBlock]) -> None:
    found = benchmark_of(blocks, 1_000.0)
    assert (found.name, found.values_usd, found.total_return) == ("none: the data has no bars", (), None)


def test_a_partial_run_is_compared_with_the_sessions_it_ran() -> None:
    whole = Benchmark(name="x", start_usd=100.0, dates=DAYS, values_usd=(110.0, 90.0))
    assert whole.until(DAYS[:1]).total_return == pytest.approx(0.1)
    assert whole.until(()).total_return is None
