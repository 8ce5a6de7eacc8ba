"""From settings to the account's rule sets: the regime, its thresholds, the exchange's calendar."""

from __future__ import annotations

from datetime import date
from functools import cache

from ordinis.config.settings import Settings
from ordinis.data.calendar import session_table, settlement_dates
from ordinis.domain.market import Universe
from ordinis.engines.compliance.business_days import BusinessDays
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountRules
from ordinis.engines.compliance.intraday_margin import HouseTable, MarginRules
from ordinis.engines.compliance.regimes import Regime, resolve
from ordinis.engines.compliance.settlement import SettlementRules


def regime(settings: Settings) -> Regime:
    """Whose rules the account is under."""
    given = settings.compliance
    confirmed_on = date.fromisoformat(given.confirmed_on) if given.confirmed_on else None
    return resolve(given.regime, broker=given.broker, on=given.account_as_of, confirmed_on=confirmed_on)


def account_rules(settings: Settings, universe: Universe) -> AccountRules:
    given = settings.compliance.settlement
    return AccountRules(
        regime=regime(settings),
        margin=_margin(settings, universe),
        settlement=SettlementRules(
            as_of=given.as_of,
            settlement_days=given.settlement_days,
            buys_unsettled=given.buys_unsettled,
            good_faith_max=given.good_faith_max,
            good_faith_period_days=given.good_faith_period_days,
            restricted_days=given.restricted_days,
        ),
        days=exchange_days(),
    )


def throttle(settings: Settings) -> Throttle:
    """Law where the regime counts day trades, whatever the throttle is set to; a policy otherwise."""
    given, swing = settings.compliance, settings.compliance.swing
    floor_usd = float(given.equity_floor_usd)
    on = given.day_trade_throttle == "on"
    return Throttle(
        enabled=on or (given.day_trade_throttle == "auto" and given.regime != "cash"),
        as_of=given.day_trades_as_of,
        day_trades_max=given.day_trades_max,
        window_sessions=given.window_sessions,
        equity_floor_usd=float("inf") if on else floor_usd,
        law_floor_usd=floor_usd,
        pattern_count=given.pattern_count,
        pattern_trades_fraction=given.pattern_trades_fraction,
        approach_slots_left=given.approach_slots_left,
        last_minutes=given.last_minutes,
        swing_hold_sessions=swing.hold_sessions,
        swing_cooldown_minutes=swing.cooldown_minutes,
        swing_min_confidence=swing.min_confidence,
        check=None if given.day_trade_check == "auto" else given.day_trade_check,
    )


@cache
def exchange_days() -> BusinessDays:
    """The exchange's own trading and settlement days."""
    return BusinessDays(session_table().dates, settlement_dates())


def _margin(settings: Settings, universe: Universe) -> MarginRules:
    given, house = settings.compliance.margin, settings.compliance.house
    plain = house.model_dump(exclude={"symbols"})
    return MarginRules(
        as_of=given.as_of,
        house=HouseTable(**plain),
        floors=tuple(house.symbols.get(symbol, 0.0) for symbol in universe.symbols) if house.symbols else (),
        buffer_fraction=given.buffer_fraction,
        equity_min_usd=float(given.equity_min_usd),
        profit_counts=given.profit_counts,
        call_days=given.call_days,
        freeze_after_days=given.freeze_after_days,
        expires_after_days=given.expires_after_days,
        freeze_days=given.freeze_days,
        small_usd=float(given.small_usd),
        small_fraction=given.small_fraction,
        overnight_minutes=given.overnight_minutes,
        overnight_leverage=given.overnight_leverage,
        overnight_buffer_fraction=given.overnight_buffer_fraction,
    )
