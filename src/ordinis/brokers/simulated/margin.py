"""Margin by the broker's tables: what a position ties up, and what can still be bought or sold short.

Source: Regulation T (50 % of a long; 150 % of a short, its proceeds and 50 % more), Alpaca's buying power by multiplier
and its house maintenance table (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

import numpy as np

from ordinis.domain.market import FloatArray, Universe

Amount = TypeVar("Amount", float, Decimal)

_PENNY_STOCK_USD = 2.50  # Below it a holding is worth nothing as collateral.
_LOW_PRICE_USD = 6.0
_FUND_RATE = {2: 0.50, 3: 0.75}
_CONCENTRATED_SHARE = 0.70
_CONCENTRATED_DEBIT_USD = 100_000
_CONCENTRATED_RATE = 0.50
_SHORT_RATE = Decimal("0.30")  # Times a fund's leverage, at most all of it.
_SHORT_LOW_PRICE_USD = 5  # From it on that many USD a share at least,
_SHORT_LEAST_LOW_USD = 2.50  # below it so many, or all of its value.


@dataclass(frozen=True, slots=True)
class Exposure(Generic[Amount]):
    """What is held, USD, each amount unsigned but the cash."""

    cash: Amount  # The proceeds of shorts are in it.
    long: Amount
    short: Amount
    short_initial: Amount  # What the shorts tie up beside their proceeds.
    maintenance: Amount  # Of longs and shorts.

    @property
    def equity(self) -> Amount:
        return self.cash + self.long - self.short


def buying_power(multiplier: int, held: Exposure[Amount], reserved_usd: Amount) -> Amount:
    """What can still be bought or sold short, USD; below zero when more is reserved than there is."""
    if multiplier == 1:  # Proceeds of shorts buy nothing, and their margin is cash that is spoken for.
        return held.cash - held.short - held.short_initial - reserved_usd
    if multiplier == 2:
        excess = held.equity - held.long / 2 - held.short_initial
        return max(excess, excess * 0) * 2 - reserved_usd
    return (held.equity - held.maintenance) * 4 - reserved_usd


class Maintenance:
    """The house table: what a position must be covered by at a price."""

    __slots__ = ("_fund_floor", "_short_rate")

    def __init__(self, universe: Universe, fund_leverage: Mapping[str, int]) -> None:
        leverage = [fund_leverage.get(name, 1) for name in universe.symbols]
        self._fund_floor = np.array([_FUND_RATE.get(times, 0.30) for times in leverage])
        self._short_rate = [min(_SHORT_RATE * times, Decimal(1)) for times in leverage]

    def rates(self, values_usd: FloatArray, last_usd: FloatArray, cash_usd: float) -> FloatArray:
        """`[symbols]`, fractions of the market value, of long positions worth `values_usd` `[symbols]`."""
        by_price = np.where(last_usd < _PENNY_STOCK_USD, 1.0, np.where(last_usd <= _LOW_PRICE_USD, 0.5, 0.3))
        rates: FloatArray = np.maximum(by_price, self._fund_floor)
        if cash_usd > -_CONCENTRATED_DEBIT_USD:
            return rates
        concentrated = values_usd >= _CONCENTRATED_SHARE * values_usd.sum()
        np.maximum(rates, _CONCENTRATED_RATE, out=rates, where=concentrated)
        return rates

    def short(self, column: int, shares: Decimal, price_usd: Decimal) -> Decimal:
        """USD, of so many shares sold short."""
        if price_usd < _SHORT_LOW_PRICE_USD:
            return shares * max(Decimal(_SHORT_LEAST_LOW_USD), price_usd)
        return shares * max(Decimal(_SHORT_LOW_PRICE_USD), price_usd * self._short_rate[column])

    def short_initial(self, column: int, shares: Decimal, price_usd: Decimal) -> Decimal:
        """USD beside the proceeds: Regulation T's half, or the house's figure where that is more."""
        return max(shares * price_usd / 2, self.short(column, shares, price_usd))
