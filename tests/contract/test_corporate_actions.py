"""Days with splits, dividends and removals between them: the same journal in process and over the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.roads import linked
from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.corporate import WireActions
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.server import SimulatedData, serve
from ordinis.domain.events import CashFlow, CorporateAction
from ordinis.journal import reading
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.ports import Broker, Market
from ordinis.runtime.loop import trade
from simulation import random_runs


@contextmanager
def roads(over_the_wire: bool, seed: int, chosen: dict[str, Any]) -> Iterator[tuple[Broker, Market]]:
    told = random_runs.actions(seed)
    days = random_runs.traded(random_runs.bars(seed), told)
    exchange = random_runs.exchange(chosen, told)
    if not over_the_wire:
        yield SimulatedBroker(exchange), SimulatedMarket(exchange, days)
        return
    with serve(exchange, SimulatedData(days=days)) as served, linked(served.addresses, days[0]) as link:
        yield link.broker, link.market


def journal_of(folder: Path, over_the_wire: bool, seed: int, chosen: dict[str, Any]) -> Path:
    path = folder / f"{over_the_wire}.journal"
    meta = {"symbols": json.dumps(random_runs.UNIVERSE.symbols)}
    with (
        roads(over_the_wire, seed, chosen) as (broker, market),
        closing(SqliteJournal(path, meta=meta, durability=Durability.BATCH)) as journal,
    ):
        assert trade(random_runs.engine(chosen), market, broker, journal, lambda: False)
    return path


@pytest.mark.parametrize(("seed", "fractionable", "paid"), [(1, True, "dividend"), (4, False, "cash_in_lieu")])
def test_the_journals_are_equal_through_splits_dividends_and_removals(
    tmp_path: Path, seed: int, fractionable: bool, paid: str
) -> None:
    chosen = {**random_runs.PLAIN, "fractionable": fractionable}
    here, there = (journal_of(tmp_path, wired, seed, chosen) for wired in (False, True))
    assert reading.digest(here) == reading.digest(there)
    told = reading.position_events(there)
    assert {one.kind.value for one in told if isinstance(one, CorporateAction)} == {"split", "dividend", "removal"}
    assert {one.kind for one in told if isinstance(one, CashFlow)} >= {paid, "fee"}
    assert [note for _, note in reading.notes(there) if "new shares for an old one" in note]


def test_numbers_are_read_as_alpaca_writes_them() -> None:
    """Its rates are numbers; kinds that are not events yet are passed over."""
    split = {"id": "a", "symbol": "AAPL", "cusip": "1", "new_rate": 4, "old_rate": 1, "ex_date": "2020-08-31"}
    reverse = {**split, "id": "b", "new_rate": 1, "old_rate": 3.0}
    paid = {"id": "c", "symbol": "AAPL", "rate": 0.82, "special": False, "ex_date": "2020-08-07"}
    merger = {"id": "d", "acquiree_symbol": "TWTR", "rate": 54.2, "effective_date": "2022-10-28"}
    found = wire.read(
        {
            "forward_splits": [split],
            "reverse_splits": [reverse],
            "cash_dividends": [paid],
            "cash_mergers": [merger],
            "spin_offs": [{"id": "e", "source_symbol": "GE"}],
        },
        WireActions,
        "corporate actions",
    )
    assert (str(found.forward_splits[0].new_rate), str(found.reverse_splits[0].old_rate)) == ("4", "3.0")
    assert (str(found.cash_dividends[0].rate), str(found.cash_mergers[0].rate)) == ("0.82", "54.2")
