"""Stops of the whole account: what latches, for how long, and what resumes."""

from __future__ import annotations

import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.errors import ConfigError
from ordinis.engines.riskguard.halts import Halts
from ordinis.engines.riskguard.limits import Limits

LIMITS = Limits(
    daily_loss_fraction_max=0.03,
    drawdown_fraction_warn=0.05,
    drawdown_fraction_halve=0.08,
    drawdown_fraction_stop=0.10,
)
RESUMING = Limits(daily_loss_fraction_max=1.0, resume_each_session=True)


def opened(equity_usd: float = 100_000.0, limits: Limits = LIMITS) -> Halts:
    halts = Halts(limits)
    halts.session_opens(equity_usd)
    return halts


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ([97_000.01], None),
        ([97_000.00], Reason.DAILY_LOSS),
        ([96_999.99, 100_000.0], Reason.DAILY_LOSS),  # A recovery does not lift it.
        ([101_000.0, 97_001.0], None),  # The day's loss counts from its open, not from its high.
        ([90_000.0], Reason.DAILY_LOSS),  # Both latch; the day's loss comes first.
    ],
)
def test_the_day_s_loss_holds_entries_until_the_session_ends(marks: list[float], reason: Reason | None) -> None:
    halts = opened()
    for equity in marks:
        halts.mark(equity)
    assert halts.reason is reason


def test_the_next_session_starts_without_the_day_s_loss() -> None:
    halts = opened()
    halts.mark(96_000.0)
    halts.session_opens(96_000.0)
    assert (halts.reason, halts.session_open_equity_usd) == (None, 96_000.0)
    halts.mark(93_200.0)  # 2.9 % of this session's open.
    assert halts.reason is None
    halts.mark(93_100.0)
    assert halts.reason is Reason.DAILY_LOSS


def test_a_drawdown_is_noted_then_halves_then_stops() -> None:
    halts = opened(limits=Limits(daily_loss_fraction_max=1.0))
    told = {}
    for equity in (95_001.0, 95_000.0, 94_000.0, 92_001.0, 92_000.0, 90_001.0, 90_000.0, 89_000.0):
        notes = halts.mark(equity)
        told[equity] = (notes, halts.scale(equity), halts.reason)
    assert told == {
        95_001.0: ([], 1.0, None),
        95_000.0: (["drawdown warning: 95,000.00 USD against a high of 100,000.00"], 1.0, None),
        94_000.0: ([], 1.0, None),  # Said once.
        92_001.0: ([], 1.0, None),
        92_000.0: ([], 0.5, None),
        90_001.0: ([], 0.5, None),
        90_000.0: (["drawdown stop: 90,000.00 USD against a high of 100,000.00"], 0.5, Reason.DRAWDOWN),
        89_000.0: ([], 0.5, Reason.DRAWDOWN),
    }


def test_the_drawdown_counts_from_the_highest_mark_of_any_session() -> None:
    halts = opened(limits=Limits(daily_loss_fraction_max=1.0))
    halts.mark(120_000.0)
    halts.session_opens(115_000.0)
    halts.mark(108_001.0)
    assert halts.reason is None
    halts.mark(108_000.0)
    assert halts.reason is Reason.DRAWDOWN


def test_the_drawdown_stop_stays_latched_over_recoveries_and_sessions() -> None:
    halts = opened(limits=Limits(daily_loss_fraction_max=1.0))
    halts.mark(90_000.0)
    halts.mark(99_000.0)
    assert halts.session_opens(99_000.0) == []
    assert (halts.reason, halts.resumes, halts.peak_equity_usd) == (Reason.DRAWDOWN, 0, 100_000.0)


def test_a_backtest_that_resumes_rebases_the_high_and_counts() -> None:
    halts = opened(limits=RESUMING)
    halts.mark(90_000.0)
    assert halts.reason is Reason.DRAWDOWN
    (note,) = halts.session_opens(89_000.0)
    assert note == "drawdown stop resumed at the open; the high-water mark is now 89,000.00 USD"
    assert (halts.resumes, halts.peak_equity_usd, halts.scale(89_000.0)) == (1, 89_000.0, 1.0)
    halts.mark(80_101.0)
    assert halts.reason is None
    halts.mark(80_100.0)
    assert halts.reason is Reason.DRAWDOWN
    halts.session_opens(80_000.0)
    assert halts.resumes == 2


def test_a_session_without_a_stop_resumes_nothing() -> None:
    halts = opened(limits=RESUMING)
    halts.mark(95_000.0)
    assert halts.session_opens(95_000.0) == []
    assert (halts.resumes, halts.peak_equity_usd) == (0, 100_000.0)


def test_a_new_high_warns_anew() -> None:
    halts = opened(limits=Limits(daily_loss_fraction_max=1.0))
    assert halts.mark(95_000.0)
    assert not halts.mark(110_000.0)
    assert halts.mark(104_500.0) == ["drawdown warning: 104,500.00 USD against a high of 110,000.00"]


def test_drawdowns_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"must rise from warn to halve to stop, were 0\.12, 0\.08, 0\.1"):
        Limits(drawdown_fraction_warn=0.12)
