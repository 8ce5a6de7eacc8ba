"""What the gate of the account's rules costs an order, amortised over a minute's batch.

    python bench/gate.py [--json OUT] [--symbols N] [--orders N] [--minutes N]

A minute looks at the book once; each of its orders is asked for permission and for room, and goes out; one of them
fills, the others end. A day has 30 such minutes. Minutes without candidates call nothing of the gate.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np

from ordinis.domain.account import AccountView
from ordinis.domain.market import MINUTE_NS, Session, Universe
from ordinis.domain.orders import Fill, OrderIntent, OrderType, Purpose, Side, TimeInForce
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountGate, AccountRules
from ordinis.engines.compliance.regimes import CASH, INTRADAY_MARGIN, PATTERN_DAY_TRADER, Regime, RegimeName
from ordinis.engines.compliance.wanted import Wanted

OPEN_NS = 1_736_951_400 * 10**9  # 2025-01-15 09:30 in New York.
PRICE_USD = 50.0
MINUTES_A_DAY = 30
SHARES = Decimal(10)


def gate_of(regime: RegimeName, symbols: int) -> AccountGate:
    """An account that is opened, with slots for everything that the bench sends."""
    universe = Universe(tuple(f"S{number}" for number in range(symbols)))
    rules = AccountRules(regime=Regime(regime=regime, source="bench", confirmed_on=date(2025, 1, 1)))
    gate = AccountGate(rules, Throttle(enabled=True, day_trades_max=10**6), universe, 0.04)
    gate.session_opens(Session(date=date(2025, 1, 15), open_ns=OPEN_NS, close_ns=OPEN_NS + 390 * MINUTE_NS))
    equity = Decimal(24_000)
    view = AccountView(
        at_ns=OPEN_NS,
        equity_usd=equity,
        cash_usd=equity,
        buying_power_usd=equity,
        last_equity_usd=equity,
        multiplier=1 if regime == CASH else 2,
    )
    gate.account(view, {}, None)
    return gate


def minute_us(regime: RegimeName, symbols: int, orders: int, minutes: int) -> float:
    """Microseconds an order: the median of the minutes."""
    quantity, marks, waiting = np.zeros(symbols), np.full(symbols, PRICE_USD), np.zeros(symbols)
    quantity[:10], waiting[10:12] = 10.0, 500.0  # Ten positions, and two entries of the minute before.
    names = [f"S{number}" for number in range(symbols)]
    spent = []
    for minute in range(minutes):
        if minute % MINUTES_A_DAY == 0:
            gate = gate_of(regime, symbols)
        at_ns = OPEN_NS + (minute % MINUTES_A_DAY + 1) * MINUTE_NS
        columns = [(minute * orders + number) % symbols for number in range(orders)]
        intents = [_entry(f"{minute}-{number}", names[column], at_ns) for number, column in enumerate(columns)]
        started = time.perf_counter_ns()
        gate.look(at_ns, quantity, marks, waiting, 24_000.0, 24_000.0)
        for intent, column in zip(intents, columns, strict=True):
            gate.permit(names[column], SHARES, 0.9, at_ns)
            gate.rooms(Wanted(PRICE_USD, column))
            gate.entry_sent(intent)
            gate.meter.entered(500.0, PRICE_USD, column)
        spent.append(time.perf_counter_ns() - started)
        _end(gate, names, columns, minute, at_ns)
    return statistics.median(spent) / orders / 1000


def _entry(client_order_id: str, symbol: str, at_ns: int) -> OrderIntent:
    return OrderIntent(
        client_order_id=client_order_id,
        symbol=symbol,
        side=Side.BUY,
        quantity=SHARES,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        purpose=Purpose.ENTRY,
        decided_at_ns=at_ns,
        valid_until_ns=at_ns,
    )


def _end(gate: AccountGate, names: list[str], columns: list[int], minute: int, at_ns: int) -> None:
    """One entry fills, the others end."""
    for number, column in enumerate(columns):
        if number == 0:
            fill = Fill(
                execution_id=f"{minute}",
                symbol=names[column],
                quantity=SHARES,
                price_usd=Decimal(50),
                filled_at_ns=at_ns,
            )
            gate.filled(fill, f"{minute}-{number}", protective=False)
        gate.order_over(f"{minute}-{number}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", help="write the figures there, too")
    parser.add_argument("--symbols", type=int, default=100)
    parser.add_argument("--orders", type=int, default=5, help="a minute")
    parser.add_argument("--minutes", type=int, default=2000)
    given = parser.parse_args()
    rows = {
        regime: minute_us(regime, given.symbols, given.orders, given.minutes)
        for regime in (INTRADAY_MARGIN, PATTERN_DAY_TRADER, CASH)
    }
    for regime, microseconds in rows.items():
        sys.stdout.write(
            f"{regime:20} {microseconds:6.2f} us an order, {given.orders} orders a minute, {given.symbols} symbols\n"
        )
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
