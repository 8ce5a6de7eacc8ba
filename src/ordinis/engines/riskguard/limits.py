"""The figures that the rules compare with. Each is a setting; docs/settings.md gives its reason."""

from __future__ import annotations

from dataclasses import dataclass

from ordinis.domain.errors import ConfigError

OFF = float("inf")  # A limit that nothing reaches.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the whole account. Those of a tier (weight, leverage, positions) come with its SizingConfig."""

    cash_buffer_fraction: float = 0.10  # Of equity times leverage, never used.
    price_age_minutes_max: int = 15  # Session minutes since the symbol's last bar.
    feed_age_minutes_max: int = 5  # Session minutes since any symbol's bar.
    last_entry_minutes_before_close: int = 1
    daily_loss_fraction_max: float = 0.03  # Of the equity at the session's open.
    weekly_loss_fraction_max: float = OFF  # Of the equity at the open of the week's first session.
    monthly_loss_fraction_max: float = OFF  # Of the equity at the open of the month's first session.
    consecutive_losses_max: float = OFF  # Round trips, of the whole book.
    drawdown_fraction_warn: float = 0.05
    drawdown_fraction_halve: float = 0.08
    drawdown_fraction_stop: float = 0.10
    resume_each_session: bool = False  # Backtests only: what is latched is lifted and rebased at the open.
    orders_a_session_max: float = OFF  # Stops, exits and legs counted.
    symbol_refusals_max: float = OFF  # By the broker, in a session, of orders of one symbol.
    price_collar_fraction_max: float = OFF  # Between the last price and the last session's close.
    spread_bps_max: float = OFF
    trade_risk_fraction_max: float = OFF  # Of equity, lost when the stop is hit.
    gross_exposure_max: float = OFF  # Times equity, open entries included.
    net_exposure_max: float = OFF
    order_volume_fraction_max: float = OFF  # Of the symbol's mean volume a minute.
    sector_fraction_max: float = OFF  # Of equity.
    cluster_fraction_max: float = OFF  # Of equity.
    beta_min: float = -OFF  # Of the book: the sum of weight times beta.
    beta_max: float = OFF
    market_volatility_full: float = OFF  # Annual; above it new positions shrink in proportion.
    shorting_allowed: bool = False
    short_price_usd_min: float = 0.0
    short_equity_usd_min: float = 2_000.0  # The broker's own.
    market_buy_collar_fraction: float = 0.04  # A market buy is taken to cost that much more than the last price.
    minimum_notional_usd: float = 1.0

    def __post_init__(self) -> None:
        if not self.drawdown_fraction_warn <= self.drawdown_fraction_halve <= self.drawdown_fraction_stop:
            raise ConfigError(
                "drawdowns must rise from warn to halve to stop, were "
                f"{self.drawdown_fraction_warn}, {self.drawdown_fraction_halve}, {self.drawdown_fraction_stop}"
            )
