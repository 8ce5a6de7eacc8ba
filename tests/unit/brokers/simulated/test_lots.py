from __future__ import annotations

from decimal import Decimal

import pytest

from ordinis.brokers.simulated.lots import DayLots, Method

# Side and shares of each order; held at the start; by opening order, by change of direction; who worked it out.
WORKED = [
    ("B250 B250 S500", 0, 2, 1, "FINRA: one by changes of direction"),
    ("B100 S100 B100 S100", 0, 2, 2, "FINRA"),
    ("B500 S100 S100 S300", 0, 1, 1, "FINRA"),
    ("S50 B50", 50, 0, 0, "E*TRADE"),
    ("B25 S25", 50, 1, 1, "E*TRADE: first in, first out is not used"),
    ("B1 B2 B7 S1 S5 S4", 0, 3, 1, "Robinhood: one"),
    ("B50 B50 S100", 0, 2, 1, "FINRA one, Scottrade two"),
    ("S50", 50, 0, 0, "held overnight and sold"),
    ("S50", -50, 0, 0, "an overnight short, added to"),
    ("B50 S50", -50, 0, 0, "an overnight short, covered and opened again"),
    ("S30 B30", -50, 1, 1, "an overnight short, added to and taken back"),
    ("S100 B100", 0, 1, 1, "sold short and covered"),
    ("B10 S30 B20", 0, 2, 2, "through zero and back"),
    ("S30 B20", 10, 1, 1, "an overnight long reversed, then covered"),
    ("B25 S75", 50, 1, 1, "today's lot and the older one in one sale"),
    ("S20 B25 S30", 50, 1, 1, "some of the older, then today's"),
    ("B1 B2 B7 S1 S5 S1", 0, 1, 1, "last in, first out"),
]


def counted(trades: str, held: int, method: Method) -> int:
    lots, position = DayLots(method), Decimal(held)
    for number, trade in enumerate(trades.split()):
        quantity = Decimal(trade[1:]) * (1 if trade[0] == "B" else -1)
        lots.filled(0, number, quantity, position)
        position += quantity
    return lots.count


@pytest.mark.parametrize(("trades", "held", "by_order", "by_direction", "source"), WORKED)
def test_the_worked_examples_are_counted_as_their_sources_count(
    trades: str, held: int, by_order: int, by_direction: int, source: str
) -> None:
    assert counted(trades, held, "opening_order") == by_order, source
    assert counted(trades, held, "direction_change") == by_direction, source
    assert counted(trades, held, "max") == max(by_order, by_direction), source


def test_two_symbols_are_counted_apart() -> None:
    """FINRA: buy ABC, buy XYZ, sell ABC, sell XYZ are two."""
    lots = DayLots("max")
    for number, (column, quantity, held) in enumerate([(0, 200, 0), (1, 100, 0), (0, -100, 200), (1, -100, 100)]):
        lots.filled(column, number, Decimal(quantity), Decimal(held))
    assert lots.count == 2


@pytest.mark.parametrize("method", ["opening_order", "direction_change", "max"])
def test_partial_fills_of_an_order_never_change_the_count(method: Method) -> None:
    lots, held = DayLots(method), Decimal(0)
    for number in (1, 2, 1, 2):
        lots.filled(0, number, Decimal(5), held)
        held += 5
    made = 0
    for _ in range(20):
        made += lots.filled(0, 3, Decimal(-1), held)
        held -= 1
    assert made == lots.count == (1 if method == "direction_change" else 2)


def test_a_new_day_begins_with_no_lots() -> None:
    lots = DayLots("max")
    lots.filled(0, 1, Decimal(5), Decimal(0))
    lots.clear()
    assert lots.filled(0, 2, Decimal(-5), Decimal(5)) == 0


def test_what_would_be_made_is_what_is_made_and_changes_nothing() -> None:
    lots = DayLots("max")
    lots.filled(0, 1, Decimal(5), Decimal(0))
    assert [lots.would_make(0, [], Decimal(5)) for _ in range(2)] == [1, 1]
    assert lots.would_make(0, [(2, Decimal(5))], Decimal(10)) == 2
    assert lots.would_make(1, [(2, Decimal(5))], Decimal(5)) == 1
    assert lots.filled(0, 3, Decimal(-5), Decimal(5)) == 1
    assert lots.would_make(0, [], Decimal(0)) == 0
