"""A backtest is the loop over a recorded market, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from ordinis.domain.decision import RebalancePlan, SizeResult, Verdict, VerdictAction
from ordinis.domain.events import SessionPhase
from ordinis.domain.market import MarketBlock, MarketSlice
from ordinis.engines.portfolio.rebalance.plan import adds
from ordinis.engines.trading import TradingEngine
from ordinis.journal import reading
from ordinis.ports import Broker, Journal, Market
from ordinis.research.result import BacktestResult, Books, Rebalances, RunFacts, summarise
from ordinis.runtime import clock
from ordinis.runtime.loop import Look, trade
from ordinis.runtime.memory import settled_memory


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: what it is called, and the bars it has seen."""

    data: str
    data_label: str
    synthetic: bool
    fill_model: str
    start_usd: float
    journal: Path
    bars: int = 0
    loading_cpu_seconds: float = 0.0

    def loaded(self, blocks: Iterable[MarketBlock]) -> Iterator[MarketBlock]:
        """The same blocks; the CPU time it took to read each is added up."""
        source = iter(blocks)
        while True:
            started = clock.cpu_seconds()
            block = next(source, None)
            self.loading_cpu_seconds += clock.cpu_seconds() - started
            if block is None:
                return
            yield block

    def counted(self, market: Market) -> Iterator[SessionPhase | MarketSlice | None]:
        """The same market, its bars counted: a block at a time, when its first minute comes."""
        block: MarketBlock | None = None
        for step in market:
            if type(step) is MarketSlice and step.block is not block:
                block = step.block
                self.bars += int(np.count_nonzero(block.present))
            yield step


def backtest(
    engine: TradingEngine,
    market: Market,
    broker: Broker,
    journal: Journal,
    books: Books,
    run: Run,
    stopped: Callable[[], bool],
    look: Look | None = None,
) -> BacktestResult:
    """Trade to the end of the market, or until `stopped`: then the result is marked partial."""
    started, cpu_started = clock.seconds(), clock.cpu_seconds()
    with settled_memory():
        complete = trade(engine, run.counted(market), broker, journal, stopped, look)
    journal.close()
    seconds, cpu_seconds = clock.seconds() - started, clock.cpu_seconds() - cpu_started
    sent = _Sent(run.journal)
    facts = RunFacts(
        data=run.data,
        data_label=run.data_label,
        synthetic=run.synthetic,
        fill_model=run.fill_model,
        start_usd=run.start_usd,
        bars=run.bars,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        loading_cpu_seconds=run.loading_cpu_seconds,
        average_position=fmean(sent.weights) if sent.weights else None,
        decisions_by_reason=reading.decisions_by_reason(run.journal),
        bound_by=dict(sent.bound_by.most_common()),
        sizing_methods=dict(sent.methods.most_common()),
        rebalances=_rebalances(plan for _, plan in reading.plans(run.journal)),
        journal=str(run.journal),
        journal_digest=reading.digest(run.journal),
        partial=not complete,
    )
    return summarise(engine, books, facts)


class _Sent:
    """What the sizes of the entries that were sent come to, read from the journal one at a time."""

    def __init__(self, journal: Path) -> None:
        self.weights: list[float] = []
        self.bound_by: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()
        for one in reading.assessments(journal):
            size, verdict = one.assessment.size, one.assessment.verdict
            if one.assessment.client_order_id and size is not None:
                self.weights.append(_weight(size, verdict))
                self.bound_by[_bound_by(size, verdict)] += 1
                self.methods[size.sizing_method] += 1


def _rebalances(plans: Iterable[RebalancePlan]) -> Rebalances:
    looks, cuts, additions, turnover, cost_usd = 0, 0, 0, 0.0, 0.0
    for plan in plans:
        looks += 1
        grown = sum(adds(line) for line in plan.lines)
        additions += grown
        cuts += sum(1 for line in plan.lines if line.quantity) - grown
        turnover += plan.turnover
        cost_usd += plan.cost_usd
    return Rebalances(looks=looks, cuts=cuts, additions=additions, turnover=turnover, cost_usd=cost_usd)


def _weight(size: SizeResult, verdict: Verdict) -> float:
    """Of the order that went out."""
    return size.weight * float(verdict.quantity / size.shares)


def _bound_by(size: SizeResult, verdict: Verdict) -> str:
    """The rule that cut the size, or else the link of the chain that set it."""
    return verdict.reason.name if verdict.action is VerdictAction.RESIZE else size.bound_by
