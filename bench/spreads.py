"""Half the quoted spread by price bucket: where the table of brokers/simulated/spreads.py comes from.

    python bench/spreads.py QUOTES.parquet

QUOTES holds minute bars of bid and ask (columns symbol, timestamp, bid_close, ask_close). Regular hours only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from ordinis.brokers.simulated.spreads import HALF_SPREAD_BPS_BY_PRICE

OPEN_MINUTE, CLOSE_MINUTE = 9 * 60 + 30, 16 * 60


def measured(path: Path) -> pd.DataFrame:
    """A row a bucket: from that price on, USD; quotes; mean half spread, bps."""
    quotes = pd.read_parquet(path)
    local = quotes["timestamp"].dt.tz_convert("America/New_York")
    minute = local.dt.hour * 60 + local.dt.minute
    quotes = quotes[(minute >= OPEN_MINUTE) & (minute < CLOSE_MINUTE)]
    mid = (quotes["bid_close"] + quotes["ask_close"]) / 2
    half_bps = (quotes["ask_close"] - quotes["bid_close"]) / 2 / mid * 1e4
    edges = [edge for edge, _ in HALF_SPREAD_BPS_BY_PRICE]
    bucket = np.array(edges)[np.searchsorted(edges, mid, side="right") - 1]
    table = half_bps.groupby(bucket).agg(["size", "mean"]).reset_index()
    named: pd.DataFrame = table.set_axis(["from_usd", "quotes", "half_spread_bps"], axis=1)
    return named


if __name__ == "__main__":
    print(measured(Path(sys.argv[1])).round(2).to_string(index=False))
