"""Strategies that are not ours: the trial finds what is wrong, and a run outlives it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from ordinis.domain.errors import StrategyError
from ordinis.domain.market import MarketBlock, Universe
from ordinis.domain.signal import SignalBlock
from ordinis.engines.signalcore import SignalCore, SignalSettings
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.indicators import SMA
from ordinis.engines.signalcore.registry import create, maker_of
from ordinis.engines.signalcore.strategy import Strategy, StrategyColumns, entries, no_stop
from ordinis.engines.signalcore.trial import try_out

Walk = Callable[..., list[MarketBlock]]


def answer(bars: OwnBars, asks: np.ndarray, **wrong: Any) -> StrategyColumns:
    good = StrategyColumns(
        direction=entries(asks), exit=~asks, score=bars.close, stop_distance=no_stop(bars), ready=bars.warm(1)
    )
    return dataclasses.replace(good, **wrong)


class Own:
    """Asks while the close is above its mean: nothing is wrong with it."""

    name = "own"

    def __init__(self) -> None:
        self.mean = SMA(5)

    def advance(self, bars: OwnBars) -> StrategyColumns:
        return answer(bars, bars.close > self.mean.advance(bars.close, bars))


class Raises(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        if (bars.number >= 70).any():
            raise ZeroDivisionError("its seventieth bar")
        return super().advance(bars)


class GivesNaN(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        good = super().advance(bars)
        return dataclasses.replace(good, score=np.where(bars.number >= 70, np.nan, good.score))


class WrongShape(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        return dataclasses.replace(super().advance(bars), exit=np.zeros((bars.rows, 1), np.bool_))


class LooksAMinuteAhead(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        later = np.vstack([bars.close[1:], bars.close[-1:]])
        return answer(bars, later > bars.close)


class KnowsTheSessionsHigh(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        return answer(bars, bars.close >= np.fmax.reduce(bars.high, axis=0) * 0.998)


class ForgetsTheBlockBefore(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        before = bars.shifted(bars.close, np.full(bars.symbols, np.inf))
        return answer(bars, bars.close > before)


class WritesToItsBars(Own):
    def advance(self, bars: OwnBars) -> StrategyColumns:
        np.multiply(bars.block.close, 2.0, out=bars.block.close)
        return super().advance(bars)


class SharesItsState(Own):
    calls: ClassVar[list[int]] = []

    def advance(self, bars: OwnBars) -> StrategyColumns:
        self.calls.append(1)
        return answer(bars, bars.close * (len(self.calls) % 2) > 0.0)


class CannotBeCopied(Own):
    def __init__(self) -> None:
        super().__init__()
        self.stream = (number for number in range(9))


FAULTS: dict[type[Own], str] = {
    Raises: "raised ZeroDivisionError: its seventieth bar",
    GivesNaN: "gave score nan for S",
    WrongShape: "returned exit as an array of bool of shape (",
    LooksAMinuteAhead: "it looks ahead: direction for S",
    KnowsTheSessionsHigh: "it looks ahead: ",
    ForgetsTheBlockBefore: "rests on how a session is cut: the minute that closed 2025-03-10T13:3",
    WritesToItsBars: "raised ValueError: output array is read-only",
    SharesItsState: "another when the same bars are shown again",
    CannotBeCopied: "it cannot be copied",
}


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("share_present", [1.0, 0.8])
def test_the_trial_says_what_is_wrong(walk: Walk, kind: type[Own], share_present: float) -> None:
    trial = try_out(kind, walk(5, sessions=3, rows=60, symbols=3, share_present=share_present))
    assert len(trial.findings) == 1
    assert FAULTS[kind] in trial.findings[0]


@pytest.mark.parametrize("share_present", [1.0, 0.8])
def test_a_strategy_that_keeps_the_rules_passes(walk: Walk, share_present: float) -> None:
    trial = try_out(Own, walk(5, sessions=3, rows=60, symbols=3, share_present=share_present))
    assert trial.findings == ()
    assert (trial.minutes, trial.entries > 50, trial.exits > 50) == (180, True, True)


def core_of(*strategies: Strategy, symbols: int = 3, guarded: bool = True) -> SignalCore:
    universe = Universe(tuple(f"S{column}" for column in range(symbols)))
    return SignalCore(universe, strategies, SignalSettings(), {"own"} if guarded else ())


def joined(pieces: list[SignalBlock], field: str) -> np.ndarray:
    axis = 1 if field == "exits" else 0
    return np.concatenate([getattr(piece, field) for piece in pieces], axis=axis)


@pytest.mark.parametrize("kind", [Raises, GivesNaN])
@pytest.mark.parametrize("share_present", [1.0, 0.8])
def test_it_is_off_from_the_very_minute_however_the_session_is_cut(
    walk: Walk, kind: type[Own], share_present: float
) -> None:
    blocks = walk(6, sessions=3, rows=60, symbols=3, share_present=share_present)
    whole, singly = core_of(kind(), create("sma_cross", {})), core_of(kind(), create("sma_cross", {}))
    by_block = [whole.advance(block) for block in blocks]
    by_row = [singly.advance(block.row_block(row)) for block in blocks for row in range(block.rows)]
    for field in ("strategy", "direction", "score", "exits", "ready", "has_entry", "has_exit"):
        np.testing.assert_array_equal(joined(by_block, field), joined(by_row, field), err_msg=field)
    (fault,) = whole.take_faults()
    (same,) = singly.take_faults()
    assert fault.text == same.text
    assert fault.text.startswith("strategy own ")
    assert fault.text.endswith("it is switched off, and what it holds is sold")
    assert whole.take_faults() == []
    asks = (joined(by_block, "strategy") == 0).any(axis=1)
    off = int(np.flatnonzero(asks)[-1]) + 1
    assert 60 < off < 130  # Somewhere near the seventieth bar of a symbol: the second session.
    assert fault.row == pytest.approx(off - 60, abs=30)
    present = np.concatenate([block.present for block in blocks])
    np.testing.assert_array_equal(joined(by_block, "exits")[0, 130:], present[130:])
    assert (joined(by_block, "strategy") == 1)[off:].any()  # The other goes on.


@pytest.mark.parametrize("kind", [LooksAMinuteAhead, KnowsTheSessionsHigh, ForgetsTheBlockBefore])
def test_one_that_looks_ahead_is_off_before_it_has_asked_for_anything(walk: Walk, kind: type[Own]) -> None:
    blocks = walk(6, sessions=2, rows=60, symbols=3, share_present=0.9)
    core = core_of(kind())
    signals = [core.advance(block) for block in blocks]
    (fault,) = core.take_faults()
    assert "see `ordinis strategies check own`" in fault.text
    assert not joined(signals, "has_entry").any()


def test_one_that_cannot_be_copied_is_named(walk: Walk) -> None:
    core = core_of(CannotBeCopied())
    core.advance(walk(6, sessions=1, rows=60, symbols=3, share_present=0.9)[0])
    assert "cannot be copied" in core.take_faults()[0].text


def test_a_good_one_says_the_same_guarded_or_not(walk: Walk) -> None:
    guarded, plain = core_of(Own()), core_of(Own(), guarded=False)
    for block in walk(6, sessions=4, rows=60, symbols=3, share_present=0.9):
        one, other = guarded.advance(block), plain.advance(block)
        for field in ("direction", "score", "confidence", "exits", "ready"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
        guarded.close_session()
        plain.close_session()
    assert guarded.take_faults() == []


def test_without_a_guard_a_fault_ends_the_run(walk: Walk) -> None:
    core = core_of(Raises(), guarded=False)
    with pytest.raises(StrategyError, match="seventieth"):
        core.warm_up(walk(6, sessions=3, rows=60, symbols=3, share_present=1.0))


class NotAStrategy:
    name = "own"


class Taken(Own):
    name = "idle"


class Odd(Own):
    name = "My-Own"


class WantsMore(Own):
    name = "own"

    def __init__(self, period: int) -> None:
        super().__init__()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (NotAStrategy, "x.py: .* is no strategy; expected a class with a name and a method advance"),
        (Own(), "is no strategy"),
        (Taken, "'idle' is taken by a strategy that is built in"),
        (Odd, "small letters, digits and _, was 'My-Own'"),
        (WantsMore, "WantsMore must take nothing, or one argument whose type is a dataclass"),
    ],
)
def test_what_is_no_strategy_is_refused_with_its_origin(kind: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        maker_of(kind, "x.py")


@dataclasses.dataclass(frozen=True)
class OwnParameters:
    bars: int = 3


class WithParameters(Own):
    name = "own"

    def __init__(self, parameters: OwnParameters) -> None:
        self.mean = SMA(parameters.bars)


def test_an_own_strategy_is_made_with_its_parameters() -> None:
    own = {"own": maker_of(WithParameters, "x.py")}
    made: Any = create("own", {"bars": 9}, own)
    assert made.mean.period == 9
    assert isinstance(create("own", {}, {"own": maker_of(Own, "x.py")}), Own)
