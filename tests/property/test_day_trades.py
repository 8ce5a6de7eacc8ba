"""Whatever is traded: splitting an order into fills never changes a count."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from ordinis.engines.compliance.business_days import weekdays
from ordinis.engines.compliance.day_trades import Throttle, Trade, count_day_trades
from ordinis.engines.compliance.slots import DayTradeSlots

Method = Literal["direction_change", "opening_order", "max"]
DAY = date(2025, 1, 15)

methods: st.SearchStrategy[Method] = st.sampled_from(["direction_change", "opening_order", "max"])
orders = st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 40)), max_size=10)
cuts = st.lists(st.lists(st.integers(1, 40), max_size=4), min_size=10, max_size=10)


def whole(plan: list[tuple[str, int]]) -> list[Trade]:
    return [(side, Decimal(shares), f"order-{number}") for number, (side, shares) in enumerate(plan)]


def split(plan: list[tuple[str, int]], sizes: list[list[int]]) -> list[Trade]:
    """The same orders, each in as many fills as the sizes ask for."""
    fills: list[Trade] = []
    for number, (side, shares) in enumerate(plan):
        left = shares
        for size in sizes[number]:
            part = min(size, left)
            if part:
                fills.append((side, Decimal(part), f"order-{number}"))
            left -= part
        if left:
            fills.append((side, Decimal(left), f"order-{number}"))
    return fills


@given(plan=orders, sizes=cuts, start=st.integers(-50, 50), method=methods)
def test_splitting_orders_into_fills_never_changes_the_count(
    plan: list[tuple[str, int]], sizes: list[list[int]], start: int, method: Method
) -> None:
    assert count_day_trades(split(plan, sizes), start, method) == count_day_trades(whole(plan), start, method)


@given(plan=orders, sizes=cuts, start=st.integers(-50, 50))
def test_slots_count_the_same_however_orders_fill(
    plan: list[tuple[str, int]], sizes: list[list[int]], start: int
) -> None:
    counts = []
    for fills in (whole(plan), split(plan, sizes)):
        slots = DayTradeSlots(Throttle(enabled=True), weekdays())
        slots.opens(DAY, 1_000.0, {"AAA": Decimal(start)})
        for at_ns, (side, quantity, order_id) in enumerate(fills):
            slots.filled("AAA", quantity if side == "buy" else -quantity, order_id, at_ns, DAY)
        counts.append(slots.used)
    assert counts[0] == counts[1] == count_day_trades(whole(plan), start, "max")


@given(plan=orders, start=st.integers(-50, 50))
def test_each_day_trade_needs_an_order_that_ends_it(plan: list[tuple[str, int]], start: int) -> None:
    count = count_day_trades(whole(plan), start, "direction_change")
    assert 0 <= count <= max(len(plan) - 1, 0)
    if len({side for side, _ in plan}) < 2:
        assert count_day_trades(whole(plan), 0, "max") == 0


@given(plan=orders, start=st.integers(-50, 50), method=methods)
def test_buying_and_selling_are_mirror_images(plan: list[tuple[str, int]], start: int, method: Method) -> None:
    mirrored = [("sell" if side == "buy" else "buy", shares) for side, shares in plan]
    assert count_day_trades(whole(plan), start, method) == count_day_trades(whole(mirrored), -start, method)
