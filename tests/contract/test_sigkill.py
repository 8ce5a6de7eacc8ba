"""The trader's process is killed for real, the broker's lives on: the trader that is started next goes on.

Virtual time stands still meanwhile: the broker is stepped by the trader.
"""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest

from contract.mortal import live_on_the_wire, run
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Served, SimulatedData, serve
from ordinis.engines.trading import TradingEngine
from simulation.killing import Beyond, Death, relived
from simulation.remembering import differences
from simulation.scripted import DAYS, exchange, outcome, trader

pytestmark = pytest.mark.interpreted  # Parts of a class are replaced.

SECONDS_MAX = 60.0

BOUNDARIES = [
    ("time has passed to the opening", 1),
    ("before the journal has SessionPhase opening", 1),
    ("after the journal has SessionPhase opening", 1),
    ("before the journal has AccountView", 2),
    ("time has passed to a minute", 2),
    ("before the journal has MarketSlice", 1),
    ("after the journal has MarketSlice", 1),
    ("before OrderIntent", 1),
    ("the order stands and its answer is unread", 2),
    ("after OrderIntent", 2),
    ("news in hand", 3),
    ("before the journal has OrderUpdate", 6),
    ("after the journal has OrderUpdate", 8),
    ("before CancelIntent", 1),
    ("after CancelIntent", 1),
    ("before the journal has SessionPhase closed", 1),
    ("after the journal has SessionPhase closed", 1),
]


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[TradingEngine, list[str], list[str]]:
    """What it comes to when nobody dies: the engine, the orders, and what was sent."""
    path = tmp_path_factory.mktemp("unharmed") / "a.journal"
    other_side = exchange()
    sent = Beyond(other_side, DAYS).sent
    with _served(other_side) as served:
        live_on_the_wire(served.addresses, path, Death())
    engine = trader()
    relived(engine, path)
    return engine, outcome(other_side), sent


def _served(other_side: Exchange) -> Served:
    return serve(other_side, SimulatedData(days=DAYS))


@pytest.mark.parametrize(("boundary", "count"), BOUNDARIES)
def test_a_trader_that_was_killed_goes_on_where_it_stood(
    boundary: str, count: int, unharmed: tuple[TradingEngine, list[str], list[str]], tmp_path: Path
) -> None:
    engine, end, sent = unharmed
    path, other_side = tmp_path / "a.journal", exchange()
    sent_now = Beyond(other_side, DAYS).sent
    with _served(other_side) as served:
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(["contract.mortal"])
        process = processes.Process(target=run, args=(served.addresses, str(path), boundary, count))
        process.start()
        process.join(SECONDS_MAX)
        assert process.exitcode == -signal.SIGKILL, f"{boundary} was not met"
        live_on_the_wire(served.addresses, path, Death())
    assert outcome(other_side) == end
    assert sent_now == sent, "each intent is sent once, and none is lost"
    survivor = trader()
    relived(survivor, path)
    assert differences(engine, survivor) == []
