"""Day trades counted as FINRA's examples count them."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest

from ordinis.engines.compliance.day_trades import Trade, count_day_trades

Method = Literal["direction_change", "opening_order", "max"]


def trades(text: str) -> list[Trade]:
    """`B250 S100`: an order each, in time order."""
    return [
        ("buy" if word[0] == "B" else "sell", Decimal(word[1:]), f"order-{number}")
        for number, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("start", "sequence", "by_direction", "by_opening_order"),
    [
        (0, "", 0, 0),
        (0, "B100", 0, 0),
        (0, "B250 B250 S500", 1, 2),  # FINRA, by direction.
        (0, "B100 S100 B100 S100", 2, 2),  # FINRA.
        (0, "B500 S100 S100 S300", 1, 1),  # FINRA.
        (50, "S50 B50", 0, 0),  # E*TRADE: what was held overnight and sold first.
        (50, "B25 S25", 1, 1),  # E*TRADE: first in, first out is not used.
        (0, "B1 B2 B7 S1 S5 S4", 1, 3),  # Robinhood, by direction.
        (0, "B50 B50 S100", 1, 2),  # FINRA and Scottrade: the methods differ.
        (50, "S50 B50 S50", 1, 1),
        (50, "S100 B50", 1, 1),  # Through zero: the short was opened and covered today.
        (-50, "B50 S50", 0, 0),
        (-50, "B100 S50", 1, 1),
        (0, "S100 B100", 1, 1),
        (100, "B10 S110 B10 S10", 2, 2),
        (100, "S10 B10 S10", 1, 1),
    ],
)
def test_day_trades_are_counted_as_in_the_examples(
    start: int, sequence: str, by_direction: int, by_opening_order: int
) -> None:
    expected: dict[Method, int] = {
        "direction_change": by_direction,
        "opening_order": by_opening_order,
        "max": max(by_direction, by_opening_order),
    }
    assert {method: count_day_trades(trades(sequence), start, method) for method in expected} == expected


def test_direction_change_is_the_default() -> None:
    assert count_day_trades(trades("B50 B50 S100")) == 1


def test_partial_fills_of_one_order_are_one_transaction() -> None:
    parts: list[Trade] = [("buy", Decimal(50), "a"), ("buy", Decimal(50), "a"), ("sell", Decimal(100), "b")]
    assert count_day_trades(parts, method="opening_order") == 1
    apart: list[Trade] = [("buy", Decimal(50), "a"), ("buy", Decimal(50), "c"), ("sell", Decimal(100), "b")]
    assert count_day_trades(apart, method="opening_order") == 2


def test_an_unknown_method_or_side_is_refused() -> None:
    with pytest.raises(ValueError, match="was 'fifo'"):
        count_day_trades([], 0, "fifo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="was 'short'"):
        count_day_trades([("short", Decimal(1), "a")])


def test_orders_whose_fills_alternate_count_as_lots_whichever_way_gives_more() -> None:
    """One lot an order: the cover of 2 takes the second order's share and one of the first's, two day trades."""
    fills: list[Trade] = [
        ("sell", Decimal(1), "a"),
        ("sell", Decimal(1), "b"),
        ("sell", Decimal(2), "a"),
        ("buy", Decimal(2), "c"),
    ]
    assert count_day_trades(fills, method="opening_order") == 2
