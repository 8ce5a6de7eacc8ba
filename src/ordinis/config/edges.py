"""The simulated exchange, the journal, the broker, the run."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ordinis.config.base import Count, Names, Positive, Section, Share, Usd

BY_DATE: Literal["by_date"] = "by_date"
Rate = Annotated[Usd, Field(ge=0)] | Literal["by_date"]

BY_PRICE = "by_price"  # Half the spread from the exchange's own table.


class Fees(Section):
    """What a sale costs in fees, each charge summed a day and rounded up to a cent. "by_date": the rate of that day."""

    enabled: bool = Field(default=True, description="Charge them; Alpaca's own paper account does not.")
    sec_usd_per_million: Rate = Field(
        default=BY_DATE, description="SEC fee on sales, a million USD of notional; by_date: docs/exchange.md."
    )
    taf_usd_per_share: Rate = Field(
        default=BY_DATE, description="FINRA's trading activity fee on sales, a share; likewise."
    )
    taf_usd_max: Rate = Field(default=BY_DATE, description="The most that fee takes of one sale; likewise.")
    cat_usd_per_share: Rate = Field(
        default=BY_DATE, description="Consolidated audit trail fee, a share, on both sides; likewise."
    )
    margin_interest_fraction: Share = Field(
        default=0.0625, description="Interest on the debit of every night, a year of 360 days."
    )
    borrow_fee_fraction: Share = Field(
        default=0.0, description="A year's fee for borrowed shares, likewise; Alpaca lends what is easy to borrow free."
    )
    as_of: date = Field(default=date(2026, 11, 22), description="When the table of rates was last looked up.")


def _half_spread(value: Any) -> Any:
    """A union would say what is wrong twice, once for each of its kinds."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value != BY_PRICE and not (number and 0 <= value < 10_000):
        raise ValueError(f'must be in [0, 10000), or "{BY_PRICE}", was {json.dumps(value, default=str)}')
    return value


class Exchange(Section):
    """The simulated exchange: stricter than a broker's paper account."""

    fill_model: Literal["spread", "next_open", "next_close", "this_close"] = Field(
        default="spread",
        description="Market orders fill at the next bar's open, half a spread worse; next_open, next_close and "
        "this_close fill at that price and ignore the spread.",
    )
    half_spread_bps: Annotated[float | Literal["by_price"], BeforeValidator(_half_spread)] = Field(
        default=2.0,
        description="Half the spread, in basis points of the price; by_price takes it from real quotes, by the price "
        "of a share: cheap shares pay more.",
    )
    participation_fraction_max: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.10,
        description="The part of a bar's volume that one order can get, the rest waits; 0 fills any size at once.",
    )
    day_trade_check: Literal["entry", "exit", "both"] = Field(
        default="exit",
        description="Under pattern_day_trader: which orders the exchange refuses for one day trade too many.",
    )
    day_trade_method: Literal["opening_order", "direction_change", "max"] = Field(
        default="opening_order",
        description="How the exchange counts: opening orders closed, changes of direction, or the larger.",
    )
    margin_equity_min_usd: Annotated[Usd, Field(ge=0)] = Field(
        default=Decimal(2000), description="Below this equity there is no margin: the multiplier is 1."
    )
    easy_to_borrow: Names = Field(
        default=(), description="Symbols that can be sold short, others are refused; empty: every one."
    )
    short_sale_collar_fraction: Share = Field(
        default=0.03, description="A short sale is counted this much above the last price when it is checked."
    )
    gtc_days_max: Positive = Field(default=90, description="Good-till-cancelled orders expire after so many days.")
    fees: Fees = Fees()


class JournalSection(Section):
    """The one record of every run."""

    dir: str = Field(
        default="", description="The folder of journals; empty means the user's data folder of this system."
    )
    reserve_mb: Count = Field(
        default=16,
        description="Room kept beside the journal of a paper or live account, given back on a full disk for exits.",
    )


class Broker(Section):
    """Alpaca's addresses. Keys are never written here: APCA_API_KEY_ID and APCA_API_SECRET_KEY, or key_file."""

    mode: Literal["paper", "live"] = Field(default="paper", description="Which account; live is a decision of yours.")
    account_number: str = Field(
        default="", description="The account that may be traded; live trading refuses to start without it."
    )
    live_word: str = Field(
        default="",
        description="For `--yes-i-mean-live` without a person at the keyboard: must say `i mean live`.",
    )
    slice_deadline_seconds: Annotated[float, Field(gt=0, le=30)] = Field(
        default=3.0, description="How long after a minute's end its bars are waited for, by the broker's clock."
    )
    requests_reserved: Count = Field(
        default=20,
        description="Of the requests a minute that the broker allows, so many are kept for exits, stops and cancels.",
    )
    clock_speed: Annotated[float, Field(ge=1)] = Field(
        default=1.0, description="How fast the broker's clock runs; above 1 only a simulated one's does."
    )
    key_file: str = Field(
        default="", description="A file that only you can read (mode 0600) with both keys, instead of the environment."
    )
    foreign_positions: Literal["leave", "adopt"] = Field(
        default="leave",
        description="Positions in the account that are not of this book: left alone, or taken over with a stop.",
    )
    foreign_orders: Literal["leave", "adopt"] = Field(
        default="leave",
        description="Open orders in the account that are not of this book: left alone, or gone by as if they were its.",
    )
    paper_url: str = Field(default="https://paper-api.alpaca.markets", description="REST of paper accounts.")
    live_url: str = Field(default="https://api.alpaca.markets", description="REST of live accounts.")
    data_url: str = Field(default="https://data.alpaca.markets", description="REST of market data.")
    data_stream_url: str = Field(
        default="wss://stream.data.alpaca.markets", description="Market data stream; the feed's name is appended."
    )
    clock_seconds_off_max: Annotated[float, Field(gt=0)] = Field(
        default=2.0, description="This machine's clock against the broker's, before `ordinis doctor` complains."
    )


class Run(Section):
    """What makes a run repeatable."""

    seed: Annotated[int, Field(ge=0)] = Field(
        default=7, description="The one seed of all randomness: synthetic minutes, injected faults."
    )
    state_dir: str = Field(
        default="", description="The folder of a running trader's lock, process and log; empty: the user's own."
    )
    warm_up_sessions: Count = Field(
        default=20, description="Sessions of minutes before the first day that indicators are warmed up on."
    )
    warm_up_daily_sessions: Count = Field(
        default=250, description="Daily bars before the first day: for volatility and for exits on daily bars."
    )
