"""The rules the account is under. Every threshold is a dated setting of a rule set."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ordinis.config.base import Count, Part, Positive, Section, Share, Usd


class Swing(Section):
    """What holds for entries from the last day-trade slots, and in the last minutes without one."""

    hold_sessions: Positive = Field(default=2, description="Sessions before a signal or a rebalance may close it.")
    cooldown_minutes: Count = Field(
        default=120, description="Session minutes after a fill before its symbol is entered again."
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(default=0.70, description="At least so sure.")


class Margin(Section):
    """The intraday margin level (FINRA 4210(d)(2)), a call's dates, and what is held over night."""

    as_of: date = Field(default=date(2026, 6, 4), description="Since when these thresholds hold.")
    buffer_fraction: Share = Field(
        default=0.02, description="Of equity: what the level keeps after an order, prices move until it fills."
    )
    equity_min_usd: Annotated[Usd, Field(ge=0)] = Field(
        default=Decimal(2000), description="Below this equity nothing is bought on margin or sold short."
    )
    profit_counts: bool = Field(
        default=True,
        description="Gains of positions opened today raise the level, as at Alpaca; the bare rule has them at cost.",
    )
    call_days: Positive = Field(default=2, description="Business days until a deficit's call is due, at Alpaca.")
    freeze_after_days: Positive = Field(
        default=5, description="Business days: a deficit unmet at that close freezes the account."
    )
    expires_after_days: Positive = Field(
        default=15, description="Business days: after that close a deficit is history."
    )
    freeze_days: Positive = Field(default=90, description="Calendar days without a new debit or short.")
    small_usd: Annotated[Usd, Field(ge=0)] = Field(
        default=Decimal(1000), description="A deficit up to this is not counted, or up to small_fraction if less."
    )
    small_fraction: Share = Field(default=0.05, description="Of equity: see small_usd.")
    overnight_leverage: Annotated[float, Field(gt=0, le=4)] = Field(
        default=2.0, description="What may be held over night, of equity: Regulation T asks for half."
    )
    overnight_buffer_fraction: Share = Field(
        default=0.05, description="Of that, never used: prices move until the close."
    )
    overnight_minutes: Annotated[int, Field(ge=2, le=390)] = Field(
        default=30, description="Before the close: from then on a book bought four times is brought down."
    )


class House(Section):
    """The broker's maintenance table. The figure that the broker itself reports outranks it where it is higher."""

    as_of: date = Field(default=date(2026, 11, 22), description="When the table was last looked up.")
    long_fraction: Part = Field(default=0.30, description="Of a long's value.")
    low_price_usd: Annotated[float, Field(ge=0)] = Field(default=6.0, description="A low price: up to this, a share.")
    low_price_fraction: Part = Field(default=0.50, description="Of a long's value at a low price.")
    penny_price_usd: Annotated[float, Field(ge=0)] = Field(
        default=2.50, description="Below it a long is no collateral."
    )
    penny_fraction: Part = Field(default=1.0, description="Of such a long's value.")
    short_fraction: Part = Field(default=0.30, description="Of a short's value.")
    short_usd_per_share: Annotated[float, Field(ge=0)] = Field(default=5.0, description="A short share's least.")
    short_low_price_usd: Annotated[float, Field(ge=0)] = Field(
        default=5.0, description="Below it a short asks for more."
    )
    short_low_fraction: Part = Field(default=1.0, description="Of such a short's value.")
    short_low_usd_per_share: Annotated[float, Field(ge=0)] = Field(default=2.50, description="And its share's least.")
    concentrated_fraction: Part = Field(default=0.70, description="One name of so much of all positions,")
    concentrated_debit_usd: Annotated[float, Field(ge=0)] = Field(default=100_000.0, description="with so much owed,")
    concentrated_rate: Part = Field(default=0.50, description="asks for this.")
    symbols: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        default={}, description="Symbols of which more is asked: 0.5 for a fund of twice, 0.75 of three times."
    )


class Settlement(Section):
    """Cash accounts: when money settles, and what entries may be paid with."""

    as_of: date = Field(default=date(2024, 5, 28), description="Since when trades settle so soon.")
    settlement_days: Positive = Field(default=1, description="Business days from a trade to its settlement.")
    buys_unsettled: bool = Field(
        default=False,
        description="Pay entries with unsettled proceeds, too; they are then held until those settle, "
        "and a stop that fires before is a good-faith violation.",
    )
    good_faith_max: Positive = Field(default=3, description="Good-faith violations that restrict the account,")
    good_faith_period_days: Positive = Field(default=365, description="within so many calendar days;")
    restricted_days: Positive = Field(default=90, description="for so many: only settled cash buys.")


class Compliance(Section):
    """The account's rules: which regime, and what each asks for."""

    regime: Literal["auto", "intraday_margin", "pattern_day_trader", "cash"] = Field(
        default="auto",
        description="Whose rules the account is under; auto goes by broker and account_as_of, never by the dates of "
        "the bars; a cash account is always said so here.",
    )
    confirmed_on: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = Field(
        default="",
        description="The day the broker confirmed it (YYYY-MM-DD); without one a regime that is set by hand is held to "
        "together with the other margin regime.",
    )
    broker: Literal["alpaca", "other"] = Field(default="alpaca", description="Who keeps the account: auto goes by it.")
    account_as_of: date = Field(default=date(2026, 11, 22), description="The day whose rules the account is under.")
    day_trade_throttle: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Count day trades and refuse one too many; auto: by law under pattern_day_trader, "
        "by policy below the equity floor otherwise.",
    )
    day_trades_as_of: date = Field(default=date(2001, 9, 28), description="Since when these day-trade figures hold.")
    day_trades_max: Count = Field(default=3, description="Day trades allowed in the window; the next one is refused.")
    window_sessions: Positive = Field(
        default=5, description="Sessions in the window, today included, on the exchange's calendar."
    )
    equity_floor_usd: Annotated[Usd, Field(ge=0)] = Field(
        default=Decimal(25000), description="From this equity on (the previous close) day trades are not limited."
    )
    pattern_count: Positive = Field(default=4, description="Day trades in the window that make a pattern day trader.")
    pattern_trades_fraction: Share = Field(
        default=0.0, description="Unless they are no more than this part of all trades; the rule has 0.06, 0 is off."
    )
    day_trade_check: Literal["auto", "entry", "exit", "both"] = Field(
        default="auto", description="Where the broker refuses a day trade; auto: as it reports, unknown counts as both."
    )
    approach_slots_left: Count = Field(
        default=1, description="Under the law the last slots are an emergency pool: only swing entries get them."
    )
    last_minutes: Count = Field(
        default=5,
        description="Before the close: an entry without a slot is allowed then, its stop follows the close; 0: never.",
    )
    swing: Swing = Swing()
    margin: Margin = Margin()
    house: House = House()
    settlement: Settlement = Settlement()

    @field_validator("confirmed_on")
    @classmethod
    def _is_a_day(cls, text: str) -> str:
        if text:
            date.fromisoformat(text)
        return text

    @model_validator(mode="after")
    def _calls_come_in_order(self) -> Self:
        margin = self.margin
        if not margin.call_days <= margin.freeze_after_days <= margin.expires_after_days:
            raise ValueError(
                "margin.call_days, freeze_after_days and expires_after_days must rise, were "
                f"{margin.call_days}, {margin.freeze_after_days}, {margin.expires_after_days}"
            )
        return self
