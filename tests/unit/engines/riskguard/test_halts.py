"""Stops of the whole account: what latches, for how long, and what resumes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ordinis.domain.decision import Reason
from ordinis.domain.errors import ConfigError
from ordinis.domain.events import CommandKind
from ordinis.engines.riskguard.halts import Halts
from ordinis.engines.riskguard.limits import Limits

LIMITS = Limits(
    daily_loss_fraction_max=0.03,
    drawdown_fraction_warn=0.05,
    drawdown_fraction_halve=0.08,
    drawdown_fraction_stop=0.10,
)
RESUMING = Limits(daily_loss_fraction_max=1.0, resume_each_session=True)


MONDAY = date(2025, 1, 13)
NEXT = date(2025, 1, 14)


def opened(equity_usd: float = 100_000.0, limits: Limits = LIMITS) -> Halts:
    halts = Halts(limits)
    halts.session_opens(equity_usd, MONDAY)
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
    halts.session_opens(96_000.0, NEXT)
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
    halts.session_opens(115_000.0, NEXT)
    halts.mark(108_001.0)
    assert halts.reason is None
    halts.mark(108_000.0)
    assert halts.reason is Reason.DRAWDOWN


def test_the_drawdown_stop_stays_latched_over_recoveries_and_sessions() -> None:
    halts = opened(limits=Limits(daily_loss_fraction_max=1.0))
    halts.mark(90_000.0)
    halts.mark(99_000.0)
    assert halts.session_opens(99_000.0, NEXT) == []
    assert (halts.reason, halts.resumes, halts.peak_equity_usd) == (Reason.DRAWDOWN, 0, 100_000.0)


def test_a_backtest_that_resumes_rebases_the_high_and_counts() -> None:
    halts = opened(limits=RESUMING)
    halts.mark(90_000.0)
    assert halts.reason is Reason.DRAWDOWN
    (note,) = halts.session_opens(89_000.0, NEXT)
    assert note == "drawdown stop resumed; the high-water mark is 89,000.00 USD now"
    assert (halts.resumes, halts.peak_equity_usd, halts.scale(89_000.0)) == (1, 89_000.0, 1.0)
    halts.mark(80_101.0)
    assert halts.reason is None
    halts.mark(80_100.0)
    assert halts.reason is Reason.DRAWDOWN
    halts.session_opens(80_000.0, NEXT)
    assert halts.resumes == 2


def test_a_session_without_a_stop_resumes_nothing() -> None:
    halts = opened(limits=RESUMING)
    halts.mark(95_000.0)
    assert halts.session_opens(95_000.0, NEXT) == []
    assert (halts.resumes, halts.peak_equity_usd) == (0, 100_000.0)


def test_a_new_high_warns_anew() -> None:
    halts = opened(limits=Limits(daily_loss_fraction_max=1.0))
    assert halts.mark(95_000.0)
    assert not halts.mark(110_000.0)
    assert halts.mark(104_500.0) == ["drawdown warning: 104,500.00 USD against a high of 110,000.00"]


# Losses of a week and a month.

PERIODS = {
    "weekly": (Limits(daily_loss_fraction_max=1.0, weekly_loss_fraction_max=0.05), Reason.WEEKLY_LOSS, 7),
    "monthly": (Limits(daily_loss_fraction_max=1.0, monthly_loss_fraction_max=0.05), Reason.MONTHLY_LOSS, 19),
}


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_s_loss_counts_from_its_first_open_and_outlasts_recoveries_and_sessions(period: str) -> None:
    limits, reason, _ = PERIODS[period]
    halts = opened(limits=limits)
    halts.mark(98_000.0)
    halts.session_opens(97_000.0, NEXT)  # The second session does not move the baseline.
    assert halts.mark(95_000.01) == []
    assert halts.reason is None
    assert halts.mark(95_000.0)[0] == f"{period} loss limit: 95,000.00 USD against 100,000.00 at its open"
    assert halts.mark(99_000.0) == []
    halts.session_opens(99_000.0, MONDAY + timedelta(40))
    assert halts.reason is reason


@pytest.mark.parametrize("period", PERIODS)
def test_the_next_period_counts_from_its_own_open(period: str) -> None:
    limits, _, days = PERIODS[period]
    halts = opened(limits=limits)
    halts.mark(96_000.0)
    halts.session_opens(96_000.0, MONDAY + timedelta(days))
    halts.mark(91_201.0)
    assert halts.reason is None
    halts.mark(91_200.0)
    assert halts.reason is not None


def test_a_week_that_spans_new_year_is_one_week() -> None:
    halts = Halts(PERIODS["weekly"][0])
    halts.session_opens(100_000.0, date(2024, 12, 30))
    halts.session_opens(97_000.0, date(2025, 1, 2))
    halts.mark(95_000.0)
    assert halts.reason is Reason.WEEKLY_LOSS


@pytest.mark.parametrize("period", PERIODS)
def test_a_backtest_resumes_a_period_s_loss_at_the_next_open_and_counts_it(period: str) -> None:
    halts = opened(limits=replace(PERIODS[period][0], resume_each_session=True))
    halts.mark(95_000.0)
    assert halts.session_opens(94_000.0, NEXT) == [
        f"{period} loss limit resumed; it counts from 94,000.00 USD now",
    ]
    assert (halts.reason, halts.resumes) == (None, 1)
    halts.mark(89_300.0)
    assert halts.reason is not None


# Losses in a row.


def test_losses_in_a_row_stop_entries_and_a_win_starts_the_count_anew() -> None:
    halts = opened(limits=Limits(consecutive_losses_max=3))
    for pnl in (-1.0, -1.0, 0.0, -1.0, -1.0):
        halts.trade_closed(pnl)
    assert halts.mark(100_000.0) == []
    halts.trade_closed(-0.01)
    assert halts.mark(99_999.0) == ["losing trades: 3 in a row, at 99,999.00 USD"]
    halts.trade_closed(5.0)  # What was open when it latched does not lift it.
    halts.session_opens(99_999.0, NEXT)
    assert halts.reason is Reason.CONSECUTIVE_LOSSES


def test_after_losses_in_a_row_are_resumed_they_are_counted_from_none() -> None:
    halts = opened(limits=Limits(consecutive_losses_max=2, resume_each_session=True))
    halts.trade_closed(-1.0)
    halts.trade_closed(-1.0)
    halts.mark(99_999.0)
    assert halts.session_opens(99_999.0, NEXT) == ["losing trades resumed; they are counted from none"]
    halts.trade_closed(-1.0)
    halts.mark(99_998.0)
    assert (halts.reason, halts.resumes) == (None, 1)


# A person's word.


@pytest.mark.parametrize("command", [CommandKind.PAUSE, CommandKind.REDUCE, CommandKind.FLATTEN])
def test_a_person_s_word_holds_until_a_person_resumes(command: CommandKind) -> None:
    halts = opened(limits=RESUMING)
    assert halts.order(command, 100_000.0) == [f"{command.value} ordered: nothing is opened until a person resumes"]
    halts.session_opens(100_000.0, NEXT)
    assert (halts.reason, halts.resumes) == (Reason.HALTED, 0)
    assert halts.order(CommandKind.RESUME, 100_000.0) == [f"{command.value} lifted"]
    assert (halts.reason, halts.command) == (None, None)


def test_a_person_resumes_everything_and_hears_what_each_counts_from_now() -> None:
    halts = opened(
        limits=Limits(weekly_loss_fraction_max=0.05, monthly_loss_fraction_max=0.08, consecutive_losses_max=1)
    )
    halts.trade_closed(-1.0)
    halts.mark(90_000.0)
    assert halts.reason is Reason.DAILY_LOSS  # The first of five.
    assert halts.order(CommandKind.RESUME, 91_000.0) == [
        "daily loss limit resumed; it counts from 91,000.00 USD now",
        "weekly loss limit resumed; it counts from 91,000.00 USD now",
        "monthly loss limit resumed; it counts from 91,000.00 USD now",
        "drawdown stop resumed; the high-water mark is 91,000.00 USD now",
        "losing trades resumed; they are counted from none",
    ]
    assert halts.mark(88_300.0) == []
    assert halts.reason is None
    halts.mark(88_270.0)  # 3 % of 91,000.
    assert halts.reason is Reason.DAILY_LOSS


def test_without_anything_latched_resuming_says_so() -> None:
    assert opened().order(CommandKind.RESUME, 100_000.0) == ["resume ordered: nothing was latched"]


def test_drawdowns_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"must rise from warn to halve to stop, were 0\.12, 0\.08, 0\.1"):
        Limits(drawdown_fraction_warn=0.12)
