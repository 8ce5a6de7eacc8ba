"""Half the spread by the price of a share, measured on real quotes.

Source: minute quotes of AIG, BAC, IBM and SPY in regular hours, 2013-10-04 to 2013-10-11, the mean a
bucket, as `python bench/spreads.py QUOTES` prints it. Four liquid names: an illiquid one costs more.
"""

from __future__ import annotations

from bisect import bisect_right

from ordinis.domain.money import CENT

HALF_SPREAD_BPS_BY_PRICE = ((0.0, 3.57), (25.0, 1.07), (100.0, 0.80))  # From that price on, USD -> bps.
_HALF_CENT_USD = float(CENT) / 2
_EDGES = [edge for edge, _ in HALF_SPREAD_BPS_BY_PRICE]


def half_spread_usd(price_usd: float) -> float:
    """A quote from $1 on is never narrower than a cent, whatever its bucket says."""
    bps = HALF_SPREAD_BPS_BY_PRICE[bisect_right(_EDGES, price_usd) - 1][1]
    least_usd = _HALF_CENT_USD if price_usd >= 1 else 0.0
    return max(price_usd * bps * 1e-4, least_usd)
