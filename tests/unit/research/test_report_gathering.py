"""What the report's source says of a real small run, against the engine's own books and the journal."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from ordinis.domain.decision import Assessment, Reason, SizeResult, SizeStep, Verdict, VerdictAction
from ordinis.domain.errors import JournalError
from ordinis.domain.market import MINUTE_NS, Universe
from ordinis.domain.orders import Fill, Purpose
from ordinis.engines.ledger import Ledger
from ordinis.engines.round_trip import RoundTrip
from ordinis.journal import reading
from ordinis.research.report import gather
from ordinis.research.report.gathering import nights, open_positions, sizes_of
from ordinis.research.report.source import Exit

if TYPE_CHECKING:
    from unit.research.conftest import SmallRun


def test_the_run_is_worth_looking_at(small_run: SmallRun) -> None:
    """Otherwise the tests below say nothing: trades by signal and by stop, some held overnight, some left open."""
    ways = Counter(trade.exit for trade in small_run.source.trades)
    assert ways[Exit.SIGNAL] >= 3
    assert ways[Exit.STOP] >= 3
    assert any(trade.held_nights for trade in small_run.source.trades)
    assert small_run.source.open_positions


def test_start_trades_open_positions_and_fees_make_the_final_equity(small_run: SmallRun) -> None:
    source, result = small_run.source, small_run.result
    told = result.start_equity + float(source.realised_usd) + source.open_result_usd - float(source.costs.all_fees_usd)
    assert told == pytest.approx(result.final_equity, abs=0.005)
    assert float(source.costs.all_fees_usd) == pytest.approx(result.fees)


def test_every_trade_is_closed_by_the_orders_that_sold_it(small_run: SmallRun) -> None:
    """Counted anew from the journal's last fills, in another way than the report's."""
    stops = {f"{one.client_order_id}.stop" for one in reading.orders(small_run.result.journal)}
    stops |= {one.client_order_id for one in reading.orders(small_run.result.journal) if one.purpose is Purpose.PROTECT}
    sellers = {
        (update.symbol, update.fill.filled_at_ns): update.client_order_id
        for update in reading.updates(small_run.result.journal)
        if update.fill is not None and update.fill.quantity < 0
    }
    for trade in small_run.source.trades:
        stopped = sellers[trade.trip.symbol, trade.trip.closed_at_ns] in stops
        assert trade.exit in ((Exit.STOP, Exit.BOTH) if stopped else (Exit.SIGNAL, Exit.BOTH))


def test_time_held_counts_minutes_of_trading_and_nights_between(small_run: SmallRun) -> None:
    curve = small_run.source.curve
    for trade in small_run.source.trades:
        trip = trade.trip
        between = [at_ns for at_ns in curve.at_ns.tolist() if trip.opened_at_ns < at_ns <= trip.closed_at_ns]
        assert trade.held_minutes == len(between)
        days = np.array([trip.opened_at_ns, trip.closed_at_ns]) // (86_400 * 10**9)  # New York trades inside UTC's day.
        assert trade.held_nights == days[1] - days[0]


def test_the_spread_paid_is_what_the_fills_were_made_worse_by(small_run: SmallRun) -> None:
    """Two basis points of every fill, as near as rounded prices allow."""
    fills = reading.fills(small_run.result.journal)
    traded = sum((abs(fill.quantity) * fill.price_usd for fill in fills), start=Decimal(0))
    costs = small_run.source.costs
    assert costs.traded_usd == traded
    assert costs.spread_usd == pytest.approx(float(traded) * 2e-4, rel=1e-3)


def test_the_sectors_add_up_to_the_exposure_of_the_same_minutes(small_run: SmallRun) -> None:
    """Fills and last prices on one side, the engine's own marks on the other."""
    sectors, curve = small_run.source.sectors, small_run.source.curve
    assert sectors.sectors == ("IBM", "Technology")  # IBM is in no table here.
    assert sectors.usd.max(axis=0).min() > 1_000.0
    assert sectors.usd.sum(axis=1) == pytest.approx(curve.long_usd[sectors.rows], abs=1e-6)
    assert {rows - 1 for _, rows in curve.sessions} <= set(sectors.rows.tolist())


def test_what_orders_slipped_is_what_they_paid_over_what_they_were_decided_on(small_run: SmallRun) -> None:
    journal = small_run.result.journal
    decided = {
        one.assessment.client_order_id: one.assessment.price_usd
        for one in reading.assessments(journal)
        if one.assessment.client_order_id
    }
    cost_usd = sum(
        float(update.fill.quantity) * (float(update.fill.price_usd) - decided[update.client_order_id])
        for update in reading.updates(journal)
        if update.fill is not None and update.client_order_id in decided
    )
    ours = [slip for slip in small_run.source.slips if slip.order_type in ("limit", "market")]
    assert {slip.order_type for slip in ours} == {"limit", "market"}, "entries and exits"
    assert sum(slip.cost_usd for slip in ours) == pytest.approx(cost_usd, abs=1e-6)
    filled = {update.client_order_id for update in reading.updates(journal) if update.fill is not None}
    assert len(small_run.source.slips) == len(filled)
    stops = [slip for slip in small_run.source.slips if slip.order_type == "stop"]
    assert stops
    assert min(slip.bps for slip in stops) > 1.5  # A stop pays half the spread at least, to the rounding of prices.


def test_each_entry_sent_is_counted_once_under_what_set_its_size(small_run: SmallRun) -> None:
    sent = [
        one.assessment
        for one in reading.assessments(small_run.result.journal)
        if one.assessment.purpose is Purpose.ENTRY and one.assessment.client_order_id
    ]
    sizes = small_run.source.sizes
    assert sizes.entries == len(sent) == sum(small_run.result.bound_by.values())
    cut = Counter(one.verdict.reason.name for one in sent if one.verdict.action is VerdictAction.RESIZE)
    rules = {name: count for name, count in sizes.set_by.items() if name in Reason.__members__}
    assert rules == dict(cut)
    assert sizes.took_part["FIXED_PERCENT"] == len(sent)


def test_the_curve_and_the_benchmark_cover_the_same_sessions(small_run: SmallRun) -> None:
    source = small_run.source
    assert source.benchmark.dates == tuple(day for day, _ in source.curve.sessions)
    assert source.curve.at_ns.size == 3 * 390


def test_data_and_settings_come_from_the_journal(small_run: SmallRun) -> None:
    source = small_run.source
    with reading.open_journal(small_run.result.journal) as journal:
        assert source.data_sha256 == journal.meta["data_sha256"]
    assert source.settings["tiers"][1]["method"] == "FIXED_PERCENT"
    assert source.symbols == ("AAPL", "IBM", "MSFT")


def test_a_journal_of_another_run_is_refused(small_run: SmallRun) -> None:
    trips = small_run.engine.state.trips
    trips.append(msgspec.structs.replace(trips[-1], closed_at_ns=1))
    try:
        with pytest.raises(JournalError, match="does not hold a"):
            gather(small_run.result, small_run.engine, small_run.around)
    finally:
        trips.pop()


OPEN_NS = 1736778600 * 10**9  # 2025-01-13 09:30 in New York.
CLOSE_NS = OPEN_NS + 390 * MINUTE_NS
NEXT_OPEN_NS = OPEN_NS + 86_400 * 10**9


@pytest.mark.parametrize(
    ("opened_at_ns", "closed_at_ns", "between"),
    [
        (OPEN_NS, CLOSE_NS, 0),
        (OPEN_NS, NEXT_OPEN_NS, 1),
        (CLOSE_NS, NEXT_OPEN_NS, 1),
        (NEXT_OPEN_NS, NEXT_OPEN_NS + MINUTE_NS, 0),
    ],
    ids=["sold at the close", "sold at the next open", "bought at the close", "the next morning"],
)
def test_a_night_lies_between_a_close_and_the_next_open(opened_at_ns: int, closed_at_ns: int, between: int) -> None:
    trip = RoundTrip(
        symbol="IBM",
        strategy="atr_rsi",
        quantity=Decimal(1),
        entry_price_usd=Decimal(10),
        exit_price_usd=Decimal(11),
        opened_at_ns=opened_at_ns,
        closed_at_ns=closed_at_ns,
        pnl_usd=Decimal(1),
        risk_usd=Decimal(0),
    )
    assert nights(trip, np.array([CLOSE_NS, CLOSE_NS + 86_400 * 10**9])) == between


def _assessed(action: VerdictAction, reason: Reason, client_order_id: str | None) -> Assessment:
    return Assessment(
        symbol="IBM",
        purpose=Purpose.ENTRY,
        strategy="atr_rsi",
        score=1.0,
        confidence=0.9,
        price_usd=10.0,
        size=SizeResult(
            symbol="IBM",
            shares=Decimal(5),
            notional_value=50.0,
            weight=0.2,
            risk_contribution=0.0,
            sizing_method="FIXED_PERCENT",
            confidence=0.9,
            chain=(SizeStep("FIXED_PERCENT", 0.3), SizeStep("max_position_pct", 0.2)),
            bound_by="max_position_pct",
        ),
        verdict=Verdict(action=action, quantity=Decimal(5), reason=reason),
        client_order_id=client_order_id,
    )


def test_a_rule_that_cut_an_entry_set_its_size_and_a_refused_one_has_none() -> None:
    found = sizes_of(
        [
            _assessed(VerdictAction.APPROVE, Reason.SENT, "a"),
            _assessed(VerdictAction.RESIZE, Reason.CASH_BUFFER, "b"),
            _assessed(VerdictAction.REFUSE, Reason.BUYING_POWER, None),
        ]
    )
    assert found.set_by == {"max_position_pct": 1, "CASH_BUFFER": 1}
    assert found.took_part == {"FIXED_PERCENT": 2, "max_position_pct": 2, "CASH_BUFFER": 1}


def test_what_a_part_sold_brought_in_is_taken_off_what_was_paid() -> None:
    ledger = Ledger(Universe(("IBM",)))
    for number, (quantity, price) in enumerate([("10", "100"), ("-4", "110")]):
        ledger.apply_fill(
            Fill(
                execution_id=str(number),
                symbol="IBM",
                quantity=Decimal(quantity),
                price_usd=Decimal(price),
                filled_at_ns=OPEN_NS,
            )
        )
    (found,) = open_positions(ledger)
    assert (found.quantity, found.paid_usd) == (Decimal(6), Decimal(560))
