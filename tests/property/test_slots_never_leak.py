"""Whatever happens in whatever order: reservations come back, and what is allowed is never passed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ordinis.engines.compliance.business_days import weekdays
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.slots import DayTradeSlots

SYMBOLS = ("AAA", "BBB", "CCC")
steps = st.lists(
    st.tuples(st.sampled_from(["enter", "fill", "part", "end", "sell", "close"]), st.sampled_from(SYMBOLS)), max_size=60
)


class Account:
    """Entries are sent where the slots permit it; everything that is held may be sold at any time."""

    def __init__(self) -> None:
        self.slots = DayTradeSlots(Throttle(enabled=True), weekdays())
        self.today = date(2025, 1, 13)
        self.held: dict[str, int] = {}
        self.entries: dict[str, tuple[str, int]] = {}
        self.number = 0
        self.slots.opens(self.today, 10_000.0, {}, law=True)

    def take(self, step: str, symbol: str) -> None:
        self.number += 1
        mine = [order_id for order_id, (one, _) in self.entries.items() if one == symbol]
        if step == "enter" and self.slots.permit(symbol, Decimal(10), 0.9, 100).reason is None:
            self.entries[f"entry-{self.number}"] = (symbol, 10)
            self.slots.entry_sent(f"entry-{self.number}", symbol, Decimal(10))
        elif step in ("fill", "part") and mine:
            left = self.entries[mine[0]][1]
            self._fill(symbol, left if step == "fill" else min(left, 3), mine[0])
        elif step == "end" and mine:
            del self.entries[mine[0]]
            self.slots.order_over(mine[0])
        elif step == "sell" and self.held.get(symbol) and not mine:
            self._fill(symbol, -self.held[symbol], f"exit-{self.number}")
        elif step == "close":
            self._next_day()

    def _fill(self, symbol: str, shares: int, order_id: str) -> None:
        self.held[symbol] = self.held.get(symbol, 0) + shares
        self.slots.filled(symbol, Decimal(shares), order_id, self.number, self.today)
        if order_id in self.entries:
            left = self.entries[order_id][1] - shares
            self.entries[order_id] = (symbol, left)
            if not left:
                del self.entries[order_id]
                self.slots.order_over(order_id)

    def _next_day(self) -> None:
        for order_id in list(self.entries):
            self.slots.order_over(order_id)
        self.entries.clear()
        self.slots.closes()
        assert self.slots.reserved == 0
        self.today = weekdays().next_trading_day(self.today)
        held = {symbol: Decimal(shares) for symbol, shares in self.held.items() if shares}
        self.slots.opens(self.today, 10_000.0, held, law=True)


@given(steps)
def test_reservations_never_leak_and_the_fourth_day_trade_never_comes(plan: list[tuple[str, str]]) -> None:
    account = Account()
    for step, symbol in plan:
        account.take(step, symbol)
        assert account.slots.used + account.slots.reserved <= 3
        assert account.slots.reserved >= 0
    account.take("close", "AAA")
    assert account.slots.reserved == 0


@given(steps)
def test_the_totals_are_what_a_recount_of_every_symbol_gives(plan: list[tuple[str, str]]) -> None:
    account = Account()
    for step, symbol in plan:
        account.take(step, symbol)
        running = account.slots.reserved
        account.slots._recount()
        assert account.slots.reserved == running
