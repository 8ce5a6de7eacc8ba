"""The trader's process is killed for real, the broker's lives on: the trader that is started next goes on.

Virtual time stands still meanwhile: the broker is stepped by the trader. `make prove-kills` kills at every boundary on
every account.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from contract.mortal import live_on_the_wire, run
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.server import Served, SimulatedData, serve
from ordinis.engines.trading import TradingEngine
from simulation.killing import Beyond, Death, relived
from simulation.remembering import differences
from simulation.scripted import ACCOUNTS, Account, days, exchange, outcome, trader

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


EVERY = os.environ.get("ORDINIS_EVERY_KILL") == "1"
"""Every boundary on every account; otherwise the two smaller accounts share the boundaries between them."""

SHARE: dict[Account, slice] = {
    "margin": slice(None),
    "pattern_day_trader": slice(0, None, 2),
    "cash": slice(1, None, 2),
}
KILLS = [
    (account, boundary, count)
    for account in ACCOUNTS
    for boundary, count in BOUNDARIES[slice(None) if EVERY else SHARE[account]]
]

Unharmed = tuple[TradingEngine, list[str], list[str]]  # The engine, the orders, and what was sent.


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Account], Unharmed]:
    """What it comes to when nobody dies."""

    @cache
    def lived(account: Account) -> Unharmed:
        path = tmp_path_factory.mktemp("unharmed") / "a.journal"
        other_side = exchange(account)
        sent = Beyond(other_side, days(account)).sent
        with _served(other_side, account) as served:
            live_on_the_wire(served.addresses, path, Death(), account)
        engine = trader(account)
        relived(engine, path)
        return engine, outcome(other_side), sent

    return lived


def _served(other_side: Exchange, account: Account) -> Served:
    return serve(other_side, SimulatedData(days=days(account)))


@pytest.mark.parametrize(("account", "boundary", "count"), KILLS)
def test_a_trader_that_was_killed_goes_on_where_it_stood(
    account: Account, boundary: str, count: int, unharmed: Callable[[Account], Unharmed], tmp_path: Path
) -> None:
    engine, end, sent = unharmed(account)
    path, other_side = tmp_path / "a.journal", exchange(account)
    sent_now = Beyond(other_side, days(account)).sent
    with _served(other_side, account) as served:
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(["contract.mortal"])
        process = processes.Process(target=run, args=(served.addresses, str(path), boundary, count, account))
        process.start()
        process.join(SECONDS_MAX)
        assert process.exitcode == -signal.SIGKILL, f"{boundary} was not met"
        live_on_the_wire(served.addresses, path, Death(), account)
    assert outcome(other_side) == end
    assert sent_now == sent, "each intent is sent once, and none is lost"
    survivor = trader(account)
    relived(survivor, path)
    assert differences(engine, survivor) == []
