"""The same story (buy, protect with a stop, sell) told by Alpaca's other SDKs, unmodified."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Addresses, ServerSettings, SimulatedData, serve
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.data.calendar import sessions
from ordinis.domain.market import MINUTE_NS, MarketBlock, Universe

SDKS = Path(__file__).parents[1] / "sdk"
OLD_PYTHON = Path(__file__).parents[2] / "build" / "sdk" / "old-python" / "bin" / "python"
NODE_MODULES = SDKS / "node" / "node_modules" / "@alpacahq"
UNIVERSE = Universe(("AAA", "BBB"))
SECONDS_MAX = 60.0
STORY = {
    "account": ["ACTIVE", 50_000.0],
    "position": 10.0,
    "working": ["stop"],
    "refused": 40310000,
    "heard": {
        "buy": ["pending_new", "new", "fill"],
        "stop": ["pending_new", "new", "canceled"],
        "sell": ["pending_new", "new", "fill"],
    },
    "left": 0,
    "bars_are_the_stream_s": True,
    "open": True,
}


def day() -> MarketBlock:
    """A real session with prices that climb by a cent a minute."""
    (session,) = sessions(date(2025, 1, 2), date(2025, 1, 2))
    minutes = session.minutes
    prices = 100 + 0.01 * np.arange(minutes)[:, np.newaxis] + np.array([[0.0, 50.0]])
    return MarketBlock(
        universe=UNIVERSE,
        session=session,
        closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, minutes + 1, dtype=np.int64),
        open=prices,
        high=prices + 0.01,
        low=prices - 0.01,
        close=prices,
        volume=np.full(prices.shape, 10_000.0),
        present=np.ones(prices.shape, dtype=np.bool_),
    )


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    exchange = Exchange(UNIVERSE, ExchangeSettings(cash_usd=Decimal(50_000)))
    with serve(exchange, SimulatedData(days=[day()]), settings=ServerSettings.as_alpaca()) as served:
        yield served.addresses


def told(command: list[str], addresses: Addresses) -> Any:
    """What the SDK's program saw."""
    environment = {**os.environ, "BROKER": addresses.json(), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    environment.pop("PYTHONPATH", None)
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_the_old_python_sdk_tells_the_story(addresses: Addresses) -> None:
    if not OLD_PYTHON.is_file():
        pytest.skip("alpaca-trade-api has no environment here: `make sdks` makes it")
    assert told([str(OLD_PYTHON), str(SDKS / "old_python" / "story.py")], addresses) == STORY


def test_the_npm_sdk_tells_the_story(addresses: Addresses) -> None:
    node = shutil.which("node")
    if node is None or not NODE_MODULES.is_dir():
        pytest.skip("@alpacahq/alpaca-trade-api is not installed here: `make sdks` installs it, given Node 20")
    assert told([node, str(SDKS / "node" / "story.mjs")], addresses) == STORY
