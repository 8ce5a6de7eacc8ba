"""Same decision, same id; another decision, another id."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.market import MINUTE_NS
from ordinis.engines.execution.ids import OrderIds
from simulation.worlds import OPEN_NS

asks = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["AAA", "BBB"]), st.sampled_from(["entry", "exit", "stop"])),
    max_size=40,
)


def named(plan: list[tuple[int, str, str]]) -> list[str]:
    ids = OrderIds("book")
    return [ids.next(OPEN_NS + minute * MINUTE_NS, symbol, leg) for minute, symbol, leg in sorted(plan, key=at)]


def at(ask: tuple[int, str, str]) -> int:
    return ask[0]


@given(asks)
def test_ids_are_unique_short_and_the_same_for_the_same_decisions(plan: list[tuple[int, str, str]]) -> None:
    names = named(plan)
    assert len(set(names)) == len(names)
    assert names == named(plan)
    assert all(len(name) <= 128 for name in names)


def test_the_number_counts_within_the_minute() -> None:
    assert named([(0, "AAA", "entry"), (0, "BBB", "stop"), (1, "AAA", "exit")]) == [
        "book-20250115T1430-AAA-entry-1",
        "book-20250115T1430-BBB-stop-2",
        "book-20250115T1431-AAA-exit-1",
    ]


def test_the_book_s_name_keeps_two_books_apart() -> None:
    assert OrderIds("a").next(OPEN_NS, "AAA", "entry") != OrderIds("b").next(OPEN_NS, "AAA", "entry")
