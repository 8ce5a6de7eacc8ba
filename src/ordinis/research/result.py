"""What a backtest comes to, as one flat value that becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from ordinis.domain.account import AccountView
from ordinis.engines.performance import statistics
from ordinis.engines.trading import TradingEngine


class Books(Protocol):
    """The exchange's own books: the judge of equity and violations."""

    def account(self) -> AccountView: ...

    @property
    def violations(self) -> Sequence[object] | None: ...


class BacktestResult(msgspec.Struct, frozen=True, kw_only=True):
    """`return` and `max_drawdown` are fractions; `sharpe` is daily, annualised, None under 20 sessions."""

    data: str
    data_label: str
    synthetic: bool
    first_session: str | None
    last_session: str | None
    sessions: int
    fill_model: str
    tier: str
    sizing_method: str
    start_equity: float
    final_equity: float
    return_: float = msgspec.field(name="return")
    max_drawdown: float
    sharpe: float | None
    trades: int  # Closed round trips.
    entries: int  # Positions opened.
    win_rate: float | None
    profit_factor: float | None
    fees: float
    violations: int | None  # By the exchange's own books; None where they are in another process.
    refused_by_exchange: int
    average_position: float | None  # Mean weight of the entries sent, as a fraction of equity.
    rebalances: int  # Looks at the whole book.
    rebalance_cuts: int  # Orders that came of them: parts sold,
    rebalance_additions: int  # and bought.
    rebalance_turnover: float  # What was traded in all, in equities.
    rebalance_cost: float  # USD, half an assumed spread on what was traded.
    resumes: int  # Times a latched stop was lifted for the next session.
    bars: int
    seconds: float  # Wall time of the loop: loading, deciding, matching, journal on disk.
    cpu_seconds: float
    loading_cpu_seconds: float  # Part of it: reading the bars.
    bars_per_second: float
    rules_evaluated: int
    decisions_by_reason: Mapping[str, int]
    bound_by: Mapping[str, int]  # How often each cap or method set an entry's size.
    sizing_methods: Mapping[str, int]  # Which method sized how many entries, fallbacks by their own name.
    journal: str
    journal_digest: str
    partial: bool  # Stopped before the end of the data.


class Rebalances(msgspec.Struct, frozen=True, kw_only=True):
    """What all rebalances of a run came to."""

    looks: int
    cuts: int
    additions: int
    turnover: float
    cost_usd: float


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller knows of a run and the engine does not."""

    data: str
    data_label: str
    synthetic: bool
    fill_model: str
    start_usd: float
    bars: int
    seconds: float
    cpu_seconds: float
    loading_cpu_seconds: float
    average_position: float | None
    decisions_by_reason: Mapping[str, int]
    bound_by: Mapping[str, int]
    sizing_methods: Mapping[str, int]
    rebalances: Rebalances
    journal: str
    journal_digest: str
    partial: bool


def summarise(engine: TradingEngine, books: Books, facts: RunFacts) -> BacktestResult:
    """Put engine, the exchange's books and the run's facts together."""
    state, curve = engine.state, engine.curve
    final_usd = float(books.account().equity_usd)
    days = [day for day, _ in curve.sessions]
    return BacktestResult(
        data=facts.data,
        data_label=facts.data_label,
        synthetic=facts.synthetic,
        first_session=days[0].isoformat() if days else None,
        last_session=days[-1].isoformat() if days else None,
        sessions=len(days),
        fill_model=facts.fill_model,
        tier=state.tier.name,
        sizing_method=state.tier.sizing.method.value,
        start_equity=facts.start_usd,
        final_equity=final_usd,
        return_=final_usd / facts.start_usd - 1.0,
        max_drawdown=statistics.max_drawdown(curve.equity_usd),
        sharpe=statistics.sharpe(curve.closes_usd(), facts.start_usd),
        trades=len(state.trips),
        entries=state.entries_filled,
        win_rate=statistics.win_rate(state.trips),
        profit_factor=statistics.profit_factor(state.trips),
        fees=float(state.ledger.fees_usd),
        violations=None if books.violations is None else len(books.violations),
        refused_by_exchange=state.refused,
        average_position=facts.average_position,
        rebalances=facts.rebalances.looks,
        rebalance_cuts=facts.rebalances.cuts,
        rebalance_additions=facts.rebalances.additions,
        rebalance_turnover=facts.rebalances.turnover,
        rebalance_cost=facts.rebalances.cost_usd,
        resumes=state.halts.resumes,
        bars=facts.bars,
        seconds=facts.seconds,
        cpu_seconds=facts.cpu_seconds,
        loading_cpu_seconds=facts.loading_cpu_seconds,
        bars_per_second=facts.bars / facts.seconds if facts.seconds else 0.0,
        rules_evaluated=state.guard.rules_evaluated,
        decisions_by_reason=facts.decisions_by_reason,
        bound_by=facts.bound_by,
        sizing_methods=facts.sizing_methods,
        journal=facts.journal,
        journal_digest=facts.journal_digest,
        partial=facts.partial,
    )
