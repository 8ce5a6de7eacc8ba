"""All that one engine knows of its own account, in one place, and the draft of a minute's decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ordinis.domain.decision import NOTHING, Assessment, Decision, Reason, RebalancePlan
from ordinis.domain.market import FloatArray, Universe
from ordinis.domain.orders import Action, OrderIntent
from ordinis.engines.columns import SymbolColumns
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountGate, AccountRules
from ordinis.engines.execution.desk import ExecutionSettings, OrderDesk
from ordinis.engines.ledger import Ledger
from ordinis.engines.outlook import Minutes
from ordinis.engines.performance.tracker import PerformanceTracker
from ordinis.engines.portfolio.optimal import OptimalBook
from ordinis.engines.portfolio.policy import Tier, TierPolicy
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.sizing import PositionSizer
from ordinis.engines.riskguard.book import Book, companions
from ordinis.engines.riskguard.guard import RiskGuard
from ordinis.engines.riskguard.halts import Halts
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.screen import ELIGIBLE, ReasonArray
from ordinis.engines.round_trip import RoundTrip

_ALREADY_HELD: Final = Reason.ALREADY_HELD
_REFUSED_TOO_OFTEN: Final = Reason.REFUSED_TOO_OFTEN
_REMOVED: Final = Reason.REMOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """When a holding makes room for a better candidate (see displacement.py)."""

    confidence_gain_min: float
    cost_fraction: float  # Of a position: to sell it and to buy another.


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingSettings:
    """What one engine is told, beside its strategies."""

    tiers: Sequence[Tier]
    hysteresis_fraction: float
    limits: Limits
    throttle: Throttle
    rules: AccountRules = field(default_factory=AccountRules)
    execution: ExecutionSettings
    fractionable: bool
    candidates_max: int = 200  # Sized in one minute, the best first.
    prior_trades: float = 20.0
    sectors: Mapping[str, str] = field(default_factory=dict)  # Symbol -> sector; one that is not named is its own.
    payoff_prior: float = 1.0
    displacement: Displacement | None = None
    rebalance: RebalanceSettings | None = None  # None: the book is never rebalanced.
    allocation_usd: float | None = None  # Trade as if the account were this large; None: all of it.
    exit_minutes: Mapping[str, int] = field(default_factory=dict)  # Strategy -> minutes of its exits' slower bar.


class State:
    """One account, one universe, one book."""

    def __init__(self, universe: Universe, strategies: Sequence[str], settings: TradingSettings) -> None:
        self.universe = universe
        self.strategies = tuple(strategies)
        self.fractionable = settings.fractionable
        self.candidates_max = settings.candidates_max
        self.policy = TierPolicy(settings.tiers, settings.hysteresis_fraction)
        self.tier: Tier = self.policy.current  # In force for the session.
        self.sizer = PositionSizer(self.tier.sizing)
        self.optimal = OptimalBook()
        self.displacement = settings.displacement
        self._allocation_usd = settings.allocation_usd
        self.exit_minutes = settings.exit_minutes
        self.guard = RiskGuard(settings.limits)
        self.halts = Halts(settings.limits)
        collar = settings.limits.market_buy_collar_fraction
        self.gate = AccountGate(settings.rules, settings.throttle, universe, collar)
        self.slots = self.gate.slots
        self.desk = OrderDesk(settings.execution)
        self.ledger = Ledger(universe)
        self.book = Book(companions([settings.sectors.get(symbol, f"{symbol} alone") for symbol in universe.symbols]))
        self.columns = SymbolColumns(len(universe), len(strategies))
        self.entry_confidence: FloatArray = np.full(len(universe), np.nan)  # Of each symbol's last entry.
        self.by_strategy = PerformanceTracker(settings.prior_trades, settings.payoff_prior)
        self.trips: list[RoundTrip] = []
        self.entries_filled = 0
        self.refused = 0  # Orders the broker refused.
        self.refusals: Counter[str] = Counter()  # The same by symbol, this session or since a person resumed.
        self._orders_before = 0  # Sent before this session.
        self.removed: set[str] = set()  # Symbols that are traded no more.
        self.owner: dict[str, str] = {}  # Client order id of an entry -> the strategy that asked for it.

    def by_symbol(self) -> PerformanceTracker:
        """Results a symbol in USD, from the closed round trips."""
        tracker = PerformanceTracker()
        for trip in self.trips:
            tracker.update_trade_result(
                trip.symbol, float(trip.pnl_usd), float(trip.entry_price_usd), float(trip.exit_price_usd)
            )
        return tracker

    def set_aside(self, equity_usd: float) -> None:
        """At the first look at the account: all but the allocation, which moves with what trading makes or loses."""
        if self._allocation_usd is not None:
            self.book.reserve_usd = max(0.0, equity_usd - self._allocation_usd)

    @property
    def orders_sent(self) -> int:
        """Orders of this session, legs counted."""
        return self.desk.sent - self._orders_before

    def session_opens(self) -> None:
        """What is counted by the session starts from nothing."""
        self._orders_before = self.desk.sent
        self.forgive()

    def hold_sessions(self, column: int) -> int:
        """How many sessions the position has to be held before a signal may close it."""
        swings = self.columns.swing.item(column) and "swing_hold" not in self.gate.rules.without
        return (
            max(self.tier.hold_sessions, self.gate.slots.throttle.swing_hold_sessions)
            if swings
            else (self.tier.hold_sessions)
        )

    @property
    def cooldown_minutes(self) -> int:
        """Session minutes after a symbol's fill in which it is not entered again."""
        slots = self.gate.slots
        own = self.tier.cooldown_minutes
        return max(own, slots.throttle.swing_cooldown_minutes) if slots.swings else own

    def look_at_account(self, at_ns: int) -> None:
        """The account's rules see the book of a minute that has candidates."""
        book = self.book
        open_usd, quantity = book.open_by_column_usd, self.ledger.quantity
        reserve_usd = book.reserve_usd  # The rules look at the whole account.
        cash_usd, equity_usd = book.cash_usd + reserve_usd, book.equity_usd + reserve_usd
        self.gate.look(at_ns, quantity, book.marks_usd, open_usd, cash_usd, equity_usd, book.short_usd)
        book.intraday_power_usd = self.gate.intraday_power_usd

    def shut(self, symbol: str) -> bool:
        """The broker has refused orders of this symbol too often."""
        return self.refusals[symbol] >= self.guard.limits.symbol_refusals_max

    def forgive(self) -> None:
        """Symbols that were shut for their refusals are open again."""
        shut = list(self.refusals)
        self.refusals.clear()
        for symbol in shut:
            self.refresh(symbol)

    def refresh(self, symbol: str) -> None:
        """Say anew what our own book has against an entry of this symbol."""
        objection = _ALREADY_HELD if symbol in self.ledger.holdings else self.desk.objection(symbol)
        if objection is None and self.refusals and self.shut(symbol):
            objection = _REFUSED_TOO_OFTEN
        if symbol in self.removed:
            objection = _REMOVED
        self.columns.objections[self.universe.column[symbol]] = ELIGIBLE if objection is None else objection


class Draft:
    """A minute's decision while it is being made."""

    __slots__ = (
        "actions",
        "assessments",
        "at_ns",
        "held_back",
        "minutes",
        "notes",
        "plan",
        "reasons",
        "row",
        "targets",
    )

    def __init__(self, minutes: Minutes, row: int, at_ns: int, reasons: ReasonArray, notes: list[str]) -> None:
        self.minutes = minutes
        self.row = row
        self.at_ns = at_ns
        self.reasons = reasons
        self.notes = notes
        self.actions: list[Action] = []
        self.assessments: list[Assessment] = []
        self.plan: RebalancePlan | None = None
        self.held_back: list[OrderIntent] = []
        self.targets: dict[int, float] | None = None  # Column -> the most it may weigh; None: nothing was planned.

    def decision(self, changes: bytes) -> Decision:
        if not (self.actions or self.assessments or changes or self.notes or self.plan):
            return NOTHING
        return Decision(
            actions=tuple(self.actions),
            assessments=tuple(self.assessments),
            changes=changes,
            notes=tuple(self.notes),
            plan=self.plan,
            held_back=tuple(self.held_back),
        )
