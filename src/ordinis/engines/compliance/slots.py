"""Day-trade slots: every entry that could be closed today, by its stop or target too, reserves one until the close.

What is reserved is recomputed, never booked: it is the count that would result if all open entries filled and
everything opened today were closed today, symbol by symbol. So a reservation cannot leak. The last slots are an
emergency pool, shared by swing entries for their same-day stops. With none free an entry may come in the last minutes
only, and its stop goes out after the close. Orders that reduce a position are never asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from ordinis.domain.decision import Reason
from ordinis.engines.compliance.business_days import BusinessDays
from ordinis.engines.compliance.day_trade_ledger import DayTradeLedger
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.wanted import Permission

_NO_SLOT: Final = Reason.DAY_TRADE_SLOTS
_DOUBTFUL: Final = Reason.LOW_CONFIDENCE
_ENTRY_CHECKED: Final = ("entry", "both")
_CHECKS: Final = ("entry", "exit", "both")


FREELY: Final = Permission(None)
REFUSED: Final = Permission(_NO_SLOT)


def unprotected_note(symbol: str) -> str:
    """What is said of an entry whose stop waits."""
    return f"{symbol}: no day-trade slot is free: unprotected today, its stop follows the close"


class DayTradeSlots:
    """The gate of the day-trade count. `filled` and the other events move it; `permit` asks it."""

    def __init__(self, throttle: Throttle, days: BusinessDays, without: frozenset[str] = frozenset()) -> None:
        self.throttle = throttle
        self.ledger = DayTradeLedger(throttle.window_sessions, days)
        self.flagged = False  # A pattern day trader, as the broker says or as we have to expect.
        self.on = False
        self.by_law = False
        self._law = False
        self._in_session = False
        self.check = "both"  # Where the broker refuses.
        self.unprotected: set[str] = set()  # Bought without a slot: nothing of it may be sold today.
        self._without = without
        self._today = date.min
        self._symbol_of: dict[str, str] = {}  # Open entries.
        self._waiting: dict[str, dict[str, Decimal]] = {}  # The same by symbol: signed shares to come.
        self._used: int | None = None  # None: reckoned when it is shown.
        self._could: dict[str, int] = {}  # What each symbol could still add today.
        self._reserved = 0
        self._changed: set[str] = set()  # To be reckoned when somebody asks.

    # Events.

    def opens(
        self,
        today: date,
        last_equity_usd: float,
        held: Mapping[str, Decimal],
        *,
        law: bool = False,
        count: int | None = None,
        flagged: bool | None = None,
        check: str | None = None,
    ) -> None:
        """A session begins with these positions. `law`: the regime counts day trades, otherwise a policy of ours does.

        `count`, `flagged` and `check` are the broker's; None: unknown.
        """
        rules = self.throttle
        self._today = today
        self._law = law
        self.by_law = law and last_equity_usd < rules.law_floor_usd
        self.on = self.by_law or (rules.enabled and last_equity_usd < rules.equity_floor_usd)
        self.check = rules.check or (check if check in _CHECKS else "both")
        self.unprotected.clear()
        self._in_session = True
        self.ledger.asked = self.on
        self.ledger.opens(today, held)
        self.ledger.reported(today, count)
        self._count_anew()
        self._recount()
        self.flagged = flagged if flagged is not None else self.flagged or self._is_pattern()

    def closes(self) -> None:
        """Nothing that is open can become a day trade of this session any more."""
        self.flagged = self.flagged or self._is_pattern()
        self.unprotected.clear()
        self._in_session = False
        self._recount()

    def entry_sent(self, client_order_id: str, symbol: str, signed: Decimal, *, stop_waits: bool = False) -> None:
        """`signed` shares: negative sells short."""
        self._symbol_of[client_order_id] = symbol
        self._waiting.setdefault(symbol, {})[client_order_id] = signed
        if stop_waits:
            self.unprotected.add(symbol)
        self._touch(symbol)

    def reported(self, count: int | None) -> None:
        """The broker's count, in mid-session."""
        self.ledger.reported(self._today, count)
        self._count_anew()

    def order_over(self, client_order_id: str) -> None:
        """It ended; what it has filled the record knows."""
        symbol = self._symbol_of.pop(client_order_id, None)
        if symbol is None:
            return
        waiting = self._waiting[symbol]
        del waiting[client_order_id]
        if not waiting:
            del self._waiting[symbol]
            if not self.ledger.held(symbol):
                self.unprotected.discard(symbol)  # It came to nothing: the next entry is asked anew.
        self._touch(symbol)

    def filled(self, symbol: str, signed: Decimal, order_id: str, at_ns: int, day: date) -> None:
        self.ledger.filled(symbol, signed, order_id, at_ns, day)
        waiting = self._waiting.get(symbol)
        if waiting is not None and order_id in waiting:
            waiting[order_id] -= signed
        self._count_anew()
        self._touch(symbol)

    # Answers.

    @property
    def used(self) -> int:
        """Day trades in the window, today's included."""
        if self._used is not None:
            return self._used
        return self.ledger.used(self._today) if self._today != date.min else 0

    @property
    def reserved(self) -> int:
        """What open entries and what was opened today could still add."""
        self._settle()
        return self._reserved if "reservation" not in self._without else 0

    @property
    def allowed(self) -> int:
        """A flagged account below the floor may not day trade at all."""
        return 0 if self.flagged and self.by_law and "flag" not in self._without else self.throttle.day_trades_max

    @property
    def remaining(self) -> int | None:
        """Day trades that are left after what is used and reserved; None where nothing limits them."""
        return max(0, self.allowed - self.used - self.reserved) if self.on else None

    @property
    def full(self) -> bool:
        """One more entry could become the day trade that is one too many."""
        return self.on and self._taken() >= self.allowed and "day_trade_slots" not in self._without

    @property
    def swings(self) -> bool:
        """Only the emergency pool is left, or not even that."""
        on = self.by_law and "emergency_pool" not in self._without
        return on and self._taken() >= self.allowed - self.throttle.approach_slots_left

    @property
    def without_slots(self) -> bool:
        """An entry may do without: the law counts, the broker looks at exits only."""
        return self.by_law and self.throttle.last_minutes > 0 and self.check not in _ENTRY_CHECKED

    def last_minutes(self, minutes_left: int) -> bool:
        """So near the close, and not at it: what is sent then is of the next session."""
        return 0 < minutes_left <= self.throttle.last_minutes

    def permit(self, symbol: str, signed: Decimal, confidence: float | None, minutes_left: int) -> Permission:
        """Whether an entry of `signed` shares may go out so many minutes before the close."""
        if not self.on:
            return FREELY
        taken = self._taken()
        needed = taken + self._more(symbol, signed)
        pool = self.throttle.approach_slots_left if self.by_law and "emergency_pool" not in self._without else 0
        if needed == taken or needed <= self.allowed - pool or "day_trade_slots" in self._without:
            return FREELY
        if self._doubtful(confidence):
            return Permission(_DOUBTFUL if needed <= self.allowed else _NO_SLOT)
        if needed <= self.allowed:
            return Permission(None, swing=True)
        if self.without_slots and self.last_minutes(minutes_left):
            return Permission(None, swing=True, stop_waits="queued_stop" not in self._without)
        return REFUSED

    # Reckoning.

    def _doubtful(self, confidence: float | None) -> bool:
        least = self.throttle.swing_min_confidence
        sure = least <= 0.0 or (confidence is not None and confidence >= least)
        return not sure and "swing_confidence" not in self._without

    def _taken(self) -> int:
        return self.used + self.reserved

    def _count_anew(self) -> None:
        """Kept only where somebody goes by it."""
        self._used = self.ledger.used(self._today) if self.on else None

    def _recount(self) -> None:
        """Every symbol anew: a session has begun or ended."""
        self._could.clear()
        self._reserved = 0
        self._changed = {*self._waiting, *self.ledger.traded_today(self._today)}
        if self.on:
            self._settle()

    def _touch(self, symbol: str) -> None:
        """Something of it has changed. Where nobody goes by the slots it is reckoned when they are shown."""
        self._changed.add(symbol)
        if self.on:
            self._settle()

    def _settle(self) -> None:
        for symbol in self._changed:
            self._reckon(symbol)
        self._changed.clear()

    def _reckon(self, symbol: str) -> None:
        """Reckon this symbol anew; the others stay as they are."""
        could = self._expect(symbol, self._pending(symbol)) if self._could_close(symbol) else 0
        self._reserved += could - self._could.get(symbol, 0)
        self._could[symbol] = could

    def _could_close(self, symbol: str) -> bool:
        return self._in_session and symbol not in self.unprotected

    def _pending(self, symbol: str) -> list[tuple[str, Decimal]]:
        return [(order_id, left) for order_id, left in self._waiting.get(symbol, {}).items() if left]

    def _more(self, symbol: str, signed: Decimal) -> int:
        """What one more entry would add to what the symbol could add already."""
        pending = self._pending(symbol)
        return self._expect(symbol, [*pending, ("", signed)]) - self._expect(symbol, pending)

    def _expect(self, symbol: str, pending: list[tuple[str, Decimal]]) -> int:
        record = self.ledger.symbol(symbol, self._today)
        if record is None:
            if len(pending) < 2 and not self.ledger.held(symbol):  # Most entries: one order, of nothing held.
                return len(pending)
            record = self.ledger.untraded(symbol)
        return record.count_if(pending) - self.ledger.count_of(symbol, self._today)

    def _is_pattern(self) -> bool:
        """So many day trades in the window, unless they are too small a part of all trades."""
        rules = self.throttle
        if not self._law or self._today == date.min or self.used < rules.pattern_count:
            return False
        return self.used > rules.pattern_trades_fraction * self.ledger.orders_in_window(self._today)
