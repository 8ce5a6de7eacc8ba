"""From settings to parts: the engine and the exchange. Every figure of theirs comes from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

from ordinis.app.rule_sets import account_rules, regime, throttle
from ordinis.app.strategies import needed
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.config.account import Strategies, minutes_of
from ordinis.config.settings import Settings
from ordinis.data.sectors import sectors
from ordinis.domain.errors import ConfigError
from ordinis.domain.events import CorporateAction
from ordinis.domain.market import Universe
from ordinis.engines.comovement import MARKET
from ordinis.engines.daily_exits import DailyExits
from ordinis.engines.estimates import Volatility
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.outlook import Outlook
from ordinis.engines.portfolio.policy import Tier
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.sizing import KellyBasis, SizingConfig, SizingMethod
from ordinis.engines.riskguard.limits import OFF, Limits
from ordinis.engines.signalcore import registry
from ordinis.engines.signalcore.core import SignalCore
from ordinis.engines.signalcore.registry import Maker
from ordinis.engines.signalcore.resampled import resampled
from ordinis.engines.signalcore.settings import SignalSettings
from ordinis.engines.signalcore.slow_exits import SlowExits
from ordinis.engines.signalcore.strategy import Strategy
from ordinis.engines.state import Displacement, TradingSettings
from ordinis.engines.trading import TradingEngine


def build_engine(settings: Settings, universe: Universe, feed: str | None = None) -> TradingEngine:
    """The one decision path, cold: warm it up before the first event. `feed` is the data's own, where it is known."""
    sizing, risk = settings.sizing, settings.risk
    volatility = Volatility(
        universe,
        window_sessions=sizing.volatility_window_sessions,
        returns_min=sizing.volatility_min_sessions,
        estimator=sizing.volatility_estimator,
        decay=sizing.volatility_ewma_decay,
    )
    own = needed(settings)
    tiers = [_tier(settings, index) for index in range(len(settings.tiers))]
    slow = _exit_minutes(settings)
    always = [index for index, name in enumerate(settings.strategies.enabled) if slow.get(name, 1) is None]
    daily = always or any(tier.exits_on_daily_bars for tier in tiers) or regime(settings).counts_day_trades
    return TradingEngine(
        universe,
        Outlook(
            universe,
            _core(settings, universe, own),
            volatility,
            volume_minutes=risk.order_volume_minutes,
            feed_share=settings.data.share_of(feed or settings.data.feed),
            spread_bps=settings.execution.spread_bps_assumed,
            unknown_correlation=sizing.correlation_default,
            cluster_correlation_min=risk.cluster_correlation_min,
            benchmark=_benchmark(settings, universe),
        ),
        TradingSettings(
            tiers=tiers,
            hysteresis_fraction=settings.policy.hysteresis_fraction,
            limits=_limits(settings),
            throttle=throttle(settings),
            rules=account_rules(settings, universe),
            execution=_execution(settings),
            fractionable=settings.account.fractional,
            prior_trades=sizing.win_rate_prior_trades,
            sectors=sector_table(settings),
            payoff_prior=sizing.payoff_prior,
            displacement=_displacement(settings),
            rebalance=_rebalance(settings),
            allocation_usd=float(settings.capital.allocation_usd) or None,
            exit_minutes={name: minutes for name, minutes in slow.items() if minutes is not None},
        ),
        DailyExits(universe, _cores_apart(settings, universe, own), always) if daily else None,
    )


def build_exchange(
    settings: Settings, universe: Universe, feed: str, actions: Iterable[CorporateAction] = ()
) -> Exchange:
    """The other side, with the account the settings describe."""
    given, fees, rules = settings.exchange, settings.exchange.fees, settings.compliance
    charged = 1 if fees.enabled else 0
    return Exchange(
        universe,
        ExchangeSettings(
            cash_usd=settings.account.cash_usd,
            multiplier=settings.account.multiplier,
            fill_model=FillModel(given.fill_model),
            half_spread_bps=given.half_spread_bps,
            participation_max=given.participation_fraction_max,
            feed_share=settings.data.share_of(feed),
            market_buy_collar=settings.execution.market_buy_collar_fraction,
            regime=regime(settings).regime,
            day_trade_equity_floor_usd=rules.equity_floor_usd,
            day_trade_check=given.day_trade_check,
            day_trade_method=given.day_trade_method,
            day_trades_max=rules.day_trades_max,
            day_trade_sessions=rules.window_sessions,
            deficit_floor_usd=rules.margin.small_usd,
            deficit_floor_fraction=Decimal(str(rules.margin.small_fraction)),
            deficit_call_days=rules.margin.call_days,
            deficit_freeze_days=rules.margin.freeze_after_days,
            deficit_expiry_days=rules.margin.expires_after_days,
            freeze_days=rules.margin.freeze_days,
            good_faith_max=rules.settlement.good_faith_max,
            settled_only_days=rules.settlement.restricted_days,
            margin_equity_min_usd=given.margin_equity_min_usd,
            sec_usd_per_million=_rate(fees.sec_usd_per_million, charged),
            taf_usd_per_share=_rate(fees.taf_usd_per_share, charged),
            taf_usd_max=_rate(fees.taf_usd_max, charged),
            cat_usd_per_share=_rate(fees.cat_usd_per_share, charged),
            margin_interest_fraction=Decimal(str(fees.margin_interest_fraction)) * charged,
            gtc_days_max=given.gtc_days_max,
            fractionable=settings.account.fractional,
            shorting_enabled=settings.risk.shorting_allowed,  # One switch: the account may what the trader may.
            easy_to_borrow=frozenset(given.easy_to_borrow) or None,
            short_sale_collar=given.short_sale_collar_fraction,
            borrow_fee_fraction=Decimal(str(fees.borrow_fee_fraction)) * charged,
        ),
        actions=actions,
    )


def _benchmark(settings: Settings, universe: Universe) -> str:
    """Without SPY all symbols together stand for the market; another benchmark has to be there. Errors: ConfigError."""
    chosen = settings.risk.benchmark
    if chosen != MARKET and chosen not in universe.column:
        raise ConfigError(
            f"risk.benchmark is {chosen}, which is not among the symbols: add it, or leave it at {MARKET}"
        )
    return chosen


def _rate(given: Decimal | Literal["by_date"], charged: int) -> Decimal | None:
    """None: the rate of the day."""
    if not charged:
        return Decimal(0)
    return given if isinstance(given, Decimal) else None


def _core(settings: Settings, universe: Universe, own: Mapping[str, Maker]) -> SignalCore:
    given = settings.strategies
    return SignalCore(
        universe,
        [_on_its_bars(given, name, own) for name in given.enabled],
        SignalSettings(
            score_history_min=given.score_history_min,
            score_history_max=given.score_history_max,
            weights=given.weights,
        ),
        guarded=own,
    )


def sector_table(settings: Settings) -> dict[str, str]:
    """Symbol -> sector, the user's own table before ours. Errors: DataError."""
    own = settings.risk.sector_file
    return sectors(Path(own).expanduser() if own else None)


def _on_its_bars(given: Strategies, name: str, own: Mapping[str, Maker]) -> Strategy:
    """A strategy in bars of its own size, its exits in slower ones where it has them within the session."""
    quick = resampled(_created(given, name, own), given.bar_minutes.get(name, 1))
    slow = minutes_of(given.exit_timeframe[name]) if name in given.exit_timeframe else None
    return quick if slow is None else SlowExits(quick, _created(given, name, own), slow)


def _created(given: Strategies, name: str, own: Mapping[str, Maker]) -> Strategy:
    return registry.create(name, given.parameters.get(name, {}), own)


def _exit_minutes(settings: Settings) -> dict[str, int | None]:
    """Minutes of each slower bar for exits, by strategy; None is a day. Errors: ConfigError."""
    given = settings.strategies
    for key, named in (("bar_minutes", given.bar_minutes), ("exit_timeframe", given.exit_timeframe)):
        for name in named:
            if name not in given.enabled:
                raise ConfigError(
                    f"strategies.{key} names {name}, which is not enabled; enabled are {', '.join(given.enabled)}"
                )
    found = {name: minutes_of(bar) for name, bar in given.exit_timeframe.items()}
    for name, minutes in found.items():
        bar_minutes = given.bar_minutes.get(name, 1)
        if minutes is not None and minutes < bar_minutes:
            raise ConfigError(
                f"strategies.exit_timeframe.{name} ({given.exit_timeframe[name]}) must not be shorter than the bars it"
                f" enters on (strategies.bar_minutes.{name} = {bar_minutes})"
            )
    return found


def _cores_apart(settings: Settings, universe: Universe, own: Mapping[str, Maker]) -> list[SignalCore]:
    """A core for each strategy, for exits: confidence plays no part in them."""
    given = settings.strategies
    return [SignalCore(universe, [_created(given, name, own)], SignalSettings(), own) for name in given.enabled]


def _tier(settings: Settings, index: int) -> Tier:
    tier, sizing, execution = settings.tiers[index], settings.sizing, settings.execution
    return Tier(
        name=tier.name,
        equity_min_usd=float(tier.equity_min_usd),
        sizing=SizingConfig(
            method=SizingMethod(tier.method),
            max_position_pct=tier.max_position_pct,
            max_portfolio_leverage=tier.max_portfolio_leverage,
            max_positions=tier.max_positions,
            target_volatility=tier.target_volatility,
            stop_loss_pct=tier.stop_loss_pct if execution.protection == "broker_stop" else None,
            stop_distance_min=execution.stop_spread_multiple_min * execution.spread_bps_assumed / 10_000,
            fixed_dollar_usd=float(sizing.fixed_dollar_usd),
            fixed_percent=sizing.fixed_percent,
            cash_buffer_fraction=settings.risk.cash_buffer_fraction,
            kelly_basis=KellyBasis(sizing.kelly_basis),
            kelly_min_trades=sizing.kelly_min_trades,
            kelly_fallback=_fallback(sizing.kelly_fallback),
            optimal_fallback=_fallback(sizing.optimal_fallback),
            risk_aversion=sizing.risk_aversion,
            book_volatility_cap=sizing.book_volatility_cap,
            marginal_risk_ratio_max=sizing.marginal_risk_ratio_max,
            sliver_fraction=sizing.sliver_fraction,
            default_correlation=sizing.correlation_default,
            default_volatility=None,
            minimum_notional_usd=float(sizing.minimum_notional_usd),
            whole_share_preference=sizing.whole_share_preference_fraction,
        ),
        min_confidence=tier.min_confidence,
        cooldown_minutes=tier.cooldown_minutes,
        hold_sessions=tier.hold_sessions,
        exits_on_daily_bars=tier.exit_bar == "1D",
    )


def _fallback(method: str) -> SizingMethod | None:
    return None if method == "NONE" else SizingMethod(method)


def _displacement(settings: Settings) -> Displacement | None:
    """Its cost: a spread to sell what is held, a spread for the position that replaces it."""
    policy = settings.policy
    if not policy.displacement:
        return None
    spread = settings.execution.spread_bps_assumed / 10_000
    return Displacement(confidence_gain_min=policy.displacement_confidence_gain_min, cost_fraction=2 * spread)


def _rebalance(settings: Settings) -> RebalanceSettings | None:
    given = settings.rebalance
    if not given.enabled:
        return None
    return RebalanceSettings(
        every_minutes=given.every_minutes,
        check_minutes=given.check_minutes,
        drift_fraction_max=given.drift_fraction_max,
        volatility_change_max=given.volatility_change_max,
        drawdown_step=given.drawdown_step,
        on_signal=given.on_signal,
        breach_tolerance=given.breach_tolerance,
        method=given.method,
        risk_aversion=settings.sizing.risk_aversion,
        information_coefficient=given.information_coefficient,
        turnover_max=given.turnover_max,
        band_minimum=given.band_minimum,
        add=given.add,
        cost_fraction=settings.execution.spread_bps_assumed / 2 / 10_000,
    )


def _limits(settings: Settings) -> Limits:
    risk = settings.risk
    return Limits(
        cash_buffer_fraction=risk.cash_buffer_fraction,
        price_age_minutes_max=risk.price_age_minutes_max,
        feed_age_minutes_max=risk.feed_age_minutes_max,
        last_entry_minutes_before_close=risk.last_entry_minutes_before_close,
        daily_loss_fraction_max=risk.daily_loss_fraction_max,
        weekly_loss_fraction_max=_or_off(risk.weekly_loss_fraction_max),
        monthly_loss_fraction_max=_or_off(risk.monthly_loss_fraction_max),
        consecutive_losses_max=_or_off(risk.consecutive_losses_max),
        drawdown_fraction_warn=risk.drawdown_fraction_warn,
        drawdown_fraction_halve=risk.drawdown_fraction_halve,
        drawdown_fraction_stop=risk.drawdown_fraction_stop,
        resume_each_session=risk.backtest_resume == "next_session",
        orders_a_session_max=_or_off(risk.orders_a_session_max),
        symbol_refusals_max=_or_off(risk.symbol_refusals_max),
        price_collar_fraction_max=_or_off(risk.price_collar_fraction_max),
        spread_bps_max=_or_off(risk.spread_bps_max),
        trade_risk_fraction_max=_or_off(risk.trade_risk_fraction_max),
        gross_exposure_max=_or_off(risk.gross_exposure_max),
        net_exposure_max=_or_off(risk.net_exposure_max),
        order_volume_fraction_max=_or_off(risk.order_volume_fraction_max),
        sector_fraction_max=_or_off(risk.sector_fraction_max),
        cluster_fraction_max=_or_off(risk.cluster_fraction_max),
        beta_min=risk.beta_min if risk.beta_rule == "on" else -OFF,
        beta_max=risk.beta_max if risk.beta_rule == "on" else OFF,
        market_volatility_full=_or_off(risk.market_volatility_full),
        shorting_allowed=risk.shorting_allowed,
        short_price_usd_min=risk.short_price_usd_min,
        short_equity_usd_min=float(settings.exchange.margin_equity_min_usd),
        market_buy_collar_fraction=settings.execution.market_buy_collar_fraction,
        minimum_notional_usd=float(settings.sizing.minimum_notional_usd),
    )


def _or_off(limit: float) -> float:
    """What is set to 0 is a limit that nothing reaches."""
    return limit or OFF


def _execution(settings: Settings) -> ExecutionSettings:
    execution = settings.execution
    limited = execution.entry_order == "limit"
    return ExecutionSettings(
        book=settings.account.book,
        protect=execution.protection == "broker_stop",
        intent_valid_minutes=execution.intent_valid_minutes,
        retry_minutes=execution.exit_retry_minutes,
        retry_minutes_max=execution.exit_retry_minutes_max,
        entry_collar_fraction=execution.entry_collar_fraction if limited else None,
        entry_life_minutes=execution.entry_life_minutes if limited else 0,
    )
