from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ordinis.brokers.simulated.pricing import Pricing
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.brokers.simulated.spreads import HALF_SPREAD_BPS_BY_PRICE, half_spread_usd
from ordinis.domain.orders import Side

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

QUOTES = Path(__file__).parents[5] / "shared" / "data" / "quotes_minute_2013-10_lean_4sym.parquet"


@pytest.mark.parametrize(
    ("price_usd", "half_usd"),
    [(0.5, 0.0001785), (1.0, 0.005), (10.0, 0.005), (20.0, 0.00714), (50.0, 0.00535), (200.0, 0.016)],
)
def test_half_a_spread_follows_the_price_and_is_no_less_than_half_a_cent(price_usd: float, half_usd: float) -> None:
    assert half_spread_usd(price_usd) == pytest.approx(half_usd)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "200.016"), (Side.SELL, "199.984")])
def test_the_exchange_charges_it(desk: Callable[..., Desk], side: Side, price: str) -> None:
    here = desk(fill_model=FillModel.SPREAD, half_spread_bps="by_price")
    here.hold(5, 200.0)
    here.send(side, 5)
    [fill] = here.fills(here.minute(AAA=200))
    assert fill.price_usd == Decimal(price)


@pytest.mark.parametrize("half_spread_bps", [2.0, "by_price"])
@pytest.mark.parametrize("price_usd", [0.8, 10.0, 24.5, 60.0, 150.0])
@pytest.mark.parametrize("buys", [True, False])
def test_what_a_fill_gave_away_is_known_from_its_price(
    half_spread_bps: float | Literal["by_price"], price_usd: float, buys: bool
) -> None:
    pricing = Pricing(ExchangeSettings(cash_usd=Decimal(1), half_spread_bps=half_spread_bps))
    fill_usd = pricing.taken(buys, price_usd)
    assert pricing.given_away(buys, fill_usd) == pytest.approx(abs(fill_usd - price_usd), abs=6e-5)
    assert pricing.given_away(buys, fill_usd) > 1e-4


def test_without_a_spread_nothing_is_given_away() -> None:
    pricing = Pricing(ExchangeSettings(cash_usd=Decimal(1), fill_model=FillModel.NEXT_OPEN))
    assert pricing.given_away(True, 10.0) == 0.0


def test_the_table_is_what_the_quotes_say() -> None:
    if not QUOTES.exists():
        pytest.skip("the shared market data is not beside the repository")
    table = pq.read_table(QUOTES)
    utc = table["timestamp"]
    minute = pc.add(pc.multiply(pc.hour(utc), 60), pc.minute(utc)).to_numpy() - 240  # New York in October.
    bid, ask = table["bid_close"].to_numpy(), table["ask_close"].to_numpy()
    mid = (bid + ask) / 2
    edges = [edge for edge, _ in HALF_SPREAD_BPS_BY_PRICE]
    bucket = np.searchsorted(edges, mid, side="right") - 1
    for place, (_, bps) in enumerate(HALF_SPREAD_BPS_BY_PRICE):
        chosen = (minute >= 570) & (minute < 960) & (bucket == place)
        assert np.mean((ask - bid)[chosen] / 2 / mid[chosen] * 1e4) == pytest.approx(bps, abs=0.005)
