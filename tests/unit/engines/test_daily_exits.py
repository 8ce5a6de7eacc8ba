"""The day's bar as it grows from the minutes, and who wants to leave at its close."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from ordinis.domain.market import DailyBlock, MarketBlock, Universe
from ordinis.engines.daily_exits import DailyExits, DayBar, newest
from ordinis.engines.estimates import Volatility
from ordinis.engines.outlook import Minutes, Outlook
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.signalcore import SignalCore, SignalSettings
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategies.sma_cross import SmaCross, SmaCrossParameters
from ordinis.engines.signalcore.strategy import StrategyColumns
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
        bar.add(part, *newest(part.present))
    whole = bar.block(Universe(DAY.universe.symbols), DAY.session)
    for field, values in EXPECTED.items():
        np.testing.assert_array_equal(getattr(whole, field), [values])
    assert whole.present.tolist() == [[True, True, False]]
    assert whole.closed_at_ns.tolist() == [DAY.session.close_ns]


FALLING = [100.0 - minute for minute in range(10)]
RISING = [100.0 + minute for minute in range(10)]


def cross(fast: int, slow: int) -> SignalCore:
    strategy = SmaCross(SmaCrossParameters(fast_bars=fast, slow_bars=slow))
    return SignalCore(Universe(("AAA", "BBB", "CCC")), [strategy], SignalSettings())


def looked_at(block: MarketBlock) -> Minutes:
    """Minutes on which the cross of 2 and 3 bars votes."""
    outlook = Outlook(block.universe, cross(2, 3), Volatility(block.universe))
    return outlook.advance(block, 0.0, Limits())


def daily_of(*closes: float) -> DailyBlock:
    """Daily bars of AAA alone."""
    column = np.array(closes)[:, None] * np.array([[1.0, np.nan, np.nan]])
    dates = tuple(date(2024, 12, 1 + number) for number in range(len(closes)))
    universe = Universe(("AAA", "BBB", "CCC"))
    volume = np.nan_to_num(column)
    return DailyBlock(universe=universe, dates=dates, open=column, high=column, low=column, close=column, volume=volume)


def test_a_symbol_with_daily_history_is_judged_by_its_daily_bars_another_by_its_newest_minute() -> None:
    exits = DailyExits(Universe(("AAA", "BBB", "CCC")), [cross(2, 3)])
    exits.warm_up(daily_of(50.0, 60.0, 80.0))  # Rising days: no vote to leave, whatever the minutes say.
    block = day(0, {"AAA": FALLING, "BBB": [*FALLING[:-1], None], "CCC": RISING})
    exits.advance(looked_at(block))
    assert exits.close_session(block.session).tolist() == [[False, True, False]]


def test_each_strategy_is_ready_in_its_own_time() -> None:
    """The quick one judges by days; the slow one has too few of them and goes by its minutes."""
    universe = Universe(("AAA", "BBB", "CCC"))
    quick, slow = (
        SmaCross(SmaCrossParameters(fast_bars=2, slow_bars=3)),
        SmaCross(SmaCrossParameters(fast_bars=3, slow_bars=5)),
    )
    exits = DailyExits(universe, [cross(2, 3), cross(3, 5)])
    exits.warm_up(daily_of(50.0, 60.0, 80.0))
    block = day(0, {"AAA": FALLING, "BBB": RISING, "CCC": RISING})
    both = SignalCore(universe, [quick, Renamed(slow)], SignalSettings())
    outlook = Outlook(universe, both, Volatility(universe))
    exits.advance(outlook.advance(block, 0.0, Limits()))
    assert exits.close_session(block.session)[:, 0].tolist() == [False, True]


def test_a_new_session_begins_without_votes() -> None:
    exits = DailyExits(Universe(("AAA", "BBB", "CCC")), [cross(2, 3)])
    first = day(0, {"AAA": FALLING, "BBB": RISING, "CCC": RISING})
    exits.advance(looked_at(first))
    assert exits.close_session(first.session).tolist() == [[True, False, False]]
    quiet = day(1, {"AAA": [None] * 10, "BBB": RISING, "CCC": RISING})
    exits.advance(looked_at(quiet))
    assert exits.close_session(quiet.session).tolist() == [[False, False, False]]


class Renamed:
    """A second strategy of the same kind."""

    name = "slow_cross"

    def __init__(self, strategy: SmaCross) -> None:
        self._strategy = strategy

    def advance(self, bars: OwnBars) -> StrategyColumns:
        return self._strategy.advance(bars)


class Failing:
    """The cross, until it meets a price below 95."""

    name = "failing"

    def __init__(self) -> None:
        self._strategy = SmaCross(SmaCrossParameters(fast_bars=2, slow_bars=3))

    def advance(self, bars: OwnBars) -> StrategyColumns:
        if (bars.close < 95.0).any():
            raise ValueError("too low")
        return self._strategy.advance(bars)


def failing() -> SignalCore:
    return SignalCore(Universe(("AAA", "BBB", "CCC")), [Failing()], SignalSettings(), {"failing"})


def test_what_a_strategy_holds_that_was_switched_off_is_sold_whatever_its_days_say() -> None:
    block = day(0, {"AAA": FALLING, "BBB": RISING, "CCC": RISING})
    outlook = Outlook(block.universe, failing(), Volatility(block.universe))
    exits = DailyExits(block.universe, [cross(2, 3)])
    exits.warm_up(daily_of(50.0, 60.0, 80.0))
    minutes = outlook.advance(block, 0.0, Limits())
    assert [(row, "too low" in text) for row, (text,) in minutes.notes.items()] == [(6, True)]  # The first below 95.
    assert minutes.switched_off == [0]
    exits.advance(minutes)
    assert exits.close_session(block.session)[0].all()
    assert exits.take_notes() == ()


def test_what_went_wrong_in_the_warm_up_is_said_with_the_first_minute() -> None:
    first, second = (day(number, {"AAA": FALLING, "BBB": RISING, "CCC": RISING}) for number in range(2))
    outlook = Outlook(first.universe, failing(), Volatility(first.universe))
    outlook.warm_up([first], daily_of(50.0))
    assert list(outlook.advance(second, 0.0, Limits()).notes) == [0]


def test_a_strategy_that_fails_on_daily_bars_is_noted_once() -> None:
    exits = DailyExits(Universe(("AAA", "BBB", "CCC")), [failing()])
    exits.warm_up(daily_of(50.0, 60.0))
    (note,) = exits.take_notes()
    assert note.startswith("on daily bars: strategy failing raised ValueError: too low")
    assert exits.take_notes() == ()
