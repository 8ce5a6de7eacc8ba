"""Stops of the whole account: the day's loss and the drawdown, each naming its baseline.

They stop entries only: a position can always be reduced.
"""

from __future__ import annotations

from ordinis.domain.decision import Reason
from ordinis.engines.riskguard.limits import Limits


class Halts:
    """The daily loss holds until the next session; the drawdown stop is latched until it is resumed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.session_open_equity_usd = 0.0
        self.peak_equity_usd = 0.0
        self.drawdown_latched = False
        self.daily_latched = False
        self.resumes = 0
        self._warned = False
        self._daily_floor_usd = 0.0
        self._raise_peak(0.0)

    def session_opens(self, equity_usd: float) -> list[str]:
        """The baselines of the coming session; what a person should know of it."""
        notes = []
        self.session_open_equity_usd = equity_usd
        self.daily_latched = False
        self._daily_floor_usd = equity_usd * (1.0 - self._limits.daily_loss_fraction_max)
        if self.drawdown_latched and self._limits.resume_each_session:
            self.resumes += 1
            self.drawdown_latched = False
            self._raise_peak(equity_usd)
            notes.append(f"drawdown stop resumed at the open; the high-water mark is now {equity_usd:,.2f} USD")
        if equity_usd > self.peak_equity_usd:
            self._raise_peak(equity_usd)
        return notes

    def mark(self, equity_usd: float) -> list[str]:
        """Take this minute's equity in; what latched, in words."""
        if equity_usd > self.peak_equity_usd:
            self._raise_peak(equity_usd)
            return []
        if equity_usd > self._daily_floor_usd and equity_usd > self._warn_floor_usd:
            return []
        return self._latch(equity_usd)

    @property
    def reason(self) -> Reason | None:
        """Why nothing may be opened now."""
        if self.daily_latched:
            return Reason.DAILY_LOSS
        return Reason.DRAWDOWN if self.drawdown_latched else None

    def scale(self, equity_usd: float) -> float:
        """What the drawdown leaves of a new position's size."""
        floor_usd = self.peak_equity_usd * (1.0 - self._limits.drawdown_fraction_halve)
        return 0.5 if equity_usd <= floor_usd else 1.0

    def _latch(self, equity_usd: float) -> list[str]:
        notes = []
        if equity_usd <= self._daily_floor_usd and not self.daily_latched:
            self.daily_latched = True
            notes.append(
                f"daily loss limit: {equity_usd:,.2f} USD against {self.session_open_equity_usd:,.2f} at the open"
            )
        if equity_usd <= self._stop_floor_usd and not self.drawdown_latched:
            self.drawdown_latched = True
            notes.append(f"drawdown stop: {equity_usd:,.2f} USD against a high of {self.peak_equity_usd:,.2f}")
        if equity_usd <= self._warn_floor_usd and not self._warned:
            self._warned = True
            notes.append(f"drawdown warning: {equity_usd:,.2f} USD against a high of {self.peak_equity_usd:,.2f}")
        return notes

    def _raise_peak(self, equity_usd: float) -> None:
        self.peak_equity_usd = equity_usd
        self._stop_floor_usd = equity_usd * (1.0 - self._limits.drawdown_fraction_stop)
        self._warn_floor_usd = equity_usd * (1.0 - self._limits.drawdown_fraction_warn)
        self._warned = False
