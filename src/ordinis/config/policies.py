"""How much, how long, and when to stop: tiers, sizing, risk, execution."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ordinis.config.base import Count, Part, Positive, Section, Share, Usd

Method = Literal[
    "VOLATILITY_ADJUSTED",
    "HALF_KELLY",
    "FIXED_PERCENT",
    "FIXED_DOLLAR",
    "EQUAL_WEIGHT",
    "KELLY",
    "RISK_PARITY",
    "MEAN_VARIANCE",
]
PlainFallback = Literal["VOLATILITY_ADJUSTED", "FIXED_PERCENT", "FIXED_DOLLAR", "EQUAL_WEIGHT", "NONE"]


class Tier(Section):
    """What an account of this equity may do. Every key of a tier is given: nothing is inherited unseen."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(
        description="What the tier is called in --set, in journals and in reports."
    )
    equity_min_usd: Annotated[Usd, Field(ge=0)] = Field(description="The tier holds from this equity on.")
    method: Method = Field(description="How positions are sized.")
    max_position_pct: Part = Field(description="A position's largest part of equity, as a fraction; an upper bound.")
    max_portfolio_leverage: Annotated[float, Field(gt=0, le=4)] = Field(
        description="Gross exposure over equity, before the cash buffer is taken off."
    )
    max_positions: Positive = Field(description="Positions held at a time, open entries included.")
    target_volatility: Annotated[float, Field(gt=0, le=2)] = Field(
        description="Yearly volatility that a full book should have, as a fraction."
    )
    stop_loss_pct: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="The widest protective stop, as a fraction of the entry price."
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Entries need at least this confidence; exits need none."
    )
    cooldown_minutes: Count = Field(
        description="Session minutes after a symbol's last trade before it is entered again."
    )
    hold_sessions: Count = Field(
        description="A signal exit is allowed from so many sessions after the entry's; protective exits never wait."
    )
    exit_bar: Literal["1Min", "1D"] = Field(description="Signal exits are decided on closed bars of this size.")


SMALL = Tier(
    name="small",
    equity_min_usd=Decimal(0),
    method="VOLATILITY_ADJUSTED",
    max_position_pct=0.20,
    max_portfolio_leverage=1.0,
    max_positions=5,
    target_volatility=0.10,
    stop_loss_pct=0.02,
    min_confidence=0.70,
    cooldown_minutes=120,
    hold_sessions=2,
    exit_bar="1D",
)
STANDARD = Tier(
    name="standard",
    equity_min_usd=Decimal(25000),
    method="HALF_KELLY",
    max_position_pct=0.15,
    max_portfolio_leverage=1.5,
    max_positions=10,
    target_volatility=0.15,
    stop_loss_pct=0.03,
    min_confidence=0.60,
    cooldown_minutes=0,
    hold_sessions=0,
    exit_bar="1Min",
)


class Policy(Section):
    """How an account moves between tiers. A tier never changes in mid-session."""

    hysteresis_fraction: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        default=0.02,
        description="A tier is left only when equity closes this far past its edge: no flipping every day.",
    )
    displacement: bool = Field(
        default=True,
        description="With all slots taken the weakest holding makes room for a clearly better candidate.",
    )
    displacement_confidence_gain_min: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.20,
        description="Clearly better: this much more confidence; times the stop distance it must pay for both trades.",
    )


class Sizing(Section):
    """What the sizing methods need beyond the tier."""

    fixed_percent: Part = Field(default=0.05, description="FIXED_PERCENT: each position's part of equity.")
    fixed_dollar_usd: Annotated[Usd, Field(gt=0)] = Field(
        default=Decimal(1000), description="FIXED_DOLLAR: what each position costs, whatever the equity."
    )
    kelly_basis: Literal["notional", "risk"] = Field(
        default="notional",
        description="Kelly's fraction is what is invested (notional, the cautious reading) or lost at the stop (risk).",
    )
    kelly_min_trades: Positive = Field(
        default=30, description="Closed trades before Kelly is used at all: fewer are noise."
    )
    kelly_fallback: PlainFallback = Field(
        default="VOLATILITY_ADJUSTED",
        description="The method used below kelly_min_trades, named in every result; NONE does not trade.",
    )
    win_rate_prior_trades: Annotated[float, Field(gt=0)] = Field(
        default=20.0,
        description="A measured win rate is mixed with so many trades of a coin: a handful of wins is no edge.",
    )
    payoff_prior: Annotated[float, Field(gt=0)] = Field(
        default=1.0,
        description="A measured payoff is mixed with as many trades whose wins are worth so many losses.",
    )
    optimal_fallback: PlainFallback = Field(
        default="VOLATILITY_ADJUSTED",
        description="RISK_PARITY, MEAN_VARIANCE: the method used where no optimum is known, named in every result.",
    )
    risk_aversion: Annotated[float, Field(gt=0)] = Field(
        default=5.0, description="MEAN_VARIANCE: return less half of this times the variance is made largest."
    )
    book_volatility_cap: bool = Field(
        default=True,
        description="An entry is cut where the whole book would pass the tier's target_volatility.",
    )
    marginal_risk_ratio_max: Annotated[float, Field(ge=0)] = Field(
        default=1.0,
        description="An entry that adds more risk to what is held than so many average slots of its size is cut to "
        "that; 1: what a full book's target counts on; 0: off.",
    )
    sliver_fraction: Share = Field(
        default=0.05,
        description="With room for less than this part of max_position_pct the book is full: crumbs would take slots.",
    )
    minimum_notional_usd: Annotated[Usd, Field(ge=1)] = Field(
        default=Decimal(1), description="The broker's smallest order: a smaller size is no order."
    )
    whole_share_preference_fraction: Share = Field(
        default=0.05,
        description="Round to whole shares while that costs less than this: their stops can rest overnight.",
    )
    volatility_window_sessions: Annotated[int, Field(ge=2)] = Field(
        default=20, description="Daily returns that a volatility is estimated from."
    )
    volatility_min_sessions: Annotated[int, Field(ge=2)] = Field(
        default=10, description="With fewer daily returns the volatility is unknown, and nothing is sized by it."
    )
    volatility_estimator: Literal["close_to_close", "ewma", "parkinson", "garman_klass", "yang_zhang"] = Field(
        default="close_to_close",
        description="How daily bars become a volatility; the plainest, since twenty closes are what everybody has.",
    )
    volatility_ewma_decay: Share = Field(
        default=0.94, description="ewma: what a session's weight is multiplied by each session; RiskMetrics' figure."
    )
    correlation_default: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="The book's average correlation while it is unknown; named where it was used."
    )

    @model_validator(mode="after")
    def _an_average_slot_fits(self) -> Self:
        if 0 < self.marginal_risk_ratio_max < 1:
            raise ValueError(
                f"marginal_risk_ratio_max must be 0 (off) or at least 1, was {self.marginal_risk_ratio_max}: "
                "an average slot has its full size"
            )
        return self

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        if self.volatility_min_sessions > self.volatility_window_sessions:
            raise ValueError(
                f"volatility_min_sessions ({self.volatility_min_sessions}) must not be above "
                f"volatility_window_sessions ({self.volatility_window_sessions})"
            )
        return self


Limit = Annotated[float, Field(ge=0)]  # 0 switches the rule off.
Beta = Annotated[float, Field(ge=-10, le=10)]


class Risk(Section):
    """Limits on the whole book. Reducing orders pass every one of them. Where it says so, 0 switches a rule off."""

    cash_buffer_fraction: Share = Field(default=0.10, description="Part of equity times leverage that is never used.")
    price_age_minutes_max: Positive = Field(
        default=15, description="A symbol whose last bar is older is not entered: its price is a memory."
    )
    feed_age_minutes_max: Positive = Field(
        default=5, description="Without a bar of any symbol for so long the feed is taken for dead: no entries."
    )
    last_entry_minutes_before_close: Count = Field(
        default=5, description="No entries in the last minutes: the order and its stop need time to be in place."
    )
    daily_loss_fraction_max: Part = Field(
        default=0.03, description="Loss of the session, of equity at its open, from which no entries are made."
    )
    weekly_loss_fraction_max: Share = Field(
        default=0.05,
        description="Loss of the week, of equity at its first open, that stops entries until resumed: less than two "
        "of the worst days allowed; 0: off.",
    )
    monthly_loss_fraction_max: Share = Field(
        default=0.08,
        description="Loss of the month, likewise: it stops before the drawdown does, which counts from any high; "
        "0: off.",
    )
    consecutive_losses_max: Count = Field(
        default=25,
        description="Losing trades in a row that stop entries until resumed: who wins one trade in three loses 25 in "
        "a row once in 25,000 tries; 0: off.",
    )
    orders_a_session_max: Count = Field(
        default=1000,
        description="Orders in a session, stops and legs counted, before entries end: a busy day has a few hundred, "
        "a loop gone wild passes this in minutes; 0: off.",
    )
    symbol_refusals_max: Count = Field(
        default=3,
        description="Refusals by the broker that shut a symbol for the session, or until resumed: the third is no "
        "accident; 0: off.",
    )
    price_collar_fraction_max: Limit = Field(
        default=0.2,
        description="No entry where the price is farther from the last session's close: news, a split or a bad bar; "
        "0: off.",
    )
    spread_bps_max: Limit = Field(
        default=20.0,
        description="No entry across a wider spread: at 20 basis points a round trip costs a tenth of a 2 % stop; "
        "0: off.",
    )
    shorting_allowed: bool = Field(
        default=False,
        description="Let strategies that ask for it sell short; a margin account with $2,000 can. Off, it is a rule.",
    )
    short_price_usd_min: Limit = Field(
        default=10.0,
        description="No short below it: down to $10 the house's margin of a short is no more than Regulation T's half; "
        "0: off.",
    )
    trade_risk_fraction_max: Share = Field(
        default=0.01,
        description="Part of equity that one stop may cost, before gaps: the usual one percent; 0: off.",
    )
    gross_exposure_max: Limit = Field(
        default=2.0, description="Longs and shorts over equity, whatever a tier allows: Regulation T's limit; 0: off."
    )
    net_exposure_max: Limit = Field(
        default=1.5, description="Longs less shorts over equity, whatever a tier allows; 0: off."
    )
    order_volume_fraction_max: Limit = Field(
        default=0.1,
        description="An order's part of the symbol's recent mean volume a minute, of the whole market: what fills in "
        "about the minute without moving the price; 0: off.",
    )
    order_volume_minutes: Positive = Field(default=30, description="Session minutes that this mean is taken over.")
    sector_fraction_max: Limit = Field(
        default=0.4,
        description="A sector's part of equity, open entries included: two full positions of the small tier; 0: off.",
    )
    sector_file: str = Field(
        default="",
        description="A CSV file symbol,sector that goes before the built-in table; a symbol in neither is its own "
        "sector.",
    )
    cluster_fraction_max: Limit = Field(
        default=0.6,
        description="Part of equity in symbols that move together, whatever their sectors; 0: off.",
    )
    cluster_correlation_min: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.7,
        description="Shrunk correlation of daily returns from which two symbols are one cluster: half of what moves "
        "them is shared.",
    )
    beta_rule: Literal["on", "off"] = Field(
        default="on", description="Keep the book's beta between beta_min and beta_max, or do not."
    )
    benchmark: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9.]*$")] = Field(
        default="SPY",
        description="The symbol that stands for the market in betas and in its volatility; without SPY among the "
        "symbols, their mean.",
    )
    beta_min: Beta = Field(default=-0.5, description="The book's lowest beta against the benchmark.")
    beta_max: Beta = Field(
        default=1.5, description="The book's highest: the market itself at the standard tier's leverage."
    )
    market_volatility_full: Limit = Field(
        default=0.25,
        description="Yearly volatility of the benchmark up to which positions have their full size; "
        "above it they shrink in proportion: calm years lie under 0.2; 0: off.",
    )
    drawdown_fraction_warn: Part = Field(default=0.05, description="Drawdown from the high-water mark that is noted.")
    drawdown_fraction_halve: Part = Field(default=0.08, description="Drawdown from which new risk is halved.")
    drawdown_fraction_stop: Part = Field(default=0.10, description="Drawdown from which no entries are made.")
    backtest_resume: Literal["next_session", "never"] = Field(
        default="next_session",
        description="When a backtest goes on after that stop, its high-water mark rebased; live only a person resumes.",
    )

    @model_validator(mode="after")
    def _beta_has_a_band(self) -> Self:
        if self.beta_min >= self.beta_max:
            raise ValueError(f"beta_min ({self.beta_min}) must be below beta_max ({self.beta_max})")
        return self

    @model_validator(mode="after")
    def _drawdowns_rise(self) -> Self:
        if not self.drawdown_fraction_warn <= self.drawdown_fraction_halve <= self.drawdown_fraction_stop:
            raise ValueError(
                "drawdowns must rise from warn to halve to stop, were "
                f"{self.drawdown_fraction_warn}, {self.drawdown_fraction_halve}, {self.drawdown_fraction_stop}"
            )
        return self


class Execution(Section):
    """How a decision becomes orders."""

    market_buy_collar_fraction: Share = Field(
        default=0.04,
        description="An entry is counted this much dearer, as the broker does a market buy, so that it is affordable.",
    )
    entry_order: Literal["limit", "market"] = Field(
        default="limit",
        description="How entries are sent: as a limit that is marketable up to a collar, or at the market.",
    )
    entry_collar_fraction: Share = Field(
        default=0.003,
        description="limit: an entry pays at most this much more than the price it was decided at, and up to a tick.",
    )
    entry_life_minutes: Positive = Field(
        default=5, description="limit: what an entry has not filled in so many minutes is taken back."
    )
    protection: Literal["broker_stop", "none"] = Field(
        default="broker_stop",
        description="A stop at the broker for every position, which lives when we do not; or none.",
    )
    intent_valid_minutes: Positive = Field(
        default=2, description="An order that was not sent by then lapses: its reason is old."
    )
    exit_retry_minutes: Positive = Field(
        default=1, description="Wait after a refused exit before it is tried again; doubled each time."
    )
    exit_retry_minutes_max: Positive = Field(
        default=60, description="The longest such wait: an exit is never given up, and never a loop."
    )
    spread_bps_assumed: Annotated[float, Field(ge=0)] = Field(
        default=4.0,
        description="The spread between bid and ask while only bars are known, in basis points of the price.",
    )
    stop_spread_multiple_min: Annotated[float, Field(ge=0)] = Field(
        default=5.0, description="A stop is never nearer than so many spreads: nearer it is hit by noise."
    )

    @model_validator(mode="after")
    def _waits_fit(self) -> Self:
        if self.exit_retry_minutes > self.exit_retry_minutes_max:
            raise ValueError(
                f"exit_retry_minutes ({self.exit_retry_minutes}) must not be above "
                f"exit_retry_minutes_max ({self.exit_retry_minutes_max})"
            )
        return self


class Rebalance(Section):
    """When the book is looked at as a whole, and what it takes to trade for it. 0 switches a trigger off."""

    enabled: bool = Field(
        default=True, description="Held positions are cut back to what they should weigh, and limits mended."
    )
    every_minutes: Count = Field(
        default=60, description="The schedule, in minutes of the session from its open: hourly, as the plan has it."
    )
    check_minutes: Count = Field(
        default=5, description="How often the other triggers are looked at: each look costs, and minutes are noise."
    )
    drift_fraction_max: Share = Field(
        default=0.05, description="Trigger: a weight has moved so far, of equity, from its last target."
    )
    volatility_change_max: Annotated[float, Field(ge=0)] = Field(
        default=0.5, description="Trigger: the book's forecast volatility has changed by this part of itself."
    )
    drawdown_step: Share = Field(
        default=0.02, description="Trigger: equity has fallen so much further since the last rebalance."
    )
    on_signal: bool = Field(default=True, description="Trigger: a position was opened or closed since the last one.")
    breach_tolerance: Share = Field(
        default=0.02, description="A limit is mended when it is passed by this part of itself: prices come back."
    )
    method: Literal["mean_variance", "min_variance", "risk_parity", "max_diversification", "hrp"] = Field(
        default="mean_variance",
        description="What is best: mean_variance takes returns as those under which PositionSizer's weights are best.",
    )
    information_coefficient: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05,
        description="What a signal is taken to know of returns (a good one 0.05): where a limit binds the less sure "
        "give way first. For mean_variance; 0: confidence enters through sizes only.",
    )
    turnover_max: Part = Field(
        default=0.25, description="Sold and bought in one rebalance, of equity: no whim turns the book over."
    )
    band_minimum: Share = Field(
        default=0.005, description="No trade smaller than this part of equity; costs widen it (see docs/rebalance.md)."
    )
    add: bool = Field(
        default=False,
        description="Holdings below their target are added to where a signal still asks for them; their stop is away "
        "while that is bought (see docs/rebalance.md).",
    )
