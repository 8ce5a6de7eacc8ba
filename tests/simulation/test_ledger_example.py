"""docs/ledger-example.md, lived through: the page, the exchange's books and our ledger say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.domain.account import AccountView
from ordinis.domain.decision import NOTHING, Decision
from ordinis.domain.events import CashFlow, CorporateAction, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketBlock, MarketSlice, Session, Universe
from ordinis.domain.orders import OrderIntent, OrderType, Purpose, Side, TimeInForce
from ordinis.engines.ledger import Ledger
from ordinis.engines.round_trip import RoundTrip
from ordinis.runtime.loop import trade
from simulation.actions import dividend, split
from simulation.worlds import Tale, exchange_of

PAGE = Path(__file__).parents[2] / "docs" / "ledger-example.md"
UNIVERSE = Universe(("AAA", "BBB"))
MONDAY, OPEN_NS, DAY_NS = date(2025, 3, 10), 1_741_613_400 * 10**9, 86_400 * 10**9
NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri")
ORDERS = {
    "Mon": [("AAA", 100, "120.00")],
    "Tue": [("AAA", -50, "41.00")],
    "Wed": [("BBB", -40, "50.00")],
    "Fri": [("BBB", 40, "48.75"), ("AAA", -250, "41.10")],
}
ACTIONS = [
    split("AAA", MONDAY + timedelta(1), "3"),
    dividend("AAA", MONDAY + timedelta(3), "0.24"),
    dividend("BBB", MONDAY + timedelta(3), "0.15"),
]
FEES = {"SEC": "sec", "FINRA": "taf", "audit trail": "cat"}

Row = Mapping[str, str]


def table(heading: str) -> list[Row]:
    """The table under a heading of the page."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    header = [cell.strip() for cell in lines[0]]
    return [dict(zip(header, (cell.strip() for cell in line), strict=True)) for line in lines[2:]]


def blocks() -> list[MarketBlock]:
    """Three minutes a day: the second opens at the prices that the orders name, the third is the close of the page."""
    return [_block(number, name, row) for number, (name, row) in enumerate(zip(NAMES, _books(), strict=True))]


def _block(number: int, name: str, row: Row) -> MarketBlock:
    closes = [float(row[f"{symbol} close"]) for symbol in UNIVERSE.symbols]
    prices = np.tile(closes, (3, 1))
    for symbol, _, price in ORDERS.get(name, ()):
        prices[:2, UNIVERSE.column[symbol]] = float(price)
    open_ns = OPEN_NS + number * DAY_NS
    return MarketBlock(
        universe=UNIVERSE,
        session=Session(date=MONDAY + timedelta(number), open_ns=open_ns, close_ns=open_ns + 3 * MINUTE_NS),
        closed_at_ns=open_ns + MINUTE_NS * np.arange(1, 4),
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=np.full((3, 2), 1e6),
        present=np.ones((3, 2), np.bool_),
    )


def _books() -> list[Row]:
    return table("The books at each close")


class Close:
    """What both books say as a session closes."""

    def __init__(self, theirs: AccountView, ours: Ledger, flows: Sequence[CashFlow], traded_usd: Decimal) -> None:
        self.theirs = theirs
        self.positions = {one.symbol: (one.quantity, one.average_price_usd) for one in theirs.positions}
        self.held = {symbol: (one.quantity, one.average_price_usd) for symbol, one in ours.holdings.items()}
        self.cash_usd = ours.cash_usd
        self.fees = {one.id.split("-")[1]: -one.amount_usd for one in flows if one.kind == "fee"}
        self.dividends_usd = sum((one.amount_usd for one in flows if one.kind == "dividend"), Decimal(0))
        self.traded_usd = traded_usd


class Scribe:
    """Keeps our ledger and sends the orders of the week after each day's first minute."""

    def __init__(self) -> None:
        self.exchange = exchange_of(
            UNIVERSE,
            actions=ACTIONS,
            cash_usd=Decimal(20_000),
            shorting_enabled=True,
            sec_usd_per_million=Decimal("20.60"),
            taf_usd_per_share=Decimal("0.000195"),
            cat_usd_per_share=Decimal("0.000003"),
        )
        self.ledger = Ledger(UNIVERSE, Decimal(20_000))
        self.closes: list[Close] = []
        self.trips: list[RoundTrip] = []
        self._flows: list[CashFlow] = []
        self._traded_usd = Decimal(0)

    def handle(self, event: Event) -> Decision:
        trip = None
        if isinstance(event, OrderUpdate) and event.fill is not None:
            self._traded_usd -= event.fill.quantity * event.fill.price_usd
            trip = self.ledger.apply_fill(event.fill)
        elif isinstance(event, CashFlow):
            self._flows.append(event)
            self.ledger.apply_cash(event)
        elif isinstance(event, CorporateAction):
            trip = self.ledger.apply_action(event)
        elif isinstance(event, SessionPhase) and event.phase is Phase.CLOSED:
            self._close()
        elif isinstance(event, MarketSlice) and event.row == 0:
            return Decision(actions=tuple(_orders(event)))
        self.trips += [] if trip is None else [trip]
        return NOTHING

    def _close(self) -> None:
        self.closes.append(Close(self.exchange.account(), self.ledger, self._flows, self._traded_usd))
        self._flows, self._traded_usd = [], Decimal(0)


def _orders(minute: MarketSlice) -> list[OrderIntent]:
    name = NAMES[(minute.session.date - MONDAY).days]
    return [
        OrderIntent(
            client_order_id=f"{name}-{symbol}",
            symbol=symbol,
            side=Side.BUY if quantity > 0 else Side.SELL,
            quantity=Decimal(abs(quantity)),
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            purpose=Purpose.ENTRY,
            decided_at_ns=minute.at_ns,
            valid_until_ns=minute.at_ns,
        )
        for symbol, quantity, _ in ORDERS.get(name, ())
    ]


@cache
def week() -> Scribe:
    scribe = Scribe()
    market = SimulatedMarket(scribe.exchange, blocks())
    trade(scribe, market, SimulatedBroker(scribe.exchange), Tale(UNIVERSE), lambda: False)
    return scribe


def money(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize("day", range(5), ids=NAMES)
def test_both_books_are_those_of_the_page_at_every_close(day: int) -> None:
    row, close = _books()[day], week().closes[day]
    assert close.cash_usd == close.theirs.cash_usd == money(row["cash"])
    assert close.theirs.equity_usd == money(row["equity"])
    expected = {
        symbol: (Decimal(row[f"{symbol} shares"]), money(row[f"{symbol} average"]))
        for symbol in UNIVERSE.symbols
        if row[f"{symbol} average"]
    }
    assert close.positions == close.held == expected
    assert [row[f"{symbol} shares"] for symbol in UNIVERSE.symbols if symbol not in expected] == ["0"] * (
        len(UNIVERSE) - len(expected)
    )
    assert close.traded_usd == money(row["trades"])
    assert close.dividends_usd == money(row["dividends"])
    assert sum(close.fees.values()) == money(row["fees"])


@pytest.mark.parametrize("day", range(5), ids=NAMES)
def test_the_fees_are_those_of_the_page(day: int) -> None:
    row, close = table("The fees")[day], week().closes[day]
    assert row["day"] == NAMES[day]
    for column, name in FEES.items():
        assert close.fees.get(name, Decimal(0)) == money(row[column])
    sales = [(-quantity, Decimal(price)) for _, quantity, price in ORDERS.get(NAMES[day], ()) if quantity < 0]
    assert sum(shares for shares, _ in sales) == Decimal(row["shares sold"])
    assert sum(shares * price for shares, price in sales) == money(row["sold USD"])
    assert sum(abs(quantity) for _, quantity, _ in ORDERS.get(NAMES[day], ())) == Decimal(row["shares traded"])


def test_the_week_that_is_told_is_the_week_that_is_lived() -> None:
    for row in table("What happens"):
        for symbol, quantity, price in ORDERS.get(row["day"], ()):
            assert f"{'buy' if quantity > 0 else 'sell'} {abs(quantity)} {symbol} " in row["in the session"] + " "
            assert f"at {price}" in row["in the session"]
    told = {row["day"]: row["before the open"] for row in table("What happens")}
    assert told["Tue"].startswith("AAA: three new shares")
    assert told["Thu"] == "AAA pays 0.24 a share, BBB 0.15"


def test_the_results_are_those_of_the_page() -> None:
    scribe = week()
    found = {trip.symbol: trip for trip in scribe.trips}
    for row in table("The results"):
        symbol, side = row["position"].split(", ")
        trip = found.pop(symbol)
        assert (trip.quantity, trip.short) == (Decimal(row["shares"]), side == "short")
        assert (trip.pnl_usd, trip.income_usd) == (money(row["result"]), money(row["dividends"]))
        assert trip.entry_price_usd == money(row["entry"])
        assert trip.exit_price_usd.quantize(Decimal(row["exit"]), ROUND_HALF_UP) == money(row["exit"])
        assert money(row["sold USD"]) - money(row["bought USD"]) + trip.income_usd == trip.pnl_usd
    assert found == {}
    assert scribe.exchange.violations == []


def test_the_page_adds_up() -> None:
    """What a reader would do with a pencil."""
    rows = _books()
    assert [row["day"] for row in rows] == list(NAMES)
    assert all(after["cash before"] == before["cash"] for before, after in pairwise(rows))
    for row in rows:
        moved = money(row["trades"]) + money(row["dividends"]) - money(row["fees"])
        assert money(row["cash before"]) + moved == money(row["cash"])
        worth = sum(Decimal(row[f"{symbol} shares"]) * money(row[f"{symbol} close"]) for symbol in UNIVERSE.symbols)
        assert money(row["cash"]) + worth == money(row["equity"])
    results = sum(money(row["result"]) for row in table("The results"))
    assert money(rows[0]["cash before"]) + results - sum(money(row["fees"]) for row in rows) == money(rows[-1]["cash"])
