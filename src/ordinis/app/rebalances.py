"""What a rebalance would do: now, by the journal of a trader, or at a minute of recorded bars. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ordinis.app import material as materials
from ordinis.app.build import build_engine, build_exchange
from ordinis.app.recorded_runs import RecordedRun
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.config.settings import Settings
from ordinis.domain.decision import Decision, RebalanceLine, RebalancePlan
from ordinis.domain.errors import ConfigError, DataError
from ordinis.domain.events import Event
from ordinis.domain.market import MarketSlice
from ordinis.engines.trading import TradingEngine
from ordinis.journal.recorded import recorded
from ordinis.runtime.loop import trade

__all__ = ["Proposal", "RebalanceLine", "propose_rebalance", "rebalance_by_journal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan that nobody acts on, and the account it is for."""

    at_ns: int
    equity_usd: float
    data_label: str
    plan: RebalancePlan


class _Until:
    """A journal that keeps nothing but the time."""

    def __init__(self, at_ns: int | None) -> None:
        self._until_ns = at_ns
        self.minute_ns: int | None = None
        self._opened_ns: int | None = None

    def append(self, event: Event, decision: Decision) -> None:
        if isinstance(event, MarketSlice):
            self.minute_ns = event.at_ns
            self._opened_ns = self._opened_ns or event.session.open_ns

    def close(self) -> None:
        """Nothing is kept."""

    def reached(self) -> bool:
        return self._until_ns is not None and self.minute_ns is not None and self.minute_ns >= self._until_ns

    def require(self, source: str, days: Sequence[date]) -> None:
        """Errors: DataError where the minute that was asked for is before the first, or after the last."""
        if self._until_ns is None:
            return
        if not self.reached():
            raise DataError(f"{source} ends before that minute: its last session is {days[-1]}")
        if self._opened_ns is not None and self._until_ns < self._opened_ns:
            raise DataError(f"{source} begins after that minute: its first session is {days[0]}")


def rebalance_by_journal(path: Path, current: Settings, at_ns: int | None = None) -> Proposal:
    """What the trader that writes this journal would do, running or stopped, at its last minute or an earlier one.

    Its engine is made anew and recalls the journal, as a recovery does. `current` says where bars and keys are now;
    all else is as the trader has it. Errors: OrdinisError; DataError where the journal has no such minute.
    """
    run = RecordedRun.read(path, current)
    _check_enabled(run.settings)
    if not run.days:
        raise DataError(f"{path} holds no session yet, so there is no book to look at")
    engine, _ = run.warm_engine(current)
    seen = _Until(at_ns)
    for event, decision in recorded(path):
        engine.recall(event, decision)
        seen.append(event, decision)
        if seen.reached():
            break
    seen.require(str(path), run.days)
    return _proposal(engine, seen, str(path), run.data_label)


def propose_rebalance(settings: Settings, *, data: str, at_ns: int | None = None) -> Proposal:
    """Live through the data up to a minute, by default to the end, and ask. Errors: OrdinisError."""
    _check_enabled(settings)
    material = materials.gather(settings, data)
    engine = build_engine(settings, material.universe, material.dataset.feed)
    engine.warm_up(material.minutes(), material.daily())
    exchange = build_exchange(settings, material.universe, material.dataset.feed, material.actions())
    seen = _Until(at_ns)
    trade(engine, SimulatedMarket(exchange, material.blocks()), SimulatedBroker(exchange), seen, seen.reached)
    seen.require(data, material.days)
    return _proposal(engine, seen, data, material.dataset.label)


def _check_enabled(settings: Settings) -> None:
    if not settings.rebalance.enabled:
        raise ConfigError("rebalance.enabled is false, so nothing is ever rebalanced: set it to true to see a plan")


def _proposal(engine: TradingEngine, seen: _Until, source: str, data_label: str) -> Proposal:
    plan = engine.proposed_rebalance()
    if plan is None or seen.minute_ns is None:
        raise DataError(f"{source} has no minute yet that says what the book is worth: there is nothing to look at")
    return Proposal(at_ns=seen.minute_ns, equity_usd=engine.state.book.equity_usd, data_label=data_label, plan=plan)
