"""From a finished run to all that its report says: the engine's books, and the journal for the reasons."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ordinis.domain.decision import Assessment, VerdictAction
from ordinis.domain.errors import JournalError
from ordinis.domain.events import CashFlow, OrderUpdate
from ordinis.domain.market import IntArray
from ordinis.domain.orders import OrderIntent, OrderType, Purpose, leg_id
from ordinis.engines.ledger import ZERO, Ledger
from ordinis.engines.performance.curve import EquityCurve
from ordinis.engines.round_trip import RoundTrip
from ordinis.engines.trading import TradingEngine
from ordinis.journal import reading
from ordinis.journal.trips import Trip, trips
from ordinis.research.report.benchmark import Benchmark
from ordinis.research.report.sectors import Bars, sector_exposure
from ordinis.research.report.slippage import slips
from ordinis.research.report.source import Costs, Curve, Exit, OpenPosition, ReportSource, Sizes, Trade
from ordinis.research.report.terms import PositionEvent, in_last_terms
from ordinis.research.result import BacktestResult

# Bought or not, and the price of a fill -> the part of it that was half the spread, USD a share: the exchange's own.
GivenAway = Callable[[bool, float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a report says of a run and neither its engine nor its journal knows."""

    command: str  # What a person types to run it again.
    benchmark: Benchmark
    given_away: GivenAway
    bars: Bars  # In the terms of the last day.
    sector_of: Mapping[str, str]


def gather(result: BacktestResult, engine: TradingEngine, around: Surroundings) -> ReportSource:
    """All that the report of this run needs. Errors: JournalError where the run's journal does not hold it."""
    path, curve = result.journal, _frozen(engine.curve)
    events, intents = reading.position_events(path), reading.orders(path)
    updates = [event for event in events if isinstance(event, OrderUpdate)]
    orders = _Orders(intents)
    meta, symbols = _meta(path)
    return ReportSource(
        result=result,
        command=around.command,
        symbols=symbols,
        data_sha256=meta["data_sha256"],
        settings=json.loads(meta["settings"]),
        benchmark=around.benchmark.until({day for day, _ in curve.sessions}),
        curve=curve,
        target_volatility=engine.state.tier.sizing.target_volatility,
        sectors=sector_exposure(
            in_last_terms(reading.fills_by_minute(path), events, curve.at_ns),
            around.bars,
            around.sector_of,
            curve.at_ns.size,
        ),
        slips=slips(updates, intents, _assessments(path)),
        trades=_trades(path, engine.state.trips, events, orders, curve),
        open_positions=open_positions(engine.state.ledger),
        sizes=sizes_of(_assessments(path)),
        costs=_costs(updates, orders, [one for one in events if isinstance(one, CashFlow)], around.given_away),
        broker_refusals=_refusals(updates),
        notes=tuple(reading.notes(path)),
    )


def _assessments(path: str) -> Iterator[Assessment]:
    return (one.assessment for one in reading.assessments(path))


class _Orders:
    """Why each order exists and of what type it is; an entry's stop leg goes by its own name."""

    def __init__(self, intents: Iterable[OrderIntent]) -> None:
        self.purpose: dict[str, Purpose] = {}
        self.limits: dict[str, Decimal] = {}  # USD.
        for intent in intents:
            self.purpose[intent.client_order_id] = intent.purpose
            if intent.stop_loss_usd is not None:
                self.purpose[leg_id(intent.client_order_id)] = Purpose.PROTECT
            if intent.type is OrderType.LIMIT and intent.limit_price_usd is not None:
                self.limits[intent.client_order_id] = intent.limit_price_usd


def _frozen(curve: EquityCurve) -> Curve:
    return Curve(
        at_ns=curve.at_ns,
        equity_usd=curve.equity_usd,
        long_usd=curve.long_usd,
        short_usd=curve.short_usd,
        positions=curve.positions,
        sessions=tuple(curve.sessions),
    )


def _meta(path: str) -> tuple[Mapping[str, str], tuple[str, ...]]:
    with reading.open_journal(path) as journal:
        missing = [key for key in ("settings", "data_sha256") if key not in journal.meta]
        if missing:
            raise JournalError(
                f"{path} does not say {' and '.join(missing)} of its run: run the backtest again, then report it"
            )
        return journal.meta, journal.symbols


def _trades(
    path: str, closed: Sequence[RoundTrip], events: Sequence[PositionEvent], orders: _Orders, curve: Curve
) -> tuple[Trade, ...]:
    """Each round trip beside the journal's fills of it: both are in order, symbol by symbol."""
    recorded = _recorded(events)
    ends_ns = curve.at_ns[[rows - 1 for _, rows in curve.sessions if rows]]
    trades = []
    for trip in closed:
        fills = next(recorded[trip.symbol], None)
        if fills is None or fills.closed_at_ns != trip.closed_at_ns:
            raise JournalError(f"{path} does not hold a {trip.symbol} trade that the run closed: it is of another run")
        trades.append(
            Trade(
                trip=trip,
                exit=_exit(fills, orders),
                held_minutes=minutes(trip, curve.at_ns),
                held_nights=nights(trip, ends_ns),
            )
        )
    return tuple(trades)


def _recorded(events: Iterable[PositionEvent]) -> defaultdict[str, Iterator[Trip]]:
    by_symbol: dict[str, list[PositionEvent]] = {}
    for event in events:
        by_symbol.setdefault(event.symbol, []).append(event)
    return defaultdict(lambda: iter(()), {symbol: iter(trips(told)) for symbol, told in by_symbol.items()})


def minutes(trip: RoundTrip, marks_ns: IntArray) -> int:
    """Minutes of trading between a trade's two ends. `marks_ns`: the end of each minute."""
    opened, closed = np.searchsorted(marks_ns, [trip.opened_at_ns, trip.closed_at_ns], side="right")
    return int(closed - opened)


def nights(trip: RoundTrip, closes_ns: IntArray) -> int:
    """Closes of the exchange that a trade was held over: what is sold on the stroke of one is out in time."""
    opened, closed = np.searchsorted(closes_ns, [trip.opened_at_ns, trip.closed_at_ns], side="left")
    return int(closed - opened)


def _exit(trip: Trip, orders: _Orders) -> Exit:
    if trip.closed_at_ns != trip.fills[-1].fill.filled_at_ns:
        return Exit.COMPANY
    opening = trip.fills[0].fill.quantity
    purposes = {orders.purpose.get(one.client_order_id) for one in trip.fills if one.fill.quantity * opening < 0}
    if purposes == {Purpose.PROTECT}:
        return Exit.STOP
    return Exit.BOTH if Purpose.PROTECT in purposes else Exit.SIGNAL


def open_positions(ledger: Ledger) -> tuple[OpenPosition, ...]:
    return tuple(
        OpenPosition(
            symbol=symbol,
            strategy=holding.strategy,
            quantity=holding.quantity,
            opened_at_ns=holding.opened_at_ns,
            paid_usd=holding.bought_usd - holding.sold_usd - holding.income_usd,
        )
        for symbol, holding in sorted(ledger.holdings.items())
    )


def sizes_of(assessments: Iterable[Assessment]) -> Sizes:
    """Of entries that were sent. A rule that cut the order afterwards outranks the link that sized it."""
    set_by: Counter[str] = Counter()
    took_part: Counter[str] = Counter()
    for one in assessments:
        if one.purpose is not Purpose.ENTRY or one.client_order_id is None or one.size is None:
            continue
        cut = one.verdict.action is VerdictAction.RESIZE
        set_by[one.verdict.reason.name if cut else one.size.bound_by] += 1
        took_part.update({step.name for step in one.size.chain} | ({one.verdict.reason.name} if cut else set()))
    return Sizes(set_by=dict(set_by.most_common()), took_part=dict(took_part.most_common()))


def _costs(updates: Iterable[OrderUpdate], orders: _Orders, flows: Iterable[CashFlow], given_away: GivenAway) -> Costs:
    fees: dict[str, Decimal] = {}
    for flow in flows:
        if flow.kind == "fee":
            name = flow.note.partition(" fee of ")[0] or "fee"
            fees[name] = fees.get(name, ZERO) - flow.amount_usd
    traded_usd, spread_usd = ZERO, 0.0
    for update in updates:
        if update.fill is not None:
            fill = update.fill
            traded_usd += abs(fill.quantity) * fill.price_usd
            if fill.price_usd != orders.limits.get(update.client_order_id):  # At its own price a limit is the quote.
                spread_usd += abs(float(fill.quantity)) * given_away(fill.quantity > 0, float(fill.price_usd))
    return Costs(traded_usd=traded_usd, spread_usd=spread_usd, fees_usd=fees)


def _refusals(updates: Iterable[OrderUpdate]) -> dict[str, int]:
    told = Counter(f"{one.error_code}: {one.error_text}" for one in updates if one.error_code is not None)
    return dict(told.most_common())
