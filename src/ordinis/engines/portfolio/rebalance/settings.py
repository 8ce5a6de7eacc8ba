"""When and how the book is rebalanced. Each figure is a setting; docs/settings.md gives its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalanceSettings:
    """Zero switches a trigger off, or a limit that it would be."""

    every_minutes: int = 60  # Of the session, from its open.
    check_minutes: int = 5  # How often the other triggers are looked at.
    drift_fraction_max: float = 0.05  # Of equity: a weight's way from its last target.
    volatility_change_max: float = 0.5  # Of the book's forecast volatility, since the last rebalance.
    drawdown_step: float = 0.02  # Of equity: each further loss of so much since the last rebalance.
    on_signal: bool = True  # A position was opened or closed since the last rebalance.
    breach_tolerance: float = 0.02  # Of a limit: nearer than this past it, prices may come back by themselves.
    method: str = "mean_variance"
    risk_aversion: float = 5.0
    information_coefficient: float = 0.05  # What signals know of returns; 0: they are no views.
    turnover_max: float = 0.25  # Of equity, one way, in one rebalance.
    band_minimum: float = 0.005  # Of equity: no smaller trade, whatever its cost.
    add: bool = False  # Holdings below their target are added to, where a signal still asks for them.
    cost_fraction: float = 0.0002  # Of what is traded: half a spread and what it moves.
