"""The account's rules, in one place: events move it, and before every entry it is asked.

Everything here folds over events, so a journal read again gives the same state. It never stands in the way of an order
that reduces a position, with two exceptions that would only be refused or punished: see `exit_objection`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np

from ordinis.domain.account import AccountView
from ordinis.domain.decision import Reason
from ordinis.domain.events import CashFlow, CorporateAction
from ordinis.domain.market import MINUTE_NS, FloatArray, Session, Universe
from ordinis.domain.orders import Fill, OrderIntent, Side
from ordinis.domain.words import counted
from ordinis.engines.compliance import accounts
from ordinis.engines.compliance.business_days import BusinessDays, weekdays
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.deficits import DeficitLedger
from ordinis.engines.compliance.disagreements import Disagreements
from ordinis.engines.compliance.intraday_margin import MarginMeter, MarginRules
from ordinis.engines.compliance.opened import OpenedToday
from ordinis.engines.compliance.regimes import INTRADAY_MARGIN, Regime
from ordinis.engines.compliance.rooms import ROOMS, Room
from ordinis.engines.compliance.settlement import SettledCash, SettlementRules
from ordinis.engines.compliance.slots import DayTradeSlots
from ordinis.engines.compliance.wanted import Permission, Wanted

_DEPOSITS: Final = ("deposit", "withdrawal")
_UNSURE: Final = Reason.RULES_UNSURE
_BLOCKED: Final = Reason.ACCOUNT_BLOCKED
_UNSETTLED: Final = Reason.UNSETTLED
_DIFFERS: Final = Reason.BOOK_DIFFERS
_BUY: Final = Side.BUY
_SHORT_TIES_UP = 1.5  # Of a short's value: the proceeds, and Regulation T's half.
_NO_SLOT: Final = Reason.DAY_TRADE_SLOTS

RULES = (
    "day_trade_slots",
    "reservation",
    "emergency_pool",
    "swing_confidence",
    "swing_hold",
    "queued_stop",
    "flag",
    "day_trading_power",
    "intraday_margin",
    "margin_restricted",
    "minimum_equity",
    "overnight",
    "settled_cash",
    "good_faith",
    "unsure",
)
"""Every rule by the name under which a gate can be built without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """Rule sets as dated settings, and the calendar."""

    regime: Regime = field(
        default_factory=lambda: Regime(regime=INTRADAY_MARGIN, source="default", confirmed_on=date(2026, 11, 22))
    )
    margin: MarginRules = field(default_factory=MarginRules)
    settlement: SettlementRules = field(default_factory=SettlementRules)
    days: BusinessDays = field(default_factory=weekdays)
    without: frozenset[str] = frozenset()  # Rules left out, of RULES: to see what each prevents.


class AccountGate:
    """One account. `slots`, `deficits` and `cash` may be read; only events change them."""

    def __init__(self, rules: AccountRules, throttle: Throttle, universe: Universe, collar: float) -> None:
        unknown = rules.without - set(RULES)
        if unknown:
            raise ValueError(f"no such rule: {', '.join(sorted(unknown))}; rules are {', '.join(RULES)}")
        self.rules = rules
        self.regime = rules.regime
        self.collar = collar
        self.slots = DayTradeSlots(throttle, rules.days, rules.without)
        self.deficits = DeficitLedger(rules.margin, rules.days)
        self.cash: SettledCash | None = (
            SettledCash(rules.settlement, rules.days) if rules.regime.settles_in_cash else None
        )
        self.opened = OpenedToday()
        self.meter = MarginMeter(rules.margin, collar)
        self.view: AccountView | None = None  # The session's first.
        self.doubts: list[str] = []  # Why the rules cannot be trusted; entries stop.
        self.books = Disagreements()
        self.blocks: list[str] = []  # Why the broker takes no order.
        self.equity_usd = 0.0
        self.gross_usd = 0.0
        self.free_cash_usd = 0.0  # Without what shorts tie up.
        self.at_ns = 0
        self.owes_nothing = False  # Nothing is sold short, and every gain counts.
        self.today = date.min
        self.overnight_from_ns: float = float("inf")  # From here on a 4x book is brought down.
        self._open_ns = self._close_ns = 0
        self._universe = universe
        self._rooms: list[Room] = []
        self._seen: AccountView | None = None
        self._asked_overnight_usd = 0.0  # By our table, of what is held as the session opens.

    # Events.

    def session_opens(self, session: Session) -> None:
        """The phase; the account's first view of the session follows."""
        self.today = session.date
        self._open_ns, self._close_ns = session.open_ns, session.close_ns
        self.view = None
        self.doubts.clear()
        if self.cash is not None:
            self.cash.opens(self.today)

    def account(
        self,
        view: AccountView,
        held: Mapping[str, Decimal],
        marks_usd: FloatArray | None,
        differences: Sequence[str] = (),
    ) -> list[str]:
        """The session's first view, our own positions, and where both differ; what a person should know."""
        first, self.view, self._seen = self._seen is None, view, view
        if self.today == date.min:  # Before any session: its day is the view's.
            self.today = self.rules.days.trade_date(view.at_ns)
        regime = self.rules.regime
        if regime.regime == INTRADAY_MARGIN and view.daytrade_count is not None and not regime.counts_day_trades:
            regime = msgspec.structs.replace(
                regime, confirmed_on=None, source=f"{regime.source}; but the broker still counts day trades"
            )
        notes = [regime.text] if first or regime != self.regime else []
        self.regime = regime
        if first and self.cash is not None:
            self.cash.begin(view.cash_usd, held, view.non_marginable_buying_power_usd)
        self.opened.begins({symbol: float(quantity) for symbol, quantity in held.items()})
        self._open_slots(view, held)
        self._open_margin(view, marks_usd)
        self._rooms = [room for room in ROOMS if room.name not in self.rules.without and room.applies(self)]
        self.doubts += accounts.missing(view) + accounts.contradicts(view, regime) + self._count_differs(view)
        self.blocks = accounts.blocked(view)
        return notes + self._stopping(self.doubts + self.blocks) + self.books.opens(differences)

    def account_again(self, view: AccountView, differences: list[str]) -> list[str]:
        """A later view of the session; `differences` of positions that no open order explains."""
        assert self.view is not None
        before = [*self.doubts, *self.blocks]
        new = accounts.missing(view) + accounts.changed(self.view, view)
        self.slots.reported(view.daytrade_count)
        self.doubts += [one for one in new if one not in self.doubts]
        self.blocks = accounts.blocked(view)
        now = [*self.doubts, *self.blocks]
        notes = self.books.viewed(differences)
        if now == before:
            return notes
        return notes + (self._stopping(now) or ["what stopped entries in the broker's figures is over"])

    def doubt(self, text: str) -> list[str]:
        """Something that cannot be: entries stop until the next session's account agrees."""
        if text in self.doubts:
            return []
        self.doubts.append(text)
        return self._stopping([text])

    def entry_sent(self, intent: OrderIntent) -> None:
        """An entry goes out, under the permission it names."""
        signed = intent.quantity if intent.side is _BUY else -intent.quantity
        self.slots.entry_sent(intent.client_order_id, intent.symbol, signed, stop_waits=intent.stop_from_ns is not None)

    def order_over(self, client_order_id: str) -> None:
        self.slots.order_over(client_order_id)

    def filled(self, fill: Fill, client_order_id: str, *, protective: bool) -> list[str]:
        """Our own fills and those of other hands; what a person should know."""
        symbol, signed, price = fill.symbol, fill.quantity, fill.price_usd
        day = self._trade_date(fill.filled_at_ns)
        self.slots.filled(symbol, signed, client_order_id, fill.filled_at_ns, day)
        self.opened.filled(symbol, float(signed), float(price))
        if self.cash is None:
            return []
        if signed > 0:
            self.cash.bought(symbol, signed, signed * price)
            return []
        return self.cash.sold(symbol, -signed, -signed * price, day, protective=protective)

    def reduced_level(self, quantity: FloatArray, marks_usd: FloatArray, cash_usd: float) -> list[str]:
        """After a fill that opens or adds: a negative level is a deficit. Prices column by column, USD."""
        if not self.regime.limits_intraday_margin or (cash_usd >= 0.0 and not (quantity < 0.0).any()):
            return []  # Without a debit or a short what is held is worth what it asks for, and more.
        note = self.deficits.reduced(self.today, self.level_usd(quantity, marks_usd, cash_usd))
        return [note] if note else []

    def flowed(self, flow: CashFlow) -> None:
        if flow.kind in _DEPOSITS:
            self.deficits.deposited(float(flow.amount_usd))
        if self.cash is not None:
            self.cash.flowed(flow.amount_usd)

    def cash_found(self, amount_usd: Decimal) -> None:
        """The broker has so much more cash than our book; less where it is negative. Nothing says why."""
        if self.cash is not None:
            self.cash.flowed(amount_usd)

    def transformed(self, action: CorporateAction) -> None:
        """What a company did to its shares, between two sessions. Its cash comes by itself."""
        self.slots.ledger.transformed(action)
        if self.cash is not None:
            self.cash.transformed(action)

    def session_closes(self, quantity: FloatArray, marks_usd: FloatArray, cash_usd: float) -> list[str]:
        self.slots.closes()
        self.overnight_from_ns = float("inf")
        if not self.deficits.deficits:
            return []
        level = self.level_usd(quantity, marks_usd, cash_usd)
        return self.deficits.day_ends(self.today, level, cash_usd + float(quantity @ marks_usd))

    # Answers.

    @property
    def stopped(self) -> Reason | None:
        """Why no entry at all may go out."""
        if self.books.stands:
            return _DIFFERS
        if self.doubts and "unsure" not in self.rules.without:
            return _UNSURE
        return _BLOCKED if self.blocks else None

    def full(self, at_ns: int) -> bool:
        """No day-trade slot is free, and none can be done without."""
        slots = self.slots
        return slots.full and not (slots.without_slots and slots.last_minutes(self.minutes_left(at_ns)))

    @property
    def at_the_close(self) -> bool:
        """What is sent now fills in the next session."""
        return self.minutes_left(self.at_ns) <= 0

    def minutes_left(self, at_ns: int) -> int:
        return (self._close_ns - at_ns) // MINUTE_NS

    def permit(self, symbol: str, signed: Decimal, confidence: float | None, at_ns: int) -> Permission:
        """The rules that say yes or no."""
        return self.slots.permit(symbol, signed, confidence, self.minutes_left(at_ns))

    def look(
        self,
        at_ns: int,
        quantity: FloatArray,
        marks_usd: FloatArray,
        open_usd: FloatArray,
        cash_usd: float,
        equity_usd: float,
        short_usd: float = 0.0,
    ) -> None:
        """The book of a minute that has candidates, a column a symbol; `short_usd` are the shorts' worth, unsigned."""
        self.at_ns = at_ns
        self.equity_usd = self._counted(equity_usd, marks_usd)
        self.gross_usd = equity_usd - cash_usd + 2.0 * short_usd
        self.free_cash_usd = cash_usd - _SHORT_TIES_UP * short_usd
        self.owes_nothing = short_usd == 0.0 and self.equity_usd == equity_usd
        self.meter.look(quantity, marks_usd, open_usd, cash_usd)

    def rooms(self, wanted: Wanted) -> list[tuple[Reason, float]]:
        """What each rule that asks for a size leaves of an entry, USD."""
        return [(room.reason, room.usd(self, wanted)) for room in self._rooms]

    def level_usd(self, quantity: FloatArray, marks_usd: FloatArray, cash_usd: float) -> float:
        """Equity less maintenance, of what is held alone."""
        equity = self._counted(cash_usd + float(quantity @ marks_usd), marks_usd)
        return equity - self.meter.required(quantity, marks_usd, cash_usd) - self.meter.excess_usd

    @property
    def intraday_power(self) -> bool:
        """The broker lends four times by day, and the book can be brought down before the close."""
        view = self.view
        return view is not None and view.multiplier == 4 and not self.slots.by_law

    @property
    def overnight_usd(self) -> float:
        """What may be held over night, at the equity of now."""
        margin = self.rules.margin
        return margin.overnight_leverage * (1.0 - margin.overnight_buffer_fraction) * max(self.equity_usd, 0.0)

    @property
    def intraday_power_usd(self) -> float | None:
        """What a 4x account may buy now; None where overnight margin is the limit."""
        if not self.intraday_power or self.at_ns >= self.overnight_from_ns:
            return None
        return 4.0 * max(0.0, self.equity_usd - self.meter.held_usd)

    @property
    def day_trading_power_usd(self) -> float | None:
        """Of the prior close, or the broker's own if that is less; None where it knows no day trades."""
        view = self.view
        if view is None or view.multiplier != 4 or view.last_equity_usd is None:
            return None
        asked = view.last_maintenance_margin_usd
        excess = float(view.last_equity_usd) - (self._asked_overnight_usd if asked is None else float(asked))
        reported = view.daytrading_buying_power_usd
        return min(4.0 * excess, float("inf") if reported is None else float(reported))

    def exit_objection(self, symbol: str) -> Reason | None:
        """Why an exit that protects nobody has to wait: the broker would refuse it, or it would be a violation."""
        if symbol in self.slots.unprotected and "queued_stop" not in self.rules.without:
            return _NO_SLOT
        if self.cash is not None and "good_faith" not in self.rules.without:
            return _UNSETTLED if self.cash.would_violate(symbol, self.today) else None
        return None

    # Reckoning.

    def _open_slots(self, view: AccountView, held: Mapping[str, Decimal]) -> None:
        last = view.equity_usd if view.last_equity_usd is None else view.last_equity_usd
        self.slots.opens(
            self.today,
            float(last),
            held,
            law=self.regime.counts_day_trades,
            count=view.daytrade_count,
            flagged=view.pattern_day_trader,
            check=view.pdt_check,
        )

    def _open_margin(self, view: AccountView, marks_usd: FloatArray | None) -> None:
        """By how much the broker asks for more than our table; until it says so again, that is added."""
        minutes = self.rules.margin.overnight_minutes
        watched = view.multiplier == 4 and "overnight" not in self.rules.without
        self.overnight_from_ns = self._close_ns - minutes * MINUTE_NS if watched else float("inf")
        prices = self._prices(view, marks_usd)
        ours = self.meter.required(self._quantities(view), prices, float(view.cash_usd)) if view.positions else 0.0
        theirs = view.maintenance_margin_usd
        self._asked_overnight_usd = ours
        self.meter.excess_usd = 0.0 if theirs is None else max(0.0, float(theirs) - ours)

    def _prices(self, view: AccountView, marks_usd: FloatArray | None) -> FloatArray:
        """Last prices; what a position cost where there is none yet."""
        prices = self._columns() if marks_usd is None else marks_usd.copy()
        for one in view.positions:
            column = self._universe.column.get(one.symbol)
            if column is not None and not prices[column] > 0.0:
                prices[column] = float(one.average_price_usd)
        return prices

    def _quantities(self, view: AccountView) -> FloatArray:
        quantities = self._columns()
        for one in view.positions:
            if one.symbol in self._universe.column:
                quantities[self._universe.column[one.symbol]] = float(one.quantity)
        return quantities

    def _columns(self) -> FloatArray:
        return np.zeros(len(self._universe))

    def _count_differs(self, view: AccountView) -> list[str]:
        """The broker counts more day trades than our record of the whole window allows."""
        if view.daytrade_count is None or not self.slots.ledger.covers(self.today):
            return []
        ours = self.slots.ledger.own(self.today)
        if view.daytrade_count <= ours:
            return []
        return [f"the broker counts {counted(view.daytrade_count, 'day trade')} in the window, our fills make {ours}"]

    def _counted(self, equity_usd: float, marks_usd: FloatArray) -> float:
        """The bare rule values what was opened today at cost; the stricter reading lets its losses count."""
        if self.rules.margin.profit_counts:
            return equity_usd
        prices = {symbol: marks_usd.item(self._universe.column[symbol]) for symbol in self.opened.symbols}
        return equity_usd - self.opened.profit_usd(prices)

    def _trade_date(self, at_ns: int) -> date:
        """Fills of the session's own day need no calendar."""
        inside = self._open_ns <= at_ns <= self._close_ns
        return self.today if inside else self.rules.days.trade_date(at_ns)

    @staticmethod
    def _stopping(texts: list[str]) -> list[str]:
        return [f"entries are stopped: {text}" for text in texts]
