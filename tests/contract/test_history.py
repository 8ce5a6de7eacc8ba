"""Warm-up over REST gives the blocks that the data holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from contract.days import UNIVERSE, block_of, daily_of
from contract.roads import linked
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.market import MarketBlock

PAST = [block_of(0, 30), block_of(1, 20), block_of(2, 30)]
TODAY = block_of(3)
DAILY = daily_of(12)


def _same(one: MarketBlock, other: MarketBlock) -> bool:
    names = ("closed_at_ns", "open", "high", "low", "close", "volume", "present")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    return one.session == other.session and all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.mark.parametrize(("sessions", "first"), [(2, 1), (3, 0), (9, 0), (0, 3)])
def test_the_last_sessions_come_as_they_are_stored(sessions: int, first: int) -> None:
    data = SimulatedData(days=[TODAY], history=PAST, daily=DAILY)
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(1_000)))
    with serve(exchange, data) as served, linked(served.addresses, TODAY) as link:
        history = link.history(before=TODAY.session.date, sessions=sessions, daily_sessions=5)
        blocks, daily = list(history.minutes()), history.daily()
    assert len(blocks) == len(PAST[first:])
    assert all(_same(one, other) for one, other in zip(blocks, PAST[first:], strict=True))
    assert daily.dates == DAILY.dates[-5:]
    assert daily.dates[-1] < date(2025, 1, 2)
    assert np.array_equal(daily.close, DAILY.close[-5:])
    assert np.array_equal(daily.volume, DAILY.volume[-5:])
