"""The account, the data and the strategies."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ordinis.config.base import Names, Part, Positive, Section, Usd


class Account(Section):
    """The account a backtest or a simulation starts with."""

    cash_usd: Annotated[Usd, Field(gt=0)] = Field(
        default=Decimal(14999), description="Cash at the start, before the first order."
    )
    multiplier: Literal[1, 2, 4] = Field(
        default=2, description="Buying power over equity: 1 limited margin, 2 overnight margin, 4 intraday margin."
    )
    fractional: bool = Field(
        default=True, description="Fractions of a share where the asset allows them: small accounts need them."
    )
    book: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")] = Field(
        default="main", description="The book's name, the first part of every order's id; never change it later."
    )


class Capital(Section):
    """How much of the account is traded with: a small part first."""

    allocation_usd: Annotated[Usd, Field(ge=0)] = Field(
        default=Decimal(0),
        description="Sizes, tier and loss limits as if the account had this much and what it has made since; 0: all. "
        "The account's rules always look at all of it.",
    )


class FeedShare(Section):
    """Each feed's share of the consolidated volume: volume rules divide by it."""

    iex: Part = Field(default=0.02, description="IEX alone: between 1 and 4 % by symbol and month.")
    sip: Part = Field(default=1.0, description="The consolidated tape.")
    as_of: date = Field(default=date(2026, 11, 22), description="When these shares were last looked up.")


class Data(Section):
    """Where bars come from."""

    feed: Literal["sip", "iex"] = Field(default="sip", description="Whose bars these are.")
    feed_share: FeedShare = FeedShare()
    symbols: Names = Field(default=(), description="The symbols to trade; an empty list means all that the data has.")
    actions_file: str = Field(
        default="",
        description="CSV of splits, dividends and removals for prices as they were traded; "
        "empty means those that are kept with the data set.",
    )
    store_dir: str = Field(
        default="", description="The bar store's folder; empty means the user's data folder of this system."
    )

    def share_of(self, feed: str) -> float:
        """The part of the consolidated volume that this feed's bars count; 1 for a feed without a setting."""
        return self.feed_share.iex if feed == "iex" else self.feed_share.sip

    @field_validator("symbols")
    @classmethod
    def _symbols_once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if symbol != symbol.upper() or not symbol:
                raise ValueError(f'symbols are written in capitals, was "{symbol}"; did you mean "{symbol.upper()}"?')
        if len(set(symbols)) != len(symbols):
            raise ValueError(f"each symbol is named once, was {', '.join(symbols)}")
        return symbols


_MINUTES = {"m": 1, "H": 60}
_SESSION_MINUTES_MAX = 390


def minutes_of(bar: str) -> int | None:
    """Minutes of a bar that is written 15m or 1H; None of 1D, the session's own. Errors: ValueError."""
    if bar == "1D":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,2})([mH])", bar)
    minutes = int(found[1]) * _MINUTES[found[2]] if found else 0
    if not 0 < minutes <= _SESSION_MINUTES_MAX:
        raise ValueError(f"must be a bar like 15m, 1H or 1D, within a session, was {json.dumps(bar)}")
    return minutes


def _bar(value: Any) -> Any:
    minutes_of(str(value))
    return value


class Strategies(Section):
    """Who asks for entries, and how loudly."""

    enabled: Annotated[Names, Field(min_length=1)] = Field(
        default=("atr_rsi", "ema_trend"), description="The strategies that run, in order of precedence."
    )
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={}, description="A strategy's weight in the blend; one that is not named weighs 1."
    )
    files: Names = Field(
        default=(), description="Python files of your own strategies; `ordinis strategies new NAME` writes one."
    )
    bar_minutes: dict[str, Annotated[int, Field(ge=1, le=390)]] = Field(
        default={}, description="Minutes a bar of a strategy, by name; one that is not named sees minute bars."
    )
    exit_timeframe: dict[str, Annotated[str, BeforeValidator(_bar)]] = Field(
        default={},
        description="A slower bar for a strategy's exits, by name: 15m, 1H or 1D; one that is not named leaves on its "
        "own bars. A tier's exit_bar goes before it where that is slower.",
    )
    score_history_min: Positive = Field(
        default=30, description="Past scores before confidence is a rank: before that there is none, and no entry."
    )
    score_history_max: Positive = Field(
        default=5000, description="Past scores that confidence is ranked among; older ones are forgotten."
    )
    parameters: dict[str, dict[str, Any]] = Field(
        default={}, description="A table a strategy: strategies.parameters.NAME.KEY, checked by the strategy itself."
    )

    @model_validator(mode="after")
    def _history_fits(self) -> Self:
        if self.score_history_min > self.score_history_max:
            raise ValueError(
                f"score_history_min ({self.score_history_min}) must not be above "
                f"score_history_max ({self.score_history_max})"
            )
        return self
