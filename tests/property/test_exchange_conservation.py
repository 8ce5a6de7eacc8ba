"""Whatever is sent and whatever the market does, the exchange's books add up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.domain.errors import OrderRefused
from ordinis.domain.events import ActionKind, BrokerEvent, CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe
from ordinis.domain.orders import OrderIntent, OrderStatus, OrderType, Purpose, Side, TimeInForce
from simulation.actions import dividend, removal, split

SYMBOLS = ("AAA", "BBB", "CCC")
MINUTES = 6
OPEN_NS = 1736951400 * 10**9
DAY_NS = 24 * 3600 * 10**9
DAYS = (date(2025, 1, 16), date(2025, 1, 17))
ratios = st.sampled_from(["2", "4", "1.5", "0.1", "0.333333333333333"])
amounts = st.sampled_from(["0.333", "0.01", "12"])
days_of = st.sampled_from(DAYS)
START_USD = Decimal(20_000)
CENT = Decimal("0.01")
GAINS = ("dividend", "interest")


@st.composite
def actions(draw: st.DrawFn) -> list[CorporateAction]:
    """One of each at most a symbol and day."""
    drawn = [
        *draw(st.lists(st.builds(split, st.sampled_from(SYMBOLS), days_of, ratios), max_size=3)),
        *draw(st.lists(st.builds(dividend, st.sampled_from(SYMBOLS), days_of, amounts), max_size=3)),
        *draw(st.lists(st.builds(removal, st.sampled_from(SYMBOLS), days_of, st.none() | amounts), max_size=1)),
    ]
    return list({one.id: one for one in drawn}.values())


cents = st.integers(9_000, 11_000)


@st.composite
def sessions(draw: st.DrawFn) -> MarketBlock:
    """A short session: prices in cents around $100, missing bars, thin volume."""
    shape = (MINUTES, len(SYMBOLS))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    present = random.random(shape) < 0.8
    ends = random.integers(9_000, 11_000, (2, *shape)) / 100
    out = random.integers(0, 300, (2, *shape)) / 100
    high = (ends.max(axis=0) + out[0]).round(2)
    low = (ends.min(axis=0) - out[1]).round(2)
    prices = [np.where(present, one, np.nan) for one in (ends[0], high, low, ends[1])]
    return MarketBlock(
        universe=Universe(SYMBOLS),
        session=Session(date=date(2025, 1, 15), open_ns=OPEN_NS, close_ns=OPEN_NS + MINUTES * MINUTE_NS),
        closed_at_ns=OPEN_NS + MINUTE_NS * np.arange(1, MINUTES + 1),
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=np.where(present, random.integers(0, 500, shape), 0).astype(float),
        present=present,
    )


def moved(block: MarketBlock, days: int) -> MarketBlock:
    session = Session(
        date=block.session.date + timedelta(days),
        open_ns=block.session.open_ns + days * DAY_NS,
        close_ns=block.session.close_ns + days * DAY_NS,
    )
    fields = {name: getattr(block, name) for name in ("open", "high", "low", "close", "volume", "present")}
    return MarketBlock(
        universe=block.universe, session=session, closed_at_ns=block.closed_at_ns + days * DAY_NS, **fields
    )


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """What to send: most of it valid, some of it refused."""
    kind = draw(st.sampled_from(OrderType))
    side = draw(st.sampled_from(Side))
    price = Decimal(draw(cents)) / 100
    whole = draw(st.booleans())
    fields: dict[str, Any] = {
        "symbol": draw(st.sampled_from(SYMBOLS)),
        "side": side,
        "type": kind,
        "time_in_force": draw(st.sampled_from(TimeInForce)) if whole else TimeInForce.DAY,
        "quantity": Decimal(draw(st.integers(1, 60))) if whole else Decimal(draw(st.integers(1, 60_000))) / 1_000,
    }
    if kind is OrderType.MARKET and not whole and draw(st.booleans()):
        return {**fields, "notional_usd": Decimal(draw(st.integers(50, 600_000))) / 100}
    if kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}:
        fields["limit_price_usd"] = price
    if kind in {OrderType.STOP, OrderType.STOP_LIMIT}:
        fields["stop_price_usd"] = price + draw(st.integers(-100, 100)) / Decimal(100)
    if kind is OrderType.TRAILING_STOP:
        fields[draw(st.sampled_from(("trail_usd", "trail_percent")))] = draw(st.integers(1, 50)) / Decimal(10)
    if whole and draw(st.booleans()):
        fields["stop_loss_usd"] = Decimal(draw(st.integers(8_500, 10_000))) / 100
    if whole and draw(st.booleans()):
        fields["take_profit_usd"] = Decimal(draw(st.integers(10_000, 11_500))) / 100
    if side is Side.SELL and "stop_loss_usd" in fields and "take_profit_usd" in fields:
        return {**fields, "type": OrderType.LIMIT, "limit_price_usd": None}
    return fields


steps = st.lists(st.one_of(orders(), st.integers(0, 30)), max_size=4)  # A number cancels that order.
days = st.lists(st.tuples(sessions(), st.lists(steps, min_size=MINUTES, max_size=MINUTES)), min_size=1, max_size=3)
setups = st.fixed_dictionaries(
    {
        "fill_model": st.sampled_from(FillModel),
        "multiplier": st.sampled_from((1, 2, 4)),
        "margin_interest_fraction": st.sampled_from((Decimal(0), Decimal("0.5"))),
        "participation_max": st.sampled_from((0.0, 0.1)),
        "regime": st.sampled_from(("intraday_margin", "pattern_day_trader")),
        "fractionable": st.booleans(),
        "actions": actions(),
        "shorting_enabled": st.booleans(),
        "borrow_fee_fraction": st.sampled_from((Decimal(0), Decimal("0.3"))),
    }
)

Day = tuple[MarketBlock, list[list[dict[str, Any] | int]]]


class Trace:
    """A run, and what the exchange said of it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.events: list[BrokerEvent] = []
        self.while_sending: list[list[OrderUpdate]] = []  # Fills between two minutes.
        self.sent = 0
        self.shares = defaultdict[str, Decimal](Decimal)
        self.first_price: dict[str, Decimal] = {}

    def run(self, plan: list[Day]) -> None:
        for number, (block, minutes) in enumerate(plan):
            shifted = moved(block, number)
            self.open(shifted)
            for row, step in enumerate(minutes):
                self.exchange.advance(shifted.at(row))
                self.check(shifted, row)
                before = len(self.events)
                for what in step:
                    self.act(what)
                self.check(shifted, row)
                sent = [one for one in self.events[before:] if isinstance(one, OrderUpdate) and one.fill]
                self.while_sending.append(sent)
            self.exchange.close_session()
            self.check(shifted, MINUTES - 1)

    def open(self, block: MarketBlock) -> None:
        """Whatever companies did: equity is what it was, and what was paid; a removal at a price apart."""
        before = self.exchange.account().equity_usd
        last = {symbol: self.exchange.last_price_usd(symbol) or Decimal(0) for symbol in SYMBOLS}
        held = {one.symbol: one.quantity for one in self.exchange.positions}
        self.exchange.open_session(block.session)
        new = self.exchange.drain()
        self.events += new
        for one in new:
            if isinstance(one, CorporateAction):
                self.shares[one.symbol] = one.shares_after(self.shares[one.symbol])
        expected = before + sum(one.amount_usd for one in new if isinstance(one, CashFlow) and one.kind in GAINS)
        for one in new:
            if isinstance(one, CorporateAction):
                ratio = one.ratio if one.kind is ActionKind.SPLIT else Decimal(1)
                last[one.symbol] /= ratio
                shares = held.get(one.symbol, Decimal(0))
                if one.kind is ActionKind.REMOVAL:
                    expected += shares * ((one.amount_usd or Decimal(0)) - last[one.symbol])
                held[one.symbol] = one.shares_after(shares)
        rounded = sum(
            isinstance(one, CashFlow | CorporateAction) for one in new
        )  # Less than half a cent is paid as none.
        assert abs(self.exchange.account().equity_usd - expected) <= rounded * CENT / 2 + Decimal("0.0001")

    def act(self, what: dict[str, Any] | int) -> None:
        try:
            if isinstance(what, int):
                known = self.exchange.orders
                self.exchange.cancel(known[what].id if what < len(known) else "none")
                return
            self.sent += 1
            common: dict[str, Any] = {"purpose": Purpose.ENTRY, "decided_at_ns": 0, "valid_until_ns": 0}
            power = self.exchange.account().buying_power_usd
            assert power is not None
            fields = {name: value for name, value in what.items() if name != "notional_usd"}
            intent = OrderIntent(client_order_id=f"order-{self.sent}", **fields, **common)
            order = self.exchange.submit(intent, what.get("notional_usd"))
            if order.live and order.opens:
                assert order.reserve_price_usd * order.quantity <= power
        except OrderRefused:
            pass

    def check(self, block: MarketBlock, row: int) -> None:
        new = self.exchange.drain()
        self.events += new
        self.prices_lie_inside_the_bar(new, block, row)
        self.never_through_zero(new)
        self.books_add_up()
        self.nothing_is_promised_twice()
        self.money_is_not_exceeded()

    def prices_lie_inside_the_bar(self, new: list[BrokerEvent], block: MarketBlock, row: int) -> None:
        model = self.exchange.settings.fill_model
        if model in {FillModel.SPREAD, FillModel.THIS_CLOSE}:
            return
        for event in new:
            if isinstance(event, OrderUpdate) and event.fill is not None:
                column = block.universe.column[event.symbol]
                assert block.low[row, column] <= float(event.fill.price_usd) <= block.high[row, column]

    def books_add_up(self) -> None:
        cash, shares = START_USD, defaultdict[str, Decimal](Decimal)
        for event in self.events:
            if isinstance(event, CashFlow):
                cash += event.amount_usd
            elif isinstance(event, CorporateAction):
                shares[event.symbol] = event.shares_after(shares[event.symbol])
            elif event.fill is not None:
                cash -= event.fill.quantity * event.fill.price_usd
                shares[event.symbol] += event.fill.quantity
        account = self.exchange.account()
        assert account.cash_usd == cash
        assert {one.symbol: one.quantity for one in account.positions} == {
            symbol: quantity for symbol, quantity in shares.items() if quantity
        }
        if not self.exchange.settings.shorting_enabled:
            assert all(quantity >= 0 for quantity in shares.values())
        assert all(quantity >= 0 or quantity % 1 == 0 for quantity in shares.values())

    def nothing_is_promised_twice(self) -> None:
        books = self.exchange.books
        working = [order for order in self.exchange.orders if order.live and order.status is not OrderStatus.HELD]
        assert books.reserved_usd == sum(one.reserve_price_usd * one.remaining for one in working if one.opens)
        for column in range(len(SYMBOLS)):
            here = [one for one in working if one.column == column]
            assert len({one.buys for one in here if one.opens}) <= 1  # Nobody tries to be long and short at once.
            exits = [one for one in here if not one.opens]
            assert all(one.buys is (books.quantity(column) < 0) for one in exits)
            apart = [one for one in exits if one.sibling is None or one.limit_price_usd is not None or ended_pair(one)]
            closing = sum((one.remaining for one in apart), Decimal(0))
            assert books.held_for_exit(column) == closing <= abs(books.quantity(column))

    def never_through_zero(self, new: list[BrokerEvent]) -> None:
        """One fill opens or closes; it never does both."""
        for event in new:
            if isinstance(event, OrderUpdate) and event.fill is not None:
                self.first_price.setdefault(event.broker_order_id, event.fill.price_usd)
                before = self.shares[event.symbol]
                self.shares[event.symbol] += event.fill.quantity
                assert before * self.shares[event.symbol] >= 0

    def money_is_not_exceeded(self) -> None:
        for order in self.exchange.orders:
            if order.notional_usd is not None and order.id in self.first_price:
                assert order.quantity * self.first_price[order.id] <= order.notional_usd


def ended_pair(order: BrokerOrder) -> bool:
    """A stop that has outlived its target holds the shares itself."""
    sibling = order.sibling
    return sibling is not None and order.limit_price_usd is None and not sibling.live


def traced(setup: dict[str, Any], plan: list[Day]) -> Trace:
    account = ExchangeSettings(cash_usd=START_USD, **{name: setup[name] for name in setup if name != "actions"})
    trace = Trace(Exchange(Universe(SYMBOLS), account, actions=setup["actions"]))
    trace.run(plan)
    return trace


@settings(max_examples=120, deadline=None)
@given(setup=setups, plan=days)
def test_cash_and_shares_are_conserved_at_every_step(setup: dict[str, Any], plan: list[Day]) -> None:
    traced(setup, plan)


@settings(max_examples=80, deadline=None)
@given(setup=setups, plan=days)
def test_an_order_fills_no_more_than_it_asked_never_shrinks_and_ends_once(
    setup: dict[str, Any], plan: list[Day]
) -> None:
    trace = traced(setup, plan)
    filled: dict[str, Decimal] = {}
    ended: set[str] = set()
    for event in trace.events:
        if not isinstance(event, OrderUpdate):
            continue
        order = trace.exchange.order(event.broker_order_id)
        assert event.broker_order_id not in ended
        assert filled.get(order.id, Decimal(0)) <= event.filled_quantity <= order.quantity
        if order.sibling is not None and order.filled_quantity and order.sibling.filled_quantity:
            assert order.filled_quantity + order.sibling.filled_quantity <= max(order.quantity, order.sibling.quantity)
        added = abs(event.fill.quantity) if event.fill else Decimal(0)
        assert event.filled_quantity == filled.get(order.id, Decimal(0)) + added
        assert order.whole is False or added % 1 == 0
        filled[order.id] = event.filled_quantity
        if event.status.final:
            ended.add(order.id)


@settings(max_examples=80, deadline=None)
@given(setup=setups, plan=days)
def test_no_order_fills_in_the_minute_it_was_submitted(setup: dict[str, Any], plan: list[Day]) -> None:
    later = setup["fill_model"] is not FillModel.THIS_CLOSE
    trace = traced(setup if later else {**setup, "fill_model": FillModel.SPREAD}, plan)
    assert all(not events for events in trace.while_sending)
    for event in trace.events:
        if isinstance(event, OrderUpdate) and event.fill is not None:
            order = trace.exchange.order(event.broker_order_id)
            assert event.fill.filled_at_ns >= order.submitted_at_ns  # At the open that follows, at the earliest.


@settings(max_examples=40, deadline=None)
@given(setup=setups, plan=days)
def test_the_same_orders_and_bars_give_the_same_events(setup: dict[str, Any], plan: list[Day]) -> None:
    assert traced(setup, plan).events == traced(setup, plan).events


def _plain(what: dict[str, Any] | int) -> dict[str, Any] | int:
    """Five shares at the market, so that the other side's five come from one another; money as it comes."""
    if isinstance(what, int) or "notional_usd" in what:
        return what
    plain: dict[str, Any] = {"type": OrderType.MARKET, "time_in_force": TimeInForce.DAY, "quantity": Decimal(5)}
    return {"symbol": what["symbol"], "side": what["side"], **plain}


def test_such_runs_sell_short_cover_and_order_money() -> None:
    """Otherwise the properties above would prove little of them."""
    seen: set[str] = set()

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(setup=setups, plan=days)
    def look(setup: dict[str, Any], plan: list[Day]) -> None:
        plain = [(block, [[_plain(what) for what in step] for step in minutes]) for block, minutes in plan]
        trace = traced({**setup, "shorting_enabled": True, "multiplier": 2, "actions": []}, plain)
        for order in trace.exchange.orders:
            if order.filled_quantity:
                seen.add(f"{order.side.value} to {'open' if order.opens else 'close'}")
                seen.update({"of money"} if order.notional_usd else ())

    look()
    assert seen == {"buy to open", "buy to close", "sell to open", "sell to close", "of money"}
