"""Killed at any boundary and started again, a session ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose, Side
from ordinis.engines.execution.ids import ADD, leg_of
from ordinis.engines.trading import TradingEngine
from ordinis.journal import writer
from ordinis.journal.recorded import recorded
from ordinis.journal.writer import Durability
from simulation.killing import Beyond, Death, Guard, Killed, live
from simulation.remembering import differences
from simulation.scripted import Script, beyond, outcome, trader

pytestmark = pytest.mark.interpreted  # Parts of a class are replaced.


def uninterrupted(path: Path, account: Script = "margin") -> tuple[TradingEngine, Beyond, Death]:
    engine, other_side, death = trader(account), beyond(account), Death()
    live(engine, other_side, path, death)
    return engine, other_side, death


def killed_at(number: int, path: Path, account: Script = "margin") -> tuple[TradingEngine, Beyond]:
    """Die there, be started again, live to the end."""
    other_side = beyond(account)
    with pytest.raises(Killed):
        live(trader(account), other_side, path, Death(number))
    second = trader(account)
    guard = Guard(other_side.exchange, second)
    live(second, other_side, path, Death(), guard)
    return second, other_side


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


def test_a_position_that_is_added_to_outlives_every_kill_with_its_stop(tmp_path: Path) -> None:
    lived = uninterrupted(tmp_path / "a.journal", "adding")
    added = [order for order in _orders(tmp_path / "a.journal") if leg_of(order.client_order_id) == ADD]
    assert len(added) >= 2
    ends = {one.status for one in lived[1].exchange.orders if leg_of(one.client_order_id) == ADD}
    assert {OrderStatus.FILLED, OrderStatus.CANCELED} <= ends, "one of them fills in part, its rest is taken back"
    assert any(decision.held_back for _, decision in recorded(tmp_path / "a.journal"))
    ends_the_same_whenever_it_dies(lived, tmp_path, "adding")


def _orders(path: Path) -> list[OrderIntent]:
    return [one for _, decision in recorded(path) for one in decision.actions if isinstance(one, OrderIntent)]


def ends_the_same_whenever_it_dies(
    lived: tuple[TradingEngine, Beyond, Death], tmp_path: Path, account: Script = "margin"
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
