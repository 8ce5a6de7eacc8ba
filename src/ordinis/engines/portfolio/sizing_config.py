"""What a sizer is told: the method and the figures of one tier."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SizingMethod(Enum):
    FIXED_DOLLAR = "FIXED_DOLLAR"
    FIXED_PERCENT = "FIXED_PERCENT"
    EQUAL_WEIGHT = "EQUAL_WEIGHT"
    VOLATILITY_ADJUSTED = "VOLATILITY_ADJUSTED"
    KELLY = "KELLY"
    HALF_KELLY = "HALF_KELLY"
    RISK_PARITY = "RISK_PARITY"
    MEAN_VARIANCE = "MEAN_VARIANCE"


class KellyBasis(Enum):
    """What Kelly's fraction is a fraction of."""

    NOTIONAL = "notional"  # The plan's reading, and the cautious one: the fraction is invested.
    RISK = "risk"  # The fraction is what is lost at the stop.


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingConfig:
    """The figures of one tier. Every field is a setting; docs/settings.md gives each its reason."""

    method: SizingMethod
    max_position_pct: float  # Of the portfolio's value, a position.
    max_portfolio_leverage: float = 1.0
    max_positions: int = 5
    target_volatility: float = 0.10  # Annual, of a full book.
    stop_loss_pct: float | None = None  # The widest stop, as a fraction of the price; None: only the strategy's.
    stop_distance_min: float = 0.0  # The tightest: a stop inside a few spreads is hit by noise.
    fixed_dollar_usd: float = 1_000.0
    fixed_percent: float = 0.05
    cash_buffer_fraction: float = 0.0  # Of the gross that EQUAL_WEIGHT divides and MEAN_VARIANCE may use.
    kelly_basis: KellyBasis = KellyBasis.NOTIONAL
    kelly_min_trades: int = 30
    kelly_fallback: SizingMethod | None = SizingMethod.VOLATILITY_ADJUSTED  # None: no trade without evidence.
    optimal_fallback: SizingMethod | None = SizingMethod.VOLATILITY_ADJUSTED  # Where the optimiser has no answer.
    risk_aversion: float = 5.0  # MEAN_VARIANCE: the price of variance.
    book_volatility_cap: bool = False  # Hold the whole book to the target where its covariance is known.
    marginal_risk_ratio_max: float = 0.0  # Average slots' marginal risk, where a position's is known; 0: off.
    sliver_fraction: float = 0.0  # Of max_position_pct: where the book has less room, it has none.
    default_correlation: float = 0.5  # Used, and named, while the measured one is unknown.
    default_volatility: float | None = 0.40  # Annual; used, and named, when none is given. None: refuse.
    minimum_notional_usd: float = 1.0
    whole_share_preference: float = 0.05  # Whole shares while rounding costs less than this part of the size.

    @property
    def gross_max(self) -> float:
        """What may be invested, as a fraction of equity."""
        return self.max_portfolio_leverage * (1.0 - self.cash_buffer_fraction)
