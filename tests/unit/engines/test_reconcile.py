"""Our book against the broker's: what is asked about, corrected, left alone, and said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordinis.domain.account import Position
from ordinis.domain.orders import OrderType, Side
from ordinis.domain.standing import BrokerBooks, StandingOrder
from ordinis.engines.reconcile import Findings, Foreign, OwnBooks, OwnOrder, reconcile

Sides = dict[str, int]


def found(
    held: Sides,
    there: Sides,
    *,
    working: dict[str, tuple[str, int]] | None = None,
    open_orders: dict[str, tuple[str, int]] | None = None,
    left_alone: Sides | None = None,
    foreign: Foreign = "leave",
) -> Findings:
    """`held` and `there` are shares by symbol; orders are symbol and shares filled, by name."""
    ours = OwnBooks(
        book="main",
        symbols=frozenset({"AAA", "BBB"}),
        quantities={symbol: Decimal(quantity) for symbol, quantity in held.items()},
        prices_usd=dict.fromkeys(held, Decimal(10)),
        orders={
            name: OwnOrder(symbol=symbol, filled_quantity=Decimal(filled))
            for name, (symbol, filled) in (working or {}).items()
        },
        foreign={symbol: Decimal(quantity) for symbol, quantity in (left_alone or {}).items()},
    )
    theirs = BrokerBooks(
        at_ns=7,
        positions=tuple(
            Position(symbol=symbol, quantity=Decimal(quantity), average_price_usd=Decimal(20))
            for symbol, quantity in there.items()
        ),
        orders=tuple(
            StandingOrder(client_order_id=name, symbol=symbol, quantity=Decimal(100), filled_quantity=Decimal(filled))
            for name, (symbol, filled) in (open_orders or {}).items()
        ),
    )
    return reconcile(ours, theirs, foreign)


def corrections(findings: Findings) -> Sides:
    return {one.symbol: int(one.quantity) for one in findings.corrections}


def left(findings: Findings) -> Sides:
    return {one.symbol: int(one.quantity) for one in findings.foreign}


@pytest.mark.parametrize(
    ("held", "there", "before", "foreign", "corrected", "alone"),
    [
        ({"AAA": 10}, {"AAA": 10}, {}, "leave", {}, {}),
        ({"AAA": 10}, {"AAA": 7}, {}, "leave", {"AAA": -3}, {}),  # The broker wins on quantity.
        ({"AAA": 10}, {}, {}, "leave", {"AAA": -10}, {}),
        ({"AAA": -5}, {"AAA": -8}, {}, "leave", {"AAA": -3}, {}),
        ({}, {"BBB": 4}, {}, "leave", {}, {"BBB": 4}),  # Not ours, and never guessed to be.
        ({}, {"BBB": 4}, {}, "adopt", {"BBB": 4}, {}),
        ({}, {"ZZZ": 4}, {}, "adopt", {}, {"ZZZ": 4}),  # Not of our universe: it cannot be taken over.
        ({}, {"BBB": 4}, {"BBB": 4}, "adopt", {}, {"BBB": 4}),  # Left alone once, it stays so.
        ({}, {"BBB": 1}, {"BBB": 4}, "leave", {}, {"BBB": 1}),  # Its owner sold some.
        ({"BBB": 10}, {"BBB": 14}, {"BBB": 4}, "leave", {}, {"BBB": 4}),
        ({"BBB": 10}, {"BBB": 12}, {"BBB": 4}, "leave", {}, {"BBB": 2}),
        ({"BBB": 10}, {"BBB": 9}, {"BBB": 4}, "leave", {"BBB": -1}, {}),
        ({"BBB": 10}, {"BBB": 19}, {"BBB": 4}, "leave", {"BBB": 9}, {}),
    ],
)
def test_positions(held: Sides, there: Sides, before: Sides, foreign: Foreign, corrected: Sides, alone: Sides) -> None:
    findings = found(held, there, left_alone=before, foreign=foreign)
    assert (corrections(findings), left(findings)) == (corrected, alone)
    assert findings.agree is not bool(corrected)


@pytest.mark.parametrize(
    ("working", "open_orders", "doubtful"),
    [
        ({"main-1": ("AAA", 0)}, {"main-1": ("AAA", 0)}, ()),
        ({"main-1": ("AAA", 0)}, {}, ("main-1",)),
        ({"main-1": ("AAA", 0)}, {"main-1": ("AAA", 30)}, ("main-1",)),
        ({"main-1": ("AAA", 0), "main-2": ("BBB", 0)}, {"main-2": ("BBB", 0)}, ("main-1",)),
    ],
)
def test_an_order_of_ours_that_stands_otherwise_is_asked_about(
    working: dict[str, tuple[str, int]], open_orders: dict[str, tuple[str, int]], doubtful: tuple[str, ...]
) -> None:
    assert found({}, {}, working=working, open_orders=open_orders).doubtful == doubtful


def test_a_position_is_not_judged_before_its_order_was_asked_about() -> None:
    findings = found({}, {"AAA": 30}, working={"main-1": ("AAA", 0)}, open_orders={"main-1": ("AAA", 30)})
    assert (findings.corrections, findings.foreign) == ((), ())
    assert findings.rows[0].finding == "an order of ours is asked about first"


def test_an_order_of_our_name_that_we_do_not_know_is_a_difference_and_another_s_is_left_alone() -> None:
    findings = found({}, {}, open_orders={"main-1": ("AAA", 0), "somebody": ("AAA", 0)})
    assert findings.differences == ("order main-1 works at the broker, and our book says that it is over",)
    assert [row.finding for row in findings.rows] == ["that nothing explains", "not ours, left alone"]


def test_a_correction_that_was_made_leaves_nothing_to_correct() -> None:
    """Twice is once."""
    first = found({"AAA": 10}, {"AAA": 7})
    (one,) = first.corrections
    assert found({"AAA": 10 + int(one.quantity)}, {"AAA": 7}).agree
    assert (one.price_usd, one.id) == (Decimal(20), "correction-7-AAA")


def open_order(name: str, symbol: str = "AAA", **more: Any) -> StandingOrder:
    whole = {"side": Side.SELL, "type": OrderType.STOP, "quantity": Decimal(10), "filled_quantity": Decimal(0)}
    return StandingOrder(client_order_id=name, symbol=symbol, **{**whole, **more})


@pytest.mark.parametrize(
    ("orders", "adopted"),
    [
        ([open_order("x")], ["x"]),
        ([open_order("x", "ZZZ")], []),  # Not of our universe.
        ([open_order("x", filled_quantity=Decimal(1))], []),  # Does the position hold that already?
        ([open_order("x", quantity=Decimal(0))], []),  # Of so much money.
        ([open_order("x", side=None)], []),
        ([open_order("x", type=None)], []),
        ([open_order("x"), open_order("y", filled_quantity=Decimal(1))], []),  # All of a symbol's, or none.
        ([open_order("x"), open_order("y", "BBB", type=None)], ["x"]),
        ([open_order("x"), open_order("main-9")], []),
    ],
)
def test_orders_of_other_hands_are_adopted_where_all_is_known_of_a_symbol_s(
    orders: list[StandingOrder], adopted: list[str]
) -> None:
    books = BrokerBooks(at_ns=7, positions=(), orders=tuple(orders))
    assert reconcile(own(), books).adopted == (), "nothing is guessed"
    findings = reconcile(own(), books, "leave", "adopt")
    assert [one.client_order_id for one in findings.adopted] == adopted
    said = {row.subject: row.finding for row in findings.rows}
    assert {name for name, finding in said.items() if finding == "not ours, adopted"} == set(adopted)


def test_orders_on_a_position_that_is_left_alone_are_left_alone_with_it() -> None:
    position = Position(symbol="AAA", quantity=Decimal(10), average_price_usd=Decimal(20))
    books = BrokerBooks(at_ns=7, positions=(position,), orders=(open_order("x"),))
    assert reconcile(own(), books, "leave", "adopt").adopted == ()
    assert [one.client_order_id for one in reconcile(own(), books, "adopt", "adopt").adopted] == ["x"]


def test_an_order_that_was_adopted_is_held_against_the_broker_s_as_ours_are() -> None:
    adopted = {"x": OwnOrder(symbol="AAA", filled_quantity=Decimal(0), foreign=True)}
    there = reconcile(own(adopted), BrokerBooks(at_ns=7, positions=(), orders=(open_order("x"),)), "adopt", "adopt")
    assert (there.adopted, there.doubtful, there.agree) == ((), (), True)
    assert [row.finding for row in there.rows] == ["adopted, agrees"]
    assert reconcile(own(adopted), BrokerBooks(at_ns=7, positions=(), orders=())).doubtful == ("x",)


def own(orders: dict[str, OwnOrder] | None = None) -> OwnBooks:
    return OwnBooks(
        book="main",
        symbols=frozenset({"AAA", "BBB"}),
        quantities={},
        prices_usd={},
        orders=orders or {},
        foreign={},
    )
