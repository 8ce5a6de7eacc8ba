from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ordinis.domain.decision import NOTHING, Decision, Reason
from ordinis.domain.errors import JournalError
from ordinis.domain.events import CashFlow, OrderUpdate
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import OrderStatus
from ordinis.journal.reading import (
    Kind,
    account_views,
    assessments,
    cash_flows,
    counts,
    decisions_by_reason,
    digest,
    fills,
    fills_by_minute,
    notes,
    open_journal,
    orders,
    reason_changes,
    updates,
)
from ordinis.journal.recorded import recorded
from ordinis.journal.writer import Durability, SqliteJournal


def test_the_same_events_give_the_same_digest_from_a_block_and_from_single_minutes(material: Any, record: Any) -> None:
    day = material.day()
    alone = [
        (event.block.row_block(event.row).at(0) if isinstance(event, MarketSlice) else event, decision)
        for event, decision in day
    ]
    assert digest(record(day, "block.db")) == digest(record(alone, "alone.db"))


def _other_bar(material: Any, day: list[Any]) -> None:
    block = material.block()
    row = int(block.present[4].any()) * 4
    close = block.close.copy()
    close[row, block.present[row].argmax()] += 0.01
    day[8] = (replace(block, close=close).at(4), day[8][1])


def _other_time(material: Any, day: list[Any]) -> None:
    day[4] = (msgspec.structs.replace(day[4][0], at_ns=day[4][0].at_ns + 1), NOTHING)


def _other_minute(material: Any, day: list[Any]) -> None:
    block = material.block()
    day[8] = (replace(block, closed_at_ns=block.closed_at_ns + 1).at(4), day[8][1])


def _other_price(material: Any, day: list[Any]) -> None:
    day[3] = (material.update(3, OrderStatus.FILLED, "12.5", price="234.62"), day[3][1])


def _other_reason(material: Any, day: list[Any]) -> None:
    day[7] = (day[7][0], Decision(changes=material.changes((2, Reason.HOLD))))


def _other_symbol(material: Any, day: list[Any]) -> None:
    day[7] = (day[7][0], Decision(changes=material.changes((1, Reason.COOLDOWN))))


def _no_decision(material: Any, day: list[Any]) -> None:
    day[7] = (day[7][0], NOTHING)


def _other_score(material: Any, day: list[Any]) -> None:
    decision = day[2][1]
    changed = msgspec.structs.replace(decision.assessments[0], score=12.400000000000002)
    day[2] = (day[2][0], msgspec.structs.replace(decision, assessments=(changed,)))


def _other_order(material: Any, day: list[Any]) -> None:
    day[4], day[5] = day[5], day[4]


def _one_less(material: Any, day: list[Any]) -> None:
    del day[6]


@pytest.mark.parametrize(
    "change",
    [
        _other_bar,
        _other_time,
        _other_minute,
        _other_price,
        _other_reason,
        _other_symbol,
        _no_decision,
        _other_score,
        _other_order,
        _one_less,
    ],
)
def test_any_change_gives_another_digest(material: Any, record: Any, change: Any) -> None:
    day = material.day()
    before = digest(record(day, "before.db"))
    change(material, day)
    assert digest(record(day, "after.db")) != before


def test_meta_does_not_count_in_the_digest(material: Any, record: Any) -> None:
    one = record(material.day(), "one.db")
    other = record(material.day(), "other.db", symbols=("X", "Y", "Z"))
    assert digest(one) == digest(other)


@pytest.mark.parametrize("statement", ["INSERT INTO meta VALUES ('a', 'b')", "DROP TABLE slices", "DELETE FROM slices"])
def test_a_reader_cannot_write(material: Any, record: Any, statement: str) -> None:
    with open_journal(record(material.day())) as journal, pytest.raises(JournalError, match="read-only"):
        list(journal._rows(statement))


def test_a_reader_looks_on_while_the_writer_writes(material: Any, tmp_path: Any) -> None:
    path = tmp_path / "live.db"
    full = Durability.FULL
    with SqliteJournal(path, meta=material.meta, durability=full) as writer, open_journal(path) as journal:
        for count, (event, decision) in enumerate(material.day(), start=1):
            writer.append(event, decision)
            assert len(list(journal.entries())) == count


@pytest.mark.parametrize("durability", Durability)
def test_who_stops_halfway_may_do_so_after_the_journal_was_closed(
    material: Any, tmp_path: Any, durability: Durability
) -> None:
    path = tmp_path / "run.db"
    with SqliteJournal(path, meta=material.meta, durability=durability) as writer:
        for event, decision in material.day():
            writer.append(event, decision)
    with open_journal(path) as journal:
        rows: Any = journal.recorded()
        assert next(rows)[0] == 1
    rows.close()


def test_events_of_one_kind_can_be_asked_for(material: Any, record: Any) -> None:
    with open_journal(record(material.day())) as journal:
        assert [entry.event for entry in journal.entries(Kind.CASH)] == [material.day()[4][0]]


def test_counts_name_the_kinds(material: Any, record: Any) -> None:
    assert counts(record(material.day())) == {"slice": 5, "update": 1, "cash": 1, "account": 1, "phase": 2}


def test_a_journal_without_bars_says_where_they_are(material: Any, record: Any) -> None:
    with pytest.raises(JournalError, match=r"cannot be lived again.*\(--journal\), or its data \(--data\)"):
        list(recorded(record(material.day())))


def test_views_return_what_was_recorded(material: Any, record: Any) -> None:
    day = material.day()
    path = record(day)
    assert [one.assessment for one in assessments(path)] == [material.assessment()]
    assert [(one.seq, one.at_ns) for one in assessments(path, "AAPL")] == [(3, material.at(2))]
    assert orders(path) == [material.intent(at_ns=material.at(2))]
    assert updates(path) == [day[3][0]]
    assert fills(path) == [day[3][0].fill]
    assert cash_flows(path) == [day[4][0]]
    assert account_views(path) == [day[5][0]]
    assert notes(path) == [(material.at(2), "first order")]


def test_a_fill_belongs_to_the_first_minute_that_follows_it(material: Any, record: Any) -> None:
    """Two minutes are recorded before it, so the third, number 2, is the first with it in the book."""
    day = material.day()
    assert fills_by_minute(record(day)) == [(2, day[3][0].fill)]


@pytest.mark.parametrize("view", [assessments, orders, updates, fills])
def test_views_of_one_symbol_leave_the_others_out(material: Any, record: Any, view: Any) -> None:
    path = record(material.day())
    assert len(list(view(path, "AAPL"))) == 1
    assert list(view(path, "IBM")) == []


def test_reasons_are_counted_in_order_of_precedence(material: Any, record: Any) -> None:
    found = decisions_by_reason(record(material.day()))
    assert list(found.items()) == [
        ("SENT", 1),
        ("WARMING_UP", 3),
        ("ALREADY_HELD", 1),
        ("COOLDOWN", 1),
        ("LOW_CONFIDENCE", 1),
    ]


def test_changes_of_reason_are_given_with_time_and_symbol(material: Any, record: Any) -> None:
    found = reason_changes(record(material.day()), "MSFT")
    assert [(one.at_ns, one.reason) for one in found] == [
        (material.at(0), Reason.WARMING_UP),
        (material.at(2), Reason.LOW_CONFIDENCE),
        (material.at(4), Reason.COOLDOWN),
    ]
    assert len(reason_changes(record(material.day(), "again.db"))) == 7


def test_a_row_that_cannot_be_understood_is_named(material: Any, record: Any) -> None:
    path = record(material.day())
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO events VALUES (11, 0, 1, x'00', NULL)")
    connection.close()
    with pytest.raises(JournalError, match=r"event 11 cannot be understood .* Use the program version that wrote it"):
        updates(path)


def test_a_page_that_cannot_be_understood_is_named(material: Any, record: Any) -> None:
    path = record(material.day())
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO pages VALUES (11, 1, x'91')")
    connection.close()
    with pytest.raises(JournalError, match=r"the page of event 11 cannot be understood"):
        updates(path)


def test_a_reason_of_a_newer_program_is_an_error_not_a_guess(material: Any, record: Any) -> None:
    path = record([(material.block().at(0), Decision(changes=b"\x00\x00\xfe"))])
    with pytest.raises(JournalError, match="reason 254 cannot be understood"):
        decisions_by_reason(path)


def test_a_journal_without_symbols_says_that_names_are_missing(material: Any, tmp_path: Any) -> None:
    path = tmp_path / "a.db"
    with SqliteJournal(path, meta={}, durability=Durability.BATCH) as journal:
        journal.append(CashFlow(at_ns=1, id="a", kind="fee", amount_usd=Decimal(1)), NOTHING)
    with pytest.raises(JournalError, match="does not name its symbols"):
        reason_changes(path)


def test_an_update_without_a_fill_is_no_fill(material: Any, record: Any) -> None:
    path = record([(material.update(1, OrderStatus.ACCEPTED), NOTHING)])
    assert [type(one) for one in updates(path)] == [OrderUpdate]
    assert fills(path) == []
