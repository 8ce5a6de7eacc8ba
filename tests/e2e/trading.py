"""A paper account at a simulated broker that keeps time by itself, and settings under which it trades every minute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from contract.days import UNIVERSE, block_of, daily_of
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import FaultPlan
from ordinis.brokers.simulated.faults.kinds import Fault
from ordinis.brokers.simulated.server import Addresses, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.config import load
from ordinis.config.settings import Settings

NUMBER = "SIM000000001"
SPEED = 480.0
METRONOME = Path(__file__).parents[2] / "bench" / "metronome.py"  # An entry a minute, each left after eight.
TRADES_EVERY_MINUTE = (
    'strategies.enabled=["metronome"]',
    f'strategies.files=["{METRONOME}"]',
    "account.fractional=false",
    "compliance.day_trade_throttle=off",
    "tiers.standard.method=FIXED_PERCENT",
    "tiers.standard.min_confidence=0",
    "tiers.standard.cooldown_minutes=0",
    "sizing.fixed_percent=0.01",
    "sizing.book_volatility_cap=false",
    "risk.market_volatility_full=0",
    "risk.beta_rule=off",
    "risk.order_volume_fraction_max=0",
)


def given(addresses: Addresses, folder: Path, *more: str) -> list[str]:
    """What a trader is told of the broker, as settings."""
    return [
        f"broker.paper_url={addresses.rest}",
        f"broker.live_url={addresses.rest}",
        f"broker.data_url={addresses.data}",
        f"broker.data_stream_url={addresses.rest.replace('http', 'ws')}",
        f"broker.clock_speed={SPEED}",
        "broker.slice_deadline_seconds=30",
        'data.symbols=["AAA","BBB","CCC"]',
        "data.feed=iex",
        f"run.state_dir={folder / 'state'}",
        f"journal.dir={folder / 'journals'}",
        "journal.reserve_mb=1",
        *more,
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """The broker, and what a trader is told of it."""

    addresses: Addresses
    exchange: Exchange

    def given(self, folder: Path, *more: str) -> list[str]:
        return given(self.addresses, folder, *more)

    def settings(self, folder: Path, *more: str) -> Settings:
        return load(None, self.given(folder, *more))

    @property
    def keys(self) -> dict[str, str]:
        """For the environment."""
        return {"APCA_API_KEY_ID": self.addresses.key, "APCA_API_SECRET_KEY": self.addresses.secret}


@contextmanager
def paper_account(*faults: Fault, minutes: int = 40, days: int = 1, **account: Any) -> Iterator[Paper]:
    blocks = [block_of(day, minutes, gaps=False) for day in range(1, days + 1)]
    data = SimulatedData(days=blocks, history=[block_of(0, minutes, gaps=False)], daily=daily_of(30))
    exchange = Exchange(UNIVERSE, ExchangeSettings(**{"cash_usd": Decimal(50_000), **account}))
    with serve(exchange, data, speed=SPEED, faults=FaultPlan(fault=faults)) as running:
        yield Paper(addresses=running.addresses, exchange=exchange)
