"""A script of two short days in which everything happens that can be interrupted."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, get_args

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.domain.market import MarketBlock
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountRules
from ordinis.engines.compliance.regimes import Regime
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.sizing import SizingMethod
from ordinis.engines.trading import TradingEngine
from simulation.killing import Beyond
from simulation.worlds import EVERY_DAY, day, engine_of, exchange_of, limits_of, tier_of

# Two short days. AAA is bought whole, with its stop as a leg, and sold; BBB is bought in parts, over the night;
# CCC is stopped out.
DAYS = [
    day(
        0,
        {
            "AAA": [100.0, 100.5, 101.0, 101.5, 102.0, 102.5, 103.0, 103.5],
            "BBB": [50.0, 50.1, 50.2, 50.3, 50.4, 50.5, 50.6, 50.7],
            "CCC": [20.0, 20.1, 20.0, 19.9, (19.8, 19.9, 18.0, 18.2), 18.2, 18.3, 18.4],
        },
        enter={"AAA": [1], "BBB": [2], "CCC": [1]},
        leave={"AAA": [5]},
        volume=2_000,
    ),
    day(
        1,
        {
            "AAA": [104.0, 104.5, 105.0, 105.5, 106.0, 106.5],
            "BBB": [51.0, 51.1, 51.2, 51.3, 51.4, 51.5],
            "CCC": [18.5, 18.6, 18.7, 18.8, 18.9, 19.0],
        },
        enter={"AAA": [2], "CCC": [2]},
        leave={"BBB": [3]},
        volume=2_000,
    ),
]


SMALL_DAYS = [
    day(
        0,
        {
            "AAA": [100.0, 100.5, 101.0, 101.5, 102.0, 102.5, 103.0, 103.5],
            "BBB": [50.0, 50.1, 50.2, 50.3, 50.4, 50.5, 50.6, 50.7],
            "CCC": [20.0, 20.1, 20.0, 19.9, 19.8, 19.7, 19.6, 19.5],
        },
        enter={"AAA": [1], "BBB": [4]},
        leave={"AAA": [5]},
        short={"CCC": [2]},
        volume=2_000,
    ),
    day(
        1,
        {
            "AAA": [104.0, 104.5, 105.0, 105.5, 106.0, 106.5],
            "BBB": [51.0, 51.1, 51.2, 51.3, 51.4, 51.5],
            "CCC": [19.4, 19.3, 19.2, 19.1, 19.0, 18.9],
        },
        enter={"AAA": [2]},
        leave={"BBB": [3], "CCC": [2]},
        volume=2_000,
    ),
]
"""For an account whose day trades the law counts: a short is held over the night, and slots run out."""


ADDING_DAYS = [
    day(
        0,
        {
            "AAA": [100.0, 100.1, 100.0, 99.9, 100.0, 100.1],
            "BBB": [50.0, 50.1, 50.2, 50.3, 50.2, 50.1],
        },
        enter={"AAA": [1], "BBB": [2]},
        volume=2_000,
    ),
    day(
        1,
        {
            "AAA": [93.0, 92.0, 92.0, 92.1, 92.0, 92.1, 92.0, 92.1],
            "BBB": [50.0, 50.1, 50.2, 50.3, 50.2, 50.1, 50.0, 50.1],
        },
        enter={"AAA": [2, 3], "BBB": [3, 4]},
        leave={"BBB": [6]},
        volume=1_000,
    ),
]
"""For a book that is rebalanced every minute: AAA has fallen, BBB was bought in part; both are added
to, BBB in part again."""


Account = Literal["margin", "pattern_day_trader", "cash"]
ACCOUNTS: tuple[Account, ...] = get_args(Account)
"""`margin` has 100,000 USD; `pattern_day_trader` 14,999, may sell short and has one day trade left; `cash` 14,999."""


Script = Account | Literal["adding"]
"""`adding` is the account `margin`, its book rebalanced every minute."""


def days(account: Script = "margin") -> list[MarketBlock]:
    if account == "adding":
        return ADDING_DAYS
    return SMALL_DAYS if account == "pattern_day_trader" else DAYS


def trader(account: Script = "margin") -> TradingEngine:
    stop = 0.15 if account == "adding" else 0.05
    tier = tier_of(method=SizingMethod.FIXED_PERCENT, fixed_percent=0.2, stop_loss_pct=stop, max_positions=5)
    if account == "adding":
        every = RebalanceSettings(every_minutes=1, check_minutes=0, add=True)
        return engine_of(tiers=[tier], limits=limits_of(), rebalance=every)
    if account == "margin":
        return engine_of(tiers=[tier], limits=limits_of(), fractionable=True)
    regime = Regime(regime=account, source="a test", confirmed_on=DAYS[0].session.date)
    counted = account == "pattern_day_trader"
    return engine_of(
        tiers=[tier],
        limits=limits_of(shorting_allowed=counted),
        fractionable=True,
        throttle=Throttle(enabled=counted, day_trades_max=2, swing_min_confidence=0.0, swing_hold_sessions=1),
        rules=AccountRules(regime=regime, days=EVERY_DAY),
    )


def exchange(account: Script = "margin") -> Exchange:
    if account in ("margin", "adding"):
        return exchange_of(cash_usd=Decimal(100_000), participation_max=0.1)
    kind = {"multiplier": 1} if account == "cash" else {"shorting_enabled": True}
    return exchange_of(cash_usd=Decimal(14_999), participation_max=0.1, regime=account, **kind)


def beyond(account: Script = "margin") -> Beyond:
    return Beyond(exchange(account), days(account))


def outcome(exchange: Exchange) -> list[str]:
    """Every order with its end, and the account."""
    orders = [f"{one.client_order_id} {one.status.value} {one.filled_quantity}" for one in exchange.orders]
    account = exchange.account()
    return [*orders, f"{account.cash_usd} {[(one.symbol, one.quantity) for one in account.positions]}"]
