"""Stops of the whole account: losses of a day, a week, a month, losses in a row, the drawdown, a person's word.

Each names its baseline and stays latched until it is resumed; only the day's loss ends by itself, with its
session. They stop entries only: a position can always be reduced.
"""

from __future__ import annotations

from datetime import date

from ordinis.domain.decision import Reason
from ordinis.domain.events import CommandKind
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.losses import LossLimit


class Halts:
    """`reason` is why nothing may be opened now; `command` what a person ordered last and has not resumed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.reason: Reason | None = None
        self.command: CommandKind | None = None
        self.peak_equity_usd = 0.0
        self.drawdown_latched = False
        self.losses_in_a_row = 0
        self.losses_latched = False
        self.resumes = 0  # Latches lifted, by a person or by a backtest's rule.
        self.daily = LossLimit("daily", Reason.DAILY_LOSS, limits.daily_loss_fraction_max)
        self.weekly = LossLimit("weekly", Reason.WEEKLY_LOSS, limits.weekly_loss_fraction_max)
        self.monthly = LossLimit("monthly", Reason.MONTHLY_LOSS, limits.monthly_loss_fraction_max)
        self._day = date.min
        self._warned = False
        self._floor_usd = 0.0
        self._raise_peak(0.0)

    @property
    def daily_latched(self) -> bool:
        return self.daily.latched

    @property
    def session_open_equity_usd(self) -> float:
        return self.daily.baseline_usd

    def session_opens(self, equity_usd: float, day: date) -> list[str]:
        """The baselines of the coming session; what a person should know of it."""
        self.daily.begin(equity_usd)
        notes = self._lift(equity_usd) if self._limits.resume_each_session else []
        if not self.weekly.latched and day.isocalendar()[:2] != self._day.isocalendar()[:2]:
            self.weekly.begin(equity_usd)
        if not self.monthly.latched and (day.year, day.month) != (self._day.year, self._day.month):
            self.monthly.begin(equity_usd)
        self._day = day
        if equity_usd > self.peak_equity_usd:
            self._raise_peak(equity_usd)
        self._settle()
        return notes

    def mark(self, equity_usd: float) -> list[str]:
        """Take this minute's equity in; what latched, in words."""
        if equity_usd > self.peak_equity_usd:
            self._raise_peak(equity_usd)
        if equity_usd > self._floor_usd and self.losses_in_a_row < self._limits.consecutive_losses_max:
            return []
        return self._latch(equity_usd)

    def trade_closed(self, pnl_usd: float) -> None:
        """A round trip is over: a loss more in a row, or none."""
        self.losses_in_a_row = self.losses_in_a_row + 1 if pnl_usd < 0.0 else 0

    def order(self, command: CommandKind, equity_usd: float) -> list[str]:
        """A person's word. RESUME lifts every latch and rebases what it counts from."""
        if command is not CommandKind.RESUME:
            self.command = command
            self._settle()
            return [f"{command.value} ordered: nothing is opened until a person resumes"]
        notes = self.daily.resume(equity_usd) + self._lift(equity_usd)
        if self.command is not None:
            notes.append(f"{self.command.value} lifted")
            self.command = None
        self._settle()
        return notes or ["resume ordered: nothing was latched"]

    def scale(self, equity_usd: float) -> float:
        """What the drawdown leaves of a new position's size."""
        floor_usd = self.peak_equity_usd * (1.0 - self._limits.drawdown_fraction_halve)
        return 0.5 if equity_usd <= floor_usd else 1.0

    def _latch(self, equity_usd: float) -> list[str]:
        notes = self.daily.mark(equity_usd) + self.weekly.mark(equity_usd) + self.monthly.mark(equity_usd)
        if equity_usd <= self._stop_floor_usd and not self.drawdown_latched:
            self.drawdown_latched = True
            notes.append(f"drawdown stop: {equity_usd:,.2f} USD against a high of {self.peak_equity_usd:,.2f}")
        if equity_usd <= self._warn_floor_usd and not self._warned:
            self._warned = True
            notes.append(f"drawdown warning: {equity_usd:,.2f} USD against a high of {self.peak_equity_usd:,.2f}")
        if self.losses_in_a_row >= self._limits.consecutive_losses_max:
            notes.append(f"losing trades: {self.losses_in_a_row} in a row, at {equity_usd:,.2f} USD")
            self.losses_latched, self.losses_in_a_row = True, 0
        self._settle()
        return notes

    def _lift(self, equity_usd: float) -> list[str]:
        """Everything that only a resumption ends."""
        notes = self.weekly.resume(equity_usd) + self.monthly.resume(equity_usd)
        if self.drawdown_latched:
            self.drawdown_latched = False
            self._raise_peak(equity_usd)
            notes.append(f"drawdown stop resumed; the high-water mark is {equity_usd:,.2f} USD now")
        if self.losses_latched:
            self.losses_latched = False
            notes.append("losing trades resumed; they are counted from none")
        self.resumes += len(notes)
        return notes

    def _settle(self) -> None:
        """What a minute asks for, worked out when it changes: the first reason, the highest floor not reached."""
        periods = (self.daily, self.weekly, self.monthly)
        latched = [limit.reason for limit in periods if limit.latched]
        if self.command is not None:
            latched.append(Reason.HALTED)
        if self.drawdown_latched:
            latched.append(Reason.DRAWDOWN)
        if self.losses_latched:
            latched.append(Reason.CONSECUTIVE_LOSSES)
        self.reason = min(latched, default=None)
        ahead = [limit.floor_usd for limit in periods if not limit.latched]
        if not self._warned:
            ahead.append(self._warn_floor_usd)
        if not self.drawdown_latched:
            ahead.append(self._stop_floor_usd)
        self._floor_usd = max(ahead, default=float("-inf"))

    def _raise_peak(self, equity_usd: float) -> None:
        self.peak_equity_usd = equity_usd
        self._stop_floor_usd = equity_usd * (1.0 - self._limits.drawdown_fraction_stop)
        self._warn_floor_usd = equity_usd * (1.0 - self._limits.drawdown_fraction_warn)
        self._warned = False
        self._floor_usd = max(self._floor_usd, self._warn_floor_usd)
