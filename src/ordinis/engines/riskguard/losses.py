"""A period's loss limit: a baseline, a floor below it, and a latch."""

from __future__ import annotations

from ordinis.domain.decision import Reason


class LossLimit:
    """Latches when equity reaches the floor; begins anew with another baseline."""

    __slots__ = ("_fraction_max", "baseline_usd", "floor_usd", "latched", "period", "reason")

    def __init__(self, period: str, reason: Reason, fraction_max: float) -> None:
        self.period = period
        self.reason = reason
        self.latched = False
        self.baseline_usd = 0.0
        self.floor_usd = 0.0
        self._fraction_max = fraction_max

    def begin(self, equity_usd: float) -> None:
        """Count from here."""
        self.latched = False
        self.baseline_usd = equity_usd
        self.floor_usd = equity_usd * (1.0 - self._fraction_max)

    def mark(self, equity_usd: float) -> list[str]:
        """What latched, in words."""
        if self.latched or equity_usd > self.floor_usd:
            return []
        self.latched = True
        return [f"{self.period} loss limit: {equity_usd:,.2f} USD against {self.baseline_usd:,.2f} at its open"]

    def resume(self, equity_usd: float) -> list[str]:
        """Lift the latch; what it counts from now, in words."""
        if not self.latched:
            return []
        self.begin(equity_usd)
        return [f"{self.period} loss limit resumed; it counts from {equity_usd:,.2f} USD now"]
