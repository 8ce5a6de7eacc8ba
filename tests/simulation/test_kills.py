"""Killed at any boundary and started again, a session ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ordinis.domain.decision import Decision
from ordinis.domain.events import Event
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import OrderIntent, Purpose, Side
from ordinis.engines.trading import TradingEngine
from ordinis.journal import writer
from ordinis.journal.recorded import recorded
from ordinis.journal.writer import Durability
from simulation.killing import Beyond, Death, Killed, live
from simulation.remembering import differences
from simulation.scripted import Account, beyond, outcome, trader

pytestmark = pytest.mark.interpreted  # Parts of a class are replaced.


def uninterrupted(path: Path, account: Account = "margin") -> tuple[TradingEngine, Beyond, Death]:
    engine, other_side, death = trader(account), beyond(account), Death()
    live(engine, other_side, path, death)
    return engine, other_side, death


def killed_at(number: int, path: Path, account: Account = "margin") -> tuple[TradingEngine, Beyond]:
    """Die there, be started again, live to the end."""
    other_side = beyond(account)
    with pytest.raises(Killed):
        live(trader(account), other_side, path, Death(number))
    second = trader(account)
    guard = Guard(other_side, second)
    live(second, other_side, path, Death(), guard)
    return second, other_side


class Guard:
    """No position is without a stop, or an exit under way, for longer than a minute, but where its stop has to wait."""

    def __init__(self, other_side: Beyond, engine: TradingEngine) -> None:
        self._other_side = other_side
        self._engine = engine
        self._before: set[str] = set()

    def __call__(self, event: Event, decision: Decision) -> None:
        if isinstance(event, MarketSlice):
            now = set(self._other_side.unprotected()) - self._engine.state.gate.slots.unprotected
            assert not now & self._before, f"{now} had no stop for a minute at {event.at_ns}"
            self._before = now


@pytest.fixture(scope="module", autouse=True)
def _a_disk_that_is_not_waited_for() -> Iterator[None]:
    """What dies here is a trader, not a machine: what was given to the system is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(writer._PRAGMAS, Durability.FULL, ("journal_mode = WAL", "synchronous = OFF"))
        yield


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[TradingEngine, Beyond, Death]:
    return uninterrupted(tmp_path_factory.mktemp("unharmed") / "a.journal")


def test_the_script_has_every_kind_of_boundary(unharmed: tuple[TradingEngine, Beyond, Death]) -> None:
    engine, other_side, death = unharmed
    assert len(death.passed) > 150
    assert {
        "before OrderIntent",
        "after CancelIntent",
        "before the journal has OrderUpdate",
        "after the journal has SessionPhase closed",
        "before the journal has AccountView",
        "time has passed to the opening",
        "news in hand",
    } <= set(death.passed)
    assert len(engine.state.trips) == 3
    assert [position.symbol for position in other_side.exchange.positions] == ["AAA", "CCC"]


def test_a_session_killed_at_any_boundary_ends_as_if_nothing_had_happened(
    unharmed: tuple[TradingEngine, Beyond, Death], tmp_path: Path
) -> None:
    ends_the_same_whenever_it_dies(unharmed, tmp_path)


def test_a_small_account_with_shorts_whose_day_trades_are_counted_outlives_every_kill(tmp_path: Path) -> None:
    lived = uninterrupted(tmp_path / "a.journal", "pattern_day_trader")
    entries = [order for order in _orders(tmp_path / "a.journal") if order.purpose is Purpose.ENTRY]
    assert any(order.side is Side.SELL for order in entries)
    assert any(order.swing for order in entries)
    assert any(order.stop_from_ns is not None for order in entries)
    ends_the_same_whenever_it_dies(lived, tmp_path, "pattern_day_trader")


def test_a_cash_account_whose_money_has_to_settle_outlives_every_kill(tmp_path: Path) -> None:
    lived = uninterrupted(tmp_path / "a.journal", "cash")
    assert lived[0].state.gate.cash is not None
    assert len(lived[0].state.trips) == 3
    ends_the_same_whenever_it_dies(lived, tmp_path, "cash")


def _orders(path: Path) -> list[OrderIntent]:
    return [one for _, decision in recorded(path) for one in decision.actions if isinstance(one, OrderIntent)]


def ends_the_same_whenever_it_dies(
    lived: tuple[TradingEngine, Beyond, Death], tmp_path: Path, account: Account = "margin"
) -> None:
    engine, other_side, death = lived
    for number, boundary in enumerate(death.passed):
        survivor, its_side = killed_at(number, tmp_path / f"{number}.journal", account)
        where = f"killed at {number}, {boundary}"
        assert outcome(its_side.exchange) == outcome(other_side.exchange), where
        assert its_side.sent == other_side.sent, f"{where}: each intent once"
        assert differences(engine, survivor) == [], where


def test_a_session_that_dies_again_and_again_ends_as_if_nothing_had_happened(
    unharmed: tuple[TradingEngine, Beyond, Death], tmp_path: Path
) -> None:
    engine, other_side, _ = unharmed
    its_side, path, deaths = beyond(), tmp_path / "often.journal", 0
    while True:
        survivor = trader()
        try:
            live(survivor, its_side, path, Death(5 + deaths % 4))
            break
        except Killed:
            deaths += 1
    assert deaths > 30
    assert outcome(its_side.exchange) == outcome(other_side.exchange)
    assert sorted(its_side.sent) == sorted(other_side.sent)
    assert differences(engine, survivor) == []


def test_a_restart_changes_no_decision(unharmed: tuple[TradingEngine, Beyond, Death], tmp_path: Path) -> None:
    """What a restart adds to the journal is one reconciliation."""
    whole, broken = tmp_path / "whole.journal", tmp_path / "broken.journal"
    uninterrupted(whole)
    killed_at(60, broken)
    told = [[(type(event).__name__, decision) for event, decision in recorded(path)] for path in (whole, broken)]
    added = [one for one in told[1] if one[0] == "Reconciliation"]
    assert len(added) == 1
    assert [one for one in told[1] if one[0] != "Reconciliation"] == told[0]
