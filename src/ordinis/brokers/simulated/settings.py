"""What kind of exchange and account to simulate. Every figure a broker or a regulator may change is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Literal

from ordinis.brokers.simulated.fee_rates import FeeRates, rates_of
from ordinis.domain.errors import ConfigError

RegimeName = Literal["intraday_margin", "pattern_day_trader", "cash"]
_REGIMES = ("intraday_margin", "pattern_day_trader", "cash")
_AT_LEAST_ONE = (
    *("deficit_call_days", "deficit_freeze_days", "deficit_expiry_days", "freeze_days"),
    *("good_faith_max", "settled_only_days"),
)
_DAY_TRADE_CHECKS = ("entry", "exit", "both")
_DAY_TRADE_METHODS = ("opening_order", "direction_change", "max")
_MULTIPLIERS = (1, 2, 4)


class FillModel(Enum):
    """Where a market order fills. SPREAD is the honest one; the others compare with other engines."""

    NEXT_OPEN = "next_open"
    NEXT_CLOSE = "next_close"
    THIS_CLOSE = "this_close"  # At the close the decision was made on: optimistic, nobody gets that price.
    SPREAD = "spread"  # The next open, and half the spread worse.


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """The account and the rules of the other side. Limits as of 2026; a fee that is None has the rate of its day."""

    cash_usd: Decimal
    multiplier: int = 2  # 1 limited margin, 2 overnight margin, 4 intraday margin.
    fill_model: FillModel = FillModel.SPREAD
    half_spread_bps: float | Literal["by_price"] = 2.0
    participation_max: float = 0.10  # Of a minute's real volume; 0 fills any size.
    feed_share: float = 1.0  # The share of the consolidated volume that the bars show.
    market_buy_collar: float = 0.04  # A market buy is priced this much above the last price when it is checked.
    regime: RegimeName = "intraday_margin"
    day_trade_equity_floor_usd: Decimal = Decimal(25_000)
    day_trades_max: int = 3
    day_trade_sessions: int = 5
    day_trade_check: Literal["entry", "exit", "both"] = "exit"  # Which orders are refused for one too many.
    day_trade_method: Literal["opening_order", "direction_change", "max"] = "opening_order"
    deficit_floor_usd: Decimal = Decimal(1_000)  # Not called at or below it, nor at or below the fraction of equity.
    deficit_floor_fraction: Decimal = Decimal("0.05")
    deficit_call_days: int = 2  # Trading days until a call is due.
    deficit_freeze_days: int = 5  # Trading days at whose close an unpaid deficit freezes the account.
    deficit_expiry_days: int = 15  # Trading days at whose close it is history.
    freeze_days: int = 90  # Calendar days without a new debit or short.
    good_faith_max: int = 3  # Good-faith violations in a year from which only settled cash buys,
    settled_only_days: int = 90  # for so many calendar days.
    margin_equity_min_usd: Decimal = Decimal(2_000)  # Below it the multiplier is 1.
    sec_usd_per_million: Decimal | None = None  # Of sales. Zero charges nothing, here and below.
    taf_usd_per_share: Decimal | None = None  # Sold.
    taf_usd_max: Decimal | None = None  # A trade.
    cat_usd_per_share: Decimal | None = None  # Bought or sold.
    margin_interest_fraction: Decimal = Decimal(0)  # A year, on the debit of the close; Alpaca: 0.0625 to 0.065.
    shorting_enabled: bool = False  # Of the account; a margin account can short, with margin_equity_min_usd.
    easy_to_borrow: frozenset[str] | None = None  # Symbols that can be sold short; None: every one.
    short_sale_collar: float = 0.03  # A short sale is priced this much above the last price when it is checked.
    borrow_fee_fraction: Decimal = Decimal(0)  # A year, on what is short at the close; easy to borrow is free.
    fractional_order_usd_min: Decimal = Decimal(1)
    fractionable: bool = True  # False: whole shares only, and a split's fractions are paid in cash.
    gtc_days_max: int = 90
    close_auction_minutes_before: int = 10  # An order of the closing auction comes no later.
    fund_leverage: Mapping[str, int] = field(default_factory=dict)  # Symbol -> 2 or 3, for leveraged funds.

    def __post_init__(self) -> None:
        self._require("cash_usd", self.cash_usd > 0, "be above 0")
        self._require("multiplier", self.multiplier in _MULTIPLIERS, f"be one of {_MULTIPLIERS}")
        half = 0.0 if self.half_spread_bps == "by_price" else self.half_spread_bps
        fits = not isinstance(half, str) and 0 <= half < 10_000
        self._require("half_spread_bps", fits, 'be in [0, 10000), or "by_price"')
        self._require("participation_max", 0 <= self.participation_max <= 1, "be in [0, 1]")
        self._require("feed_share", 0 < self.feed_share <= 1, "be in (0, 1]")
        self._require("market_buy_collar", 0 <= self.market_buy_collar < 1, "be in [0, 1)")
        self._require("short_sale_collar", 0 <= self.short_sale_collar < 1, "be in [0, 1)")
        self._require("borrow_fee_fraction", 0 <= self.borrow_fee_fraction < 10, "be in [0, 10)")
        self._require("regime", self.regime in _REGIMES, f"be one of {_REGIMES}")
        self._require("day_trades_max", self.day_trades_max >= 0, "be at least 0")
        self._require("day_trade_sessions", self.day_trade_sessions >= 1, "be at least 1")
        self._require("day_trade_check", self.day_trade_check in _DAY_TRADE_CHECKS, f"be one of {_DAY_TRADE_CHECKS}")
        fits = self.day_trade_method in _DAY_TRADE_METHODS
        self._require("day_trade_method", fits, f"be one of {_DAY_TRADE_METHODS}")
        for name in _AT_LEAST_ONE:
            self._require(name, getattr(self, name) >= 1, "be at least 1")
        self._require("deficit_floor_usd", self.deficit_floor_usd >= 0, "be at least 0")
        self._require("deficit_floor_fraction", 0 <= self.deficit_floor_fraction < 1, "be in [0, 1)")
        interest = self.margin_interest_fraction
        self._require("margin_interest_fraction", 0 <= interest < 1, "be in [0, 1)")
        self._require("close_auction_minutes_before", self.close_auction_minutes_before >= 0, "be at least 0")
        self._require("gtc_days_max", self.gtc_days_max >= 1, "be at least 1")

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ConfigError(f"exchange.{name} must {expected}, was {getattr(self, name)}")

    def small_usd(self, equity_usd: Decimal) -> Decimal:
        """A margin deficiency up to this calls for nothing (Regulation T, 220.4(d); FINRA 4210(d)(2))."""
        return min(self.deficit_floor_usd, self.deficit_floor_fraction * max(equity_usd, Decimal(0)))

    def borrowable(self, symbol: str) -> bool:
        return self.easy_to_borrow is None or symbol in self.easy_to_borrow

    @property
    def charges_fees(self) -> bool:
        rates = (self.sec_usd_per_million, self.taf_usd_per_share, self.cat_usd_per_share)
        return any(rate is None or rate > 0 for rate in rates)

    def fee_rates(self, day: date) -> FeeRates:
        """What is set, and for the rest what was in force on that day."""
        then = rates_of(day)
        chosen = (getattr(self, name) for name in FeeRates._fields)
        return FeeRates(*(rate if one is None else one for one, rate in zip(chosen, then, strict=True)))
