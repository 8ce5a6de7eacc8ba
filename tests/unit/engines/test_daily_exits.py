"""The day's bar, as it grows from the minutes."""

from __future__ import annotations

import numpy as np
import pytest

from ordinis.domain.market import MarketBlock, Universe
from ordinis.engines.daily_exits import DayBar
from simulation.worlds import day

DAY = day(
    0,
    {
        "AAA": [None, (10.0, 12.0, 9.5, 11.0), None, (11.0, 11.5, 8.0, 9.0), None],
        "BBB": [20.0, 21.0, 19.0, 20.5, 20.25],
    },
    volume=100,
)
EXPECTED = {
    "open": [10.0, 20.0, np.nan],
    "high": [12.0, 21.0, np.nan],
    "low": [8.0, 19.0, np.nan],
    "close": [9.0, 20.25, np.nan],
    "volume": [200.0, 500.0, 0.0],
}


def rows(block: MarketBlock) -> list[MarketBlock]:
    return [block.row_block(row) for row in range(block.rows)]


@pytest.mark.parametrize("parts", [[DAY], rows(DAY), [DAY.head(2), *rows(DAY)[2:]]], ids=["whole", "rows", "both"])
def test_a_day_s_bar_is_first_highest_lowest_last_and_all_the_volume(parts: list[MarketBlock]) -> None:
    bar = DayBar(3)
    for part in parts:
        bar.add(part)
    whole = bar.block(Universe(DAY.universe.symbols), DAY.session)
    for field, values in EXPECTED.items():
        np.testing.assert_array_equal(getattr(whole, field), [values])
    assert whole.present.tolist() == [[True, True, False]]
    assert whole.closed_at_ns.tolist() == [DAY.session.close_ns]
