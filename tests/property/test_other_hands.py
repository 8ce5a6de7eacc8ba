"""Whatever other hands do: books are held together once, and no order of ours goes out beside one of theirs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.account import Position
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import OrderIntent, OrderStatus, OrderType, Purpose, Side
from ordinis.domain.standing import BrokerBooks, StandingOrder
from ordinis.engines.execution.desk import ExecutionSettings, OrderDesk
from ordinis.engines.reconcile import Findings, OwnBooks, OwnOrder, reconcile

SYMBOLS = ("AAA", "BBB", "ZZZ")
OURS = frozenset({"AAA", "BBB"})
shares = st.integers(-3, 3).map(Decimal)
policies = st.sampled_from(["leave", "adopt"])


@st.composite
def open_orders(draw: st.DrawFn) -> list[StandingOrder]:
    return [
        StandingOrder(
            client_order_id=f"{draw(st.sampled_from(['x', 'main']))}-{number}",
            symbol=draw(st.sampled_from(SYMBOLS)),
            quantity=Decimal(draw(st.integers(0, 3))),
            filled_quantity=Decimal(draw(st.sampled_from([0, 0, 0, 1]))),
            side=draw(st.sampled_from([Side.BUY, Side.SELL, None])),
            type=draw(st.sampled_from([OrderType.STOP, OrderType.LIMIT, None])),
        )
        for number in range(draw(st.integers(0, 5)))
    ]


books_of = st.builds(
    lambda positions, orders: BrokerBooks(
        at_ns=7,
        positions=tuple(
            Position(symbol=symbol, quantity=quantity, average_price_usd=Decimal(20))
            for symbol, quantity in sorted(positions.items())
            if quantity
        ),
        orders=tuple(orders),
    ),
    st.dictionaries(st.sampled_from(SYMBOLS), shares),
    open_orders(),
)


@st.composite
def own_books_of(draw: st.DrawFn) -> OwnBooks:
    held = {symbol: one for symbol, one in draw(st.dictionaries(st.sampled_from(sorted(OURS)), shares)).items() if one}
    foreign = {  # An account is not long and short of a symbol, whoever traded.
        symbol: one
        for symbol, one in draw(st.dictionaries(st.sampled_from(SYMBOLS), shares)).items()
        if one and one * held.get(symbol, one) > 0
    }
    return OwnBooks(
        book="main",
        symbols=OURS,
        quantities=held,
        prices_usd=dict.fromkeys(held, Decimal(10)),
        orders={},
        foreign=foreign,
    )


def taken_in(ours: OwnBooks, findings: Findings) -> OwnBooks:
    """As the engine takes findings in."""
    held = defaultdict(Decimal, ours.quantities)
    for one in findings.corrections:
        held[one.symbol] += one.quantity
    known = {
        one.client_order_id: OwnOrder(symbol=one.symbol, filled_quantity=Decimal(0), foreign=True)
        for one in findings.adopted
    }
    return replace(
        ours,
        quantities={symbol: one for symbol, one in held.items() if one},
        prices_usd=dict.fromkeys(held, Decimal(10)),
        orders={**ours.orders, **known},
        foreign={one.symbol: one.quantity for one in findings.foreign},
    )


@given(own_books_of(), books_of, policies, policies)
def test_what_was_taken_in_leaves_nothing_to_take_in(
    ours: OwnBooks, theirs: BrokerBooks, positions: str, orders: str
) -> None:
    first = reconcile(ours, theirs, positions, orders)  # type: ignore[arg-type]
    after = taken_in(ours, first)
    second = reconcile(after, theirs, positions, orders)  # type: ignore[arg-type]
    assert (second.adopted, second.corrections, second.doubtful) == ((), (), ())
    assert (second.foreign, second.differences) == (first.foreign, first.differences)
    left = {one.symbol: one.quantity for one in second.foreign}
    for one in theirs.positions:
        assert after.quantities.get(one.symbol, Decimal(0)) + left.get(one.symbol, Decimal(0)) == one.quantity


@given(own_books_of(), books_of, policies, policies)
def test_only_what_is_known_and_not_left_alone_is_adopted_and_of_a_symbol_all_or_nothing(
    ours: OwnBooks, theirs: BrokerBooks, positions: str, orders: str
) -> None:
    found = reconcile(ours, theirs, positions, orders)  # type: ignore[arg-type]
    taken = {one.client_order_id for one in found.adopted}
    assert not taken or orders == "adopt"
    alone = {one.symbol for one in found.foreign}
    for symbol in {one.symbol for one in found.adopted}:
        assert symbol in OURS - alone
        for one in theirs.orders:
            if one.symbol == symbol:
                assert one.client_order_id in taken
                assert one.quantity > one.filled_quantity == 0
                assert None not in (one.side, one.type)
                assert not one.client_order_id.startswith("main-")


class Hands:
    """One symbol, our desk, and other hands that send, fill and take back as they like."""

    def __init__(self) -> None:
        self.desk = OrderDesk(ExecutionSettings())
        self.desk.of("AAA").stop_usd = Decimal(90)
        self.held = Decimal(0)
        self.number = 0
        self.at_ns = 0

    def adopt(self, side: Side, quantity: int, kind: OrderType) -> None:
        """A broker lets nothing go through zero."""
        signed = quantity if side is Side.BUY else -quantity
        if self.held * signed < 0 and abs(signed) > abs(self.held):
            return
        self.number += 1
        order = StandingOrder(
            client_order_id=f"x-{self.number}",
            symbol="AAA",
            quantity=Decimal(quantity),
            filled_quantity=Decimal(0),
            side=side,
            type=kind,
        )
        self.desk.adopt(order, self.held)

    def minute(self) -> None:
        """All that needs a stop is looked after."""
        self.at_ns += 60 * 10**9
        if "AAA" in self.desk.unprotected:
            self.check(self.desk.protect("AAA", self.held, self.at_ns))

    def ends(self, which: int, *, fills: bool) -> None:
        """Some order that works is over, theirs or ours."""
        names = sorted(self.desk.working)
        if not names:
            return
        order = self.desk.working[names[which % len(names)]]
        opens = order.purpose is Purpose.ENTRY
        filled = order.quantity if opens else min(order.quantity, abs(self.held))
        if fills:
            self.held += order.direction * filled * (1 if opens else -1)
        update = OrderUpdate(
            at_ns=self.at_ns,
            client_order_id=order.client_order_id,
            broker_order_id="",
            symbol="AAA",
            status=OrderStatus.FILLED if fills else OrderStatus.CANCELED,
            filled_quantity=filled if fills else Decimal(0),
        )
        self.check(self.desk.update(update, self.held))

    def check(self, actions: object) -> None:
        assert isinstance(actions, list)
        if any(isinstance(one, OrderIntent) for one in actions):
            assert self.desk.of("AAA").foreign == [], "no stop of ours beside an order of theirs"

    def check_all(self) -> None:
        desk, orders = self.desk, self.desk.of("AAA")
        assert desk.opening == sum(one.opens for one in desk.working.values())
        assert desk.entering == sum(one.purpose is Purpose.ENTRY for one in desk.working.values())
        assert all(one.client_order_id in desk.working for one in orders.foreign)
        if self.held:
            leaves = any(one.cancelling for one in desk.working.values())
            assert orders.stop or orders.covered(self.held) or leaves or "AAA" in desk.unprotected


steps = st.one_of(
    st.tuples(
        st.just("adopt"),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 3),
        st.sampled_from([OrderType.STOP, OrderType.LIMIT, OrderType.TRAILING_STOP]),
    ),
    st.tuples(st.just("minute")),
    st.tuples(st.just("fills"), st.integers(0, 5)),
    st.tuples(st.just("ends"), st.integers(0, 5)),
)


@given(st.lists(steps, max_size=25))
def test_no_order_of_ours_goes_out_beside_one_of_theirs_and_what_is_held_is_looked_after(
    story: list[tuple[object, ...]],
) -> None:
    hands = Hands()
    for name, *given_values in story:
        if name == "adopt":
            hands.adopt(*given_values)  # type: ignore[arg-type]
        elif name == "minute":
            hands.minute()
        else:
            hands.ends(given_values[0], fills=name == "fills")  # type: ignore[arg-type]
        hands.check_all()
