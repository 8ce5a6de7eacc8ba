"""The composition root: the only file that knows every name. Settings go in, running things come out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.config import folders
from ordinis.config.settings import Settings
from ordinis.data.store import BarStore
from ordinis.domain.errors import DataError
from ordinis.domain.market import MarketBlock, Universe
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.daily_exits import DailyExits
from ordinis.engines.estimates import Volatility
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.outlook import Outlook
from ordinis.engines.portfolio.policy import Tier
from ordinis.engines.portfolio.sizing import SizingConfig, SizingMethod
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.signalcore import registry
from ordinis.engines.signalcore.core import SignalCore
from ordinis.engines.signalcore.settings import SignalSettings
from ordinis.engines.state import TradingSettings
from ordinis.engines.trading import TradingEngine
from ordinis.journal.writer import Durability, SqliteJournal, discard
from ordinis.research.backtest import Run, backtest
from ordinis.research.result import BacktestResult
from ordinis.runtime.interrupt import stop_on_interrupt

if TYPE_CHECKING:
    from ordinis.data.dataset import DataSet

BUNDLED = "bundled"  # Made at the first use, from daily bars that come with the installation.
Progress = Callable[[int, int], None]  # Sessions done, sessions in all.


def store(settings: Settings) -> BarStore:
    return BarStore(folders.store_dir(settings))


def open_data(settings: Settings, reference: str) -> DataSet:
    """A set of the store by name, or a file, which is imported first; `bundled` is made when it is missing."""
    from ordinis.data.bundled import bundled_data
    from ordinis.data.importing import open_data as open_reference

    if reference == BUNDLED:
        return bundled_data(store(settings), seed=settings.run.seed)
    return open_reference(reference, store(settings))


def run_backtest(
    settings: Settings,
    *,
    data: str,
    first: date | None = None,
    last: date | None = None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> tuple[BacktestResult, TradingEngine]:
    """Run the data's sessions through the whole path. The engine is returned for reports. Errors: OrdinisError."""
    dataset = open_data(settings, data)
    universe, days = _universe(settings, dataset), _days(dataset, first, last)
    engine = build_engine(settings, universe)
    _warm_up(settings, engine, dataset, universe, days[0])
    exchange = build_exchange(settings, universe, dataset.feed)
    path = journal or folders.journal_dir(settings) / "backtest.journal"
    blocks = dataset.blocks(days[0], days[-1], universe.symbols)
    run = Run(
        data=dataset.name,
        data_label=dataset.label,
        synthetic=dataset.synthetic,
        fill_model=settings.exchange.fill_model,
        start_usd=float(settings.account.cash_usd),
        journal=path,
    )
    with stop_on_interrupt() as stopped, closing(open_journal(settings, path, dataset, universe)) as record:
        counted = run.count(_announced(blocks, len(days), progress))
        market = SimulatedMarket(exchange, counted)
        result = backtest(engine, market, SimulatedBroker(exchange), record, exchange, run, stopped)
    return result, engine


def build_engine(settings: Settings, universe: Universe) -> TradingEngine:
    """The one decision path, cold: warm it up before the first event."""
    sizing = settings.sizing
    volatility = Volatility(
        universe, window_sessions=sizing.volatility_window_sessions, returns_min=sizing.volatility_min_sessions
    )
    tiers = [_tier(settings, index) for index in range(len(settings.tiers))]
    daily = any(tier.exits_on_daily_bars for tier in tiers)
    return TradingEngine(
        universe,
        Outlook(universe, _core(settings, universe), volatility),
        TradingSettings(
            tiers=tiers,
            hysteresis_fraction=settings.policy.hysteresis_fraction,
            limits=_limits(settings),
            throttle=_throttle(settings),
            execution=_execution(settings),
            fractionable=settings.account.fractional,
            prior_trades=sizing.win_rate_prior_trades,
        ),
        DailyExits(universe, _core(settings, universe)) if daily else None,
    )


def build_exchange(settings: Settings, universe: Universe, feed: str) -> Exchange:
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
            regime="pattern_day_trader" if rules.regime == "pattern_day_trader" else "intraday_margin",
            day_trade_equity_floor_usd=rules.equity_floor_usd,
            day_trades_max=rules.day_trades_max,
            day_trade_sessions=rules.window_sessions,
            margin_equity_min_usd=given.margin_equity_min_usd,
            sec_usd_per_million=fees.sec_usd_per_million * charged,
            taf_usd_per_share=fees.taf_usd_per_share * charged,
            taf_usd_max=fees.taf_usd_max,
            cat_usd_per_share=fees.cat_usd_per_share * charged,
            gtc_days_max=given.gtc_days_max,
        ),
    )


def open_journal(settings: Settings, path: Path, dataset: DataSet, universe: Universe) -> SqliteJournal:
    """A fresh journal for one run; an earlier run's at the same path is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    discard(path)
    meta = {
        "symbols": json.dumps(universe.symbols),
        "data": dataset.name,
        "data_label": dataset.label,
        "data_sha256": dataset.content_sha256,
        "settings": json.dumps(settings.plain(), sort_keys=True),
    }
    return SqliteJournal(path, meta=meta, durability=Durability.BATCH)


def _universe(settings: Settings, dataset: DataSet) -> Universe:
    return Universe(settings.data.symbols or dataset.symbols)


def _days(dataset: DataSet, first: date | None, last: date | None) -> list[date]:
    days = [session.date for session in dataset.sessions]
    chosen = [day for day in days if (first is None or day >= first) and (last is None or day <= last)]
    if not chosen:
        held = f"it holds {days[0]} to {days[-1]}" if days else "it holds no minutes"
        raise DataError(f"data set {dataset.name} has no session from {first} to {last}: {held}")
    return chosen


def _warm_up(settings: Settings, engine: TradingEngine, dataset: DataSet, universe: Universe, first: date) -> None:
    earlier = [session.date for session in dataset.sessions if session.date < first]
    earlier = earlier[-settings.run.warm_up_sessions :] if settings.run.warm_up_sessions else []
    blocks = dataset.blocks(earlier[0], earlier[-1], universe.symbols) if earlier else iter(())
    engine.warm_up(blocks, dataset.daily(universe.symbols).before(first))


def _announced(blocks: Iterator[MarketBlock], sessions: int, progress: Progress | None) -> Iterator[MarketBlock]:
    """The same blocks; the progress is told as each is asked for."""
    for done, block in enumerate(blocks):
        if progress is not None:
            progress(done, sessions)
        yield block
    if progress is not None:
        progress(sessions, sessions)


def _core(settings: Settings, universe: Universe) -> SignalCore:
    given = settings.strategies
    parameters = given.parameters
    return SignalCore(
        universe,
        [registry.create(name, parameters.get(name, {})) for name in given.enabled],
        SignalSettings(
            score_history_min=given.score_history_min,
            score_history_max=given.score_history_max,
            weights=given.weights,
        ),
    )


def _tier(settings: Settings, index: int) -> Tier:
    tier, sizing, execution = settings.tiers[index], settings.sizing, settings.execution
    fallback = sizing.kelly_fallback
    return Tier(
        name=tier.name,
        equity_min_usd=float(tier.equity_min_usd),
        sizing=SizingConfig(
            method=SizingMethod(tier.method),
            max_position_pct=tier.max_position_pct,
            max_portfolio_leverage=tier.max_portfolio_leverage,
            max_positions=tier.max_positions,
            target_volatility=tier.target_volatility,
            stop_loss_pct=tier.stop_loss_pct,
            stop_distance_min=execution.stop_spread_multiple_min * execution.spread_bps_assumed / 10_000,
            fixed_percent=sizing.fixed_percent,
            kelly_min_trades=sizing.kelly_min_trades,
            kelly_fallback=None if fallback == "NONE" else SizingMethod(fallback),
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


def _limits(settings: Settings) -> Limits:
    risk = settings.risk
    return Limits(
        cash_buffer_fraction=risk.cash_buffer_fraction,
        price_age_minutes_max=risk.price_age_minutes_max,
        feed_age_minutes_max=risk.feed_age_minutes_max,
        last_entry_minutes_before_close=risk.last_entry_minutes_before_close,
        daily_loss_fraction_max=risk.daily_loss_fraction_max,
        drawdown_fraction_warn=risk.drawdown_fraction_warn,
        drawdown_fraction_halve=risk.drawdown_fraction_halve,
        drawdown_fraction_stop=risk.drawdown_fraction_stop,
        resume_each_session=risk.backtest_resume == "next_session",
        market_buy_collar_fraction=settings.execution.market_buy_collar_fraction,
        minimum_notional_usd=float(settings.sizing.minimum_notional_usd),
    )


def _throttle(settings: Settings) -> Throttle:
    """Law under pattern_day_trader, whatever the throttle is set to; a policy otherwise."""
    rules = settings.compliance
    return Throttle(
        enabled=rules.regime == "pattern_day_trader" or rules.day_trade_throttle != "off",
        day_trades_max=rules.day_trades_max,
        window_sessions=rules.window_sessions,
        equity_floor_usd=float("inf") if rules.day_trade_throttle == "on" else float(rules.equity_floor_usd),
    )


def _execution(settings: Settings) -> ExecutionSettings:
    execution = settings.execution
    return ExecutionSettings(
        book=settings.account.book,
        protect=execution.protection == "broker_stop",
        intent_valid_minutes=execution.intent_valid_minutes,
        retry_minutes=execution.exit_retry_minutes,
        retry_minutes_max=execution.exit_retry_minutes_max,
    )
