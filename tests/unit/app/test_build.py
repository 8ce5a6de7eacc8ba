"""Every figure of the settings reaches the place that reads it."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ordinis.app import build_engine, build_exchange
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.config import load
from ordinis.domain.account import AccountView
from ordinis.domain.errors import ConfigError
from ordinis.domain.market import Universe
from ordinis.engines.portfolio.sizing import KellyBasis, SizingConfig, SizingMethod
from ordinis.engines.riskguard.limits import OFF, Limits
from ordinis.engines.state import Displacement
from ordinis.engines.trading import TradingEngine

UNIVERSE = Universe(("AAPL", "MSFT"))


def built(*changes: str, equity_usd: int = 14_999) -> TradingEngine:
    """An engine that has seen its account."""
    engine = build_engine(load(None, changes), UNIVERSE)
    equity = Decimal(equity_usd)
    engine.handle(
        AccountView(
            at_ns=1_736_951_400 * 10**9,  # 2025-01-15 09:30 in New York.
            equity_usd=equity,
            cash_usd=equity,
            buying_power_usd=equity,
            last_equity_usd=equity,
            multiplier=2,
        )
    )
    return engine


LIMITS: dict[str, tuple[str, Any]] = {
    "cash_buffer_fraction": ("risk.cash_buffer_fraction=0.21", 0.21),
    "price_age_minutes_max": ("risk.price_age_minutes_max=22", 22),
    "feed_age_minutes_max": ("risk.feed_age_minutes_max=23", 23),
    "last_entry_minutes_before_close": ("risk.last_entry_minutes_before_close=24", 24),
    "daily_loss_fraction_max": ("risk.daily_loss_fraction_max=0.25", 0.25),
    "drawdown_fraction_warn": ("risk.drawdown_fraction_warn=0.026", 0.026),
    "drawdown_fraction_halve": ("risk.drawdown_fraction_halve=0.077", 0.077),
    "drawdown_fraction_stop": ("risk.drawdown_fraction_stop=0.28", 0.28),
    "resume_each_session": ("risk.backtest_resume=never", False),
    "weekly_loss_fraction_max": ("risk.weekly_loss_fraction_max=0.07", 0.07),
    "monthly_loss_fraction_max": ("risk.monthly_loss_fraction_max=0", OFF),
    "consecutive_losses_max": ("risk.consecutive_losses_max=31", 31),
    "orders_a_session_max": ("risk.orders_a_session_max=0", OFF),
    "symbol_refusals_max": ("risk.symbol_refusals_max=32", 32),
    "price_collar_fraction_max": ("risk.price_collar_fraction_max=0", OFF),
    "spread_bps_max": ("risk.spread_bps_max=33.0", 33.0),
    "trade_risk_fraction_max": ("risk.trade_risk_fraction_max=0", OFF),
    "gross_exposure_max": ("risk.gross_exposure_max=0", OFF),
    "net_exposure_max": ("risk.net_exposure_max=1.1", 1.1),
    "order_volume_fraction_max": ("risk.order_volume_fraction_max=0.34", 0.34),
    "sector_fraction_max": ("risk.sector_fraction_max=0", OFF),
    "cluster_fraction_max": ("risk.cluster_fraction_max=0.35", 0.35),
    "beta_min": ("risk.beta_rule=off", -OFF),
    "beta_max": ("risk.beta_max=1.9", 1.9),
    "market_volatility_full": ("risk.market_volatility_full=0", OFF),
    "shorting_allowed": ("risk.shorting_allowed=true", True),
    "short_price_usd_min": ("risk.short_price_usd_min=11", 11.0),
    "short_equity_usd_min": ("exchange.margin_equity_min_usd=2100", 2100.0),
    "market_buy_collar_fraction": ("execution.market_buy_collar_fraction=0.29", 0.29),
    "minimum_notional_usd": ("sizing.minimum_notional_usd=30", 30.0),
}


@pytest.mark.parametrize("field", [field.name for field in fields(Limits)])
def test_every_limit_is_a_setting(field: str) -> None:
    change, value = LIMITS[field]
    assert getattr(built().state.guard.limits, field) != value
    assert getattr(built(change).state.guard.limits, field) == value


SIZING: dict[str, tuple[str, Any]] = {
    "method": ("tiers.small.method=FIXED_PERCENT", SizingMethod.FIXED_PERCENT),
    "max_position_pct": ("tiers.small.max_position_pct=0.31", 0.31),
    "max_portfolio_leverage": ("tiers.small.max_portfolio_leverage=1.2", 1.2),
    "max_positions": ("tiers.small.max_positions=33", 33),
    "target_volatility": ("tiers.small.target_volatility=0.34", 0.34),
    "stop_loss_pct": ("tiers.small.stop_loss_pct=0.35", 0.35),
    "stop_distance_min": ("execution.stop_spread_multiple_min=10.0", 0.004),
    "fixed_percent": ("sizing.fixed_percent=0.36", 0.36),
    "fixed_dollar_usd": ("sizing.fixed_dollar_usd=3600", 3600.0),
    "cash_buffer_fraction": ("risk.cash_buffer_fraction=0.36", 0.36),
    "kelly_basis": ("sizing.kelly_basis=risk", KellyBasis.RISK),
    "optimal_fallback": ("sizing.optimal_fallback=EQUAL_WEIGHT", SizingMethod.EQUAL_WEIGHT),
    "risk_aversion": ("sizing.risk_aversion=3.6", 3.6),
    "book_volatility_cap": ("sizing.book_volatility_cap=false", False),
    "marginal_risk_ratio_max": ("sizing.marginal_risk_ratio_max=0", 0.0),
    "sliver_fraction": ("sizing.sliver_fraction=0.36", 0.36),
    "kelly_min_trades": ("sizing.kelly_min_trades=37", 37),
    "kelly_fallback": ("sizing.kelly_fallback=NONE", None),
    "default_correlation": ("sizing.correlation_default=0.38", 0.38),
    "minimum_notional_usd": ("sizing.minimum_notional_usd=39", 39.0),
    "whole_share_preference": ("sizing.whole_share_preference_fraction=0.4", 0.4),
}


@pytest.mark.parametrize("field", SIZING)
def test_every_figure_of_sizing_is_a_setting(field: str) -> None:
    change, value = SIZING[field]
    assert getattr(built().state.sizer.config, field) != value
    assert getattr(built(change).state.sizer.config, field) == pytest.approx(value)


def test_what_displaces_a_holding_is_a_setting() -> None:
    assert built("policy.displacement=false").state.displacement is None
    rules = built("policy.displacement_confidence_gain_min=0.36", "execution.spread_bps_assumed=7").state.displacement
    assert rules == Displacement(confidence_gain_min=0.36, cost_fraction=0.0014)


def test_what_stands_for_the_market_is_a_setting() -> None:
    names = Universe(("AAPL", "QQQ", "SPY"))
    columns = [
        build_engine(load(None, [f"risk.benchmark={name}"]), names)._outlook._market_column for name in ("SPY", "QQQ")
    ]
    assert columns == [2, 1]
    assert build_engine(load(None, []), Universe(("AAPL",)))._outlook._market_column is None  # All of them together.
    with pytest.raises(ConfigError, match=r"risk\.benchmark is QQQ, which is not among the symbols"):
        build_engine(load(None, ["risk.benchmark=QQQ"]), Universe(("AAPL", "SPY")))


def test_the_priors_of_kelly_s_figures_are_settings() -> None:
    tracker = built("sizing.payoff_prior=3.0", "sizing.win_rate_prior_trades=2").state.by_strategy
    for pnl in (1.0, -1.0):
        tracker.update_trade_result("trend", pnl, 1.0, 1.0)
    assert tracker.evidence("trend").payoff == pytest.approx((2 * 1.0 + 2 * 3.0) / 4)


def test_no_figure_of_sizing_is_left_out() -> None:
    assert {field.name for field in fields(SizingConfig)} - set(SIZING) == {"default_volatility"}
    assert built().state.sizer.config.default_volatility is None  # What nobody measured is not traded.


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("tiers.small.min_confidence=0.41", "min_confidence", 0.41),
        ("tiers.small.cooldown_minutes=42", "cooldown_minutes", 42),
        ("tiers.small.hold_sessions=43", "hold_sessions", 43),
        ("tiers.small.exit_bar=1Min", "exits_on_daily_bars", False),
    ],
)
def test_every_rule_of_a_tier_is_a_setting(change: str, field: str, value: Any) -> None:
    assert getattr(built().state.tier, field) != value
    assert getattr(built(change).state.tier, field) == value


def test_a_slower_bar_for_exits_is_a_setting_by_strategy() -> None:
    assert dict(built().state.exit_minutes) == {}
    assert dict(built("strategies.exit_timeframe.ema_trend=2H").state.exit_minutes) == {"ema_trend": 120}
    assert dict(built("strategies.exit_timeframe.ema_trend=1D").state.exit_minutes) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["strategies.exit_timeframe.macd=1H"], "strategies.exit_timeframe names macd, which is not enabled"),
        (["strategies.bar_minutes.macd=5"], "strategies.bar_minutes names macd, which is not enabled"),
        (
            ["strategies.bar_minutes.atr_rsi=30", "strategies.exit_timeframe.atr_rsi=15m"],
            "strategies.exit_timeframe.atr_rsi (15m) must not be shorter than the bars it enters on",
        ),
    ],
)
def test_a_bar_that_cannot_be_is_refused(changes: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        built(*changes)


EXCHANGE: dict[str, tuple[str, Any]] = {
    "cash_usd": ("account.cash_usd=51", Decimal(51)),
    "multiplier": ("account.multiplier=4", 4),
    "fill_model": ("exchange.fill_model=next_close", FillModel.NEXT_CLOSE),
    "half_spread_bps": ("exchange.half_spread_bps=5.4", 5.4),
    "participation_max": ("exchange.participation_fraction_max=0.55", 0.55),
    "market_buy_collar": ("execution.market_buy_collar_fraction=0.56", 0.56),
    "regime": ("compliance.regime=pattern_day_trader", "pattern_day_trader"),
    "day_trade_equity_floor_usd": ("compliance.equity_floor_usd=57", Decimal(57)),
    "day_trade_check": ("exchange.day_trade_check=both", "both"),
    "day_trade_method": ("exchange.day_trade_method=max", "max"),
    "deficit_floor_usd": ("compliance.margin.small_usd=71", Decimal(71)),
    "deficit_floor_fraction": ("compliance.margin.small_fraction=0.72", Decimal("0.72")),
    "deficit_call_days": ("compliance.margin.call_days=3", 3),
    "deficit_freeze_days": ("compliance.margin.freeze_after_days=14", 14),
    "deficit_expiry_days": ("compliance.margin.expires_after_days=75", 75),
    "freeze_days": ("compliance.margin.freeze_days=76", 76),
    "good_faith_max": ("compliance.settlement.good_faith_max=77", 77),
    "settled_only_days": ("compliance.settlement.restricted_days=78", 78),
    "day_trades_max": ("compliance.day_trades_max=58", 58),
    "day_trade_sessions": ("compliance.window_sessions=59", 59),
    "margin_equity_min_usd": ("exchange.margin_equity_min_usd=60", Decimal(60)),
    "sec_usd_per_million": ("exchange.fees.sec_usd_per_million=61", Decimal(61)),
    "taf_usd_per_share": ("exchange.fees.taf_usd_per_share=0.62", Decimal("0.62")),
    "taf_usd_max": ("exchange.fees.taf_usd_max=63", Decimal(63)),
    "cat_usd_per_share": ("exchange.fees.cat_usd_per_share=0.64", Decimal("0.64")),
    "margin_interest_fraction": ("exchange.fees.margin_interest_fraction=0.0650", Decimal("0.065")),
    "gtc_days_max": ("exchange.gtc_days_max=65", 65),
    "fractionable": ("account.fractional=false", False),
    "shorting_enabled": ("risk.shorting_allowed=true", True),
    "easy_to_borrow": ("exchange.easy_to_borrow=AAPL", frozenset({"AAPL"})),
    "short_sale_collar": ("exchange.short_sale_collar_fraction=0.07", 0.07),
    "borrow_fee_fraction": ("exchange.fees.borrow_fee_fraction=0.0100", Decimal("0.01")),
}


@pytest.mark.parametrize("field", EXCHANGE)
def test_every_figure_of_the_exchange_is_a_setting(field: str) -> None:
    change, value = EXCHANGE[field]
    assert getattr(build_exchange(load(), UNIVERSE, "sip").settings, field) != value
    assert getattr(build_exchange(load(None, [change]), UNIVERSE, "sip").settings, field) == value


def test_the_half_spread_may_follow_the_price() -> None:
    settings = load(None, ["exchange.half_spread_bps=by_price"])
    assert build_exchange(settings, UNIVERSE, "sip").settings.half_spread_bps == "by_price"


def test_no_figure_of_the_exchange_is_left_out() -> None:
    left = {field.name for field in fields(ExchangeSettings)} - set(EXCHANGE)
    kept = {"close_auction_minutes_before", "feed_share", "fractional_order_usd_min", "fund_leverage"}
    assert left == kept


@pytest.mark.parametrize(("feed", "share"), [("sip", 1.0), ("iex", 0.03), ("synthetic", 1.0)])
def test_volume_rules_divide_by_the_share_of_the_data_s_own_feed(feed: str, share: float) -> None:
    settings = load(None, ["data.feed_share.iex=0.03"])
    assert build_exchange(settings, UNIVERSE, feed).settings.feed_share == share


def test_without_fees_nothing_is_charged() -> None:
    exchange = build_exchange(load(None, ["exchange.fees.enabled=false"]), UNIVERSE, "sip")
    assert not exchange.settings.charges_fees


@pytest.mark.parametrize(
    ("changes", "equity_usd", "throttled"),
    [
        ([], 14_999, True),  # A policy of small accounts.
        ([], 25_000, False),
        (["compliance.day_trade_throttle=off"], 14_999, False),
        (["compliance.day_trade_throttle=on"], 500_000, True),
        (["compliance.equity_floor_usd=30000"], 26_000, True),
        (["compliance.day_trades_max=4"], 14_999, False),
        (["compliance.regime=pattern_day_trader", "compliance.day_trade_throttle=off"], 14_999, True),  # The law.
        (["compliance.regime=pattern_day_trader"], 25_000, False),
    ],
)
def test_the_throttle_is_law_or_policy_as_the_settings_say(
    changes: list[str], equity_usd: int, throttled: bool
) -> None:
    slots = built(*changes, equity_usd=equity_usd).state.slots
    for symbol in ("A", "B", "C"):
        slots.entry_sent(f"entry-{symbol}", symbol, Decimal(1))
    assert slots.full is throttled


@pytest.mark.parametrize(
    ("change", "equity_usd", "tier"),
    [
        ("policy.hysteresis_fraction=0.02", 25_000, "standard"),
        ("tiers.standard.equity_min_usd=26000", 25_000, "small"),
    ],
)
def test_the_tier_is_that_of_the_account(change: str, equity_usd: int, tier: str) -> None:
    assert built(change, equity_usd=equity_usd).state.tier.name == tier


@pytest.mark.parametrize(
    ("changes", "strategies"),
    [([], ("atr_rsi", "ema_trend")), (["strategies.enabled=sma_cross"], ("sma_cross",))],
)
def test_the_strategies_are_those_that_are_enabled(changes: list[str], strategies: tuple[str, ...]) -> None:
    assert built(*changes).state.strategies == strategies


@pytest.mark.parametrize(
    ("change", "fractions"), [("account.fractional=true", True), ("account.fractional=false", False)]
)
def test_fractions_are_a_setting(change: str, fractions: bool) -> None:
    assert built(change).state.fractionable is fractions


def test_orders_are_named_and_protected_as_the_settings_say() -> None:
    plain = built("execution.protection=none", "account.book=other", "execution.intent_valid_minutes=7").state.desk
    order = plain.enter("AAPL", Decimal(1), Decimal(90), 0)
    assert order.stop_loss_usd is None
    assert order.client_order_id.startswith("other-")
    assert order.valid_until_ns == 7 * 60 * 10**9
    assert built().state.desk.enter("AAPL", Decimal(1), Decimal(90), 0).stop_loss_usd == 90


def test_sectors_are_the_built_in_table_and_the_user_s_own_before_it(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("symbol,sector\nMSFT,Mine\n")
    assert built().state.book.sectors[0] is not None  # AAPL and MSFT share one.
    assert built(f"risk.sector_file={own}").state.book.sectors == (None, None)


def test_what_the_rules_look_at_is_set_up_by_the_settings() -> None:
    changes = ["risk.order_volume_minutes=7", "risk.cluster_correlation_min=0.9", "execution.spread_bps_assumed=11.0"]
    outlook = build_engine(load(None, changes), UNIVERSE, "iex")._outlook
    assert (outlook._volume._minutes, outlook._volume._feed_share) == (7, 0.02)
    assert (outlook._cluster_correlation_min, outlook._spread_bps.tolist()) == (0.9, [11.0, 11.0])
    assert build_engine(load(None, ["data.feed=iex"]), UNIVERSE)._outlook._volume._feed_share == 0.02
