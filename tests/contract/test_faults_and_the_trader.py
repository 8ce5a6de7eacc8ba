"""Everything that the simulated broker can do wrong, and what it must lead to: in the journal, and at the end.

Two scripted days over the wire. Whatever happens, our book ends as the broker's, every fill is in the journal once, and
no order is at the broker twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from contract.roads import linked
from ordinis.brokers.alpaca.backoff import Backoff
from ordinis.brokers.alpaca.feeds import StreamLimits
from ordinis.brokers.alpaca.rest import RestLimits
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import FaultPlan
from ordinis.brokers.simulated.faults.kinds import (
    AccountBlocked,
    CorrectedBar,
    Delay,
    DropSocket,
    DuplicateEvent,
    Fault,
    HttpError,
    LateBar,
    LostAnswer,
    MissingEvent,
    MissingField,
    MuteSocket,
    PartialFill,
    RefuseOrder,
    RejectOrder,
    ReorderEvents,
    SplitBeforeOpen,
    StalePositions,
    UnknownField,
    UnknownStatus,
)
from ordinis.brokers.simulated.server import SimulatedData, serve
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import OrderStatus
from ordinis.engines.trading import TradingEngine
from ordinis.journal.reading import digest
from ordinis.journal.recorded import Step, recorded
from simulation.killing import Death, relived, trade_on
from simulation.scripted import Script, exchange, trader
from simulation.scripted import days as days_of
from simulation.worlds import Watch

REST = RestLimits(connect_seconds_max=2.0, answer_seconds_max=1.0, backoff=Backoff(first_seconds=0.01, attempts_max=3))
STREAMS = StreamLimits(wait_seconds_max=5.0, backoff=Backoff(first_seconds=0.01, seconds_max=0.05, attempts_max=20))
AS_EVER = {"AAA": 192, "CCC": 200}  # What is held at the end when nothing goes wrong.
BOUGHT_ONCE = {"AAA": 191, "CCC": 200}  # The first day's AAA was not traded, or not all of it, and cost less.
LIVES_MAX = 3


class Ended:
    """How it ended."""

    def __init__(self, engine: TradingEngine, other_side: Exchange, steps: list[Step], lives: int) -> None:
        self.engine = engine
        self.exchange = other_side
        self.steps = steps
        self.lives = lives

    @property
    def positions(self) -> dict[str, int]:
        return {one.symbol: int(one.quantity) for one in self.exchange.positions}

    @property
    def notes(self) -> str:
        return "\n".join(note for _, decision in self.steps for note in decision.notes)

    @property
    def fills(self) -> list[str]:
        return [event.fill.execution_id for event, _ in self.steps if isinstance(event, OrderUpdate) and event.fill]

    @property
    def statuses(self) -> set[OrderStatus]:
        return {event.status for event, _ in self.steps if isinstance(event, OrderUpdate)}

    @property
    def events(self) -> Counter[str]:
        """What the journal has of every order, by day, symbol and leg: its fills and its end."""
        updates = [event for event, _ in self.steps if isinstance(event, OrderUpdate)]
        matters = [one for one in updates if one.fill is not None or one.status.final]
        return Counter(f"{_short(one.client_order_id)} {one.status.value} {one.filled_quantity}" for one in matters)

    @property
    def bought(self) -> set[str]:
        return {one.symbol for one in self.exchange.orders if one.buys and one.filled_quantity}

    @property
    def sold(self) -> set[str]:
        return {one.symbol for one in self.exchange.orders if not one.buys and one.filled_quantity}


def _short(client_order_id: str) -> str:
    """`main-20250115T1431-AAA-entry-1.stop` as `15 AAA entry.stop`: minute and number vary with what was told when."""
    _, day, symbol, leg, number = client_order_id.split("-")
    return f"{day[6:8]} {symbol} {leg}{number.lstrip('0123456789')}"


def unwatched(other_side: Exchange, engine: TradingEngine) -> Watch:
    """Nobody looks at both sides after an event."""
    return lambda event, decision: None


def traded(
    faults: Sequence[Fault],
    path: Path,
    script: Script = "margin",
    watched: Callable[[Exchange, TradingEngine], Watch] = unwatched,
) -> Ended:
    """Both days. A run that the wire ends is started again, as often as it takes."""
    other_side, plan, days = exchange(script), FaultPlan(fault=tuple(faults)), days_of(script)
    with serve(other_side, SimulatedData(days=days), faults=plan) as served:
        for life in range(1, LIVES_MAX + 1):
            engine = trader(script)
            lived = relived(engine, path)
            try:
                with linked(served.addresses, days[0], rest_limits=REST, stream_limits=STREAMS) as link:
                    market = link.market_since(None if lived is None else lived.reached)
                    trade_on(engine, link.broker, market, lived, path, Death(), watched(other_side, engine))
                return Ended(engine, other_side, list(recorded(path)), life)
            except BrokerError:
                continue
    raise AssertionError(f"{LIVES_MAX} lives were not enough")


def check_books(ended: Ended) -> None:
    assert ended.engine.state.ledger.differs_from(ended.exchange.positions) == []
    assert ended.engine.state.ledger.cash_usd == ended.exchange.account().cash_usd
    assert len(ended.fills) == len(set(ended.fills)) > 0
    names = [one.client_order_id for one in ended.exchange.orders]
    assert len(names) == len(set(names))


CASES: dict[str, tuple[Fault, dict[str, int], str]] = {
    "a fill that is not told": (MissingEvent(stream="trading", event="fill"), AS_EVER, ""),
    "an end that is not told": (MissingEvent(stream="trading", event="canceled"), AS_EVER, ""),
    "everything told twice": (DuplicateEvent(stream="trading", count=0), AS_EVER, ""),
    "fills in the wrong order": (ReorderEvents(stream="trading", event="partial_fill"), AS_EVER, ""),
    "a mute trading stream": (MuteSocket(stream="trading", event="fill"), AS_EVER, ""),
    "a lost trading stream": (DropSocket(stream="trading", event="fill"), AS_EVER, ""),
    "a trading stream lost twice": (DropSocket(stream="trading", event="fill", count=2), AS_EVER, ""),
    "a lost stream of bars": (DropSocket(stream="data", event="b", skip=10), AS_EVER, ""),
    "a mute stream of bars": (MuteSocket(stream="data", event="b", skip=7), AS_EVER, ""),
    "an order accepted behind a 504": (LostAnswer(method="POST"), AS_EVER, ""),
    "an order lost behind a 500": (HttpError(method="POST", status=500), AS_EVER, ""),
    "a cancel lost behind a 500": (HttpError(method="DELETE", status=500), AS_EVER, ""),
    "too many requests": (HttpError(method="POST", status=429), AS_EVER, ""),
    "an answer that takes too long": (Delay(method="GET", seconds=1.2, skip=20), AS_EVER, ""),
    "an entry that is refused": (RefuseOrder(side="buy"), BOUGHT_ONCE, "AAA-entry-1 refused: 40310000"),
    "a stop that is refused": (RefuseOrder(side="sell"), AS_EVER, "stop-1 refused: 40310000"),
    "an entry that is rejected later": (RejectOrder(side="buy"), BOUGHT_ONCE, "AAA-entry-1 refused: no reason given"),
    "an entry that fills in part": (PartialFill(), BOUGHT_ONCE, ""),
    "positions that lag behind": (StalePositions(), AS_EVER, "entries are halted: AAA: the broker has -200 shares"),
    "a blocked account": (AccountBlocked(from_minute=2, minutes=3), BOUGHT_ONCE, "account is blocked from trading"),
    "a bar that comes late": (LateBar(symbol="AAA", minutes=2), BOUGHT_ONCE, ""),
    "a bar that is corrected": (CorrectedBar(symbol="AAA"), AS_EVER, ""),
    "a split before the open": (SplitBeforeOpen(symbol="AAA"), {"AAA": 384, "CCC": 200}, ""),
    "fields of tomorrow": (UnknownField(), AS_EVER, ""),
    "statuses of tomorrow": (UnknownStatus(), AS_EVER, ""),
    "no prices of positions any more": (
        MissingField(field="avg_entry_price", where="/v2/positions", from_session=2),
        {},
        "entries are halted: the account cannot be read: the broker's positions cannot be read: Object missing "
        "required field `avg_entry_price`",
    ),
    "no cash any more": (
        MissingField(field="cash", where="/v2/account", from_session=2),
        {},
        "entries are halted: the account cannot be read: the broker's account cannot be read: Object missing "
        "required field `cash`",
    ),
}


ALL_WELL = [
    "15 AAA entry filled 200",
    "15 AAA entry.stop canceled 0",
    "15 AAA exit filled 200",
    "15 BBB entry partially_filled 200",
    "15 BBB entry canceled 200",
    "15 BBB entry.stop canceled 0",
    "15 BBB stop canceled 0",
    "15 CCC entry partially_filled 200",
    "15 CCC entry canceled 200",
    "15 CCC entry.stop canceled 0",
    "15 CCC stop filled 200",
    "16 AAA entry filled 192",
    "16 BBB exit filled 200",
    "16 CCC entry partially_filled 200",
    "16 CCC entry canceled 200",
    "16 CCC entry.stop canceled 0",
]
"""The journal's fills and ends of orders when nothing goes wrong, and when what goes wrong comes to nothing."""

NO_FIRST_TRADE = ["15 AAA entry filled 200", "15 AAA entry.stop canceled 0", "15 AAA exit filled 200"]
NO_SECOND_DAY = ["16 AAA entry filled 192", *(one for one in ALL_WELL if one.startswith("16 CCC"))]
SMALLER = (["16 AAA entry filled 192"], ["16 AAA entry filled 191"])
OTHERWISE: dict[str, tuple[list[str], list[str]]] = {
    "an entry that is refused": (NO_FIRST_TRADE + SMALLER[0], ["15 AAA entry rejected 0", *SMALLER[1]]),
    "a stop that is refused": ([], ["15 CCC stop rejected 0"]),
    "an entry that is rejected later": (
        NO_FIRST_TRADE + SMALLER[0],
        ["15 AAA entry rejected 0", "15 AAA entry.stop rejected 0", *SMALLER[1]],
    ),
    "an entry that fills in part": (
        ["15 AAA entry filled 200", "15 AAA exit filled 200", *SMALLER[0]],
        [
            "15 AAA entry partially_filled 100",
            "15 AAA entry canceled 100",
            "15 AAA stop canceled 0",
            "15 AAA exit filled 100",
            *SMALLER[1],
        ],
    ),
    "a blocked account": (
        [*(one for one in ALL_WELL if "BBB" in one), *SMALLER[0]],
        ["15 BBB entry rejected 0", "15 CCC stop rejected 0", "15 CCC stop rejected 0", *SMALLER[1]],
    ),
    "a bar that comes late": (NO_FIRST_TRADE + SMALLER[0], SMALLER[1]),
    "a bar that is corrected": (
        ["15 AAA entry filled 200", "15 AAA exit filled 200"],
        ["15 AAA entry filled 198", "15 AAA exit filled 198"],
    ),
    "a split before the open": (SMALLER[0], ["16 AAA entry filled 384"]),
    "no prices of positions any more": (NO_SECOND_DAY, []),
    "no cash any more": (NO_SECOND_DAY, []),
}
"""What the journal lacks, and what it has instead."""


@pytest.mark.parametrize("name", CASES)
def test_what_goes_wrong_leads_to_what_is_meant(name: str, tmp_path: Path) -> None:
    fault, positions, note = CASES[name]
    ended = traded([fault], tmp_path / "a.journal")
    lacks, has = OTHERWISE.get(name, ([], []))
    assert ended.events == Counter(ALL_WELL) - Counter(lacks) + Counter(has)
    check_books(ended)
    assert ended.positions == positions
    assert note in ended.notes
    assert "BBB" in ended.sold or "BBB" not in ended.bought, "an exit goes out, whatever stands against entries"
    assert ended.lives == 1


@pytest.mark.parametrize("skip", [9, 10, 11], ids=["first bar", "second bar", "last bar"])
@pytest.mark.parametrize("kind", [DropSocket, MuteSocket])
def test_a_minute_whose_bars_were_lost_is_asked_for_and_leaves_the_same_journal(
    kind: type[DropSocket | MuteSocket], skip: int, tmp_path: Path
) -> None:
    """To the byte, whichever bar of the minute was the one that nobody heard."""
    traded([], tmp_path / "whole.journal")
    traded([kind(stream="data", event="b", skip=skip)], tmp_path / "lost.journal")
    assert digest(tmp_path / "lost.journal") == digest(tmp_path / "whole.journal")


def test_a_refused_order_is_remembered_and_not_sent_again(tmp_path: Path) -> None:
    ended = traded([RefuseOrder(side="buy", symbol="AAA", count=0)], tmp_path / "a.journal")
    check_books(ended)
    refused = [event for event, _ in ended.steps if isinstance(event, OrderUpdate) and event.error_code == 40310000]
    assert [one.status for one in refused] == [OrderStatus.REJECTED] * len(refused)
    assert len(refused) == 2, "once for each day's wish"
    assert ended.positions == {"CCC": 200}


def test_what_is_halted_by_what_cannot_be_read_is_lifted_when_it_can(tmp_path: Path) -> None:
    """The field is gone for the first two questions of the second day, and the entries after that go out."""
    gone = MissingField(field="cash", where="/v2/account", from_session=2, count=1)
    ended = traded([gone], tmp_path / "a.journal")
    check_books(ended)
    assert ended.notes.count("the account cannot be read") == 1
    assert ended.positions == AS_EVER


def test_nothing_goes_wrong_where_nothing_is_armed(tmp_path: Path) -> None:
    """The measure of all the others."""
    ended = traded([], tmp_path / "a.journal")
    check_books(ended)
    assert (ended.positions, ended.lives) == (AS_EVER, 1)
    assert ended.events == Counter(ALL_WELL)
    assert ended.engine.state.ledger.held("AAA") == Decimal(192)
    assert OrderStatus.REJECTED not in ended.statuses
