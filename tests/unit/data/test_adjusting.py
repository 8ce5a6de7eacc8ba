from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from ordinis.data.adjusting import adjusted_daily, adjusted_minutes
from ordinis.domain.market import DailyBlock, MarketBlock, Universe
from simulation.actions import dividend, split

DAYS = (date(2025, 1, 13), date(2025, 1, 14), date(2025, 1, 15))
ACTIONS = (split("AAA", DAYS[1], "4"), split("AAA", DAYS[2], "0.5"), dividend("BBB", DAYS[1], "1"))


def test_minutes_before_a_split_are_in_the_terms_of_the_day_asked_for(
    make_block: Callable[..., MarketBlock],
) -> None:
    blocks = [make_block(day, gaps=False) for day in DAYS]
    found = list(adjusted_minutes(blocks, ACTIONS, as_of=DAYS[2]))
    for one, raw, ratio in zip(found, blocks, (2.0, 0.5, 1.0), strict=True):
        assert np.array_equal(one.close[:, 0], raw.close[:, 0] / ratio)
        assert np.array_equal(one.volume[:, 0], raw.volume[:, 0] * ratio)
        assert np.array_equal(one.low[:, 1], raw.low[:, 1])
    assert found[2] is blocks[2]
    earlier = next(adjusted_minutes(blocks, ACTIONS, as_of=DAYS[1]))
    assert np.array_equal(earlier.open[:, 0], blocks[0].open[:, 0] / 4)  # What comes later is not known.


def test_daily_bars_likewise() -> None:
    price, volume = np.full((3, 2), 100.0), np.full((3, 2), 8.0)
    daily = DailyBlock(
        universe=Universe(("AAA", "BBB")), dates=DAYS, open=price, high=price, low=price, close=price, volume=volume
    )
    found = adjusted_daily(daily, ACTIONS, as_of=DAYS[2])
    assert found.close.tolist() == [[50.0, 100.0], [200.0, 100.0], [100.0, 100.0]]
    assert found.volume.tolist() == [[16.0, 8.0], [4.0, 8.0], [8.0, 8.0]]
    assert adjusted_daily(daily, ACTIONS[2:], as_of=DAYS[2]) is daily
