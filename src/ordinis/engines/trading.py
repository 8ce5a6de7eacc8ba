"""handle(event) -> Decision: the whole way from a minute to orders, one line a stage.

Pure: no I/O, no clock, no randomness. The same events give the same decisions, wherever they come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import numpy as np

from ordinis.domain.account import AccountView
from ordinis.domain.decision import NOTHING, Decision, Reason, RebalancePlan
from ordinis.domain.errors import AccountError
from ordinis.domain.events import (
    ActionKind,
    CashFlow,
    Command,
    CommandKind,
    CorporateAction,
    Event,
    OrderUpdate,
    Phase,
    Reconciliation,
    SessionPhase,
)
from ordinis.domain.market import DailyBlock, FloatArray, MarketBlock, MarketSlice, Universe
from ordinis.domain.orders import Action
from ordinis.engines import additions, aftermath, corporate
from ordinis.engines.adoption import reconciled
from ordinis.engines.commands import flattening, obey
from ordinis.engines.daily_exits import DailyExits
from ordinis.engines.displacement import displace
from ordinis.engines.entries import entries
from ordinis.engines.exits import DayVotes, bring_down, close_all, exits
from ordinis.engines.outlook import Minutes, Outlook
from ordinis.engines.performance.curve import EquityCurve
from ordinis.engines.portfolio.sizing import PositionSizer
from ordinis.engines.rebalancing import Rebalancer
from ordinis.engines.recovery import recall
from ordinis.engines.riskguard.screen import ReasonArray
from ordinis.engines.state import Draft, State, TradingSettings

_UNKNOWN: Final = Reason.ACCOUNT_UNKNOWN


class TradingEngine:
    """Decides for one account. `state` and `curve` may be read; only events change them."""

    def __init__(
        self, universe: Universe, outlook: Outlook, settings: TradingSettings, daily_exits: DailyExits | None = None
    ) -> None:
        self.state = State(universe, outlook.strategies, settings)
        self.curve = EquityCurve()
        self._outlook = outlook
        self._rebalancer = None if settings.rebalance is None else Rebalancer(settings.rebalance)
        self._daily_exits = daily_exits
        self._always_by_day = daily_exits.always if daily_exits else np.zeros((len(outlook.strategies), 1), np.bool_)
        nobody, given = np.zeros_like(self._always_by_day), daily_exits is not None
        self._day_votes = DayVotes.of(self.state, nobody, self._always_by_day, given=given)
        self._minutes: Minutes | None = None
        self._row = 0
        self._in_session = False
        self._day = date.min
        self._account_known = False
        self._baselined = False  # By the session's first view of the account.

    def warm_up(self, minutes: Iterable[MarketBlock], daily: DailyBlock) -> None:
        """History before the first event: indicators, volatility, scores. Decides nothing."""
        self._outlook.warm_up(minutes, daily)
        if self._daily_exits is not None:
            self._daily_exits.warm_up(daily)

    def handle(self, event: Event) -> Decision:
        """Take one event in and answer it. Errors: StrategyError, AccountError."""
        if type(event) is MarketSlice:
            return self._on_slice(event)
        if isinstance(event, OrderUpdate):
            return aftermath.follow(self.state, event)
        if isinstance(event, CashFlow | CorporateAction):
            return self._on_booking(event)
        if isinstance(event, AccountView):
            return self._on_account(event)
        if isinstance(event, Command | Reconciliation):
            return self._on_command(event) if isinstance(event, Command) else self._on_reconciliation(event)
        assert isinstance(event, SessionPhase)
        return self._on_phase(event)

    def recall(self, event: Event, decision: Decision) -> None:
        """Take a recorded event and its recorded answer in, after `warm_up`. Nothing is decided anew.

        What follows is as if this engine had lived through them. Errors: AccountError.
        """
        if type(event) is MarketSlice:
            self._pass(event)
        elif isinstance(event, OrderUpdate):
            aftermath.recall(self.state, event)
        elif isinstance(event, Command):
            self._obeyed(event)
        elif isinstance(event, SessionPhase):
            self._turn(event)
        else:
            self.handle(event)  # It only says how things are.
        recall(self.state, decision)
        if decision.plan is not None and self._rebalancer is not None and self._minutes is not None:
            self._rebalancer.remember(self.state, self._minutes, decision.plan)
        self._settle(event)

    def _settle(self, event: Event) -> None:
        """Whose stop was looked after at this event: where nothing had to be sent, nothing is recorded."""
        desk, ledger = self.state.desk, self.state.ledger
        if isinstance(event, OrderUpdate) and event.symbol in self.state.universe.column:
            desk.settle(event.symbol, ledger.held(event.symbol))
            self.state.refresh(event.symbol)
        elif isinstance(event, MarketSlice) or (isinstance(event, SessionPhase) and not self._in_session):
            for symbol in sorted(desk.unprotected):
                desk.settle(symbol, ledger.held(symbol))

    def _pass(self, minute: MarketSlice) -> tuple[Minutes, list[str]]:
        """A minute has passed: the market is looked at, the book is valued."""
        minutes, row = self._look(minute.block), minute.row
        self._row = row
        if self.state.desk.held_back:
            additions.let_go(self.state)
        return minutes, self._mark(minute.at_ns, minutes.marks[row])

    def _on_slice(self, minute: MarketSlice) -> Decision:
        state, row = self.state, minute.row
        minutes, notes = self._pass(minute)
        if minutes.notes:
            notes = [*notes, *minutes.notes.get(row, ())]
        draft = Draft(minutes, row, minute.at_ns, self._reasons(minutes, row, minute.at_ns), notes)
        if state.ledger.holdings:
            if flattening(state):
                close_all(state, draft)
            exits(state, draft, self._day_votes)
            if minute.at_ns >= state.gate.overnight_from_ns:
                bring_down(state, draft)
            if self._rebalancer is not None and self._baselined:
                self._rebalancer.look(state, draft)
        if minutes.screened.has_entry[row]:
            entries(state, draft)
            displace(state, draft)
        if state.desk.entering:
            draft.actions += state.desk.outlived(minute.at_ns)
        if state.desk.unprotected:
            self._protect(draft)
        return draft.decision(state.columns.changes(draft.reasons))

    def proposed_rebalance(self) -> RebalancePlan | None:
        """What a rebalance would do after the last minute, whatever the triggers say; None before the first minute."""
        if self._rebalancer is None or self._minutes is None:
            return None
        minutes, row = self._minutes, self._row
        at_ns: int = minutes.block.closed_at_ns.item(row)
        return self._rebalancer.proposed(self.state, Draft(minutes, row, at_ns, self._reasons(minutes, row, at_ns), []))

    def _look(self, block: MarketBlock) -> Minutes:
        """A block's minutes are looked at together, once; row r rests on rows up to r only."""
        minutes = self._minutes
        if minutes is None or minutes.block is not block:
            state = self.state
            minutes = self._outlook.advance(block, state.tier.min_confidence, state.guard.limits)
            self._minutes = minutes
            state.guard.rules_evaluated += minutes.screened.rules
            if self._daily_exits is not None:
                self._daily_exits.advance(minutes)
        return minutes

    def _mark(self, at_ns: int, marks_usd: FloatArray) -> list[str]:
        """Value the book and let the stops of the whole look at it."""
        book, ledger = self.state.book, self.state.ledger
        book.marks_usd = marks_usd
        long_usd = float(ledger.quantity @ marks_usd)  # Shorts count against it.
        whole_usd = ledger.cash_float + long_usd
        book.cash_usd = cash_usd = ledger.cash_float - book.reserve_usd
        book.long_usd = long_usd
        book.short_usd = short_usd = ledger.short_usd(marks_usd) if ledger.shorts else 0.0
        book.equity_usd = equity_usd = cash_usd + long_usd
        book.positions = len(ledger.holdings) + self.state.desk.opening
        self.curve.append(at_ns, whole_usd, long_usd + short_usd, len(ledger.holdings), short_usd)
        return self.state.halts.mark(equity_usd)

    def _reasons(self, minutes: Minutes, row: int, at_ns: int) -> ReasonArray:
        """What stands against an entry of each symbol now; ELIGIBLE where nothing does."""
        columns = self.state.columns
        reasons: ReasonArray = np.minimum(minutes.screened.reasons[row], columns.objections)
        columns.cool(reasons, at_ns)
        whole = self._stopped() or self._crowded(at_ns)
        if whole is not None:
            np.minimum(reasons, np.uint8(whole), out=reasons)
        return reasons

    def _stopped(self) -> Reason | None:
        limit = self.state.halts.reason
        rules = self.state.gate.stopped if self._baselined else _UNKNOWN  # Until the session's figures have come.
        return min(rules, limit) if rules and limit else rules or limit

    def _crowded(self, at_ns: int) -> Reason | None:
        """Nothing can be opened, so nothing needs to be sized."""
        if self.state.gate.full(at_ns):
            return Reason.DAY_TRADE_SLOTS
        full = self.state.book.positions >= self.state.tier.sizing.max_positions
        return Reason.POSITIONS_FULL if full else None

    def _protect(self, draft: Draft) -> None:
        for symbol in sorted(self.state.desk.unprotected):
            draft.actions += self.state.desk.protect(symbol, self.state.ledger.held(symbol), draft.at_ns)

    def _on_command(self, command: Command) -> Decision:
        """In the session at once; outside of it positions are closed from its first minute on."""
        state, minutes = self.state, self._minutes
        actions, notes = self._obeyed(command)
        if not (flattening(state) and self._in_session and minutes is not None):
            return Decision(actions=tuple(actions), notes=tuple(notes))
        draft = Draft(minutes, self._row, command.at_ns, state.columns.last.copy(), notes)
        draft.actions += actions
        close_all(state, draft)
        return draft.decision(state.columns.changes(draft.reasons))

    def _obeyed(self, command: Command) -> tuple[list[Action], list[str]]:
        if command.kind is CommandKind.RESUME:
            self.state.gate.books.resumed()
        return obey(self.state, command)

    def _on_booking(self, event: CashFlow | CorporateAction) -> Decision:
        """Money, or what a company did to its shares: between sessions, prices first and then the books."""
        if isinstance(event, CashFlow):
            if not self.state.ledger.knows(event.id):
                self.state.gate.flowed(event)
            self.state.ledger.apply_cash(event)
            return NOTHING
        column = self.state.universe.column.get(event.symbol)
        if column is None or self.state.ledger.knows(event.id):
            return NOTHING
        if event.kind is ActionKind.SPLIT:
            ratio = float(event.ratio)
            self._outlook.split(column, ratio)
            if self._daily_exits is not None:
                self._daily_exits.split(column, ratio)
        self._minutes = None  # Its prices are in the old terms.
        self.state.gate.transformed(event)
        return corporate.take(self.state, event)

    def _on_phase(self, event: SessionPhase) -> Decision:
        notes = self._turn(event)
        if self._in_session:
            return NOTHING
        desk, ledger = self.state.desk, self.state.ledger
        actions = desk.close_session(event.at_ns)
        for symbol in sorted(desk.unprotected):  # Stops that had to wait for the close.
            actions += desk.protect(symbol, ledger.held(symbol), event.at_ns)
        return Decision(actions=tuple(actions), notes=notes) if actions or notes else NOTHING

    def _turn(self, event: SessionPhase) -> tuple[str, ...]:
        """A session begins, or ends: what is counted by the session."""
        self._in_session = event.phase is Phase.OPENING
        if self._in_session:
            self._day = event.session.date
            self.state.session_opens()
            self.state.gate.session_opens(event.session)
            self._baselined = False
            self.state.columns.session_opens(event.session)
            self.state.optimal.forget()
            return ()
        notes: tuple[str, ...] = ()
        if self._daily_exits is not None:
            votes = self._daily_exits.close_session(event.session, self.state.columns.short)
            self._day_votes = DayVotes.of(self.state, votes, self._always_by_day, given=self._daily_exits is not None)
            notes = self._daily_exits.take_notes()
        self._outlook.close_session()
        ledger, gate = self.state.ledger, self.state.gate
        notes += tuple(gate.session_closes(ledger.quantity, self.state.book.marks_usd, ledger.cash_float))
        self.state.columns.session_closes(event.session)
        self.curve.session_closes(event.session.date)
        return notes

    def _on_account(self, view: AccountView) -> Decision:
        """The broker's figures at the open: baselines, tier, and whether our book agrees with its."""
        if view.equity_usd <= 0:
            raise AccountError(
                f"the account's equity is {view.equity_usd} USD, so nothing can be traded: deposit first"
            )
        state = self.state
        if self._baselined:
            return self._on_later_account(view)
        self._baselined = True
        first = not self._account_known
        if first:
            state.ledger.begin(view.cash_usd)
            state.set_aside(self._own_equity_usd(view))
            self._account_known = True
        state.book.account = view
        last_equity_usd = float(view.equity_usd if view.last_equity_usd is None else view.last_equity_usd)
        held = {symbol: holding.quantity for symbol, holding in state.ledger.holdings.items()}
        marks_usd = state.book.marks_usd if self._minutes is not None else None
        notes = state.gate.account(view, held, marks_usd, state.ledger.differs_from(view.positions))
        reserve_usd = state.book.reserve_usd  # Rules of the account are about all of it, policies about what is traded.
        notes += self._choose_tier(last_equity_usd - reserve_usd, first)
        notes += state.halts.session_opens(self._own_equity_usd(view) - reserve_usd, self._day)
        notes += state.guard.awaits(self._outlook.moves) if first else []
        return Decision(notes=tuple(notes)) if notes else NOTHING

    def _own_equity_usd(self, view: AccountView) -> float:
        """Without positions that are not this book's: what is left alone is no loss, and not traded with."""
        ledger = self.state.ledger
        if all(one.quantity == ledger.held(one.symbol) for one in view.positions):
            return float(view.equity_usd)
        return float(view.cash_usd) + float(ledger.quantity @ self.state.book.marks_usd)

    def _on_later_account(self, view: AccountView) -> Decision:
        """In mid-session nothing is based anew: what has changed or disagrees stops entries."""
        state = self.state
        differences = [
            one for one in state.ledger.differs_from(view.positions) if not state.desk.busy(one.partition(":")[0])
        ]
        state.book.account = view
        notes = state.gate.account_again(view, differences)
        return Decision(notes=tuple(notes)) if notes else NOTHING

    def _on_reconciliation(self, event: Reconciliation) -> Decision:
        """The broker wins on quantity; what nobody can explain stops entries, until books agree at an opening
        or a person resumes.
        """
        notes = reconciled(self.state, event)
        return Decision(notes=tuple(notes)) if notes else NOTHING

    def _choose_tier(self, last_equity_usd: float, first: bool) -> list[str]:
        state, before = self.state, self.state.tier
        tier = state.tier = state.policy.session_opens(last_equity_usd)
        if tier is before and not first:
            return []
        state.sizer = PositionSizer(tier.sizing)
        state.optimal.forget()
        return [f"tier {tier.name} ({tier.sizing.method.value}): {last_equity_usd:,.2f} USD at the last close"]
