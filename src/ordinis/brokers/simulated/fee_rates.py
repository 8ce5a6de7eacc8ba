"""Regulatory fees by date: what a sale cost then.

Source: the SEC's fee rate advisories (section 31), section 1 of schedule A to FINRA's by-laws (TAF) and the fee alerts
of the consolidated audit trail (CAT), as a broker passes them on. A rate holds until the next one that is listed; a day
before a list begins has its first rate.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class FeeRates(NamedTuple):
    """What is charged on one day, USD."""

    sec_usd_per_million: Decimal  # Of sales.
    taf_usd_per_share: Decimal  # Sold.
    taf_usd_max: Decimal  # A trade.
    cat_usd_per_share: Decimal  # Bought or sold.


_SEC = (
    ("2012-04-01", "22.40"),
    ("2013-05-25", "17.40"),
    ("2014-03-18", "22.10"),
    ("2015-02-14", "18.40"),
    ("2016-02-16", "21.80"),
    ("2017-07-04", "23.10"),
    ("2018-05-22", "13.00"),
    ("2019-04-16", "20.70"),
    ("2020-02-18", "22.10"),
    ("2021-02-25", "5.10"),
    ("2022-05-14", "22.90"),
    ("2023-02-27", "8.00"),
    ("2024-05-22", "27.80"),
    ("2025-05-14", "0"),
    ("2026-04-04", "20.60"),
)
_TAF = (  # A share, and at most a trade.
    ("2012-07-01", "0.000119", "5.95"),
    ("2022-01-01", "0.000130", "6.49"),
    ("2023-01-01", "0.000145", "7.27"),
    ("2024-01-01", "0.000166", "8.30"),
    ("2026-01-01", "0.000195", "9.79"),
)
_CAT = (
    ("2012-01-01", "0"),  # Brokers were not charged before CAT Fee 2024-1.
    ("2024-09-01", "0.000035"),
    ("2026-01-01", "0.000003"),
)


def rates_of(day: date) -> FeeRates:
    """The rates in force on that day."""
    return FeeRates(*_in_force(_SEC, day), *_in_force(_TAF, day), *_in_force(_CAT, day))


def _in_force(table: tuple[tuple[str, ...], ...], day: date) -> list[Decimal]:
    place = bisect_right([date.fromisoformat(row[0]) for row in table], day) - 1
    return [Decimal(figure) for figure in table[max(place, 0)][1:]]
