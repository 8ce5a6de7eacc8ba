"""Margin by the broker's tables. Long positions only: short sales are refused.

Source: Alpaca's buying power by multiplier and its house maintenance table (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

import numpy as np

from ordinis.domain.market import FloatArray, Universe

Amount = TypeVar("Amount", float, Decimal)

_PENNY_STOCK_USD = 2.50  # Below it a holding is worth nothing as collateral.
_LOW_PRICE_USD = 6.0
_FUND_RATE = {2: 0.50, 3: 0.75}
_CONCENTRATED_SHARE = 0.70
_CONCENTRATED_DEBIT_USD = 100_000
_CONCENTRATED_RATE = 0.50


def buying_power(
    multiplier: int, cash_usd: Amount, value_usd: Amount, maintenance_usd: Amount, reserved_usd: Amount
) -> Amount:
    """What can still be bought, USD; below zero when more is reserved than there is."""
    if multiplier == 1:
        return cash_usd - reserved_usd
    if multiplier == 2:  # Initial margin is half of the long market value.
        return max(cash_usd + value_usd - value_usd / 2, cash_usd * 0) * 2 - reserved_usd
    return (cash_usd + value_usd - maintenance_usd) * 4 - reserved_usd


class Maintenance:
    """The maintenance rate of every symbol at a price."""

    __slots__ = ("_fund_floor",)

    def __init__(self, universe: Universe, fund_leverage: Mapping[str, int]) -> None:
        self._fund_floor = np.array([_FUND_RATE.get(fund_leverage.get(name, 1), 0.30) for name in universe.symbols])

    def rates(self, values_usd: FloatArray, last_usd: FloatArray, cash_usd: float) -> FloatArray:
        """`[symbols]`, fractions of the market value, of positions worth `values_usd` `[symbols]`."""
        by_price = np.where(last_usd < _PENNY_STOCK_USD, 1.0, np.where(last_usd <= _LOW_PRICE_USD, 0.5, 0.3))
        rates: FloatArray = np.maximum(by_price, self._fund_floor)
        if cash_usd > -_CONCENTRATED_DEBIT_USD:
            return rates
        concentrated = values_usd >= _CONCENTRATED_SHARE * values_usd.sum()
        np.maximum(rates, _CONCENTRATED_RATE, out=rates, where=concentrated)
        return rates
