"""One episode, played through the one loop: the real engine, the in-process broker, a referee watching both books.

The broker is unreliable on purpose: now and then it refuses an order for reasons that nobody could have known. Those
refusals are told apart by their code and are no failures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from episodes import Episode
from ordinis.app.build import build_engine, build_exchange
from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.intraday_margin import IntradayMargin
from ordinis.brokers.simulated.pattern_day_trader import PatternDayTrader
from ordinis.data.calendar import half_day
from ordinis.domain.decision import Decision
from ordinis.domain.errors import OrderRefused
from ordinis.domain.events import CashFlow, CorporateAction, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.domain.orders import Action, OrderIntent, OrderStatus, Purpose
from ordinis.engines.compliance.gate import RULES, AccountGate
from ordinis.engines.execution.ids import ADD, leg_of
from ordinis.engines.trading import TradingEngine
from ordinis.runtime.loop import trade

INJECTED = 50310000  # The code of a refusal that the rules do not know of.
_CENT = 0.01  # Floats do not decide below it.
_REFUSAL_CHANCE = 0.02
_LONG_DAYS = 90  # The longest that a rule looks ahead.
_NEW_YORK = ZoneInfo("America/New_York")
_DEPOSIT_CHANCE = 0.03
_REJECTED, _PARTIALLY_FILLED = OrderStatus.REJECTED, OrderStatus.PARTIALLY_FILLED
_ENTRY = Purpose.ENTRY


class UnreliableBroker(SimulatedBroker):
    """Refuses an order at random."""

    def __init__(self, exchange: Exchange, draw: np.random.Generator) -> None:
        super().__init__(exchange)
        self._draw = draw

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, OrderIntent) and self._draw.random() < _REFUSAL_CHANCE:
                self._outbox += self._exchange.drain()
                self._outbox.append(self._rejection(action, OrderRefused(INJECTED, "the venue is busy")))
            else:
                super().carry_out([action])


class GenerousMarket:
    """The market of the episode; some sessions begin with a deposit."""

    def __init__(self, exchange: Exchange, episode: Episode) -> None:
        self._market = SimulatedMarket(exchange, episode.blocks())
        self._exchange = exchange
        self._draw = episode.draw("deposits")

    def __iter__(self) -> Iterator[SessionPhase | MarketSlice]:
        for step in self._market:
            opening = type(step) is SessionPhase and step.phase is Phase.OPENING
            if opening and self._draw.random() < _DEPOSIT_CHANCE:
                self._exchange.deposit(Decimal(int(self._draw.integers(100, 10_000))))
            yield step


@dataclass(slots=True)
class Tally:
    """What an episode, or many, came to."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)  # The exchange's, by what it said.
    violations: Counter[str] = field(default_factory=Counter)  # In its books, by kind.
    faults: list[str] = field(default_factory=list)  # What must not be, in words.

    def add(self, other: Tally) -> None:
        """Another's figures join."""
        self.counts.update(other.counts)
        self.refusals.update(other.refusals)
        self.violations.update(other.violations)
        self.faults += other.faults


class Referee:
    """A journal that compares the engine's books with the exchange's after every event."""

    def __init__(self, episode: Episode, engine: TradingEngine, exchange: Exchange) -> None:
        self.tally = Tally()
        self._episode = episode
        self._engine = engine
        self._exchange = exchange
        self._purposes: dict[str, Purpose] = {}
        self._opened_in: dict[str, int] = {}  # Symbol -> the session its position was opened in.
        self._last_slots: set[str] = set()  # Entries that took of them.
        self._swings: set[str] = set()  # Symbols that they bought: held so many sessions.
        self._session = 0
        self._full = False

    def append(self, event: Event, decision: Decision) -> None:
        """Take note of what happened and of what is to be done about it."""
        if isinstance(event, OrderUpdate):
            self._follow(event)
        elif isinstance(event, SessionPhase):
            self._turn(event)
        elif isinstance(event, MarketSlice):
            self._compare(event)
        elif isinstance(event, CashFlow):
            self.tally.counts["deposits"] += event.kind == "deposit"
        elif isinstance(event, CorporateAction):
            self.tally.counts["splits"] += 1
        orders = [action for action in decision.actions if isinstance(action, OrderIntent)]
        for order in orders:
            self._purposes[order.client_order_id] = order.purpose
        self.tally.counts["orders"] += len(orders)
        self.tally.counts["additions"] += sum(leg_of(order.client_order_id) == ADD for order in orders)
        if decision.assessments:
            self._watch_swings(decision, event.at_ns)

    def close(self) -> None:
        """The episode is over."""
        days = self._episode.sessions
        self.tally.counts["episodes over 90 days"] += (days[-1].date - days[0].date).days > _LONG_DAYS
        for violation in self._exchange.violations:
            self.tally.violations[violation.kind] += 1
            self._fault(f"violation {violation.kind} of {violation.symbol}: {violation.text}", violation.at_ns)

    def _turn(self, phase: SessionPhase) -> None:
        if phase.phase is Phase.OPENING:
            self._full = False
            return
        self._session += 1
        self.tally.counts["sessions"] += 1
        self.tally.counts["half-days"] += half_day(phase.session)
        regime = self._exchange.books.regime
        if isinstance(regime, PatternDayTrader) and regime.throttled and not regime.flagged:
            self.tally.counts["throttled sessions"] += 1
            self.tally.counts["sessions with all slots used"] += self._full

    def _follow(self, update: OrderUpdate) -> None:
        purpose = self._purposes.get(update.client_order_id, Purpose.PROTECT)  # Legs are not sent by themselves.
        if update.status is _REJECTED:
            self._refused(update, purpose)
        if update.fill is None:
            return
        self.tally.counts["partial fills"] += update.status is _PARTIALLY_FILLED
        if purpose is _ENTRY:
            new = update.symbol not in self._opened_in
            self.tally.counts["entries"] += new
            self.tally.counts["short entries"] += new and update.fill.quantity < 0
            self._opened_in.setdefault(update.symbol, self._session)
            if update.client_order_id in self._last_slots:
                self._swings.add(update.symbol)
        elif update.symbol not in self._engine.state.ledger.holdings:
            self._swings.discard(update.symbol)
            same_day = self._opened_in.pop(update.symbol, -1) == self._session
            forced = same_day and purpose is Purpose.PROTECT
            self.tally.counts["positions closed"] += 1
            self.tally.counts["exits forced on the first day"] += forced
            self.tally.counts["exits chosen on the first day"] += same_day and not forced

    def _watch_swings(self, decision: Decision, at_ns: int) -> None:
        """The last slots are for entries that are sure enough, and for what is held over so many sessions.

        Near the close a book that was lent for the day comes down whatever else holds.
        """
        slots, throttle = self._engine.state.slots, self._engine.state.slots.throttle
        sent = [one for one in decision.assessments if one.client_order_id is not None]
        entries = [one for one in sent if one.purpose is _ENTRY]
        for number, one in enumerate(entries, start=1):
            taken = slots.used + slots.reserved - (len(entries) - number)
            if not slots.by_law or taken <= slots.allowed - throttle.approach_slots_left:
                continue
            self._last_slots.add(one.client_order_id or "")
            if (one.confidence or 0.0) < throttle.swing_min_confidence:  # Where nothing is asked for, unknown will do.
                self._fault(f"{one.client_order_id} took of the last slots at a confidence of {one.confidence}")
        for one in sent if at_ns < self._engine.state.gate.overnight_from_ns else ():
            opened = self._opened_in.get(one.symbol, self._session)
            if one.purpose is _ENTRY or one.symbol not in self._swings:
                continue
            if self._session - opened < throttle.swing_hold_sessions:
                self._fault(f"{one.client_order_id} leaves a position of the last slots in its first sessions")

    def _refused(self, update: OrderUpdate, purpose: Purpose) -> None:
        if update.error_code == INJECTED:
            self.tally.counts["refusals at random"] += 1
            return
        self.tally.refusals[f"{update.error_code} {_kind_of(update.error_text or '')}"] += 1
        exits = purpose is not _ENTRY
        self.tally.counts["exits blocked"] += exits
        word = "exit" if exits else "entry"
        self._fault(f"{word} {update.client_order_id} refused: {update.error_code} {update.error_text}")

    def _compare(self, minute: MarketSlice) -> None:
        state, regime = self._engine.state, self._exchange.books.regime
        if isinstance(regime, PatternDayTrader):
            self._full |= state.slots.full
            if state.slots.used < regime.count:
                self._fault(f"{state.slots.used} day trades by our count, {regime.count} by the exchange's")

        elif isinstance(regime, IntradayMargin):
            ledger, level = state.ledger, float(regime.level_usd())
            ours = state.gate.level_usd(ledger.quantity, state.book.marks_usd, ledger.cash_float)
            if ours > level + _CENT:
                self._fault(f"a margin level of {ours:.2f} USD by our reckoning, {level:.2f} by the exchange's")

    def _fault(self, text: str, at_ns: int | None = None) -> None:
        """Of that moment, or of now."""
        at = datetime.fromtimestamp((self._exchange.now_ns if at_ns is None else at_ns) / 10**9, _NEW_YORK)
        number = next((n for n, day in enumerate(self._episode.sessions, start=1) if day.date == at.date()), 0)
        self.tally.faults.append(f"{at:%Y-%m-%d %H:%M} (session {number}) {text}")


ALL = frozenset(RULES)


def play(episode: Episode, without: frozenset[str] = frozenset()) -> Tally:
    """The episode from its first session to its last; `without` are rules of the gate that are left out."""
    engine = build_engine(episode.settings, episode.universe)
    leave_out(engine, without)
    exchange = build_exchange(episode.settings, episode.universe, "sip", episode.actions)
    referee = Referee(episode, engine, exchange)
    broker = UnreliableBroker(exchange, episode.draw("refusals"))
    trade(engine, GenerousMarket(exchange, episode), broker, referee, lambda: False)
    referee.close()
    return referee.tally


def leave_out(engine: TradingEngine, without: frozenset[str]) -> None:
    """Take rules out of an engine's gate before its first event."""
    state, gate = engine.state, engine.state.gate
    rules = replace(gate.rules, without=without)
    state.gate = AccountGate(rules, gate.slots.throttle, state.universe, gate.collar)
    state.slots = state.gate.slots


def _kind_of(text: str) -> str:
    """What was said, without its figures."""
    return text.partition(" (")[0].partition(" until ")[0]
