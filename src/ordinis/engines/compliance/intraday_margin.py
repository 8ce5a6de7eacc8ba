"""The intraday margin level: equity less what the positions and the open entries ask for, before and after an order.

Sources: FINRA Rule 4210(a)(17)-(19), (d)(2) as of 2026-06-04; Alpaca's house maintenance table (2026). The level is
reckoned so that it is never above the broker's: open entries count in full and at their collar, a holding at the
broker's own figure where that is higher.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from math import inf

import numpy as np

from ordinis.domain.market import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseTable:
    """What a broker asks for a position, as fractions of its value or USD a share. Dated."""

    as_of: date = date(2026, 11, 22)
    long_fraction: float = 0.30
    low_price_usd: float = 6.0  # Up to it:
    low_price_fraction: float = 0.50
    penny_price_usd: float = 2.50  # Below it:
    penny_fraction: float = 1.0
    short_fraction: float = 0.30
    short_usd_per_share: float = 5.0  # At least.
    short_low_price_usd: float = 5.0  # Below it:
    short_low_fraction: float = 1.0
    short_low_usd_per_share: float = 2.50  # At least.
    concentrated_fraction: float = 0.70  # Of all positions in one name, with
    concentrated_debit_usd: float = 100_000.0  # so much owed:
    concentrated_rate: float = 0.50

    def long_rate(self, price_usd: float) -> float:
        """Of one holding; never less at a lower price."""
        if price_usd < self.penny_price_usd:
            return self.penny_fraction
        return self.low_price_fraction if price_usd <= self.low_price_usd else self.long_fraction

    def short_usd(self, price_usd: float) -> float:
        """A share of a short."""
        if price_usd < self.short_low_price_usd:
            return max(self.short_low_usd_per_share, self.short_low_fraction * price_usd)
        return max(self.short_usd_per_share, self.short_fraction * price_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRules:
    """The thresholds of 4210(d)(2), the house table and what we keep clear of them. Dated."""

    as_of: date = date(2026, 6, 4)
    house: HouseTable = field(default_factory=HouseTable)
    floors: tuple[float, ...] = ()  # A column a symbol: at least this fraction; empty: none.
    buffer_fraction: float = 0.02  # Of equity, that the level after an order keeps.
    equity_min_usd: float = 2_000.0  # For a debit or a short.
    profit_counts: bool = True  # Of positions opened today; otherwise only their losses do.
    call_days: int = 2  # Business days until a call is due.
    freeze_after_days: int = 5
    expires_after_days: int = 15
    freeze_days: int = 90  # Calendar days.
    small_usd: float = 1_000.0  # A deficit is not counted up to this, or this part of equity if less:
    small_fraction: float = 0.05
    overnight_minutes: int = 30  # Before the close: from here on a 4x book is brought down.
    overnight_leverage: float = 2.0  # Equity is at least half of what is held over night.
    overnight_buffer_fraction: float = 0.05  # Of that, never used: prices move until the close.


class MarginMeter:
    """The requirement of one minute's book, moved on with every order that is approved."""

    __slots__ = (
        "_cash_usd",
        "_collar",
        "_concentrated",
        "_floors",
        "_held_usd",
        "_house",
        "_marks_usd",
        "_open_usd",
        "_quantity",
        "_reckoned",
        "_required_usd",
        "excess_usd",
    )

    def __init__(self, rules: MarginRules, collar: float) -> None:
        self._house = rules.house
        self._floors = np.array(rules.floors)
        self._collar = collar
        self._concentrated = False
        self.excess_usd = 0.0  # By so much the broker asked for more than our table, when it last said so.
        self._quantity = self._marks_usd = self._open_usd = np.zeros(0)
        self._cash_usd = 0.0
        self._reckoned = True
        self._held_usd = self._required_usd = 0.0

    def look(self, quantity: FloatArray, marks_usd: FloatArray, open_usd: FloatArray, cash_usd: float) -> None:
        """What is held, at these prices, and what open entries may cost; signed arrays, a column a symbol.

        Reckoned when somebody asks: an entry that cash pays for alone needs no more than that.
        """
        self._quantity, self._marks_usd, self._open_usd, self._cash_usd = quantity, marks_usd, open_usd, cash_usd
        self._reckoned = False

    @property
    def held_usd(self) -> float:
        """What is held asks for."""
        self._reckon()
        return self._held_usd

    @property
    def required_usd(self) -> float:
        """With the open entries."""
        self._reckon()
        return self._required_usd

    def _reckon(self) -> None:
        if self._reckoned:
            return
        self._reckoned = True
        marks_usd, open_usd = self._marks_usd, self._open_usd
        waiting = open_usd.nonzero()[0].tolist()
        spent_usd = float(open_usd.sum()) if waiting else 0.0
        # Rated as if it were a collar cheaper: a low price that is crossed before a fill raises the rate at a stroke.
        held_usd = self.required(self._quantity, marks_usd, self._cash_usd - spent_usd, cushion=self._collar)
        self._held_usd = self._required_usd = held_usd + self.excess_usd
        for at in waiting:  # Few: entries of the last minute, and those sent in this one.
            usd = open_usd.item(at)
            self.entered(abs(usd), marks_usd.item(at), at, 1 if usd > 0.0 else -1)

    def required(self, quantity: FloatArray, marks_usd: FloatArray, cash_usd: float, *, cushion: float = 0.0) -> float:
        """Maintenance of positions, USD; longs rated as if they were that fraction cheaper."""
        house = self._house
        self._concentrated = cash_usd <= -house.concentrated_debit_usd
        held = quantity.nonzero()[0]
        if not held.size:
            return 0.0
        shares, prices = quantity.take(held), marks_usd.take(held)
        values, rates = shares * prices, self._rates(prices * (1.0 - cushion), held)
        if self._concentrated:
            large = values >= house.concentrated_fraction * values.sum()
            rates = np.where(large, np.maximum(rates, house.concentrated_rate), rates)
        short = np.flatnonzero(shares < 0.0).tolist()
        if not short:
            return float(rates @ values)
        borrowed = sum(-shares.item(at) * self.short_usd(prices.item(at), held.item(at)) for at in short)
        return float(rates @ np.maximum(values, 0.0)) + borrowed

    def _rates(self, prices_usd: FloatArray, columns: IntArray) -> FloatArray:
        """Fractions of a long's value, of these columns at these prices."""
        house = self._house
        low = np.where(prices_usd <= house.low_price_usd, house.low_price_fraction, house.long_fraction)
        rates: FloatArray = np.where(prices_usd < house.penny_price_usd, house.penny_fraction, low)
        return np.maximum(rates, self._floors.take(columns)) if self._floors.size else rates

    def short_usd(self, price_usd: float, column: int) -> float:
        """What a short share asks for; a fund's floor is 30 % for each time it is leveraged, its long's 25 %."""
        floor = self._floors.item(column) * 1.2 if self._floors.size else 0.0
        return max(self._house.short_usd(price_usd), min(floor, 1.0) * price_usd)

    def rate(self, price_usd: float, column: int, direction: int = 1) -> float:
        """Of a USD of an entry: dearer than expected, and a long rated as if it were cheaper."""
        if direction < 0:
            dear = price_usd * (1.0 + self._collar)
            return self.short_usd(dear, column) / price_usd if price_usd else inf
        rate = self._house.long_rate(price_usd * (1.0 - self._collar))
        if self._concentrated:
            rate = max(rate, self._house.concentrated_rate)
        return (max(rate, self._floors.item(column)) if self._floors.size else rate) * (1.0 + self._collar)

    def room_usd(self, equity_usd: float, buffer_usd: float, price_usd: float, column: int, direction: int) -> float:
        """What may still be opened of it, USD, before the level falls to the buffer."""
        rate = self.rate(price_usd, column, direction)
        return (equity_usd - self.required_usd - buffer_usd) / rate if rate else inf

    def cash_room_usd(self, cash_usd: float, buffer_usd: float, open_usd: float) -> float:
        """What may be bought without a look at what is held: a long asks for its worth at most, so cash covers it."""
        return (cash_usd - buffer_usd - self.excess_usd) / (1.0 + self._collar) - open_usd

    def entered(self, usd: float, price_usd: float, column: int, direction: int = 1) -> None:
        """An entry goes out; one that nobody has reckoned yet is among the open ones."""
        if self._reckoned:
            self._required_usd += usd * self.rate(price_usd, column, direction)
