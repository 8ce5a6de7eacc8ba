"""An account's rules as they stand at the end of a journal: the recorded events, folded once more.

An engine made anew would know as much, but asks for the bars before and in the journal, and a backtest keeps none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ordinis.app.recorded_runs import recorded_settings
from ordinis.app.rule_sets import account_rules, throttle
from ordinis.config.settings import Settings
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Decision
from ordinis.domain.errors import JournalError
from ordinis.domain.events import (
    ActionKind,
    BookCorrection,
    CashFlow,
    Command,
    CommandKind,
    CorporateAction,
    OrderUpdate,
    Phase,
    Reconciliation,
    SessionPhase,
)
from ordinis.domain.market import FloatArray, Universe
from ordinis.domain.orders import Fill, OrderIntent, Purpose, leg_id
from ordinis.engines.compliance.gate import AccountGate
from ordinis.engines.ledger import Ledger
from ordinis.journal.coding import Kind, RecordedEvent
from ordinis.journal.reading import open_journal


class Standing:
    """What the journal's account is at its last event. Prices are the last that it names."""

    def __init__(self, settings: Settings, universe: Universe) -> None:
        collar = settings.execution.market_buy_collar_fraction
        self.settings = settings
        self.universe = universe
        self.gate = AccountGate(account_rules(settings, universe), throttle(settings), universe, collar)
        self.ledger = Ledger(universe)
        self.prices_usd: FloatArray = np.zeros(len(universe))
        self.at_ns = 0
        self.in_session = False
        self._baselined = False
        self._protective: set[str] = set()
        self._flattening = False

    def take(self, event: RecordedEvent, decision: Decision) -> None:
        self.at_ns = event.at_ns
        if isinstance(event, OrderUpdate):
            self._update(event)
        elif isinstance(event, AccountView):
            self._account(event)
        elif isinstance(event, SessionPhase):
            self._phase(event)
        elif isinstance(event, CorporateAction):
            self._transformed(event)
        elif isinstance(event, CashFlow):
            if not self.ledger.knows(event.id):
                self.gate.flowed(event)
            self.ledger.apply_cash(event)
        elif isinstance(event, Command):
            self._obeyed(event.kind)
        elif isinstance(event, Reconciliation):
            self._reconciled(event)
        self._decided(decision)

    def level_usd(self) -> float:
        """The intraday margin level at the last known prices."""
        return self.gate.level_usd(self.ledger.quantity, self.prices_usd, self.ledger.cash_float)

    def equity_usd(self) -> float:
        return self.ledger.equity(self.prices_usd)

    def _transformed(self, action: CorporateAction) -> None:
        column = self.universe.column.get(action.symbol)
        if column is None or self.ledger.knows(action.id):
            return
        self.gate.transformed(action)
        self.ledger.apply_action(action)
        if action.kind is ActionKind.SPLIT:
            self.prices_usd[column] /= float(action.ratio)

    def _phase(self, event: SessionPhase) -> None:
        self.in_session = event.phase is Phase.OPENING
        if self.in_session:
            self._baselined = False
            self.gate.session_opens(event.session)
        else:
            self.gate.session_closes(self.ledger.quantity, self.prices_usd, self.ledger.cash_float)

    def _account(self, view: AccountView) -> None:
        if self._baselined:
            self.gate.account_again(view, self.ledger.differs_from(view.positions))
            return
        if self.gate.view is None and not self.ledger.cash_usd:
            self.ledger.begin(view.cash_usd)
        self._baselined = True
        held = {symbol: holding.quantity for symbol, holding in self.ledger.holdings.items()}
        self.gate.account(view, held, self.prices_usd, self.ledger.differs_from(view.positions))

    def _obeyed(self, kind: CommandKind) -> None:
        self._flattening = kind is CommandKind.FLATTEN
        if kind is CommandKind.RESUME:
            self.gate.books.resumed()

    def _reconciled(self, event: Reconciliation) -> None:
        if event.foreign is not None:
            self.ledger.leave_alone(event.foreign)
        for one in event.corrections:
            self._corrected(one, event.at_ns)
        if event.cash_usd is not None:
            self.gate.cash_found(event.cash_usd - self.ledger.cash_usd)
            self.ledger.begin(event.cash_usd)
        for order in event.adopted:
            if not order.closes(self.ledger.held(order.symbol)):
                self.gate.slots.entry_sent(order.client_order_id, order.symbol, order.signed)
        self.gate.books.reconciled(event.differences, corrected=bool(event.corrections))

    def _corrected(self, one: BookCorrection, at_ns: int) -> None:
        fill = one.as_fill(at_ns)
        self.ledger.apply_fill(fill)
        self.gate.filled(fill, one.id, protective=False)

    def _update(self, update: OrderUpdate) -> None:
        fill = update.fill
        known = update.symbol in self.universe.column
        if fill is not None and known and not self.ledger.knows(fill.execution_id):
            self._filled(fill, update.client_order_id)
        elif fill is not None and not known:
            self.gate.doubt(f"a fill of {fill.quantity} {update.symbol}, which is not in the universe")
        if update.status.final:
            self.gate.order_over(update.client_order_id)

    def _filled(self, fill: Fill, client_order_id: str) -> None:
        self.ledger.apply_fill(fill)
        column = self.universe.column[fill.symbol]
        self.prices_usd[column] = float(fill.price_usd)
        protective = self._flattening or client_order_id in self._protective
        self.gate.filled(fill, client_order_id, protective=protective)
        if self.ledger.quantity.item(column) * float(fill.quantity) > 0.0:
            self.gate.reduced_level(self.ledger.quantity, self.prices_usd, self.ledger.cash_float)

    def _decided(self, decision: Decision) -> None:
        for one in decision.assessments:
            self.prices_usd[self.universe.column[one.symbol]] = one.price_usd
        for action in decision.actions:
            if not isinstance(action, OrderIntent):
                continue
            self._protective.add(leg_id(action.client_order_id))
            if action.purpose is Purpose.ENTRY:
                self.gate.entry_sent(action)
            elif action.purpose is Purpose.PROTECT:
                self._protective.add(action.client_order_id)


def stand(journal: Path) -> Standing:
    """Read a journal from its beginning. Errors: JournalError for one that does not say what it ran under."""
    with open_journal(journal) as record:
        standing = Standing(recorded_settings(record.meta, journal), Universe(record.symbols))
        for entry in record.entries():
            if entry.kind != Kind.SLICE or entry.decision.actions or entry.decision.assessments:
                standing.take(entry.event, entry.decision)
    if standing.gate.view is None:
        raise JournalError(f"{journal} holds no figures of the account yet: nothing can be said of its rules")
    return standing
