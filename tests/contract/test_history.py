"""Warm-up over REST gives the blocks that the data holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from contract.days import UNIVERSE, block_of, daily_of
from contract.roads import linked
from ordinis.brokers.alpaca import history
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
        before = link.history(before=TODAY.session.date, sessions=sessions, daily_sessions=5)
        blocks, daily = list(before.minutes()), before.daily()
    assert len(blocks) == len(PAST[first:])
    assert all(_same(one, other) for one, other in zip(blocks, PAST[first:], strict=True))
    assert daily.dates == DAILY.dates[-5:]
    assert daily.dates[-1] < date(2025, 1, 2)
    assert np.array_equal(daily.close, DAILY.close[-5:])
    assert np.array_equal(daily.volume, DAILY.volume[-5:])


def test_a_universe_too_wide_for_one_address_is_asked_for_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_SYMBOLS_A_REQUEST_MAX", 1)
    asked: list[list[str]] = []
    whole = history.AlpacaHistory._bars_of

    def counted(self: history.AlpacaHistory, symbols: list[str], *more: Any) -> Any:
        asked.append(symbols)
        return whole(self, symbols, *more)

    monkeypatch.setattr(history.AlpacaHistory, "_bars_of", counted)
    data = SimulatedData(days=[TODAY], history=PAST, daily=DAILY)
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(1_000)))
    with serve(exchange, data) as served, linked(served.addresses, TODAY) as link:
        before = link.history(before=TODAY.session.date, sessions=1, daily_sessions=1)
        blocks = list(before.minutes())
    assert asked == [[symbol] for symbol in UNIVERSE.symbols]
    assert _same(blocks[0], PAST[2])
