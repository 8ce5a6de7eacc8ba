"""All that a report says, as one frozen value: the page, the tables and the files are made from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.ledger import ZERO
from ordinis.engines.round_trip import RoundTrip
from ordinis.research.report.benchmark import Benchmark
from ordinis.research.result import BacktestResult


class Exit(Enum):
    """What closed a position: which of our orders, or the company."""

    SIGNAL = "signal exit"
    STOP = "protective stop"
    BOTH = "signal exit and protective stop"
    COMPANY = "corporate action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A closed round trip, and how it ended."""

    trip: RoundTrip
    exit: Exit
    held_minutes: int  # While the exchange was open.
    held_nights: int

    @property
    def shares(self) -> Decimal:
        """Negative where they were sold short."""
        return -self.trip.quantity if self.trip.short else self.trip.quantity

    @property
    def in_risk(self) -> float | None:
        """The result over what the stop would have cost; None for a position without a stop."""
        return float(self.trip.pnl_usd / self.trip.risk_usd) if self.trip.risk_usd else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition:
    """What was still held when the run ended."""

    symbol: str
    strategy: str
    quantity: Decimal
    opened_at_ns: int
    paid_usd: Decimal  # Bought less sold and dividends: negative for a short.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The run minute by minute, `[minutes]`, as marked after each minute's bar."""

    at_ns: IntArray
    equity_usd: FloatArray
    long_usd: FloatArray
    short_usd: FloatArray  # Unsigned.
    positions: IntArray
    sessions: tuple[tuple[date, int], ...]  # Each closed session, and how many minutes there were at its end.

    @property
    def gross_usd(self) -> FloatArray:
        return self.long_usd + self.short_usd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SectorExposure:
    """What was held of each sector, sampled over the run."""

    sectors: tuple[str, ...]
    rows: IntArray  # [points]: minutes of the curve.
    usd: FloatArray  # [points x sectors]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """An order that filled, against the price it was decided on."""

    order_type: str
    notional_usd: float  # At that price.
    cost_usd: float  # Above 0: worse than that price.

    @property
    def bps(self) -> float:
        return 1e4 * self.cost_usd / self.notional_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What set the sizes of the entries that were sent, by link of the size chain."""

    set_by: Mapping[str, int]  # The last that bound, each entry once: a link, or the rule that cut the order.
    took_part: Mapping[str, int]  # Links that an entry's chain went through, whether they bound or not.

    @property
    def entries(self) -> int:
        return sum(self.set_by.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What trading cost. The spread is inside the fill prices; the fees are charged beside them."""

    traded_usd: Decimal  # Bought and sold.
    spread_usd: float
    fees_usd: Mapping[str, Decimal]  # By name.

    @property
    def all_fees_usd(self) -> Decimal:
        return sum(self.fees_usd.values(), start=ZERO)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportSource:
    """One run. `result` holds the figures, the rest is what they came from."""

    result: BacktestResult
    command: str  # What a person types to run it again.
    symbols: tuple[str, ...]
    data_sha256: str  # Of the bars.
    settings: Mapping[str, Any]  # Sections and keys.
    benchmark: Benchmark
    curve: Curve
    target_volatility: float  # Of the tier at the end, yearly, as a fraction.
    sectors: SectorExposure
    slips: tuple[Slip, ...]
    trades: tuple[Trade, ...]  # In order of closing.
    open_positions: tuple[OpenPosition, ...]
    sizes: Sizes
    costs: Costs
    broker_refusals: Mapping[str, int]  # The broker's code and text.
    notes: tuple[tuple[int, str], ...]  # UTC nanoseconds, and what a person should have seen.

    @property
    def realised_usd(self) -> Decimal:
        """Of the closed trades, before fees."""
        return sum((trade.trip.pnl_usd for trade in self.trades), start=ZERO)

    @property
    def open_result_usd(self) -> float:
        """Of what is still held, at the last prices."""
        paid_usd = sum((position.paid_usd for position in self.open_positions), start=ZERO)
        if not self.open_positions:
            return 0.0
        return float(self.curve.long_usd[-1] - self.curve.short_usd[-1]) - float(paid_usd)
