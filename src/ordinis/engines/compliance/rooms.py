"""The account's rules that need a size: each says how many USD of a new position it leaves room for.

They stand beside the risk guard's own and are reported in the same way: the least room binds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

import msgspec

from ordinis.domain.decision import Reason

if TYPE_CHECKING:
    from ordinis.engines.compliance.gate import AccountGate

Usd = Callable[["AccountGate", float, int, float, float], float]  # gate, price, column, cash, open entries


def _without_debit(gate: AccountGate, cash_usd: float, open_usd: float) -> float:
    """What cash alone pays for, at the collar."""
    return cash_usd / (1.0 + gate.collar) - open_usd


def minimum_equity(gate: AccountGate, price_usd: float, column: int, cash_usd: float, open_usd: float) -> float:
    """Below the minimum nothing is owed."""
    enough = gate.equity_usd >= gate.rules.margin.equity_min_usd
    return inf if enough else _without_debit(gate, cash_usd, open_usd)


def level(gate: AccountGate, price_usd: float, column: int, cash_usd: float, open_usd: float) -> float:
    """The level after the order keeps its buffer."""
    buffer_usd = gate.rules.margin.buffer_fraction * gate.equity_usd
    return gate.meter.room_usd(gate.equity_usd, buffer_usd, price_usd, column)


def restricted(gate: AccountGate, price_usd: float, column: int, cash_usd: float, open_usd: float) -> float:
    """While a call is open, or the account frozen, no debit is made or increased."""
    free = not (gate.deficits.frozen(gate.today) or gate.deficits.outstanding_usd)
    return inf if free else _without_debit(gate, cash_usd, open_usd)


def day_trading_power(gate: AccountGate, price_usd: float, column: int, cash_usd: float, open_usd: float) -> float:
    """Four times the excess of the prior close; closing what was held overnight adds nothing to it."""
    power_usd = gate.day_trading_power_usd
    return inf if power_usd is None else power_usd / (1.0 + gate.collar) - gate.opened.cost_usd - open_usd


def settled_cash(gate: AccountGate, price_usd: float, column: int, cash_usd: float, open_usd: float) -> float:
    """Only what has settled, or settles in time, is spent."""
    assert gate.cash is not None
    return float(gate.cash.spendable_usd(gate.today)) / (1.0 + gate.collar) - open_usd


def overnight(gate: AccountGate, price_usd: float, column: int, cash_usd: float, open_usd: float) -> float:
    """Near the close nothing is opened that could not be held over night."""
    if gate.at_ns < gate.overnight_from_ns:
        return inf
    return gate.overnight_usd - gate.gross_usd - open_usd


class Room(msgspec.Struct, frozen=True):
    """A rule, what it is reported as, and for which accounts it is asked."""

    name: str
    reason: Reason
    usd: Usd
    applies: Callable[[AccountGate], bool]


def _on_margin(gate: AccountGate) -> bool:
    return gate.cash is None


def _in_cash(gate: AccountGate) -> bool:
    return gate.cash is not None


def _day_trades_on_margin(gate: AccountGate) -> bool:
    """Of a flagged account above the floor; below it slots rule."""
    return gate.regime.counts_day_trades and not gate.slots.by_law and gate.day_trading_power_usd is not None


ROOMS: tuple[Room, ...] = (
    Room("minimum_equity", Reason.MARGIN_EQUITY, minimum_equity, _on_margin),
    Room("settled_cash", Reason.SETTLED_CASH, settled_cash, _in_cash),
    Room("intraday_margin", Reason.INTRADAY_MARGIN, level, _on_margin),
    Room("margin_restricted", Reason.MARGIN_RESTRICTED, restricted, _on_margin),
    Room("overnight", Reason.BUYING_POWER, overnight, lambda gate: gate.overnight_from_ns < inf),
    Room("day_trading_power", Reason.DAY_TRADING_POWER, day_trading_power, _day_trades_on_margin),
)
