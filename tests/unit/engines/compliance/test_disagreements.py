"""One answer to a broker that contradicts our book, whichever look has found it."""

from __future__ import annotations

from ordinis.engines.compliance.disagreements import Disagreements


def test_a_view_that_differs_stops_entries_until_a_later_one_agrees() -> None:
    books = Disagreements()
    assert books.viewed(["AAA: 5 and 7"]) == ["entries are halted: AAA: 5 and 7"]
    assert books.viewed(["AAA: 5 and 7"]) == []  # Said already.
    assert books.stands
    assert books.viewed([]) == ["our book and the broker's agree again"]
    assert not books.stands


def test_a_view_knows_no_orders_and_does_not_lift_what_a_reconciliation_found() -> None:
    books = Disagreements()
    books.reconciled(["order x works at the broker"], corrected=False)
    assert books.viewed([]) == []
    assert (books.stands, books.lines) == (True, ["order x works at the broker"])


def test_a_reconciliation_that_agrees_lifts_what_a_view_found() -> None:
    books = Disagreements()
    books.viewed(["AAA: 5 and 7"])
    books.reconciled([], corrected=False)
    assert not books.stands


def test_a_corrected_book_stands_until_a_session_opens_or_a_person_resumes() -> None:
    books = Disagreements()
    books.reconciled([], corrected=True)
    books.reconciled([], corrected=False)
    assert books.stands
    books.resumed()
    assert not books.stands
    books.reconciled([], corrected=True)
    assert books.opens([]) == []
    assert not books.stands


def test_an_opening_that_differs_again_says_so_again() -> None:
    books = Disagreements()
    books.opens(["AAA: 5 and 7"])
    assert books.opens(["AAA: 5 and 7"]) == ["entries are halted: AAA: 5 and 7"]
